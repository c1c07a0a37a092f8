"""The OpenAPI 3.1 description of the REST face, served at /openapi.json."""

from typing import Any, Final

from orderbook_tui import __version__

Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string"}
_AMOUNT: Final[Schema] = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$", "description": "A decimal number."}
_MOMENT: Final[Schema] = {"type": "string", "format": "date-time"}
_MAYBE_AMOUNT: Final[Schema] = {**_AMOUNT, "type": ["string", "null"]}
_MAYBE_TEXT: Final[Schema] = {"type": ["string", "null"]}
_SIDE: Final[Schema] = {"type": "string", "enum": ["buy", "sell"]}
_TIME_IN_FORCE: Final[Schema] = {"type": "string", "enum": ["GTC", "IOC", "FOK", "POST_ONLY"]}


def description() -> Schema:
    """Return the whole description."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "orderbook-tui exchange",
            "version": __version__,
            "description": (
                "An order book of test accounts, on loopback. Amounts are decimal text. A client order id belongs to one "
                "order of its account for ever: the same order again is answered with the one that there is."
            ),
        },
        "security": [{"key": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {
                "key": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-API-Key",
                    "description": (
                        "The account's key, or the operator's with X-Account naming the account. A key with a secret also "
                        "wants X-Timestamp (milliseconds) and X-Signature, the hex HMAC-SHA256 of timestamp + METHOD + path "
                        "with query + body."
                    ),
                }
            },
            "schemas": _schemas(),
        },
    }


def _paths() -> Schema:
    one_order = {"order": _ref("Order")}
    refused = {
        "400": _error("The request is malformed, or the operator does not say whom it is for."),
        "401": _error("The key is missing or wrong."),
        "403": _error("The request comes from another machine's page."),
    }
    by_id = [{"name": "client_order_id", "in": "path", "required": True, "schema": _TEXT}, _X_ACCOUNT]
    missing = {"404": _error("The account has no such order.")}
    return {
        "/orders": {
            "post": {
                "operationId": "placeOrder",
                "summary": "Place a limit order.",
                "parameters": [_X_ACCOUNT],
                "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("NewOrder")}}},
                "responses": {
                    "201": _answer("It was accepted.", one_order),
                    "200": _answer("It was accepted before, and not placed again.", one_order),
                    **refused,
                    "409": _error("Another order has that client order id."),
                    "410": _error("That client order id was fenced."),
                    "422": _error("The order was refused; the code says why."),
                    "503": _error("The exchange is ending; nobody knows about this order."),
                },
            },
            "get": {
                "operationId": "listOrders",
                "summary": "The account's orders, the oldest first.",
                "parameters": [
                    {
                        "name": "status",
                        "in": "query",
                        "schema": {"type": "string", "enum": ["open", "filled", "cancelled"]},
                    },
                    _X_ACCOUNT,
                ],
                "responses": {
                    "200": _answer("The orders.", {"orders": {"type": "array", "items": _ref("Order")}}),
                    **refused,
                },
            },
        },
        "/orders/{client_order_id}": {
            "get": {
                "operationId": "showOrder",
                "summary": "One order.",
                "parameters": by_id,
                "responses": {"200": _answer("The order.", one_order), **refused, **missing},
            },
            "delete": {
                "operationId": "cancelOrder",
                "summary": "Cancel what is open of an order.",
                "parameters": by_id,
                "responses": {
                    "200": _answer(
                        "The order as it is now; the note says that there was nothing to cancel.",
                        one_order | {"note": {"type": "string", "enum": ["already_filled", "already_cancelled"]}},
                        optional=["note"],
                    ),
                    **refused,
                    **missing,
                    "503": _error("The exchange is ending; nobody knows about this cancel."),
                },
            },
        },
        "/orders/{client_order_id}/fence": {
            "post": {
                "operationId": "fenceOrder",
                "summary": "The order, or the promise that there never will be one by that id.",
                "parameters": by_id,
                "responses": {
                    "200": _answer("The order that there is.", one_order),
                    **refused,
                    "404": _error("There is none, and never will be: `fenced` is true."),
                    "503": _error("The exchange is ending; nobody knows about this fence."),
                },
            }
        },
        "/balances": {
            "get": {
                "operationId": "balances",
                "summary": "What the account has of every asset.",
                "parameters": [_X_ACCOUNT],
                "responses": {
                    "200": _answer("The balances.", {"balances": {"type": "array", "items": _ref("Balance")}}),
                    **refused,
                },
            }
        },
        "/markets": {
            "get": {
                "operationId": "markets",
                "summary": "All markets with their rules; only active ones take orders.",
                "security": [],
                "responses": {"200": _answer("The markets.", {"markets": {"type": "array", "items": _ref("Market")}})},
            }
        },
        "/accounts/me": {
            "get": {
                "operationId": "account",
                "summary": "Whose the key is.",
                "parameters": [_X_ACCOUNT],
                "responses": {
                    "200": _answer(
                        "The account; none for the operator, who names none.",
                        {"account": {"anyOf": [_ref("Account"), {"type": "null"}]}, "operator": {"type": "boolean"}},
                    ),
                    **refused,
                },
            }
        },
        "/health": {
            "get": {
                "operationId": "health",
                "summary": "Whether the exchange is there, and how many events it has had.",
                "security": [],
                "responses": {
                    "200": _answer("It is.", {"status": {"const": "ok"}, "last_seq": {"type": "integer", "minimum": 0}})
                },
            }
        },
        "/openapi.json": {
            "get": {
                "operationId": "description",
                "summary": "This description.",
                "security": [],
                "responses": {"200": {"description": "It.", "content": {"application/json": {"schema": {"type": "object"}}}}},
            }
        },
        "/stream": {
            "get": {
                "operationId": "stream",
                "summary": "A WebSocket of fills, and of cancels that nobody asked for.",
                "description": (
                    'Send {"op": "subscribe", "channel": "fills", "since": N}. The answer is {"type": "subscribed"}, then come '
                    "all messages with a seq greater than N, as they are or will be. Without `since`: only what is yet to come."
                ),
                "parameters": [{"name": "key", "in": "query", "schema": _TEXT}, _X_ACCOUNT],
                "responses": {
                    "101": {
                        "description": "The WebSocket.",
                        "content": {"application/json": {"schema": {"oneOf": [_ref("FillMessage"), _ref("CancelMessage")]}}},
                    },
                    **refused,
                },
            }
        },
    }


def _schemas() -> Schema:
    fill = {
        "execution_id": _TEXT,
        "price": _AMOUNT,
        "quantity": _AMOUNT,
        "fee": _AMOUNT,
        "liquidity": {"type": "string", "enum": ["maker", "taker"]},
        "counterparty": _TEXT,
        "at": _MOMENT,
    }
    about = {
        "seq": {"type": "integer", "minimum": 1},
        "client_order_id": _TEXT,
        "order_id": _TEXT,
        "account": _TEXT,
        "market": _TEXT,
        "side": _SIDE,
    }
    return {
        "NewOrder": _object(
            {
                "client_order_id": _TEXT,
                "market": _TEXT,
                "side": _SIDE,
                "type": {"const": "limit"},
                "price": _AMOUNT,
                "quantity": _AMOUNT,
                "time_in_force": _TIME_IN_FORCE,
                "counterparty": _MAYBE_TEXT | {"description": "Trade with this account only (name or id)."},
            },
            optional=["type", "time_in_force", "counterparty"],
        ),
        "Order": _object(
            {
                "order_id": _TEXT,
                "client_order_id": _TEXT,
                "account": _TEXT,
                "market": _TEXT,
                "side": _SIDE,
                "type": {"const": "limit"},
                "price": _AMOUNT,
                "quantity": _AMOUNT,
                "time_in_force": _TIME_IN_FORCE,
                "counterparty": _MAYBE_TEXT,
                "filled": _AMOUNT,
                "remaining": _AMOUNT,
                "notional": _AMOUNT,
                "fee": _AMOUNT,
                "status": {"type": "string", "enum": ["open", "filled", "cancelled"]},
                "at": _MOMENT,
                "fills": {"type": "array", "items": _ref("Fill")},
            }
        ),
        "Fill": _object(fill),
        "FillMessage": _object({"type": {"const": "fill"}} | about | fill),
        "CancelMessage": _object(
            {"type": {"const": "order"}}
            | about
            | {
                "status": {"const": "cancelled"},
                "reason": {"type": "string", "enum": ["operator", "time_in_force", "self_trade_prevention"]},
                "filled": _AMOUNT,
                "remaining": _AMOUNT,
                "at": _MOMENT,
            }
        ),
        "Balance": _object({"asset": _TEXT, "available": _AMOUNT, "locked": _AMOUNT}),
        "Account": _object({"id": _TEXT, "name": _TEXT}),
        "Market": _object(
            {
                "symbol": _TEXT,
                "base": _TEXT,
                "quote": _TEXT,
                "base_precision": {"type": "integer"},
                "quote_precision": {"type": "integer"},
                "tick_size": _AMOUNT,
                "lot_size": _AMOUNT,
                "min_notional": _AMOUNT,
                "reference_price": _AMOUNT,
                "lowest_price": _MAYBE_AMOUNT,
                "highest_price": _MAYBE_AMOUNT,
                "status": {"type": "string", "enum": ["active", "inactive", "suspended"]},
            }
        ),
        "Error": _object(
            {"error": _object({"code": _TEXT, "message": _TEXT, "fenced": {"type": "boolean"}}, optional=["fenced"])}
        ),
    }


_X_ACCOUNT: Final[Schema] = {
    "name": "X-Account",
    "in": "header",
    "schema": _TEXT,
    "description": "For the operator: the account that the request is for, by name or id.",
}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(properties: Schema, optional: list[str] | None = None) -> Schema:
    required = [name for name in properties if name not in (optional or [])]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _answer(what: str, properties: Schema, optional: list[str] | None = None) -> Schema:
    return {"description": what, "content": {"application/json": {"schema": _object(properties, optional)}}}


def _error(what: str) -> Schema:
    return {"description": what, "content": {"application/json": {"schema": _ref("Error")}}}
