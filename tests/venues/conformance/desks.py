"""Desks: a few orders of two accounts and one market, nobody else's, at each kind of venue in turn.

All but the embedded one speak to the served exchange, the real command, or to a real QuickFIX; `Books` is what these say
themselves, asked directly.
"""

import asyncio
import importlib.util
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from decimal import Decimal
from inspect import isawaitable
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from orderbook_tui.config import SimulatorConfig, parse_config, universe
from orderbook_tui.core.action import ANY, OrderAction, OrderMatchingStrategy
from orderbook_tui.core.book import Side, TimeInForce
from orderbook_tui.core.replay import replay
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.engine.elsewhere import Elsewhere
from orderbook_tui.engine.executor import SlotExecutor
from orderbook_tui.engine.planning import plan_of
from orderbook_tui.engine.processor import failure_of
from orderbook_tui.engine.wiring import open_venue
from orderbook_tui.errors import OrderError
from orderbook_tui.venues.base import Capabilities, Venue
from tests.serving.exchange import served
from tests.venues.conformance import rest_callable
from tests.venues.quickfix_process import quickfix

FEES = {"maker": "0.0005", "taker": "0.001"}
MARKETS, ACCOUNTS = 260, 520
HOSTILE = ['O\'Neil; DROP "x" & <b>%2F?#[/]', "a=b,c|d~e\\f ${HOME} {account}"]
RICH = 1_000_000
CONFIGS = Path(__file__).parents[3] / "configs"
PATIENCE_S = 5.0

_markets, _names, _runs = count(), count(), count()
"""What no desk has had."""


def _market(number: int) -> dict[str, Any]:
    terms = {"tick_size": "0.5", "lot_size": "0.01", "reference_price": "100"}
    return {"symbol": f"M{number}-USD", "base": "BTC", "quote": "USD", **terms}


def exchange_config() -> dict[str, Any]:
    """What is served: enough accounts and markets for every desk to have some of its own."""
    return {
        "accounts": {"list": [{"name": name} for name in (*(f"t{number}" for number in range(ACCOUNTS)), *HOSTILE)]},
        "markets": [_market(number) for number in range(MARKETS)],
        "budget": {"budgets": [{"amount": RICH}]},
        "venue": {"kind": "embedded", "fees": FEES},
    }


def has(module: str) -> bool:
    """Whether an extra is installed."""
    return importlib.util.find_spec(module) is not None


class Books(Protocol):
    """What an exchange says of an account, by its own mouth."""

    def orders(self, account: str) -> dict[str, tuple[str, Decimal]]:
        """Return the status of each order, and how much of it is filled, by client order id."""

    def balances(self, account: str) -> dict[str, tuple[Decimal, Decimal]]:
        """Return what is available and locked, by asset."""


class Exchange(NamedTuple):
    """An exchange that runs: the port of each of its languages, and what it says itself."""

    ports: Mapping[str, int]
    books: Books


class Subject(NamedTuple):
    """One kind of venue. `section` is its part of a config, for an exchange at a port where `language` is spoken."""

    name: str
    language: str
    needs: tuple[str, ...]
    section: Callable[[int], dict[str, Any]]

    @property
    def is_embedded(self) -> bool:
        return not self.language


def _python(port: int) -> dict[str, Any]:
    rest_callable.PORT = port
    return {"kind": "python", "target": f"{rest_callable.__name__}:place_order"}


def _http(port: int) -> dict[str, Any]:
    # What is documented is what is tested.
    venue: dict[str, Any] = json.loads((CONFIGS / "venue-http.json").read_text())["venue"]
    return venue | {"base_url": f"http://127.0.0.1:{port}"}


def _polled(port: int) -> dict[str, Any]:
    return {key: value for key, value in _http(port).items() if key != "stream"}


def _fix(version: str, *, lists: bool = False) -> Callable[[int], dict[str, Any]]:
    def section(port: int) -> dict[str, Any]:
        return {
            "kind": "fix",
            "port": port,
            "begin_string": version,
            "sessions": [{"sender_comp_id": "TRADER", "target_comp_id": "EXCHANGE"}],
            "counterparty_tag": 20001,
            "mass_status": lists,
            "reconnect_ms": 100,
            "logon_timeout_ms": 2_000,
        }

    return section


