"""The `venue` section of an exchange's own REST API: what is asked of it how, and what its replies mean.

    HttpVenueSpec
    ├── base_url, headers, signing, accounts     who asks whom
    ├── symbols, sides, time_in_force, assets    its words for ours
    ├── place, status, fence, cancel             an order's life: a request each, and an ordered list of what replies mean
    ├── open_orders, balances                    what is asked when a run is held against the exchange's books
    ├── reply                                    where replies say what (jmespath)
    └── stream                                   executions over WebSocket

Texts may hold placeholders (see `placeholders`). Where a secret is needed it comes from the environment: `${env:NAME}`.
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from orderbook_tui.config.fields import Milliseconds, Name, Real, Section, Whole, refuse
from orderbook_tui.config.placeholders import ACCOUNT, ORDER, SIGNED, TIME, check, parts
from orderbook_tui.config.showing import shown
from orderbook_tui.config.venue_costs import FaultsSpec, FeesSpec

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Outcome = Literal["open", "filled", "cancelled", "accepted", "refused", "retry", "not_found", "unknown"]

_ASKING: Final = TIME | ACCOUNT
_ORDERING: Final = _ASKING | ORDER


def _body(known: frozenset[str], tree: object) -> object:
    """Check the texts of a JSON tree; numbers in it are constants, and none of them is money."""
    found: object = tree
    match tree:
        case str():
            check(tree, known)
        case Mapping():
            if not all(isinstance(key, str) for key in tree):
                refuse("a key is text")
            found = {key: _body(known, member) for key, member in tree.items()}
        case list() | tuple():
            found = [_body(known, member) for member in tree]
        case Decimal():
            found = float(tree)
            if Decimal(repr(found)) != tree:
                refuse(f"{shown(tree)} is no number that every JSON reader takes: write it as text")
        case None | bool() | int() | float():
            pass
        case _:
            refuse(f"expected JSON, got {shown(tree)}")
    return found


def _status(value: object) -> object:
    is_class = isinstance(value, str) and len(value) == 3 and value[0] in "12345" and value[1:] == "xx"
    is_status = isinstance(value, int) and not isinstance(value, bool) and 100 <= value <= 599
    if not (is_class or is_status):
        refuse(f'expected a status such as 200, or a class of them such as "2xx", got {shown(value)}')
    return value


def _secret(text: str) -> str:
    # The file is copied into every checkpoint, so a secret in it would be too.
    if all(isinstance(part, str) for part in parts(text)):
        refuse("the secret itself is in it: take it from the environment, as in ${env:API_SECRET}")
    return text


def _header(name: str) -> str:
    if not all(letter.isascii() and (letter.isalnum() or letter in "!#$%&'*+-.^_`|~") for letter in name):
        refuse(f"{shown(name)} is no name of a header")
    return name


AskingText = Annotated[Name, AfterValidator(partial(check, known=_ASKING))]
OrderText = Annotated[Name, AfterValidator(partial(check, known=_ORDERING))]
SignatureText = Annotated[Name, AfterValidator(partial(check, known=_ASKING | {"signature"}))]
AskingJson = Annotated[Any, BeforeValidator(partial(_body, _ASKING))]
OrderJson = Annotated[Any, BeforeValidator(partial(_body, _ORDERING))]
StreamJson = Annotated[Any, BeforeValidator(partial(_body, _ASKING | {"since", "signature"}))]
SignedText = Annotated[Name, AfterValidator(partial(check, known=_ASKING | SIGNED))]
PlainText = Annotated[Name, AfterValidator(partial(check, known=frozenset()))]
Header = Annotated[Name, AfterValidator(_header)]
Status = Annotated[int | str, BeforeValidator(_status)]
Expression = Name
"""A jmespath expression."""
Patience = Annotated[Whole, Field(ge=1, le=3_600_000)]


class RuleSpec(Section):
    """What a reply means, where it has this status and this condition holds."""

    status: tuple[Status, ...] = ()
    """The statuses that it is for, such as 201 or "2xx"; all, where this is left out."""
    when: Expression | None = None
    """A jmespath of the body that must give something true; always, where this is left out."""
    any_body: Annotated[bool, Field(strict=True)] = False
    """Whether it is also for a reply whose body is no JSON; an empty body is never in the way."""
    outcome: Outcome
    """What it means; `accepted`: it is decided later, `retry`: it was not placed now and may be tried again."""


class FillSpec(Section):
    """Where one execution says what; jmespath, from the execution on."""

    id: Expression | None = "execution_id || trade_id || tradeId || id"
    """What the exchange calls it: by this it is known again."""
    price: Expression = "price"
    """Its price."""
    quantity: Expression = "quantity || qty || size || amount"
    """How much of the base asset it moved."""
    fee: Expression | None = "fee || commission"
    """What it cost, in the quote asset."""
    counterparty: Expression | None = "counterparty"
    """Who the other account was, by name, by id, or by the `id` in `accounts`."""


class ReplySpec(Section):
    """Where a reply says what; jmespath, from the body on. null: it does not."""

    order_id: Expression | None = "order.order_id || order_id || orderId || order.id || id"
    """What the exchange calls the order; null: it calls it by the client order id."""
    client_order_id: Expression | None = "order.client_order_id || client_order_id || clientOrderId"
    """Our id of it: a reply that has another one is for another order."""
    filled: Expression | None = "order.filled || filled || executedQty"
    """How much of it is filled, in the base asset."""
    notional: Expression | None = None
    """What the fills came to, in the quote asset."""
    average_price: Expression | None = None
    """Their average price, where the notional is not told."""
    fee: Expression | None = None
    """What they cost, in the quote asset."""
    fills: Expression | None = "order.fills || fills"
    """The list of its executions."""
    fill: FillSpec = FillSpec()
    """Where each of these says what."""
    reason: Expression | None = "error.message || error.code || message || msg || reason || error"
    """Why it was refused."""


class OperationSpec(Section):
    """One request about an order, and what replies to it mean."""

    method: Method | None = None
    """The HTTP method; POST to place and to fence, GET for the status, DELETE to cancel."""
    path: OrderText
    """The path below `base_url`, such as /orders/{client_order_id}."""
    query: dict[Name, OrderText] = Field(default_factory=dict)
    """What stands behind the `?`."""
    headers: dict[Header, OrderText] = Field(default_factory=dict)
    """Headers of this request, beside those of all."""
    body: OrderJson = None
    """The body, any JSON; "{quantity:number}" becomes a number, and a key of an empty "{counterparty?}" is left out."""
    form: Annotated[bool, Field(strict=True)] = False
    """Whether the body, one object, is sent as a form and not as JSON."""
    idempotency_header: Header | None = None
    """A header that gets the client order id, by which the exchange takes the request once only."""
    outcomes: tuple[RuleSpec, ...] | None = None
    """What replies mean: the first rule that holds counts, and where none does it is unknown."""
    reply: ReplySpec | None = None
    """Where replies to this say what; as in the venue's `reply`, where this is left out."""


