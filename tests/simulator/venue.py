"""A venue outside the process: it outlives every crash, remembers what it was sent, and does not always say so.

What goes wrong is a function of (seed, slot, attempt), and what becomes of an accepted order one of (seed, slot), so a run
that is interrupted meets the same venue as one that is not.

    asked           it can be asked about an order; whoever asks about one that is not there keeps it from arriving
    deduplicates    it takes an order of one client order id once, for a while
    both, neither
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any, Final, Protocol

from orderbook_tui.core.book import Side
from orderbook_tui.core.exchange import FeeSchedule, fee
from orderbook_tui.core.journal import RecoveryAction
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.errors import AmountError, FailureKind, Rejected, VenueUnavailable
from orderbook_tui.venues.python import SettlementHandle
from tests.simulator.virtual_time import Clock

_FAULTS: Final = {
    "none": 60,
    "slow": 6,
    "unavailable": 5,
    "connection refused": 3,
    "refused": 4,
    "timeout before": 5,
    "arrives later": 4,
    "timeout after": 6,
    "silence": 3,
    "no id": 2,
    "fails after a fill": 3,
    "refused, then filled": 2,
}
_UNKNOWN: Final = {"timeout before", "arrives later", "timeout after", "no id", "fails after a fill"}


class Watcher(Protocol):
    """Who is told what happens here."""

    clock: Clock
    lives: int

    def log(self, words: str) -> None:
        """Write a line of the trace."""
        ...

    def violate(self, words: str) -> None:
        """Something is not as it must be."""
        ...

    def accepted(self) -> None:
        """An order has been taken; who sent it may not live to hear of it."""
        ...


@dataclass
class Fill:
    """An execution of an order, at `due` on the venue's clock."""

    lots: int
    price: int
    charge: int
    who: str | None
    due: int
    twice: bool
    name: str
    reported: bool = False


@dataclass
class Order:
    """An order that the venue took."""

    client_order_id: str
    slot: int
    lots: int
    order_id: int | str
    fills: list[Fill]
    excused: bool
    """Whether a person, who had been told that it may be there, had it placed another time."""
    handle: SettlementHandle | None = None
    life: int = 0

    def filled(self, now: int) -> int:
        """Return the lots executed until now."""
        return sum(each.lots for each in self.fills if each.due <= now)


