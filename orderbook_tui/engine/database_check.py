"""What would be loaded from a database, for people and for programs: `orderbook-tui db check`.

Contents --facts--> what JSON can hold --lines--> text to read
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

from orderbook_tui.config import SimulatorConfig, Universe
from orderbook_tui.config.database import is_read
from orderbook_tui.core.words import harmless
from orderbook_tui.engine.describing import described
from orderbook_tui.engine.summary import text
from orderbook_tui.errors import ConfigError, Problem

_FIRST: Final = 5


def check_database(config: SimulatorConfig, folder: Path) -> dict[str, Any]:
    """Read the database of a configuration, and return what a run would take from it.

    Raises:
        ConfigError: there is none, it cannot be read, or what is in it cannot be used; every problem at once.
    """
    if config.database is None:
        raise ConfigError([Problem("database", "this config has none: give its url, and what to read")])
    universe, notes = described(config, folder)
    spec = config.database
    return {
        "accounts": {
            "from": "database" if is_read(spec, "accounts") else "config",
            "count": len(universe.accounts),
            "first": [{"id": account.id, "name": account.name} for account in universe.accounts[:_FIRST]],
        },
        "markets": {
            "from": "database" if is_read(spec, "markets") else "config",
            "count": len(universe.markets),
            "taken": [
                {
                    "symbol": market.symbol,
                    "base": market.base.symbol,
                    "quote": market.quote.symbol,
                    "tick_size": text(market.tick_size),
                    "lot_size": text(market.lot_size),
                    "min_notional": text(market.min_notional),
                    "reference_price": text(market.reference_price),
                    "band": None if market.regulation.band is None else text(market.regulation.band),
                }
                for market in universe.markets
            ],
        },
        "budgets": {"from": "database" if is_read(spec, "budgets") else "config", **_budgets(universe)},
        "notes": notes,
    }


def _budgets(universe: Universe) -> dict[str, Any]:
    totals = dict.fromkeys(universe.assets, 0)
    funded: set[str] = set()
    count = 0
    for (account, symbol), units in universe.budgets.items():
        if units:
            totals[symbol] += units
            funded.add(account)
            count += 1
    without = (account.name for account in universe.accounts if account.id not in funded)
    return {
        "count": count,
        "totals": {symbol: text(universe.assets[symbol].amount(units)) for symbol, units in totals.items()},
        "accounts_without": len(universe.accounts) - len(funded),
        "first_without": list(islice(without, _FIRST)),
    }


def lines(facts: dict[str, Any]) -> Iterator[str]:
    """Yield the same as lines to read."""
    accounts, markets, budgets = facts["accounts"], facts["markets"], facts["budgets"]
    yield f"Accounts: {accounts['count']:,}, from the {accounts['from']}"
    for account in accounts["first"]:
        yield f"  {harmless(account['name'], 40)}  {harmless(account['id'], 60)}"
    yield from _more(accounts["count"], accounts["first"])
    yield f"Markets: {markets['count']:,}, from the {markets['from']}"
    for market in markets["taken"][:_FIRST]:
        band = f", band {market['band']}" if market["band"] is not None else ""
        yield (
            f"  {harmless(market['symbol'], 40)}  tick {market['tick_size']} {harmless(market['quote'], 20)}, "
            f"lot {market['lot_size']} {harmless(market['base'], 20)}, reference price {market['reference_price']}{band}"
        )
    yield from _more(markets["count"], markets["taken"][:_FIRST])
    yield f"Budgets: {budgets['count']:,} above 0, from the {budgets['from']}"
    for symbol, amount in budgets["totals"].items():
        yield f"  {harmless(symbol, 20)}  {amount} in total"
    if budgets["accounts_without"]:
        named = ", ".join(harmless(name, 40) for name in budgets["first_without"])
        yield f"  without any: {budgets['accounts_without']:,} accounts, such as {named}"
    yield from (f"Note: {harmless(note)}" for note in facts["notes"])


def _more(count: int, first: Sequence[object]) -> Iterator[str]:
    if count > len(first):
        yield f"  and {count - len(first):,} more"