class OpenOrdersSpec(Section):
    """The request for an account's open orders."""

    method: Method = "GET"
    """The HTTP method."""
    path: AskingText
    """The path below `base_url`."""
    query: dict[Name, AskingText] = Field(default_factory=dict)
    """What stands behind the `?`."""
    headers: dict[Header, AskingText] = Field(default_factory=dict)
    """Headers of this request, beside those of all."""
    body: AskingJson = None
    """The body, any JSON."""
    form: Annotated[bool, Field(strict=True)] = False
    """Whether the body, one object, is sent as a form and not as JSON."""
    orders: Expression = "not_null(orders, @)"
    """The list of orders in the reply."""
    client_order_id: Expression = "client_order_id || clientOrderId"
    """Our id of each of them; orders without one are not counted."""
    order_id: Expression | None = "order_id || orderId || id"
    """What the exchange calls it."""
    market: Expression | None = "market || symbol"
    """Its market."""
    left: Expression | None = "remaining"
    """How much of it is open, in the base asset."""


class BalancesSpec(Section):
    """The request for what an account holds."""

    method: Method = "GET"
    """The HTTP method."""
    path: AskingText
    """The path below `base_url`."""
    query: dict[Name, AskingText] = Field(default_factory=dict)
    """What stands behind the `?`."""
    headers: dict[Header, AskingText] = Field(default_factory=dict)
    """Headers of this request, beside those of all."""
    body: AskingJson = None
    """The body, any JSON."""
    form: Annotated[bool, Field(strict=True)] = False
    """Whether the body, one object, is sent as a form and not as JSON."""
    balances: Expression = "not_null(balances, @)"
    """The list of balances in the reply."""
    asset: Expression = "asset || currency"
    """The asset of each of them."""
    available: Expression = "available || free"
    """What can be given of it."""
    locked: Expression | None = "locked || used"
    """What open orders hold of it."""