@dataclass
class OutsideVenue:
    """The venue, as a callable for `venue.kind: python`."""

    seed: int
    kind: str
    fees: FeeSchedule
    outsiders: list[str]
    world: Watcher
    calm: bool = False
    """Whether it makes no trouble of its own."""
    orders: dict[str, list[Order]] = field(default_factory=dict)
    by_slot: dict[int, list[Order]] = field(default_factory=dict)
    first_sent: dict[str, int] = field(default_factory=dict)
    fenced: set[str] = field(default_factory=set)
    sent: set[tuple[int, int]] = field(default_factory=set)
    """Slots and attempts that were ever heard of here."""
    arrived_late: bool = False
    """Whether an order came that nobody had fenced off: whether one does depends on when one is asked."""
    events: int = 0

    def __post_init__(self) -> None:
        chance = Random(f"{self.seed}:venue")
        if self.kind in ("asked", "both"):
            self.look_up = self._look_up
        self.reorders = chance.random() < 0.25
        """Whether reports overtake each other."""
        self.names_executions = chance.random() < 0.75
        """Whether each report says which execution it is about."""
        self.deduplicates_for = float(chance.choice((30, 600, 86_400))) if self.kind in ("deduplicates", "both") else 0.0

    @property
    def can_look_up(self) -> bool:
        """Whether it can be asked about an order."""
        return self.kind in ("asked", "both")

    async def __call__(self, slot: ActionSlot, settlement: SettlementHandle) -> Any:
        """Take an order, or not."""
        number, client_order_id, fault = slot.attempt_count, slot.client_order_id, self.fault(slot.sequence, slot.attempt_count)
        self.sent.add((slot.sequence, number))
        self.world.log(f"venue: slot {slot.sequence} attempt {number} as {_tail(client_order_id)}: {fault}")
        chance = Random(f"{self.seed}:way:{slot.sequence}:{number}")
        await asyncio.sleep(chance.choice((0, 0, 0, 0.001, 0.05)))
        if fault == "unavailable":
            raise VenueUnavailable("the venue is down")
        if fault == "connection refused":
            raise ConnectionRefusedError("connection refused")
        if fault == "refused":
            raise Rejected("the market is halted")
        if fault == "refused, then filled":
            asyncio.get_running_loop().call_later(0.01, self._fill_unsolicited, slot, settlement)
            raise Rejected("the market is halted")
        if fault == "timeout before":
            await asyncio.sleep(5)
            raise TimeoutError
        if fault == "arrives later":
            # A venue that forgets an id before everything sent under it has come through takes none once only.
            delay = chance.choice([each for each in (0.5, 7, 90) if not 0 < self.deduplicates_for <= each])
            asyncio.get_running_loop().call_later(delay, self._arrive, slot, client_order_id)
            self._on_the_way.append((self.now + int(delay * 10**9), slot, client_order_id))
            await asyncio.sleep(chance.choice((0.1, 5)))
            raise TimeoutError
        order = self._accept(slot, client_order_id)
        if fault == "timeout after":
            await asyncio.sleep(5)
            raise TimeoutError
        if fault == "silence":
            await asyncio.sleep(200)
        elif fault == "slow":
            await asyncio.sleep(2)
        elif chance.random() < 0.5:
            await asyncio.sleep(0)
        if fault == "no id":
            return None
        self._report(order, slot, settlement)
        if fault == "fails after a fill" and order.filled(self.now):
            raise RuntimeError("the connection broke")
        return order.order_id

    async def _look_up(self, slot: ActionSlot, settlement: SettlementHandle) -> Any:
        client_order_id = slot.client_order_id
        await asyncio.sleep(0.001)
        if self._look_up_fails(slot):
            self.world.log(f"venue: asked about {_tail(client_order_id)}: no answer")
            raise TimeoutError
        found = self.orders.get(client_order_id)
        self.world.log(f"venue: asked about {_tail(client_order_id)}: {'there' if found else 'not there'}")
        if found:
            await asyncio.sleep(0)
            self._report(found[0], slot, settlement)
            return found[0].order_id
        self.fenced.add(client_order_id)
        await asyncio.sleep(0)
        return None

    @property
    def now(self) -> int:
        """The venue's clock, which never jumps."""
        return self.world.clock.monotonic_ns

    def fault(self, slot: int, attempt: int) -> str:
        """Return what goes wrong with an attempt."""
        if attempt > 12:
            return "none"
        return Random(f"{self.seed}:fault:{slot}:{attempt}").choices(list(_FAULTS), list(_FAULTS.values()))[0]

    def _look_up_fails(self, slot: ActionSlot) -> bool:
        number = slot.attempt_count
        # Whether an attempt fails after a fill depends on when it is filled: it must not depend on who is asked when.
        kinds = _UNKNOWN - {"fails after a fill"}
        unclear = self.fault(slot.sequence, number) in kinds and (slot.sequence, number) in self.sent
        return unclear and Random(f"{self.seed}:asked:{slot.sequence}:{number}").random() < 0.25

    _on_the_way: list[tuple[int, ActionSlot, str]] = field(default_factory=list)

    def let_arrive(self) -> None:
        """Take what was under way when its process died, and has come through by now."""
        due = [each for each in self._on_the_way if each[0] <= self.now]
        for _, slot, client_order_id in due:
            self._arrive(slot, client_order_id)

    def _arrive(self, slot: ActionSlot, client_order_id: str) -> None:
        waiting = [each for each in self._on_the_way if each[2] == client_order_id]
        if waiting:
            self._on_the_way.remove(waiting[0])
            if client_order_id not in self.fenced:
                self.arrived_late = True
                self._accept(slot, client_order_id, arrived=min(waiting[0][0], self.now))

    def _accept(self, slot: ActionSlot, client_order_id: str, *, arrived: int | None = None) -> Order:
        """Take the order, unless it is one that is known here and is taken once only."""
        self.events += 1
        now = self.now if arrived is None else arrived
        known = self.orders.setdefault(client_order_id, [])
        if known and now - self.first_sent[client_order_id] < self.deduplicates_for * 10**9:
            return known[0]
        self.first_sent.setdefault(client_order_id, now)
        others = self.by_slot.setdefault(slot.sequence, [])
        lots = slot.action.quantity - slot.filled
        # A person may say Retry while the first is still on its way.
        asked_for = (_asked_for_again(slot) or arrived is not None) and not self.can_look_up
        if client_order_id in self.fenced and self.can_look_up:
            self.world.violate(f"slot {slot.sequence}: {client_order_id} was sent again after it had been given up")
        if lots + sum(order.lots for order in others) > slot.action.quantity:
            if not asked_for:
                ids = ", ".join(order.client_order_id for order in others)
                self.world.violate(f"slot {slot.sequence} is placed twice: as {client_order_id}, and as {ids} before")
            for order in others:
                order.excused = True
        chance = Random(f"{self.seed}:order:{slot.sequence}")
        name = chance.choice((str, int))
        order_id = name(1_000 * (len(others) + 1) + slot.sequence)
        order = Order(client_order_id, slot.sequence, lots, order_id, self._fills(slot, lots, chance), excused=False)
        known.append(order)
        others.append(order)
        self.world.log(f"venue: took {_tail(client_order_id)}, {lots} lots")
        self.world.accepted()
        return order

    def _fills(self, slot: ActionSlot, lots: int, chance: Random) -> list[Fill]:
        """Draw what becomes of an order."""
        shape = chance.choice(("whole", "whole", "whole", "parts", "part", "later", "never"))
        if shape == "never":
            return []
        count = 1 if shape in ("whole", "later") else chance.randint(2, 4)
        cuts = sorted(chance.randint(1, lots) for _ in range(count - 1)) if lots > 1 else []
        sizes = [b - a for a, b in zip([0, *cuts], [*cuts, lots], strict=True) if b > a]
        if shape == "part":
            sizes = sizes[:1]
        fills: list[Fill] = []
        action, market, delay = slot.action, slot.action.market, 0.0
        for size in sizes:
            better = chance.choice((0, 0, 1, 3))
            price = max(action.price - better, 1) if action.side is Side.BID else action.price + better
            most = fee(self.fees.highest, market.notional(price, size))
            charge = chance.choice((0, most, most // 2))
            who = chance.choice((None, "somebody", *self.outsiders))
            delay += chance.choice((0, 0.001, 0.2, 3)) if shape != "whole" else 0
            due, number = self.now + int(delay * 10**9) + len(fills), len(fills)
            fills.append(Fill(size, price, charge, who, due, chance.random() < 0.25, f"{slot.sequence}/{number}"))
        return fills

    def _report(self, order: Order, slot: ActionSlot, settlement: SettlementHandle) -> None:
        """Report what has been executed until now, and what is executed later as it is."""
        now, loop, life = self.now, asyncio.get_running_loop(), self.world.lives
        order.handle, order.life = settlement, life
        for each in order.fills:
            each.reported = False
        for place, each in enumerate(order.fills):
            if each.due <= now:
                self._fill(order, slot, each, settlement)
            else:
                late = Random(f"{self.seed}:late:{slot.sequence}:{place}").choice((0, 0.3, 4)) if self.reorders else 0
                loop.call_later((each.due - now) / 10**9 + late, self._fill_later, order, slot, each, settlement)

    def _fill_later(self, order: Order, slot: ActionSlot, each: Fill, settlement: SettlementHandle) -> None:
        if order.handle is settlement and not each.reported:
            self._fill(order, slot, each, settlement)

    def _fill(self, order: Order, slot: ActionSlot, each: Fill, settlement: SettlementHandle) -> None:
        each.reported = True
        self.world.log(f"venue: slot {slot.sequence} filled {each.lots} at {each.price}")
        self._say(slot, each, settlement)
        if each.twice and self.names_executions:
            self._say(slot, each, settlement)  # one that is known does not count again
        elif each.twice and all(other.reported for other in order.fills) and order.filled(self.now) == order.lots:
            # The same report once more: nothing is left of the order that it could be true of.
            try:
                self._say(slot, each, settlement)
            except AmountError:
                return
            self.world.violate(f"slot {slot.sequence}: a duplicate of its last execution was taken for another")

    def _fill_unsolicited(self, slot: ActionSlot, settlement: SettlementHandle) -> None:
        self.world.log(f"venue: slot {slot.sequence} filled, and it was refused")
        try:
            self._say(slot, Fill(1, slot.action.price, 0, None, self.now, twice=False, name="x"), settlement)
        except AmountError:
            return
        self.world.violate(f"slot {slot.sequence}: a fill of an order that was refused was settled")

    def _say(self, slot: ActionSlot, each: Fill, settlement: SettlementHandle) -> None:
        market = slot.action.market
        charge: Decimal = market.quote.amount(each.charge)
        named = {"execution_id": each.name} if self.names_executions else {}
        settlement.fill(market.quantity(each.lots), price=market.price(each.price), fee=charge, counterparty=each.who, **named)

    def accepted(self) -> list[Order]:
        """Return every order that was taken."""
        return [order for orders in self.orders.values() for order in orders]


def _asked_for_again(slot: ActionSlot) -> bool:
    """Whether a person was told that the order may be there, and had it placed again."""
    doubts = {attempt.number for attempt in slot.attempts if attempt.failure and attempt.failure.kind is FailureKind.UNKNOWN}
    return any(each.action is RecoveryAction.RETRY and each.attempt in doubts for each in slot.decisions) or any(
        # Quit, Continue and a revisit are asked for as well.
        each.attempt in doubts
        for each in slot.decisions
    )


def _tail(client_order_id: str) -> str:
    return "-".join(client_order_id.rsplit("-", 2)[1:])


async def _nobody(slot: ActionSlot, settlement: SettlementHandle) -> Any:
    raise VenueUnavailable("there is no venue")


PLACE: Callable[..., Any] = _nobody
"""The venue of the world that is being run."""