def _ccxt(port: int) -> dict[str, Any]:
    return {
        "kind": "ccxt",
        "exchange": "tests.venues.ccxt_served:Served",
        "options": {"url": f"http://127.0.0.1:{port}"},
        "counterparty_param": "counterparty",
        "rate_limit": False,
    }


SUBJECTS = (
    Subject("embedded", "", (), lambda _: {"kind": "embedded"}),
    Subject("python", "http", (), _python),
    Subject("http", "http", ("aiohttp", "jmespath"), _http),
    Subject("http without a stream", "http", ("aiohttp", "jmespath"), _polled),
    Subject("fix 4.2", "fix", ("fixcore",), _fix("FIX.4.2")),
    Subject("fix 4.4", "fix", ("fixcore",), _fix("FIX.4.4", lists=True)),
    Subject("fix 4.2 of QuickFIX", "quickfix", ("fixcore", "quickfix"), _fix("FIX.4.2")),
    Subject("fix 4.4 of QuickFIX", "quickfix", ("fixcore", "quickfix"), _fix("FIX.4.4")),
    Subject("ccxt", "http", ("ccxt",), _ccxt),
)


class ServedBooks:
    """What the served exchange says of an account."""

    def __init__(self, port: int) -> None:
        self._port = port

    def _said(self, account: str, path: str) -> Any:
        status, document = rest_callable.asked(account, "GET", path, port=self._port)
        assert status == 200, document
        return document

    def orders(self, account: str) -> dict[str, tuple[str, Decimal]]:
        """The status of each order, and how much of it is filled, by client order id."""
        orders = self._said(account, "/orders")["orders"]
        assert len({order["client_order_id"] for order in orders}) == len(orders)
        return {order["client_order_id"]: (order["status"], Decimal(order["filled"])) for order in orders}

    def balances(self, account: str) -> dict[str, tuple[Decimal, Decimal]]:
        """What is available and locked, by asset."""
        balances = self._said(account, "/balances")["balances"]
        return {each["asset"]: (Decimal(each["available"]), Decimal(each["locked"])) for each in balances}


@contextmanager
def the_exchange(folder: Path) -> Iterator[Exchange]:
    """Serve it, over everything that can be served here."""
    fix = has("fixcore")
    with served(exchange_config(), folder, fix=fix, options=["--fix-comp-id", "RUNNER"] if fix else ()) as process:
        yield Exchange({"http": process.http_port} | ({"fix": process.fix_port} if fix else {}), ServedBooks(process.http_port))


@contextmanager
def the_quickfix(folder: Path) -> Iterator[Exchange]:
    """Run QuickFIX, the C++ engine, with an exchange of the same rules behind it."""
    with quickfix(folder, "--funds", str(RICH), "--fees", FEES["maker"], FEES["taker"]) as process:
        yield Exchange({"quickfix": process.fix_port}, process)


class Order(NamedTuple):
    """An order of a desk: whose (0 or 1), and what, in lots and ticks."""

    who: int
    side: Side
    lots: int = 10
    price: int = 200
    only: int | None = None
    lives: TimeInForce = TimeInForce.GTC


def buy(lots: int = 10, price: int = 200, *, who: int = 0, **more: Any) -> Order:
    """An order of the first account."""
    return Order(who, Side.BID, lots, price, **more)


def sell(lots: int = 10, price: int = 200, *, who: int = 1, **more: Any) -> Order:
    """An order of the second account."""
    return Order(who, Side.ASK, lots, price, **more)


