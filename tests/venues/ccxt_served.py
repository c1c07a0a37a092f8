"""The served exchange as a class of the library ccxt, as a user would write one for an exchange that it does not know."""

import json
from typing import Any

from ccxt.async_support.base.exchange import Exchange
from ccxt.base.decimal_to_precision import TICK_SIZE
from ccxt.base.errors import (
    AuthenticationError,
    BadRequest,
    DuplicateOrderId,
    InsufficientFunds,
    InvalidOrder,
    OrderNotFound,
)

_ERRORS = {
    "not_found": OrderNotFound,
    "unauthorized": AuthenticationError,
    "malformed": BadRequest,
    "insufficient_funds": InsufficientFunds,
    "duplicate_client_order_id": DuplicateOrderId,
}
_STATUS = {"open": "open", "filled": "closed", "cancelled": "canceled"}


class Served(Exchange):  # type: ignore[misc]
    """`options.url` says where it is, `options.symbols` which of its markets are wanted; an account's key is its `apiKey`."""

    def describe(self) -> Any:
        return self.deep_extend(
            super().describe(),
            {
                "id": "served",
                "name": "Served",
                "rateLimit": 1,
                "urls": {"api": {"rest": "https://nowhere.invalid"}, "test": {"rest": "http://127.0.0.1"}},
                "requiredCredentials": {"apiKey": True, "secret": False},
                "has": {
                    "createOrder": True,
                    "cancelOrder": True,
                    "fetchOrder": True,
                    "fetchOrderWithClientOrderId": True,
                    "fetchOpenOrders": True,
                    "fetchBalance": True,
                    "fetchMarkets": True,
                    "fetchTicker": True,
                },
                "precisionMode": TICK_SIZE,
            },
        )

    def sign(
        self, path: str, api: Any = "rest", method: str = "GET", params: Any = None, headers: Any = None, body: Any = None
    ) -> Any:
        headers = {"X-API-Key": self.apiKey, "Content-Type": "application/json"} if self.apiKey else {}
        body = json.dumps(params) if params else None
        return {"url": f"{self.options['url']}/{path}", "method": method, "body": body, "headers": headers}

    def handle_errors(self, code: int, *arguments: Any) -> None:
        answer = arguments[5]
        error = answer.get("error") if isinstance(answer, dict) else None
        if error is not None and code < 500:
            raise _ERRORS.get(error["code"], InvalidOrder)(f"{self.id} {error['message']}")

    async def fetch_markets(self, params: Any = None) -> list[Any]:
        return [
            self.safe_market_structure({
                "id": each["symbol"],
                # Many markets of one base trade here: ccxt would have one symbol for all of them.
                "symbol": each["symbol"],
                "base": each["base"],
                "quote": each["quote"],
                "active": each["status"] == "active",
                "spot": True,
                "type": "spot",
                "precision": {"price": each["tick_size"], "amount": each["lot_size"]},
                "limits": {"cost": {"min": each["min_notional"]}, "amount": {"min": each["lot_size"]}},
                "info": each,
            })
            for each in (await self.request("markets"))["markets"]
            if each["symbol"] in self.options.get("symbols", [each["symbol"]])
        ]  # fmt: skip

    async def fetch_ticker(self, symbol: str, params: Any = None) -> Any:
        await self.load_markets()
        return self.safe_ticker({"symbol": symbol, "last": self.market(symbol)["info"]["reference_price"]})

    async def create_order(
        self,
        symbol: str,
        type: str,  # noqa: A002 - the library's
        side: str,
        amount: Any,
        price: Any = None,
        params: Any = None,
    ) -> Any:
        params = params or {}
        body = {
            "client_order_id": params["clientOrderId"],
            "market": self.market(symbol)["id"],
            "side": side,
            "quantity": self.amount_to_precision(symbol, amount),
            "price": self.price_to_precision(symbol, price),
            "time_in_force": "POST_ONLY" if params.get("postOnly") else params.get("timeInForce", "GTC"),
        }
        if "counterparty" in params:
            body["counterparty"] = params["counterparty"]
        return self.parse_order((await self.request("orders", "rest", "POST", body))["order"])

    async def fetch_order(self, id: str, symbol: Any = None, params: Any = None) -> Any:  # noqa: A002 - the library's
        name = (params or {}).get("clientOrderId")
        if name is None:
            orders = (await self.request("orders"))["orders"]
            return self.parse_order(next(order for order in orders if order["order_id"] == id))
        return self.parse_order((await self.request(f"orders/{self.encode_uri_component(name)}"))["order"])

    async def cancel_order(self, id: str, symbol: Any = None, params: Any = None) -> Any:  # noqa: A002 - the library's
        name = self.encode_uri_component((params or {})["clientOrderId"])
        return self.parse_order((await self.request(f"orders/{name}", "rest", "DELETE"))["order"])

    async def fetch_open_orders(
        self, symbol: Any = None, since: Any = None, limit: Any = None, params: Any = None
    ) -> list[Any]:
        orders = [self.parse_order(order) for order in (await self.request("orders?status=open"))["orders"]]
        return [order for order in orders if symbol in (None, order["symbol"])]

    async def fetch_balance(self, params: Any = None) -> Any:
        balances = (await self.request("balances"))["balances"]
        return self.safe_balance({each["asset"]: {"free": each["available"], "used": each["locked"]} for each in balances})

    def parse_order(self, order: Any, market: Any = None) -> Any:
        symbol, quote = order["market"], self.market(order["market"])["quote"]
        return self.safe_order({
            "id": order["order_id"],
            "clientOrderId": order["client_order_id"],
            "symbol": symbol,
            "type": "limit",
            "side": order["side"],
            "price": order["price"],
            "amount": order["quantity"],
            "filled": order["filled"],
            "remaining": order["remaining"],
            "cost": order["notional"],
            "fee": {"cost": order["fee"], "currency": quote},
            "status": _STATUS[order["status"]],
            "trades": [
                {
                    "id": fill["execution_id"],
                    "order": order["order_id"],
                    "symbol": symbol,
                    "side": order["side"],
                    "price": fill["price"],
                    "amount": fill["quantity"],
                    "fee": {"cost": fill["fee"], "currency": quote},
                    "takerOrMaker": fill["liquidity"],
                    "info": fill,
                }
                for fill in order["fills"]
            ],
            "info": order,
        })  # fmt: skip