class SigningSpec(Section):
    """How requests are signed: an HMAC of a message, by the account's secret."""

    algorithm: Literal["sha256", "sha384", "sha512"] = "sha256"
    """The hash."""
    secret: Annotated[AskingText, AfterValidator(_secret)]
    """The secret, from the environment: ${env:NAME}, or ${env:SECRET_{account}}, or {account.secret} as `accounts` has it."""
    secret_encoding: Literal["text", "hex", "base64"] = "text"
    """How the secret is written."""
    message: SignedText = "{timestamp_ms}{method}{target}{body}"
    """What is signed. {path} is the path, {query} what stands behind the `?`, {target} both with the `?` between them."""
    encoding: Literal["hex", "base64"] = "hex"
    """How the signature is written."""
    headers: dict[Header, SignatureText] = Field(
        default_factory=lambda: {"X-Timestamp": "{timestamp_ms}", "X-Signature": "{signature}"}
    )
    """The headers that carry it."""
    query: dict[Name, SignatureText] = Field(default_factory=dict)
    """Or keys of the query that do; they come last, and are not signed."""


class PollSpec(Section):
    """How an order that was acknowledged and not decided is asked about."""

    interval_ms: Patience = 200
    """The wait between two requests for its status."""
    deadline_ms: Patience = 10_000
    """After so long it is unknown what became of it."""


class StreamSpec(Section):
    """Executions over WebSocket. There is a connection for each account where a text here or in the headers names one."""

    url: AskingText
    """Where it is: ws:// or wss://, or a path below `base_url`."""
    headers: dict[Header, AskingText] = Field(default_factory=dict)
    """Headers of the handshake, beside those of all requests."""
    subscribe: tuple[StreamJson, ...] = ()
    """What is sent once it is open, message by message; {since} is the last sequence number that was seen."""
    sign: Annotated[Name, AfterValidator(partial(check, known=_ASKING))] | None = None
    """What is signed for {signature} in these messages, by the algorithm and the secret of `signing`."""
    subscribed: Expression | None = None
    """What must be true of a message before executions are expected; nothing, where this is left out."""
    is_fill: Expression = "type == 'fill'"
    """What must be true of a message that tells of an execution."""
    fills: Expression = "@"
    """The execution in it, or a list of them."""
    fill: FillSpec = FillSpec()
    """Where each says what; the ids of the order as well, see below."""
    client_order_id: Expression | None = "client_order_id || clientOrderId"
    """Our id of the order."""
    order_id: Expression | None = "order_id || orderId"
    """The exchange's id of it, where ours is not told."""
    is_closed: Expression | None = None
    """What must be true of a message that an order is closed, and nothing more comes of it."""
    sequence: Expression | None = None
    """The sequence number of a message, for {since}."""
    ping_ms: Annotated[Whole, Field(ge=0, le=3_600_000)] = 20_000
    """How often it is asked whether the other side is there; 0: never."""
    reconnect_ms: Patience = 250
    """The first wait before it is connected again; it doubles up to `most_reconnect_ms`."""
    most_reconnect_ms: Patience = 10_000
    """The longest of these waits."""


