"""A user's venue: a plain callable that speaks to the served exchange, one request after another, with nothing but Python.

It is what `configs/my_venue.py` shows, at an exchange with a REST API: placing, asking, cancelling, orders and balances.
"""

import json
from http.client import HTTPConnection
from typing import Any

from orderbook_tui import ActionSlot, Rejected, SettlementHandle, Side
from orderbook_tui.core.book import TimeInForce

PORT = 0
"""Where the exchange is; a test says so."""
LIFE: list[str] = []
"""What was called of `open` and `close`."""
_TIMES = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK", TimeInForce.POST_ONLY: "POST_ONLY"}


def asked(
    account: str, method: str, path: str, body: dict[str, Any] | None = None, *, port: int | None = None
) -> tuple[int, Any]:
    """Return the status and the document of a reply."""
    line = HTTPConnection("127.0.0.1", PORT if port is None else port, timeout=5)
    try:
        line.request(method, path, json.dumps(body) if body is not None else None, {"X-API-Key": f"key-{account}"})
        reply = line.getresponse()
        return reply.status, json.loads(reply.read())
    finally:
        line.close()


def _report(order: dict[str, Any], settlement: SettlementHandle) -> None:
    for fill in order["fills"]:
        settlement.fill(
            fill["quantity"],
            fill["price"],
            counterparty=fill["counterparty"],
            fee=fill["fee"],
            execution_id=fill["execution_id"],
        )


class Desk:
    """Called with a slot, it places its order."""

    deduplicates_for = 3600

    def __call__(self, slot: ActionSlot, settlement: SettlementHandle) -> str:
        action, market = slot.action, slot.action.market
        body = {
            "client_order_id": slot.client_order_id,
            "market": market.symbol,
            "side": "buy" if action.side is Side.BID else "sell",
            "price": f"{market.price(action.price):f}",
            "quantity": f"{market.quantity(action.quantity - slot.filled):f}",
            "time_in_force": _TIMES[action.time_in_force],
            "counterparty": action.matching_strategy.account,
        }
        status, reply = asked(slot.account_id, "POST", "/orders", body)
        if status not in (200, 201):
            raise Rejected(reply["error"]["message"])
        _report(reply["order"], settlement)
        return str(reply["order"]["order_id"])

    def look_up(self, slot: ActionSlot, settlement: SettlementHandle) -> str | None:
        """Say what became of an order, with its fills; one that is not there cannot come any more."""
        status, reply = asked(slot.account_id, "POST", f"/orders/{slot.client_order_id}/fence")
        if status == 404:
            return None
        _report(reply["order"], settlement)
        return str(reply["order"]["order_id"])

    def cancel(self, slot: ActionSlot, settlement: SettlementHandle) -> bool:
        """Take back what is open, and tell what was filled before."""
        status, reply = asked(slot.account_id, "DELETE", f"/orders/{slot.client_order_id}")
        if status == 200:
            _report(reply["order"], settlement)
        return status == 200

    def open_orders(self, account: str) -> list[tuple[str, str]]:
        """Say which orders of an account are open."""
        _, reply = asked(account, "GET", "/orders?status=open")
        return [(order["client_order_id"], order["remaining"]) for order in reply["orders"]]

    def balances(self, account: str) -> dict[str, tuple[str, str]]:
        """Say what an account holds."""
        _, reply = asked(account, "GET", "/balances")
        return {each["asset"]: (each["available"], each["locked"]) for each in reply["balances"]}

    def open(self) -> None:
        """Connect, where there is a connection to keep."""
        LIFE.append("open")

    async def close(self) -> None:
        """Let go of it."""
        LIFE.append("close")


place_order = Desk()
