"""An order book under a seeded mix of messages: half new orders (15 % of them IOC), 40 % cancels, 10 % replaces.

New orders lie around a price that wanders, mostly close to it and sometimes far; cancels and replaces name one of the last
2,000 orders, which may be gone. The orders belong to 100 accounts, so now and then one is kept from trading with itself.
"""

import gc
import random
import time
from collections.abc import Iterator
from typing import NamedTuple

from orderbook_tui.core.book import Order, OrderBook, Side, TimeInForce

ACCOUNTS = [f"account-{number}" for number in range(100)]
RECENT = 2_000


class New(NamedTuple):
    """Place an order."""

    order_id: int
    account: str
    side: Side
    price: int
    quantity: int
    time_in_force: TimeInForce


class Cancel(NamedTuple):
    """Take an order out."""

    order_id: int


class Replace(NamedTuple):
    """Give an order another price and quantity."""

    order_id: int
    price: int
    quantity: int


def messages_per_s(count: int) -> float:
    """Send `count` messages; making them beforehand is not measured, making their orders is."""
    messages = list(flow(count))
    book = OrderBook()
    gc.collect()
    gc.freeze()
    started = time.perf_counter()
    for message in messages:
        if isinstance(message, New):
            order_id, account, side, price, quantity, time_in_force = message
            book.submit(Order(order_id, account, side, price, quantity), time_in_force)
        elif isinstance(message, Cancel):
            book.cancel(message.order_id)
        else:
            order_id, price, quantity = message
            book.replace(order_id, price, quantity)
    return count / (time.perf_counter() - started)


def flow(count: int) -> Iterator[New | Cancel | Replace]:
    """Yield the messages. They begin with 100 new orders, so that there is something to cancel."""
    rng = random.Random(2024)
    middle = 30_000
    for number in range(count):
        middle += rng.choice((-1, 0, 0, 1))
        kind = rng.random()
        recent = rng.randrange(max(0, number - RECENT), number) if number else 0
        if number < 100 or kind < 0.5:
            side = rng.choice((Side.BID, Side.ASK))
            behind = int(rng.paretovariate(1.5)) - 2
            price = middle + behind if side is Side.ASK else middle - behind
            lives = TimeInForce.IOC if rng.random() < 0.15 else TimeInForce.GTC
            yield New(number, rng.choice(ACCOUNTS), side, price, rng.randrange(1, 100), lives)
        elif kind < 0.9:
            yield Cancel(recent)
        else:
            yield Replace(recent, middle + rng.randrange(-5, 6), rng.randrange(1, 100))