class Desk:
    """Orders at a venue, placed one by one as a run would."""

    def __init__(self, config: SimulatorConfig, orders: Sequence[Order], run: str, folder: Path) -> None:
        plan = plan_of(config, universe(config, Path()))
        market, accounts = plan.markets[0], plan.accounts
        self.names = [account.name for account in accounts]

        def action(order: Order) -> OrderAction:
            wanted = ANY if order.only is None else OrderMatchingStrategy.match_with(accounts[order.only].id)
            return OrderAction(market, order.side, order.lots, order.price, wanted, order.lives)

        self.slots = [
            ActionSlot(sequence, accounts[order.who].id, action(order), 3, 4, run=run) for sequence, order in enumerate(orders)
        ]
        self.market = market
        self.state, self.budgets, self.settlement = replay(plan, self.slots)
        self.venue: Venue
        self.venue, self.exchange = open_venue(config, self.state, lambda: folder)
        self.executor = SlotExecutor(self.state, self.settlement, self.venue)

    @property
    def can(self) -> Capabilities:
        """What the venue says it can."""
        return self.venue.capabilities

    @property
    def elsewhere(self) -> Elsewhere:
        """What listens to a venue outside this process."""
        assert self.executor.elsewhere is not None
        return self.executor.elsewhere

    async def accepted(self, *sequences: int) -> None:
        """Place these slots' orders, one after the other. Raises what the venue says of one that it did not take."""
        for sequence in sequences:
            slot = self.slots[sequence]
            slot.begin(time.time_ns())
            try:
                placing = self.executor.place(slot)
                slot.complete(await placing if isawaitable(placing) else placing, time.time_ns())
            except OrderError as error:
                slot.fail_attempt(failure_of(error), time.time_ns())
                raise

    async def heard(self, sequence: int, lots: int) -> ActionSlot:
        """Wait until so many lots are filled of a slot, and return it."""
        slot, until = self.slots[sequence], time.monotonic() + PATIENCE_S
        while slot.filled < lots and time.monotonic() < until:
            if self.executor.elsewhere is not None:
                await self.elsewhere.hear_of([slot] if slot.open else [])
            await asyncio.sleep(0.002)
        assert slot.filled == lots
        return slot

    async def taken_back(self, sequence: int) -> ActionSlot:
        """Cancel what is open of a slot, and return it."""
        slot = self.slots[sequence]
        if slot.open and self.executor.elsewhere is not None:
            await self.executor.elsewhere.take_back(slot)
        elif slot.open:
            self.executor.cancel(slot)
        return slot

    @property
    def strays(self) -> list[str]:
        """What the venue told that could not be settled."""
        return [each.words for each in self.executor.elsewhere.strays] if self.executor.elsewhere is not None else []


class Bench:
    """Makes desks at one kind of venue."""

    def __init__(self, subject: Subject, port: int, books: Books, folder: Path) -> None:
        self.subject, self.books, self._port, self._folder = subject, books, port, folder

    def config(self, names: Sequence[str], **sections: Any) -> dict[str, Any]:
        """A config of these accounts and a market of their own."""
        market = _market(next(_markets) % MARKETS)
        venue = self.subject.section(self._port) | {"fees": FEES}
        if venue["kind"] == "ccxt":
            venue["accounts"] = {name: {"apiKey": f"key-{name}"} for name in names}
            venue["symbols"] = {market["symbol"]: market["symbol"]}
            venue["options"] |= {"symbols": [market["symbol"]]}
        return {
            "accounts": {"list": [{"name": name} for name in names]},
            "markets": [market],
            "budget": {"budgets": [{"amount": RICH}]},
            "venue": venue,
            **sections,
        }

    def elsewhere(self, port: int) -> "Bench":
        """The same where nobody listens."""
        return Bench(self.subject, port, self.books, self._folder / "nobody")

    def names(self, number: int = 2) -> list[str]:
        """Accounts that have not traded yet."""
        return [f"t{next(_names) % ACCOUNTS}" for _ in range(number)]

    @asynccontextmanager
    async def desk(self, *orders: Order, names: Sequence[str] = (), run: str = "", **venue: Any) -> AsyncIterator[Desk]:
        """A desk that is open, and closed afterwards."""
        config = self.config(names or self.names())
        config["venue"] |= venue
        desk = Desk(parse_config(config), orders, f"{run or 'run'}{next(_runs)}", self._folder)
        if desk.executor.elsewhere is not None:
            await desk.elsewhere.open()
        try:
            yield desk
        finally:
            if desk.executor.elsewhere is not None:
                await desk.elsewhere.close()
        # Desks trade under one name, so what the last did not wait for is told to the next.
        assert [words for words in desk.strays if "none of this run's" not in words] == []
