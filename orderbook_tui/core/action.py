"""Actions: the order that a slot is to place, and whom it may trade with."""

from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from orderbook_tui.core.book import Side, TimeInForce
from orderbook_tui.core.market import Market


class StrategyKind(StrEnum):
    """The three ways of choosing a counterparty."""

    MATCH_WITH = "match_with"
    SEQUENTIAL_NEXT = "sequential_next"
    ANY = "any"


class OrderMatchingStrategy(msgspec.Struct, frozen=True, gc=False):
    """Whom an order trades with: the account named, or (for `ANY`) whoever comes first."""

    kind: StrategyKind
    account: str | None = None

    @classmethod
    def match_with(cls, account: str) -> "OrderMatchingStrategy":
        """Trade with `account` only."""
        return cls(StrategyKind.MATCH_WITH, str(account))


ANY: Final = OrderMatchingStrategy(StrategyKind.ANY)
"""Plain price-time priority."""


class OrderAction(msgspec.Struct, frozen=True, gc=False):
    """The order of a slot: `quantity` in lots, `price` in ticks of its market.

    What the account gives and wants follows from these: a Bid gives price x quantity of quote and wants the quantity of base.
    """

    market: Market
    side: Side
    quantity: int
    price: int
    matching_strategy: OrderMatchingStrategy = ANY
    time_in_force: TimeInForce = TimeInForce.GTC

    @property
    def market_id(self) -> str:
        return self.market.symbol

    @property
    def bid_asset(self) -> str:
        """The asset that the account gives."""
        return (self.market.quote if self.side is Side.BID else self.market.base).symbol

    @property
    def ask_asset(self) -> str:
        """The asset that the account wants."""
        return (self.market.base if self.side is Side.BID else self.market.quote).symbol

    @property
    def bid_amount(self) -> Decimal:
        """What the account gives, before fees."""
        return self.notional if self.side is Side.BID else self.market.quantity(self.quantity)

    @property
    def ask_amount(self) -> Decimal:
        """What the account wants, before fees."""
        return self.market.quantity(self.quantity) if self.side is Side.BID else self.notional

    @property
    def notional(self) -> Decimal:
        """Price x quantity, in quote."""
        return self.market.quote.amount(self.market.notional(self.price, self.quantity))
