"""Markets: what is traded for what, in which steps of price and quantity, under which rules.

Inside the core a price is a whole number of ticks and a quantity a whole number of lots, so

    notional [quote units] = price [ticks] * quantity [lots] * quote_per_tick_lot

is exact. A market for which that factor is not whole is refused.
"""

from decimal import Decimal
from enum import StrEnum

import msgspec
from msgspec.structs import force_setattr

from orderbook_tui.core.money import Asset, decimal, plain, scaled, steps, written
from orderbook_tui.errors import AmountError


class MarketStatus(StrEnum):
    """Only an active market gets slots."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    SUSPENDED = "suspended"


class Regulation(msgspec.Struct, frozen=True, gc=False):
    """Regulated: prices stay within reference x (1 +- band). Unregulated (`band` is None): any price."""

    band: Decimal | None = None


UNREGULATED = Regulation()


class Market(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One market. Decimals may be given as Decimal, int or text; `tick_size` is in quote, `lot_size` in base.

    Raises:
        AmountError: a size is not positive, or tick x lot is no whole number of quote units.
    """

    symbol: str
    base: Asset
    quote: Asset
    tick_size: Decimal = Decimal("0.01")
    lot_size: Decimal = Decimal("0.000001")
    min_notional: Decimal = Decimal(0)
    reference_price: Decimal
    regulation: Regulation = UNREGULATED
    status: MarketStatus = MarketStatus.ACTIVE
    quote_per_tick_lot: int = 0
    """Quote units in one tick x one lot; derived."""
    base_per_lot: int = 0
    """Base units in one lot; derived."""
    min_notional_units: int = 0
    """The least notional in quote units; derived."""

    def __post_init__(self) -> None:
        for name in ("tick_size", "lot_size", "reference_price", "min_notional"):
            number = decimal(getattr(self, name))
            if number < 0 or (number == 0 and name != "min_notional"):
                raise AmountError(f"{self.symbol}: {name} is {number}, it must be positive")
            force_setattr(self, name, plain(number))
        force_setattr(self, "status", MarketStatus(self.status))
        step = scaled(self.tick_size, self.lot_size)
        quote_unit = Decimal(1).scaleb(-self.quote.precision)
        needed = -int(step.as_tuple().exponent)
        force_setattr(
            self,
            "quote_per_tick_lot",
            steps(
                step,
                quote_unit,
                (
                    f"{self.symbol}: tick {self.tick_size:f} x lot {self.lot_size:f} is no whole number of "
                    f"{self.quote.symbol} units: {self.quote.symbol} needs precision {needed}, it has {self.quote.precision}"
                ),
            ),
        )
        force_setattr(self, "base_per_lot", self.base.units(self.lot_size))
        force_setattr(self, "min_notional_units", self.quote.units(self.min_notional))

    def price_ticks(self, price: Decimal) -> int:
        """Return `price` in ticks; raises AmountError where it is off the tick."""
        return steps(price, self.tick_size, f"price {written(price)} is off the tick of {self.symbol}, {self.tick_size:f}")

    def quantity_lots(self, quantity: Decimal) -> int:
        """Return `quantity` of base in lots; raises AmountError where it is off the lot."""
        return steps(
            quantity, self.lot_size, f"quantity {written(quantity)} is off the lot of {self.symbol}, {self.lot_size:f}"
        )

    def price(self, ticks: int) -> Decimal:
        """Return a price of `ticks` as a Decimal, in quote for one base."""
        return scaled(ticks, self.tick_size)

    def quantity(self, lots: int) -> Decimal:
        """Return a quantity of `lots` as a Decimal, in base."""
        return scaled(lots, self.lot_size)

    def notional(self, ticks: int, lots: int) -> int:
        """Return price x quantity in quote units."""
        return ticks * lots * self.quote_per_tick_lot


class Account(msgspec.Struct, frozen=True, gc=False):
    """A funded test account."""

    id: str
    name: str = ""

    def __post_init__(self) -> None:
        if not self.name:
            force_setattr(self, "name", self.id)
