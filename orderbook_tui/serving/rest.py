"""The REST face of the served exchange. What each path takes and answers is in `openapi`.

    POST   /orders                           GET  /balances       GET  /health
    GET    /orders                           GET  /markets        GET  /openapi.json
    GET    /orders/{client_order_id}         GET  /accounts/me    GET  /stream   (see `stream`)
    DELETE /orders/{client_order_id}
    POST   /orders/{client_order_id}/fence

Everything that goes wrong is answered as {"error": {"code": ..., "message": ...}}.
"""

import re
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec
from aiohttp import web

from orderbook_tui.core.book import Side, TimeInForce
from orderbook_tui.core.market import Account
from orderbook_tui.core.words import harmless
from orderbook_tui.errors import StorageError
from orderbook_tui.serving.documents import Document, balance_documents, market_document, order_document
from orderbook_tui.serving.keys import Caller, KeyRing, Unauthorized
from orderbook_tui.serving.openapi import description
from orderbook_tui.serving.orders import Reason, Refusal, ServedOrder, Status
from orderbook_tui.serving.served import ServedExchange
from orderbook_tui.serving.stream import Stream

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CLIENT_ORDER_ID: Final = r"[A-Za-z0-9][A-Za-z0-9._:~=@+-]{0,127}"
"""What a client order id may be."""
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_LARGEST_BODY: Final = 64 * 1024
_STATUS: Final = {"duplicate_client_order_id": 409, "dead_client_order_id": 410, "malformed": 400, "account_required": 400}

_is_client_order_id = re.compile(CLIENT_ORDER_ID).fullmatch
_encode = msgspec.json.Encoder().encode


class OrderBody(msgspec.Struct, forbid_unknown_fields=True):
    """What POST /orders takes. Amounts are decimal text; a JSON number is read exactly too."""

    client_order_id: str
    market: str
    side: Literal["buy", "sell"]
    price: Decimal
    quantity: Decimal
    type: Literal["limit"] = "limit"
    time_in_force: Literal["GTC", "IOC", "FOK", "POST_ONLY"] = "GTC"
    counterparty: str | None = None


_decode_order = msgspec.json.Decoder(OrderBody).decode
_SIDES: Final = {"buy": Side.BID, "sell": Side.ASK}
_TIMES: Final = {each.value.upper(): each for each in TimeInForce}


