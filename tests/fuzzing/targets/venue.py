"""Replies of a user's venue: what its callable may return, raise and report, at any time and of any type and size.

An input is a script in JSON: for each call what it reports and what it answers or raises, as `VALUES` and `ERRORS` call it.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from enum import IntEnum
from pathlib import Path
from random import Random
from typing import Any, Final
from uuid import UUID

import anyio
import anyio.lowlevel

from orderbook_tui.config import parse_config
from orderbook_tui.core.journal import RecoveryAction
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.engine.control import Ending
from orderbook_tui.engine.decisions import PolicyDecider
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.engine.summary import summary
from orderbook_tui.errors import OrderbookTuiError, OutcomeUnknown, Rejected, VenueUnavailable
from orderbook_tui.report import summary_in_words
from orderbook_tui.tui.slot_filter import Names, SlotFilter
from orderbook_tui.venues.python import SettlementHandle
from tests.fuzzing.targets.base import Target, check_said
from tests.fuzzing.targets.reading import read_every_way


class Mute(Exception):
    """An error that cannot say itself."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


class Odd(str):
    """A text that is none."""

    def __str__(self) -> str:
        return 7  # type: ignore[return-value]  # noqa: PLE0307

    __hash__ = None  # type: ignore[assignment]


class Number(IntEnum):
    """A number with a name."""

    ONE = 1


