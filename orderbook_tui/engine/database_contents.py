"""What was read of a database for a run, and what of it was left out, in words."""

import msgspec

from orderbook_tui.config.models import MarketSpec
from orderbook_tui.config.showing import plain_text
from orderbook_tui.core.market import Account

_NAMED = 5


class LeftOut(msgspec.Struct):
    """What was not taken: how many there are, and the first of them, in words."""

    count: int = 0
    first: list[str] = msgspec.field(default_factory=list)

    def add(self, name: str) -> None:
        self.count += 1
        if len(self.first) < _NAMED:
            self.first.append(plain_text(name))

    def __str__(self) -> str:
        more = self.count - len(self.first)
        return ", ".join(self.first) + (f" and {more:,} more" if more else "")


class Contents(msgspec.Struct):
    """What was read. A part that the config does not ask of the database is None."""

    accounts: list[Account] | None = None
    markets: list[MarketSpec] | None = None
    """The active ones."""
    budgets: dict[tuple[str, str], int] | None = None
    """What was given to every account (by id) of every asset (by symbol), in its units; 0 where nothing was."""
    unfunded: LeftOut = msgspec.field(default_factory=LeftOut)
    """Accounts that take part and were given nothing of anything."""
    inactive_accounts: LeftOut = msgspec.field(default_factory=LeftOut)
    inactive_markets: LeftOut = msgspec.field(default_factory=LeftOut)
    inactive_symbols: set[str] = msgspec.field(default_factory=set)
    other_accounts: LeftOut = msgspec.field(default_factory=LeftOut)
    """Accounts of budgets that take no part."""
    other_assets: LeftOut = msgspec.field(default_factory=LeftOut)
    """Assets of budgets that are not traded."""

    def notes(self) -> list[str]:
        """Say what was left out."""
        said = []
        for left_out, what in ((self.inactive_accounts, "account"), (self.inactive_markets, "market")):
            if left_out.count:
                said.append(f"{_count(left_out, what)} not active in the database, and left out: {left_out}")
        for left_out, what in ((self.other_accounts, "accounts that take no part"), (self.other_assets, "assets not traded")):
            if left_out.count:
                said.append(f"budgets of {what} are left out: {left_out}")
        if self.unfunded.count:
            said.append(f"{_count(self.unfunded, 'account')} without any budget: {self.unfunded}")
        return said


def _count(left_out: LeftOut, what: str) -> str:
    return f"1 {what} is" if left_out.count == 1 else f"{left_out.count:,} {what}s are"
