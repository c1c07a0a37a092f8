"""What several checks need to know about a draft; None where the file does not say it soundly."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from orderbook_tui.config.accounts import account_troubles
from orderbook_tui.config.budgets import directory
from orderbook_tui.config.ccxt import lists_markets
from orderbook_tui.config.database import Part, is_read
from orderbook_tui.config.draft import Draft
from orderbook_tui.config.models import AccountsSpec, MarketSpec
from orderbook_tui.config.showing import Place, file_text
from orderbook_tui.config.universe import accounts_of, assets_of, market_of, markets_of
from orderbook_tui.core.market import Account, Market, MarketStatus
from orderbook_tui.core.money import Asset
from orderbook_tui.errors import AmountError, ConfigError, Problem


class KnownAccounts:
    """A section of accounts that was found sound, and what follows from it: nobody need read it again while it is the same."""

    def __init__(self, spec: AccountsSpec, folder: Path, accounts: list[Account] | None = None) -> None:
        self.spec = spec
        self._folder, self._accounts = folder, accounts

    @property
    def accounts(self) -> list[Account]:
        """The accounts themselves.

        Raises:
            ConfigError: the file of accounts cannot be read any more.
        """
        if self._accounts is None:  # a million that are only counted need not be made
            self._accounts = accounts_of(self.spec, self._folder)
        return self._accounts

    @cached_property
    def names(self) -> list[str]:
        return [account.name for account in self.accounts]

    @cached_property
    def named(self) -> dict[str, str]:
        """Ids and names of accounts, with the id each stands for."""
        return directory(self.accounts)


class Facts:
    """One draft, and what follows from it, each worked out once and only if it is asked for.

    `known` accounts hold where the draft has the same section of accounts.
    """

    def __init__(self, draft: Draft, folder: Path, known: KnownAccounts | None = None) -> None:
        self.draft, self.config, self.folder = draft, draft.config, folder
        self.known = known if known is not None and known.spec is draft.config.accounts else None
        self._file_problems: list[Problem] = []

    def is_sound(self, *path: str) -> bool:
        """Whether nothing at, in or around a place was refused by itself."""
        return self.draft.is_sound(path)

    def is_elsewhere(self, part: Part) -> bool:
        """Whether a part is in a database or at an exchange, and so not known here."""
        return is_read(self.config.database, part) or (part == "markets" and lists_markets(self.config.venue))

    @cached_property
    def accounts(self) -> list[Account] | None:
        if self.known is not None:
            return self.known.accounts
        if self.is_elsewhere("accounts"):
            return None
        spec = self.config.accounts
        given = [way for way in (spec.generate, spec.list, spec.file) if way is not None]
        if not self.is_sound("accounts") or len(given) != 1 or (spec.list and any(account_troubles(spec.list))):
            return None
        try:
            return accounts_of(spec, self.folder)
        except ConfigError as error:
            self._file_problems = [self._at_file(problem) for problem in error.problems]
            return None

    def file_problems(self) -> list[Problem]:
        """Return what is wrong with the file of accounts, if there is one."""
        if self.config.accounts.file is not None and self.accounts is None:
            return self._file_problems
        return []

    @cached_property
    def account_count(self) -> int | None:
        spec = self.config.accounts
        if self.known is None and self.is_elsewhere("accounts"):
            return None
        if spec.generate and spec.list is None and spec.file is None and self.is_sound("accounts"):
            return spec.generate.count  # a million of them need not be made to be counted
        return None if self.accounts is None else len(self.accounts)

    @property
    def account_names(self) -> list[str]:
        found = self._found_accounts
        return found.names if found is not None else []

    @property
    def named(self) -> dict[str, str] | None:
        """Ids and names of accounts, with the id each stands for."""
        found = self._found_accounts
        return found.named if found is not None else None

    @cached_property
    def _found_accounts(self) -> KnownAccounts | None:
        if self.known is not None or self.accounts is None:
            return self.known
        return KnownAccounts(self.config.accounts, self.folder, self.accounts)

    def sound_accounts(self) -> KnownAccounts | None:
        """Return what to know of the accounts in the next reading; to be asked when no check has found them wrong."""
        spec = self.config.accounts
        if self.is_elsewhere("accounts"):
            return None
        if self.known is not None or spec.list is not None or spec.file is not None:
            return self._found_accounts
        return KnownAccounts(spec, self.folder)

    @cached_property
    def assets(self) -> dict[str, Asset] | None:
        from_markets = self.is_sound("markets") and not self.is_elsewhere("markets")
        sound = self.is_sound("assets") and (self.config.assets is not None or from_markets)
        return assets_of(self.config) if sound else None

    @cached_property
    def markets(self) -> list[tuple[Place, Market]]:
        """The active markets that can be built, with their places."""
        built = []
        for place, spec in self.market_specs():
            try:
                market = self.market(spec)
            except AmountError:
                continue
            if market is not None and market.status is MarketStatus.ACTIVE:
                built.append((place, market))
        return built

    def market_specs(self) -> Iterator[tuple[Place, MarketSpec]]:
        """Yield what is known of each market, with its place: the default ones stand at none."""
        if self.is_elsewhere("markets"):
            return
        if self.is_sound("markets") or self.config.markets is not None:
            for index, spec in enumerate(markets_of(self.config)):
                yield (("markets",) if self.config.markets is None else ("markets", index)), spec

    @cached_property
    def _market_assets(self) -> dict[str, Asset]:
        # Where no assets are given a market brings its own, whatever is wrong with another.
        return assets_of(self.config) if self.is_sound("assets") else {}

    def _at_file(self, problem: Problem) -> Problem:
        """Say of a problem with the whole file of accounts where that file was named."""
        inside = ": " in problem.path or problem.path != file_text(self.config.accounts.file or "")
        return problem if inside else Problem("accounts.file", str(problem))

    def market(self, spec: MarketSpec) -> Market | None:
        """Return the market, None where its assets are not known.

        Raises:
            AmountError: its steps do not fit its assets.
        """
        known = self._market_assets
        return market_of(spec, known) if spec.base in known and spec.quote in known else None
