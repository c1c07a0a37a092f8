"""What an exchange says of its own markets, and a `markets` section made of that. Nothing here needs the library itself."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from orderbook_tui.core.money import DEFAULT_PRECISION, plain


class Terms(NamedTuple):
    """The steps and limits of one market; None where the exchange says none."""

    tick: Decimal | None
    lot: Decimal | None
    least_lot: Decimal | None
    least_notional: Decimal | None
    is_active: bool
    price_digits: int | None = None
    """The most digits that a price may have, where these are counted instead of steps."""


class Listing(NamedTuple):
    """One market of an exchange, as the library calls it."""

    symbol: str
    base: str
    quote: str
    terms: Terms
    price: Decimal | None
    """Of its last trade."""
    is_contract: bool = False


def tick_of(listing: Listing, highest: Decimal) -> Decimal | None:
    """Return the step of prices. Where digits are counted, it is one that all prices can keep to, up to `highest` times the
    last one: what is lower has fewer digits before the point, and needs no more behind it."""
    digits, price = listing.terms.price_digits, listing.price
    if listing.terms.tick is not None or digits is None or price is None:
        return listing.terms.tick
    return plain(Decimal(1).scaleb((price * highest).adjusted() + 1 - digits))


def section(listing: Listing, highest: Decimal = Decimal(1)) -> dict[str, Any]:
    """Return an entry of a `markets` section that keeps to the exchange's terms; `highest` is as in `tick_of`."""
    theirs = listing.terms
    found: dict[str, Any] = {"symbol": listing.symbol, "base": listing.base, "quote": listing.quote}
    tick = tick_of(listing, highest)
    if tick:
        found["tick_size"] = f"{tick:f}"
    if theirs.lot:
        # An order is a whole number of lots, so the least order of the exchange is one, or some.
        found["lot_size"] = f"{theirs.lot:f}"
    if theirs.least_notional:
        found["min_notional"] = f"{theirs.least_notional:f}"
    if listing.price:
        found["reference_price"] = f"{listing.price:f}"
    return found


def lacks(listing: Listing) -> Iterator[str]:
    """Yield what a run would have to know of a market, and the exchange does not tell."""
    if listing.is_contract:
        yield "is a contract: its base is not what is bought and sold, and only that is accounted for here"
        return
    if listing.price is None:
        yield "has no price of a last trade: give one in venue.reference_prices"
    elif listing.terms.tick is None and listing.terms.price_digits is None:
        yield "has no step of prices at the exchange: give the section markets instead, with a tick_size"
    if listing.terms.lot is None:
        yield "has no step of quantities at the exchange: give the section markets instead, with a lot_size"


def precisions(sections: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return the decimals that the assets of such sections need."""
    needed: dict[str, int] = {}

    def need(symbol: str, step: Decimal) -> None:
        exponent = plain(step).as_tuple().exponent
        needed[symbol] = max(needed.get(symbol, DEFAULT_PRECISION), -exponent if isinstance(exponent, int) else 0)

    for each in sections:
        tick, lot = Decimal(each.get("tick_size", "0.01")), Decimal(each.get("lot_size", "0.000001"))
        need(each["base"], lot)
        need(each["quote"], tick * lot)
        need(each["quote"], Decimal(each.get("min_notional", 0)))
    return needed