class Wordless:
    """Something that cannot be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no words")


VALUES: Final[dict[str, Callable[[ActionSlot], Any]]] = {
    "whole": lambda slot: slot.action.market.quantity(slot.action.quantity),
    "half": lambda slot: slot.action.market.quantity(slot.action.quantity // 2),
    "lot": lambda slot: slot.action.market.lot_size,
    "price": lambda slot: slot.action.market.price(slot.action.price),
    "better": lambda slot: slot.action.market.price(slot.action.price + (1 if slot.action.side else -1)),
    "worse": lambda slot: slot.action.market.price(slot.action.price + (-1 if slot.action.side else 1)),
    "account": lambda slot: slot.account_id,
    "expected": lambda slot: slot.action.matching_strategy.account,
    "none": lambda slot: None,
    "true": lambda slot: True,
    "zero": lambda slot: 0,
    "one": lambda slot: 1,
    "minus": lambda slot: -1,
    "int64": lambda slot: 2**63,
    "int4300": lambda slot: 10**4300,
    "int100000": lambda slot: -(10**100_000),
    "float": lambda slot: 0.1,
    "nan": lambda slot: float("nan"),
    "inf": lambda slot: float("-inf"),
    "decimal_nan": lambda slot: Decimal("sNaN"),
    "decimal_huge": lambda slot: Decimal("1E+999999"),
    "decimal_tiny": lambda slot: Decimal("1E-999999"),
    "digits": lambda slot: "1." + "1" * 1_000_000,
    "text": lambda slot: f"order-{slot.sequence}",
    "same_text": lambda slot: "order",
    "empty": lambda slot: "",
    "nul": lambda slot: "a\0b",
    "surrogate": lambda slot: "\ud800",
    "steering": lambda slot: "\x1b]0;owned\x07\u202e\r\n",
    "formula": lambda slot: "=1+1",
    "long": lambda slot: "x" * 1_000_000,
    "longer": lambda slot: "é" * 20_000_000,
    "bytes": lambda slot: b"\xff",
    "uuid": lambda slot: UUID(int=slot.sequence),
    "enum": lambda slot: Number.ONE,
    "odd": lambda slot: Odd("odd"),
    "object": lambda slot: object(),
    "wordless": lambda slot: Wordless(),
    "list": lambda slot: [1],
    "dict": lambda slot: {"id": 1},
    "type": lambda slot: int,
    "awaitable": lambda slot: anyio.lowlevel.checkpoint(),
}

ERRORS: Final[dict[str, Callable[[], BaseException]]] = {
    "value": lambda: ValueError("no"),
    "empty": ValueError,
    "steering": lambda: ValueError("\x1b]0;owned\x07\u202e\ud800\0"),
    "long": lambda: ValueError("x" * 20_000_000),
    "bytes": lambda: ValueError(b"\xff" * 1_000),
    "mute": Mute,
    "timeout": lambda: TimeoutError("\x1b[2J"),
    "refused": lambda: ConnectionRefusedError(111, "refused"),
    "broken": BrokenPipeError,
    "unavailable": lambda: VenueUnavailable("away"),
    "unknown": lambda: OutcomeUnknown("lost"),
    "rejected": lambda: Rejected("\ud800"),
    "rejected_long": lambda: Rejected("é" * 5_000_000),
    "rejected_empty": Rejected,
    "rejected_wordless": lambda: Rejected(Wordless()),
    "root": lambda: OrderbookTuiError("root"),
    "stop": lambda: StopIteration(7),
    "stop_async": StopAsyncIteration,
    "recursion": lambda: RecursionError("deep"),
    "memory": MemoryError,
    "group": lambda: ExceptionGroup("many", [ValueError("one"), Mute()]),
    "os": lambda: OSError(28, "No space left on device"),
    "import": lambda: ImportError("no module"),
    "key": lambda: KeyError(("a", "b")),
    "unicode": lambda: UnicodeEncodeError("utf-8", "\ud800", 0, 1, "no"),
    "assertion": AssertionError,
}


class Venue:
    """A venue that follows a script."""

    def __init__(self) -> None:
        self.steps: list[dict[str, Any]] = []
        self.looking: list[dict[str, Any]] = []
        self.escaped: list[str] = []
        self._handles: list[SettlementHandle] = []

    def follow(self, script: dict[str, Any]) -> None:
        """Begin a script."""
        self.steps, self.looking = list(script["steps"]), list(script.get("look_up", ()))
        self.escaped, self._handles = [], []

    def __call__(self, slot: ActionSlot, settlement: SettlementHandle) -> Any:
        self._handles.append(settlement)
        return self._do(self.steps.pop(0) if self.steps else {}, slot, settlement)

    def look_up(self, slot: ActionSlot, settlement: SettlementHandle | None = None) -> Any:
        """Say what became of an order."""
        return self._do(self.looking.pop(0) if self.looking else {"answer": "none"}, slot, settlement)

    def _do(self, step: dict[str, Any], slot: ActionSlot, settlement: SettlementHandle | None) -> Any:
        for report in step.get("fills", ()):
            handle = self._handles[0] if report.get("first") and self._handles else settlement
            if handle is not None:
                self._report(handle, slot, report)
        if "error" in step:
            raise ERRORS[step["error"]]()
        return VALUES[step.get("answer", "text")](slot)

    def _report(self, handle: SettlementHandle, slot: ActionSlot, report: dict[str, str]) -> None:
        arguments = {key: VALUES[value](slot) for key, value in report.items() if key != "first"}
        try:
            handle.fill(**arguments)
        except OrderbookTuiError:
            pass
        except Exception as error:
            self.escaped.append(f"fill({report}) raised {type(error).__name__}")


venue = Venue()


async def patient(slot: ActionSlot, settlement: SettlementHandle) -> Any:
    """The same, for whoever awaits."""
    return venue(slot, settlement)


def hear_any_replies(content: bytes, folder: Path) -> None:
    """Whatever a venue says, the run goes on to its end, is saved, and can be read, shown and taken up."""
    script = json.loads(content)
    venue.follow(script)
    target = "patient" if script.get("async") else "venue"
    config = parse_config({
        "accounts": {"generate": {"count": 2}},
        "scheduler": {"trades_per_account": 2, "matching_strategy": script.get("strategy", "sequential_next")},
        "processor": {"retry_base_delay_ms": 0, "max_retries": 1, "save_after_each_slot": bool(script.get("each"))},
        "budget": {"budgets": [{"amount": 10**9}]},
        "venue": {"kind": "python", "target": f"{__name__}:{target}", "fees": {"taker": script.get("fee", 0)}},
    })  # fmt: skip
    action = RecoveryAction(script.get("action", "skip"))
    simulation = Simulation.create(config, state_dir=folder)
    try:
        ending = anyio.run(simulation.run, PolicyDecider(action))
        assert ending is (Ending.DONE if action is not RecoveryAction.QUIT else ending)
        _check(simulation, ending)
    finally:
        simulation.close()
    if action is RecoveryAction.QUIT:
        with suppress(OrderbookTuiError):
            simulation = Simulation.resume(simulation.id, folder)
            try:
                ending = anyio.run(simulation.run, PolicyDecider(RecoveryAction.SKIP))
                _check(simulation, ending)
            finally:
                simulation.close()
    assert not venue.escaped, venue.escaped[0]
    read_every_way(folder, simulation.id, must_be_sound=True)


def _check(simulation: Simulation, ending: Ending) -> None:
    assert all(simulation.invariants().values()), simulation.invariants()
    assert simulation.stats == simulation.state.recount()
    words = summary_in_words(simulation, summary(simulation, ending))
    for line in words.split("\n"):
        check_said(line)
    assert len(words) < 1_000_000
    for text in ("order:1", "error:no", "owned"):
        SlotFilter(text, Names(simulation)).among(simulation.slots)


_USUAL: Final = {
    "price": ["price", "better", "none"],
    "counterparty": ["expected", "account"],
    "fee": ["zero"],
    "execution_id": ["text", "same_text"],
}


def _script(random: Random) -> bytes:
    def value(usual: list[str]) -> str:
        return random.choice(usual) if random.random() < 0.6 else random.choice(list(VALUES))

    def step() -> dict[str, Any]:
        fills = []
        for _ in range(random.choice([0, 0, 1, 1, 2, 4])):
            report: dict[str, Any] = {"quantity": value(["whole", "half", "lot"])}
            for key, likely in _USUAL.items():
                if random.random() < 0.4:
                    report[key] = value(likely)
            if random.random() < 0.1:
                report["first"] = True
            fills.append(report)
        made: dict[str, Any] = {"fills": fills} if fills else {}
        if random.random() < 0.35:
            return made | {"error": random.choice(list(ERRORS))}
        return made | {"answer": value(["text", "one", "same_text"])}

    return json.dumps({
        "async": random.random() < 0.5,
        "each": random.random() < 0.5,
        "fee": random.choice([0, "0.001"]),
        "strategy": random.choice(["sequential_next", "any"]),
        "action": random.choice(["skip", "continue", "quit"]),
        "steps": [step() for _ in range(random.choice([1, 2, 4, 6]))],
        "look_up": [step() for _ in range(random.choice([0, 1, 3]))],
    }).encode()  # fmt: skip


VENUE = Target("venue", _script, hear_any_replies, 4)
