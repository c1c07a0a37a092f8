"""Which markets and accounts of a draft take part.

A market that does not is written down as inactive; an account that does not is left out of the list of accounts, which is
written down for that. Who takes part again stands as it stood before. Of the markets that an exchange is asked for, one
that does not take part is left out of `venue.markets`.
"""

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

from orderbook_tui.config.ccxt import lists_markets
from orderbook_tui.config.database import PARTS, Part, is_read
from orderbook_tui.config.form import ABSENT
from orderbook_tui.config.models import MarketSpec
from orderbook_tui.config.universe import DEFAULT_MARKETS, accounts_of, markets_of
from orderbook_tui.core.market import Account, MarketStatus
from orderbook_tui.engine.describing import accounts_read, kept_contents
from orderbook_tui.engine.draft_files import account_tree, market_tree, moved
from orderbook_tui.engine.draft_tree import DraftTree
from orderbook_tui.errors import ConfigError


def choices_of_markets(draft: DraftTree) -> list[tuple[str, bool]]:
    """Return each market, and whether it gets slots."""
    venue = draft.reading().config.venue
    if lists_markets(venue):
        return [(symbol, symbol in venue.markets) for symbol in _of_exchange(draft)]
    return [(spec.symbol, spec.status is MarketStatus.ACTIVE) for spec in _markets(draft)]


def _of_exchange(draft: DraftTree) -> list[str]:
    """Return the markets that an exchange is asked for, those included that only the file has."""
    lists = draft.saved_at("venue", "markets"), draft.at("venue", "markets")
    rows = [row for found in lists if isinstance(found, list) for row in found]
    return list(dict.fromkeys(row for row in rows if isinstance(row, str)))


def choose_market(draft: DraftTree, symbol: str, *, chosen: bool) -> None:
    """Have a market take part or not."""
    venue = draft.reading().config.venue
    if lists_markets(venue):
        wanted = {*venue.markets, symbol} if chosen else {*venue.markets} - {symbol}
        draft.put(("venue", "markets"), [each for each in _of_exchange(draft) if each in wanted])
        return
    if is_read(draft.reading().config.database, "markets"):
        read = [market_tree(spec) for spec in _markets(draft)]
        if any(row["symbol"] == symbol for row in read):
            without_database(draft, "markets")
            draft.put(("markets",), read)
    known = {spec.symbol for spec in markets_of(draft.reading().config)}
    defaults = [market_tree(spec) for spec in DEFAULT_MARKETS if spec.symbol in known]
    rows = draft.at("markets")
    markets = [dict(row) if isinstance(row, dict) else row for row in (rows if isinstance(rows, list) else defaults)]
    for row in markets:
        if isinstance(row, dict) and row.get("symbol") == symbol:
            row.pop("status", None)
            said = _saved_status(draft, symbol)
            if said is not None and (said == MarketStatus.ACTIVE) == chosen:
                row["status"] = said
            elif not chosen:
                row["status"] = MarketStatus.INACTIVE.value
    draft.put(("markets",), ABSENT if draft.saved_at("markets") is ABSENT and markets == defaults else markets)


def _markets(draft: DraftTree) -> Sequence[MarketSpec]:
    """Return the markets; of a database, those that were read of it last."""
    config = draft.reading().config
    if not is_read(config.database, "markets"):
        return markets_of(config)
    contents = kept_contents(config, draft.folder)
    return (contents.markets or ()) if contents is not None else ()


def without_database(draft: DraftTree, part: Part) -> None:
    """Have a part read from the database no more; a database that nothing is read from any more goes with it."""
    left = any(draft.at("database", other) is not ABSENT for other in PARTS if other != part)
    draft.put(("database", part) if left else ("database",), ABSENT)


def _saved_status(draft: DraftTree, symbol: str) -> object:
    """Return what the file says of a market's status, None where it says nothing."""
    rows = draft.saved_at("markets")
    same = [row for row in (rows if isinstance(rows, list) else ()) if isinstance(row, dict) and row.get("symbol") == symbol]
    return same[0].get("status") if same else None


class AccountChoices:
    """The accounts of a draft, those included that its list leaves out."""

    def __init__(self, draft: DraftTree) -> None:
        self._draft = draft
        self._everybody: list[tuple[Account, object]] | None = None
        """Every account, with what a list of accounts says of it; None while none is left out."""
        self._left_out: set[str] = set()
        self._before: object = ABSENT
        """What the draft said of accounts before one was left out."""
        self._database_before: object = ABSENT

    def accounts(self) -> list[Account]:
        """Return those that take part; none, where they cannot be read."""
        reading = self._draft.reading()
        if is_read(reading.config.database, "accounts"):
            return accounts_read(reading.config, self._draft.folder)
        try:
            if reading.accounts is not None:
                return reading.accounts.accounts
            return accounts_of(reading.config.accounts, self._draft.folder)
        except ConfigError:
            return []

    def choices(self) -> list[tuple[str, str, bool]]:
        """Return id and name of each account, and whether it takes part."""
        if self._everybody is None:
            return [(account.id, account.name, True) for account in self.accounts()]
        return [(account.id, account.name, account.id not in self._left_out) for account, _ in self._everybody]

    def in_short(self, most: int) -> tuple[int, int, list[str]]:
        """Return how many take part, how many there are, and the names of the first that take part, at most so many."""
        if self._everybody is None:
            accounts = self.accounts()
            return len(accounts), len(accounts), [account.name for account in accounts[:most]]
        taken = (account.name for account, _ in self._everybody if account.id not in self._left_out)
        return len(self._everybody) - len(self._left_out), len(self._everybody), list(islice(taken, most))

    def choose(self, chosen: Mapping[str, bool]) -> None:
        """Have accounts, named by their ids, take part or not."""
        draft = self._draft
        if self._everybody is None:
            accounts, listed = self.accounts(), draft.at("accounts", "list")
            rows: list[object] = listed if isinstance(listed, list) else [account_tree(account) for account in accounts]
            self._everybody = list(zip(accounts, rows, strict=True))
            self._before, self._database_before = draft.at("accounts"), draft.at("database")
        known = {account.id for account, _ in self._everybody}
        if known.isdisjoint(chosen):
            return
        self._left_out -= {account_id for account_id, takes_part in chosen.items() if takes_part}
        self._left_out |= {account_id for account_id, takes_part in chosen.items() if not takes_part and account_id in known}
        if self._left_out:
            rows = [row for account, row in self._everybody if account.id not in self._left_out]
            draft.put(("accounts",), {"list": rows})
            if draft.at("database", "accounts") is not ABSENT:
                without_database(draft, "accounts")
        else:
            draft.put(("accounts",), self._before)
            if self._database_before is not ABSENT:
                draft.put(("database",), self._database_before)
            self._everybody = None

    def moved(self, target: Path) -> None:
        """Take it that the draft moves to another folder."""
        if self._before is not ABSENT:
            self._before = moved({"accounts": self._before}, self._draft.folder, target)["accounts"]
        if self._database_before is not ABSENT:
            self._database_before = moved({"database": self._database_before}, self._draft.folder, target)["database"]
