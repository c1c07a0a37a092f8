"""The markets of a database: those that are active, as specs that a configuration could have held."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from orderbook_tui.config.database import MarketRows
from orderbook_tui.config.models import MarketSpec, RegulationSpec
from orderbook_tui.config.showing import number_text, shown
from orderbook_tui.config.wording import findings
from orderbook_tui.core.market import MarketStatus
from orderbook_tui.engine.database_contents import Contents
from orderbook_tui.engine.database_rows import Problems, each_row, rows, too_many
from orderbook_tui.engine.database_values import Refused, amount_of, key_of, name_of, regulated, status_of
from orderbook_tui.errors import Problem

if TYPE_CHECKING:
    from sqlalchemy import Connection

MAX_MARKETS: Final = 10_000

_ACTIVE: Final = MarketStatus.ACTIVE
_AMOUNTS: Final = ("reference_price", "tick_size", "lot_size", "min_notional")


def read_markets(connection: "Connection", spec: MarketRows, contents: Contents) -> list[Problem]:
    """Read the markets into `contents`, and return what is wrong with them.

    Raises:
        ConfigError: they cannot be read, or are too many.
    """
    problems = Problems("markets")
    needed = ("symbol", "base", "quote", "reference_price")
    optional = ("tick_size", "lot_size", "min_notional", "regulation", "band", "status")
    wanted = {field: getattr(spec, field) for field in (*needed, *optional)}
    read = rows(connection, spec, "markets", wanted, needed)
    found: list[MarketSpec] = []
    seen: set[str] = set()
    number = 0
    for batch in read.batches:
        for values in each_row(batch):
            number += 1
            if number > MAX_MARKETS:
                raise too_many("markets", MAX_MARKETS, "markets: a query takes fewer")
            try:
                symbol = key_of(values["symbol"])
            except Refused as refused:
                problems.add(number, spec.symbol, str(refused))
                continue
            if symbol in seen:
                problems.add(symbol, spec.symbol, "is there more than once")
                continue
            seen.add(symbol)
            try:
                status = status_of(values["status"]) if "status" in values else _ACTIVE
            except Refused as refused:
                problems.add(symbol, spec.status, str(refused))
                continue
            if status is not _ACTIVE:  # what else it says does not matter
                contents.inactive_markets.add(f"{symbol} ({status.value})")
                contents.inactive_symbols.add(symbol)
                continue
            market = _market(values, spec, symbol, problems)
            if market is not None:
                found.append(market)
    if spec.table is not None:
        found.sort(key=lambda market: market.symbol)
    contents.markets = found
    return problems.found


def _market(values: Mapping[str, Any], spec: MarketRows, key: str, problems: Problems) -> MarketSpec | None:
    """Return a market, or None and what is wrong with all of its columns."""
    tree: dict[str, object] = {"symbol": key_of(values["symbol"])}
    readers: dict[str, Callable[[object], object]] = {"base": name_of, "quote": name_of, **dict.fromkeys(_AMOUNTS, amount_of)}
    before = len(problems.found)
    for field, read in readers.items():
        if field in values:
            try:
                tree[field] = read(values[field])
            except Refused as refused:
                problems.add(key, getattr(spec, field), str(refused))
    rule: dict[str, object] = {}
    column = spec.band
    try:
        if values.get("band") is not None:
            rule["band"] = amount_of(values["band"])
        column = spec.regulation
        is_regulated = regulated(values["regulation"]) if "regulation" in values else "band" in rule
        if not is_regulated and "band" in rule:
            raise Refused(f"an unregulated market has no band, {shown(spec.band)} says {number_text(rule['band'])}")  # type: ignore[arg-type]
        tree["regulation"] = RegulationSpec.model_validate({"kind": "regulated" if is_regulated else "unregulated", **rule})
    except Refused as refused:
        problems.add(key, column, str(refused))
    except ValidationError as error:
        for trouble, _ in findings(error, RegulationSpec):
            problems.add(key, spec.band, trouble.message)
    if len(problems.found) > before or problems.is_full:
        return None
    try:
        return MarketSpec.model_validate(tree)
    except ValidationError as error:
        for trouble, _ in findings(error, MarketSpec):
            problems.add(key, getattr(spec, str(trouble.place[0])), trouble.message)
    return None
