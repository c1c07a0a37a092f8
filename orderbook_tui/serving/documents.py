"""Documents: orders, fills, balances and markets as JSON, with amounts as decimal text and times in UTC."""

from datetime import UTC, datetime
from typing import Any

from orderbook_tui.core.book import Side
from orderbook_tui.core.discipline import band
from orderbook_tui.core.market import Account, Market
from orderbook_tui.serving.ledger import Ledger
from orderbook_tui.serving.orders import Event, EventKind, Fill, ServedOrder

Document = dict[str, Any]

_SIDES = {Side.BID: "buy", Side.ASK: "sell"}


def order_document(order: ServedOrder) -> Document:
    """Return all of an order."""
    action = order.new.action
    market, amount = action.market, action.market.quote.amount
    quantity = market.quantity
    return {
        "order_id": str(order.order_id),
        "client_order_id": order.new.client_order_id,
        "account": order.new.account.name,
        "market": market.symbol,
        "side": _SIDES[action.side],
        "type": "limit",
        "price": f"{market.price(action.price):f}",
        "quantity": f"{quantity(action.quantity):f}",
        "time_in_force": action.time_in_force.value.upper(),
        "counterparty": None if order.new.counterparty is None else order.new.counterparty.name,
        "filled": f"{quantity(order.filled):f}",
        "remaining": f"{quantity(action.quantity - order.filled):f}",
        "notional": f"{amount(order.notional):f}",
        "fee": f"{amount(order.fee):f}",
        "status": order.status.value,
        "at": moment(order.at),
        "fills": [fill_document(market, fill) for fill in order.fills],
    }


def fill_document(market: Market, fill: Fill) -> Document:
    """Return one side of a trade."""
    return {
        "execution_id": fill.execution_id,
        "price": f"{market.price(fill.price):f}",
        "quantity": f"{market.quantity(fill.quantity):f}",
        "fee": f"{market.quote.amount(fill.fee):f}",
        "liquidity": fill.liquidity,
        "counterparty": fill.counterparty.name,
        "at": moment(fill.at),
    }


def event_document(event: Event) -> Document:
    """Return a fill or a cancel as the stream tells it."""
    new = event.order.new
    market = new.action.market
    document = {
        "type": "fill" if event.kind is EventKind.FILL else "order",
        "seq": event.seq,
        "client_order_id": new.client_order_id,
        "order_id": str(event.order.order_id),
        "account": new.account.name,
        "market": market.symbol,
        "side": _SIDES[new.action.side],
    }
    if event.fill is not None:
        return document | fill_document(market, event.fill)
    return document | {
        "status": "cancelled",
        "reason": None if event.reason is None else event.reason.value,
        "filled": f"{market.quantity(event.filled):f}",
        "remaining": f"{market.quantity(new.action.quantity - event.filled):f}",
        "at": moment(event.at),
    }


def balance_documents(ledger: Ledger, account: Account) -> list[Document]:
    """Return what an account has of every asset."""
    return [
        {
            "asset": symbol,
            "available": f"{ledger.assets[symbol].amount(balance.available):f}",
            "locked": f"{ledger.assets[symbol].amount(balance.locked):f}",
        }
        for symbol, balance in ledger.balances[account.id].items()
    ]


def market_document(market: Market) -> Document:
    """Return a market and its rules; a market without a band has no lowest and highest price."""
    lowest, highest = band(market)
    return {
        "symbol": market.symbol,
        "base": market.base.symbol,
        "quote": market.quote.symbol,
        "base_precision": market.base.precision,
        "quote_precision": market.quote.precision,
        "tick_size": f"{market.tick_size:f}",
        "lot_size": f"{market.lot_size:f}",
        "min_notional": f"{market.min_notional:f}",
        "reference_price": f"{market.reference_price:f}",
        "lowest_price": None if highest is None else f"{market.price(lowest):f}",
        "highest_price": None if highest is None else f"{market.price(highest):f}",
        "status": market.status.value,
    }


def moment(nanoseconds: int) -> str:
    """Return a time as ISO 8601, to the microsecond."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:06d}Z"
