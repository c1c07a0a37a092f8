"""Budget specs: which of them holds for an account and an asset.

    both named  >  one named  >  none named

The more specific spec wins, the later among equals; an account alone and an asset alone are equals. Where no spec
applies the budget is 0.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle, product

from orderbook_tui.config.models import BudgetSpec
from orderbook_tui.config.reading import Trouble
from orderbook_tui.config.showing import Place, message_text, shown
from orderbook_tui.config.wording import alternatives, nearest
from orderbook_tui.core.garbage import uncollected
from orderbook_tui.core.market import Account
from orderbook_tui.core.money import Asset
from orderbook_tui.errors import AmountError

_NEVER = -1


def directory(accounts: Sequence[Account]) -> dict[str, str]:
    """Return what accounts may be called by, ids and names alike, with the id each stands for."""
    return {account.name: account.id for account in accounts} | {account.id: account.id for account in accounts}


def budget_units(
    specs: Sequence[BudgetSpec], accounts: Sequence[Account], assets: Mapping[str, Asset]
) -> dict[tuple[str, str], int]:
    """Return the budget of every account and asset, in the asset's units.

    Raises:
        KeyError: a spec names an account that is none.
        AmountError: an amount does not fit its asset.
    """
    named = directory(accounts) if any(spec.account_id is not None for spec in specs) else {}
    for_pair: dict[tuple[str, str], BudgetSpec] = {}
    for_account: dict[str, int] = {}
    for_asset: dict[str, int] = {}
    for_all = _NEVER
    special: dict[str, None] = {}
    for place, spec in enumerate(specs):
        if spec.account_id is None:
            if spec.asset_id is None:
                for_all = place
            else:
                for_asset[spec.asset_id] = place
            continue
        account = named[spec.account_id]
        special[account] = None
        if spec.asset_id is None:
            for_account[account] = place
        else:
            for_pair[account, spec.asset_id] = spec

    def units(place: int, asset: Asset) -> int:
        return 0 if place == _NEVER else asset.units(specs[place].amount)

    usual = [units(for_asset.get(symbol, for_all), asset) for symbol, asset in assets.items()]
    pairs = product([account.id for account in accounts], assets)
    with uncollected():
        budgets = dict(zip(pairs, cycle(usual), strict=False))
    for account in special:
        for symbol, asset in assets.items():
            if spec_of_pair := for_pair.get((account, symbol)):
                budgets[account, symbol] = asset.units(spec_of_pair.amount)
            elif for_account.get(account, _NEVER) > for_asset.get(symbol, _NEVER):
                budgets[account, symbol] = units(for_account[account], asset)
    return budgets


def budget_troubles(
    specs: Sequence[BudgetSpec],
    named: Mapping[str, str] | None,
    names: Sequence[str],
    assets: Mapping[str, Asset] | None,
) -> Iterator[Trouble]:
    """Find specs that name nothing, or whose amount does not fit an asset that they decide; None: not known.

    `named` is every id and name of an account, `names` those to suggest.
    """
    for_asset = {spec.asset_id: place for place, spec in enumerate(specs) if spec.account_id is None}
    for index, spec in enumerate(specs):
        place = ("budget", "budgets", index)
        if named is not None and spec.account_id is not None and spec.account_id not in named:
            yield nothing_by_that_name((*place, "account_id"), spec.account_id, "account", names)
        if assets is None:
            continue
        if spec.asset_id is not None and spec.asset_id not in assets:
            yield nothing_by_that_name((*place, "asset_id"), spec.asset_id, "asset", tuple(assets))
            continue
        decided = [assets[spec.asset_id]] if spec.asset_id is not None else []
        if spec.asset_id is None:
            # Without an account, any spec for the asset is more specific; with one, only a later spec wins.
            stays = _NEVER + 1 if spec.account_id is None else index
            decided = [asset for symbol, asset in assets.items() if for_asset.get(symbol, _NEVER) < stays]
        for asset in decided:
            try:
                asset.units(spec.amount)
            except AmountError as error:
                yield Trouble((*place, "amount"), message_text(error))
                break


def nothing_by_that_name(place: Place, name: str, kind: str, known: Sequence[str]) -> Trouble:
    """Say that no account, asset or market goes by a name, and which one was probably meant."""
    meant = nearest(name, known)
    hint = f"did you mean {shown(meant)}?" if meant else f"there {'is' if len(known) == 1 else 'are'} {alternatives(known)}"
    return Trouble(place, f"no {kind} is called {shown(name)}" + (f" ({hint})" if known else ""))
