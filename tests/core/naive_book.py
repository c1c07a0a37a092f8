"""An order book that is as plain as the rules: one list in order of arrival, looked through afresh for every order."""

from dataclasses import dataclass, field

from orderbook_tui.core.book import SelfTradePrevention, Side, TimeInForce


@dataclass
class Resting:
    """An order at rest."""

    order_id: int
    account: str
    side: Side
    price: int
    quantity: int
    counterparty: str | None


@dataclass
class Answer:
    """What came of an order: (maker, taker, price, quantity) of each trade, (order, quantity) of each cancelled maker."""

    trades: list[tuple[int, int, int, int]] = field(default_factory=list)
    cancelled: list[tuple[int, int]] = field(default_factory=list)
    refused: bool = False


class NaiveBook:
    """The model that the real book is held against."""

    def __init__(self, prevention: SelfTradePrevention) -> None:
        self.prevention = prevention
        self.orders: list[Resting] = []

    def submit(self, order: Resting, lives: TimeInForce) -> Answer:
        at_once = self._would_fill(order)
        if (lives is TimeInForce.POST_ONLY and at_once) or (lives is TimeInForce.FOK and at_once < order.quantity):
            return Answer(refused=True)
        answer = Answer()
        for maker in self._candidates(order):
            if not order.quantity:
                break
            if maker.account == order.account:
                if self.prevention is not SelfTradePrevention.CANCEL_NEWEST:
                    self.orders.remove(maker)
                    answer.cancelled.append((maker.order_id, maker.quantity))
                if self.prevention is not SelfTradePrevention.CANCEL_OLDEST:
                    return answer
                continue
            quantity = min(maker.quantity, order.quantity)
            maker.quantity -= quantity
            order.quantity -= quantity
            if not maker.quantity:
                self.orders.remove(maker)
            answer.trades.append((maker.order_id, order.order_id, maker.price, quantity))
        if order.quantity and lives in (TimeInForce.GTC, TimeInForce.POST_ONLY):
            self.orders.append(order)
        return answer

    def cancel(self, order_id: int) -> int:
        for order in self.orders:
            if order.order_id == order_id:
                self.orders.remove(order)
                return order.quantity
        return 0

    def replace(self, order_id: int, price: int, quantity: int) -> Answer | None:
        for order in self.orders:
            if order.order_id == order_id:
                break
        else:
            return None
        if price == order.price and quantity <= order.quantity:
            order.quantity = quantity
            return Answer()
        self.orders.remove(order)
        order.price, order.quantity = price, quantity
        return self.submit(order, TimeInForce.GTC)

    def resting(self, side: Side) -> list[Resting]:
        """The side's orders: better prices first, and at one price who came first."""
        orders = [order for order in self.orders if order.side is side]
        return sorted(orders, key=lambda order: -order.price if side is Side.BID else order.price)

    def _candidates(self, order: Resting) -> list[Resting]:
        """Whom `order` meets, in the order in which it meets them."""
        return [
            maker
            for maker in self.resting(order.side.opposite)
            if (maker.price <= order.price if order.side is Side.BID else maker.price >= order.price)
            and order.counterparty in (None, maker.account)
            and maker.counterparty in (None, order.account)
        ]

    def _would_fill(self, order: Resting) -> int:
        total = 0
        for maker in self._candidates(order):
            if maker.account != order.account:
                total += maker.quantity
            elif self.prevention is not SelfTradePrevention.CANCEL_OLDEST:
                break
        return min(total, order.quantity)