class HttpVenueSpec(Section):
    """An exchange of yours, spoken to by its REST API as it is described here."""

    kind: Literal["http"] = "http"
    """An exchange with a REST API."""
    base_url: PlainText
    """Where it is, such as https://api.example.com/v1."""
    headers: dict[Header, AskingText] = Field(default_factory=dict)
    """Headers of every request, such as {"X-API-Key": "${env:API_KEY}"} or {"X-API-Key": "key-{account}"}."""
    signing: SigningSpec | None = None
    """How requests are signed, where they are."""
    accounts: dict[Name, dict[Name, AskingText]] = Field(default_factory=dict)
    """What the exchange knows accounts by: {"alice": {"id": "A-1", "key": "${env:ALICE}"}} gives {account.key}; "*": all."""
    symbols: dict[Name, Name] = Field(default_factory=dict)
    """By market, what the exchange calls it: {symbol}. Others are called as they are."""
    assets: dict[Name, Name] = Field(default_factory=dict)
    """By asset, what the exchange calls it: {base}, {quote} and in balances. Others are called as they are."""
    sides: dict[Literal["buy", "sell"], Name] = Field(default_factory=dict)
    """What the exchange calls the sides; buy and sell, where this is left out."""
    time_in_force: dict[Literal["gtc", "ioc", "fok", "post_only"], Name] = Field(default_factory=dict)
    """What the exchange calls how long orders live; GTC, IOC, FOK and POST_ONLY, where this is left out."""
    place: OperationSpec
    """How an order is placed."""
    status: OperationSpec | None = None
    """How it is asked what became of an order."""
    fence: OperationSpec | None = None
    """How that is asked so that an order which is not there cannot come any more."""
    cancel: OperationSpec | None = None
    """How what is open of an order is taken back."""
    open_orders: OpenOrdersSpec | None = None
    """How an account's open orders are asked for."""
    balances: BalancesSpec | None = None
    """How it is asked what an account holds."""
    reply: ReplySpec = ReplySpec()
    """Where replies say what."""
    poll: PollSpec = PollSpec()
    """How an order is asked about that was `accepted` and is not decided."""
    stream: StreamSpec | None = None
    """Executions over WebSocket, where the exchange tells them by itself."""
    deduplicates_for_s: Annotated[Real, Field(ge=0, le=10**9)] = 0.0
    """For how many seconds the exchange takes an order of the same client order id once only; 0: it does not."""
    expires_after_ms: Annotated[Whole, Field(ge=0, le=3_600_000)] = 0
    """After how long the exchange takes no request any more that was sent before; 0: it takes them however late they come."""
    connect_timeout_ms: Patience = 5_000
    """How long a connection may take; an order is surely not placed then."""
    timeout_ms: Patience = 10_000
    """How long a whole request may take; then it is unknown what became of it."""
    max_in_flight: Annotated[Whole, Field(ge=1, le=10_000)] = 32
    """The most requests under way at a time."""
    requests_per_second: Annotated[Real, Field(ge=0.001, le=1_000_000)] | None = None
    """The most requests a second; null is any number."""
    burst: Annotated[Whole, Field(ge=1, le=1_000_000)] = 1
    """How many of these may come at once."""
    most_retry_after_ms: Milliseconds = 60_000
    """The longest that all requests are held back when the exchange asks for it (Retry-After)."""
    tls: Literal["verify", "insecure"] = "verify"
    """Whether the certificate of the exchange is verified; "insecure" takes any."""
    fees: FeesSpec = FeesSpec()
    """What an execution costs there; it is part of what an order locks."""
    faults: FaultsSpec = FaultsSpec()
    """Failures made on purpose, before anything is sent."""
