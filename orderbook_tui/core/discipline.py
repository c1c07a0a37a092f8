"""Market discipline: which orders a market's rules let through.

Regulated markets hold prices within reference x (1 +- band); every market holds its tick, lot and least notional.
"""

from decimal import Decimal
from fractions import Fraction

from orderbook_tui.core.market import Market
from orderbook_tui.core.money import MAX_UNITS, decimal
from orderbook_tui.errors import AmountError, DisciplineError


class MarketDiscipline:
    """The rules of one market, worked out once, so that checking an order is three comparisons."""

    __slots__ = ("ceiling", "highest", "least", "lowest", "market")

    def __init__(self, market: Market) -> None:
        self.market = market
        self.lowest, self.highest = band(market)
        self.ceiling = MAX_UNITS if self.highest is None else self.highest
        # Least notional as a least price x quantity, in ticks x lots: no order of nothing passes either.
        self.least = max(1, -(-market.min_notional_units // market.quote_per_tick_lot))

    def check(self, price: int, quantity: int) -> None:
        """Let an order of `quantity` lots at `price` ticks through, or say why not.

        Raises:
            DisciplineError: the price is outside the band, or the order is below the least notional.
        """
        if not self.lowest <= price <= self.ceiling or price * quantity < self.least:
            raise DisciplineError(self._refusal(price, quantity))

    def validate_price(self, price: Decimal | int | str | float) -> None:
        """Let `price` (in quote for one base; not in ticks) through, or say why not.

        Raises:
            DisciplineError: the price is off the tick, not positive, or outside the band.
        """
        try:
            ticks = self.market.price_ticks(decimal(price))
        except AmountError as error:
            raise DisciplineError(str(error)) from None
        if not self.lowest <= ticks <= self.ceiling:
            raise DisciplineError(self._outside(ticks))

    def _refusal(self, price: int, quantity: int) -> str:
        market = self.market
        if not self.lowest <= price <= self.ceiling:
            return self._outside(price)
        if quantity <= 0:
            return f"quantity {market.quantity(quantity):f} is not positive"
        amount = market.quote.amount(market.notional(price, quantity))
        return f"{amount:f} {market.quote.symbol} is below the least notional of {market.symbol}, {market.min_notional:f}"

    def _outside(self, price: int) -> str:
        market = self.market
        if self.highest is None:
            return f"price {market.price(price):f} of {market.symbol} is not positive"
        lowest, highest = market.price(self.lowest), market.price(self.highest)
        return f"price {market.price(price):f} is outside the band of {market.symbol}, {lowest:f} to {highest:f}"


def band(market: Market) -> tuple[int, int | None]:
    """Return the lowest and highest price that `market` admits, in ticks; no highest where it is unregulated."""
    width = market.regulation.band
    if width is None:
        return 1, None
    reference, tick = Fraction(market.reference_price), Fraction(market.tick_size)
    lowest = -(-reference * (1 - Fraction(width)) // tick)
    highest = reference * (1 + Fraction(width)) // tick
    return max(1, int(lowest)), int(highest)
