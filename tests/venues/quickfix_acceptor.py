"""A counterparty of QuickFIX, the C++ engine, with a small book: run in a process of its own, ended by closing its stdin.

    python -m tests.venues.quickfix_acceptor VERSION PORT DICTIONARY FOLDER [--like-ordermatch]

`--like-ordermatch` has the habits of QuickFIX's own example: orders for the day only, no status, the ClOrdID of the order in
the report of a cancel, silence on the cancel of an order that is not there.
"""

import sys
from pathlib import Path
from typing import Any

import quickfix as fix

SETTINGS = """[DEFAULT]
ConnectionType=acceptor
SocketAcceptPort={port}
SocketReuseAddress=Y
StartTime=00:00:00
EndTime=00:00:00
HeartBtInt=30
UseDataDictionary=Y
DataDictionary={dictionary}
ValidateUserDefinedFields=N
FileStorePath={folder}
[SESSION]
BeginString={version}
SenderCompID=EXCHANGE
TargetCompID=TRADER
"""


class Book(fix.Application):  # type: ignore[misc]
    """Matches limit orders, and reports."""

    def __init__(self, version: str, like_ordermatch: bool) -> None:
        super().__init__()
        self.is_42, self.like_ordermatch = version == "FIX.4.2", like_ordermatch
        self.orders: dict[str, dict[str, Any]] = {}
        self.executions = 0

    def onCreate(self, session: Any) -> None: ...  # noqa: N802
    def onLogon(self, session: Any) -> None: ...  # noqa: N802
    def onLogout(self, session: Any) -> None: ...  # noqa: N802
    def toAdmin(self, message: Any, session: Any) -> None: ...  # noqa: N802
    def fromAdmin(self, message: Any, session: Any) -> None: ...  # noqa: N802
    def toApp(self, message: Any, session: Any) -> None: ...  # noqa: N802

    def fromApp(self, message: Any, session: Any) -> None:  # noqa: N802
        kind = message.getHeader().getField(35)
        if kind == "D":
            self._place(message, session)
        elif kind == "F":
            self._cancel(message, session)
        elif kind == "H" and not self.like_ordermatch:
            self._status(message, session)
        else:
            raise fix.UnsupportedMessageType

    def _place(self, message: Any, session: Any) -> None:
        name, lives = message.getField(11), message.getField(59) if message.isSetField(59) else "0"
        order = {
            "name": name,
            "session": session,
            "symbol": message.getField(55),
            "side": message.getField(54),
            "price": float(message.getField(44)),
            "text": message.getField(44),
            "status": "0",
            "paid": 0.0,
            "left": float(message.getField(38)),
            "quantity": float(message.getField(38)),
            "account": message.getField(1),
        }
        order["id"] = f"Q{len(self.orders)}"
        if self.like_ordermatch and lives != "0":
            order["status"] = "8"
            self._report(order, "8", {58: "Unsupported TIF"})
            return
        self.orders[name] = order
        self._report(order, "0", {})
        for other in list(self.orders.values()):
            is_buy = order["side"] == "1"
            crosses = other["price"] <= order["price"] if is_buy else other["price"] >= order["price"]
            if (
                other["side"] == order["side"]
                or other["symbol"] != order["symbol"]
                or other["status"] not in "01"
                or not crosses
            ):
                continue
            quantity = min(order["left"], other["left"])
            if quantity <= 0:
                continue
            for each in (other, order):
                each["left"] = round(each["left"] - quantity, 10)
                each["paid"] += quantity * other["price"]
                each["status"] = "1" if each["left"] else "2"
                kind = each["status"] if self.is_42 else "F"
                self._report(each, kind, {31: other["text"], 32: f"{quantity:.8f}"})

    def _cancel(self, message: Any, session: Any) -> None:
        order = self.orders.get(message.getField(41))
        if order is None or order["status"] not in "01":
            if not self.like_ordermatch:
                fields = {11: message.getField(11), 41: message.getField(41), 434: "1"}
                status = {37: "NONE", 39: "8", 102: "1"} if order is None else {37: order["id"], 39: order["status"], 102: "0"}
                self._send("9", fields | status, session)
            return
        order["status"], order["left"] = "4", 0.0
        self._report(order, "4", {} if self.like_ordermatch else {11: message.getField(11), 41: message.getField(41)})

    def _status(self, message: Any, session: Any) -> None:
        order = self.orders.get(message.getField(11))
        asked = {20: "3"} if self.is_42 else {}
        if order is not None:
            self._report(order, order["status"] if self.is_42 else "I", asked)
            return
        unknown = {"name": message.getField(11), "symbol": message.getField(55), "side": message.getField(54), "id": "NONE"}
        unknown |= {"status": "8", "left": 0.0, "quantity": 0.0, "paid": 0.0, "session": session}
        self._report(unknown, "8" if self.is_42 else "I", {103: "5"} | asked)

    def _report(self, order: dict[str, Any], kind: str, extra: dict[int, str]) -> None:
        self.executions += 1
        done = order["quantity"] - order["left"]
        fields = {
            37: order["id"],
            11: order["name"],
            17: f"E{self.executions}",
            150: kind,
            39: order["status"],
            55: order["symbol"],
            54: order["side"],
            14: f"{done:.8f}",
            151: f"{order['left']:.8f}",
            6: f"{order['paid'] / done:.8f}" if done and order["paid"] else "0",
        }
        self._send("8", fields | ({20: "0"} if self.is_42 else {}) | extra, order["session"])

    def _send(self, kind: str, fields: dict[int, str], session: Any) -> None:
        message = fix.Message()
        message.getHeader().setField(35, kind)
        for tag, value in fields.items():
            message.setField(tag, value)
        fix.Session.sendToTarget(message, session)


def _meet(order: dict[str, Any], other: dict[str, Any]) -> bool:
    if other["side"] == order["side"] or other["symbol"] != order["symbol"] or other["status"] not in "01":
        return False
    return bool(other["price"] <= order["price"] if order["side"] == "1" else other["price"] >= order["price"])


def main() -> None:
    """Serve until stdin ends."""
    version, port, dictionary, folder = sys.argv[1:5]
    path = Path(folder) / "acceptor.cfg"
    path.write_text(SETTINGS.format(version=version, port=port, dictionary=dictionary, folder=folder))
    settings = fix.SessionSettings(str(path))
    book = Book(version, "--like-ordermatch" in sys.argv)
    acceptor = fix.SocketAcceptor(book, fix.FileStoreFactory(settings), settings)
    acceptor.start()
    print("ready", flush=True)
    sys.stdin.read()
    acceptor.stop()


if __name__ == "__main__":
    main()