class Rest:
    """The handlers of all paths."""

    def __init__(self, exchange: ServedExchange, keys: KeyRing, on_fatal: Callable[[Exception], None]) -> None:
        """`on_fatal` is told of an error after which the exchange must not go on."""
        self._exchange = exchange
        self._keys = keys
        self._on_fatal = on_fatal
        self._stream = Stream(exchange, keys)
        self._description = _encode(description())

    def application(self) -> web.Application:
        """Return the paths with their handlers."""
        application = web.Application(middlewares=[self._answer], client_max_size=_LARGEST_BODY)
        one = "/orders/{client_order_id}"
        application.add_routes(
            [
                web.post("/orders", self._place),
                web.get("/orders", self._list, allow_head=False),
                web.get(one, self._show, allow_head=False),
                web.delete(one, self._cancel),
                web.post(f"{one}/fence", self._fence),
                web.get("/balances", self._balances, allow_head=False),
                web.get("/markets", self._markets, allow_head=False),
                web.get("/accounts/me", self._account, allow_head=False),
                web.get("/health", self._health, allow_head=False),
                web.get("/openapi.json", self._openapi, allow_head=False),
                web.get("/stream", self._stream.handle, allow_head=False),
            ]
        )
        application.on_shutdown.append(self._stream.close)
        return application

    async def caller(self, request: web.Request) -> Caller:
        """Return who sent a request.

        Raises:
            Unauthorized: it does not say, or not rightly.
        """
        body = await request.read()
        return self._keys.caller(request.headers, request.method, request.raw_path, body)

    @web.middleware
    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Turn what goes wrong into an answer, and refuse what a web page sends on behalf of whoever looks at it."""
        try:
            if not _is_local(request):
                return _error(403, "not_local", "this exchange answers programs on this machine, no web pages of others")
            return _failed() if self._exchange.failed else await handler(request)
        except Refusal as refusal:
            return _error(_STATUS.get(refusal.code, 422), refusal.code, refusal.message)
        except Unauthorized as error:
            return _error(401, "unauthorized", str(error))
        except web.HTTPException as error:
            code = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}.get(error.status, "bad_request")
            allowed = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
            return _error(error.status, code, error.reason, headers=allowed)
        except ConnectionError:  # it broke off in the middle of its request: nobody reads this
            return _error(400, "malformed", "the request broke off")
        except StorageError as error:
            self._on_fatal(error)
            return _failed()

    async def _place(self, request: web.Request) -> web.Response:
        body = await request.read()
        account = _account(self._keys.caller(request.headers, request.method, request.raw_path, body))
        try:
            wanted = _decode_order(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Refusal("malformed", str(error)) from None
        if not _is_client_order_id(wanted.client_order_id):
            raise Refusal("malformed", f"a client_order_id is 1 to 128 of {CLIENT_ORDER_ID}")
        new = self._exchange.new_order(
            account,
            wanted.client_order_id,
            wanted.market,
            _SIDES[wanted.side],
            wanted.price,
            wanted.quantity,
            _TIMES[wanted.time_in_force],
            wanted.counterparty,
        )
        order, is_new = self._exchange.place(new)
        return _answer({"order": order_document(order)}, 201 if is_new else 200)

    async def _list(self, request: web.Request) -> web.Response:
        account = _account(await self.caller(request))
        wanted = request.query.get("status")
        if wanted is not None and wanted not in list(Status):
            raise Refusal("malformed", f"status is one of {', '.join(Status)}")
        orders = self._exchange.ledger.orders(account.id)
        return _answer({"orders": [order_document(order) for order in orders if wanted in (None, order.status)]})

    async def _show(self, request: web.Request) -> web.Response:
        order = self._found(request, _account(await self.caller(request)))
        return _not_found(request) if order is None else _answer({"order": order_document(order)})

    async def _cancel(self, request: web.Request) -> web.Response:
        caller = await self.caller(request)
        order = self._found(request, _account(caller))
        if order is None:
            return _not_found(request)
        reason = Reason.OPERATOR if caller.is_operator else Reason.REQUESTED
        answer: Document = {}
        if not self._exchange.cancel(order, reason):
            answer["note"] = "already_filled" if order.status is Status.FILLED else "already_cancelled"
        return _answer({"order": order_document(order)} | answer)

    async def _fence(self, request: web.Request) -> web.Response:
        account = _account(await self.caller(request))
        client_order_id = request.match_info["client_order_id"]
        if not _is_client_order_id(client_order_id):
            raise Refusal("malformed", f"a client_order_id is 1 to 128 of {CLIENT_ORDER_ID}")
        order = self._exchange.fence(account, client_order_id)
        if order is None:
            return _not_found(request, fenced=True)
        return _answer({"order": order_document(order)})

    async def _balances(self, request: web.Request) -> web.Response:
        account = _account(await self.caller(request))
        return _answer({"balances": balance_documents(self._exchange.ledger, account)})

    async def _markets(self, request: web.Request) -> web.Response:
        universe = self._exchange.universe
        return _answer({"markets": [market_document(market) for market in (*universe.markets, *universe.left_out)]})

    async def _account(self, request: web.Request) -> web.Response:
        caller = await self.caller(request)
        account = None if caller.account is None else {"id": caller.account.id, "name": caller.account.name}
        return _answer({"account": account, "operator": caller.is_operator})

    async def _health(self, request: web.Request) -> web.Response:
        return _answer({"status": "ok", "last_seq": len(self._exchange.ledger.events)})

    async def _openapi(self, request: web.Request) -> web.Response:
        return web.Response(body=self._description, content_type="application/json")

    def _found(self, request: web.Request, account: Account) -> ServedOrder | None:
        return self._exchange.ledger.order(account.id, request.match_info["client_order_id"])


def _account(caller: Caller) -> Account:
    """Return whom a request is for.

    Raises:
        Refusal: the operator did not say.
    """
    if caller.account is None:
        raise Refusal("account_required", "the operator says in the header X-Account whom the request is for")
    return caller.account


def _is_local(request: web.Request) -> bool:
    """Whether a request names this machine, and comes from no web page that another machine served."""
    origin = request.headers.get("Origin")
    try:
        host = urlsplit(f"//{request.host}").hostname
        return _is_loopback(host) and (origin is None or _is_loopback(urlsplit(origin).hostname))
    except ValueError:
        return False


def _is_loopback(host: str | None) -> bool:
    return host in LOOPBACK or (host is not None and host.startswith("127."))


def _answer(document: Document, status: int = 200) -> web.Response:
    return web.Response(body=_encode(document), status=status, content_type="application/json")


def _error(
    status: int, code: str, message: str, *, fenced: bool | None = None, headers: dict[str, str] | None = None
) -> web.Response:
    error: Document = {"code": code, "message": harmless(message, 500)}
    if fenced is not None:
        error["fenced"] = fenced
    response = _answer({"error": error}, status)
    response.headers.update(headers or {})
    return response


def _failed() -> web.Response:
    return _error(503, "unavailable", "the exchange cannot write its state and is ending: what became of this is not known")


def _not_found(request: web.Request, *, fenced: bool | None = None) -> web.Response:
    message = f"the account has no order {request.match_info['client_order_id']}"
    return _error(404, "not_found", message, fenced=fenced)
