"""Reconciling a run with its venue: what accounts hold is asked before the first order, at a pause, and at the end.

What the venue tells comes late now and then, so the two are compared again where they differ, and a difference counts that
stays. What came of it is kept with the run as long as the program runs, and not saved: it is about one moment.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from typing import Any, Final, TypeVar

import anyio
import msgspec

from orderbook_tui.core.budget import BudgetStore
from orderbook_tui.core.journal import Balance
from orderbook_tui.core.settlement import Settlement
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.core.state import SimulationState
from orderbook_tui.engine.elsewhere import Elsewhere
from orderbook_tui.engine.explaining import explained
from orderbook_tui.engine.reconciliation import Compared, Key, Ledger, Reconciliation, Told, compare
from orderbook_tui.environment import hide
from orderbook_tui.errors import OrderError

SETTLING_S: Final = (0.2, 0.4, 0.8, 1.6)
"""The waits after which what differs is compared again: a fill may be on its way."""
_TRIES_S: Final = (0.2, 0.8)
"""The waits between tries at asking a venue that cannot answer."""
PATIENCE_S: Final = 30.0
"""How long all of it may take, and more where there are many accounts."""
_PATIENCE_EACH_S: Final = 0.02
_STOPPING_S: Final = 5.0
"""How long it may take where somebody waits for the run to stop."""
_LOOK_S: Final = 0.05
"""From one look at a paused run to the next: whether it rests, and whether something has happened."""
_NO_OPENING: Final = "the venue was not asked what accounts held before the first order, so there is nothing to compare with"

_T = TypeVar("_T")


class Reconciling:
    """Holds the ledger of one run against its venue."""

    def __init__(
        self,
        state: SimulationState,
        budgets: BudgetStore,
        settlement: Settlement,
        elsewhere: Elsewhere,
        name: Callable[[str], str],
        opening: Iterable[Balance] = (),
    ) -> None:
        self._state, self._budgets, self._settlement, self._elsewhere, self._name = state, budgets, settlement, elsewhere, name
        self._can = elsewhere.capabilities
        self._opening = _by_key(opening)
        self._no_opening = _NO_OPENING
        """Why it is not known what accounts held, where that is so."""
        self._made_for: Ledger | None = None
        self._task: asyncio.Task[None] | None = None
        self.is_under_way = False
        """Whether the venue is being asked at a pause."""
        self.found: Reconciliation | None = None
        """What came of the last time."""

    @property
    def can(self) -> bool:
        """Whether the venue tells anything to compare with."""
        return self._can.open_orders or self._can.balances

    async def open(self, note: Callable[[list[Balance]], None]) -> str:
        """Ask what accounts hold, before the first order, and have it noted; return, in words, why that is not known."""
        self.found = None  # what came of it in an earlier run says nothing about this one
        if not self._can.balances or self._opening:
            return ""
        if self._state.journal or self._elsewhere.placing.is_behind:
            return self._no_opening  # an earlier life has not, and now it is too late
        try:
            with anyio.fail_after(self._patience):
                told = await self._asked(self._elsewhere.balances)
        except Exception as error:  # that nobody can say what was there before is no reason not to run
            self._no_opening = f"{_NO_OPENING}: {_words(error)}"
            return self._no_opening
        held = _by_key(told)
        rows = [held.get(key) or Balance(*key, 0) for key in self._ledger.pairs]
        note(rows)
        self._opening = _by_key(rows)
        return ""

    def begin(self) -> None:
        """Compare as soon as nothing is under way any more, and whenever something has happened, until `end`."""
        if self.can:
            self.end()
            self._task = asyncio.get_running_loop().create_task(self._as_it_rests())

    def end(self) -> None:
        """Ask no more: the run goes on."""
        if self._task is not None:
            self._task.cancel()

    async def ended(self) -> None:
        """Ask no more, and wait until that is so."""
        self.end()
        if self._task is not None:
            await asyncio.wait([self._task])
            self._task = None

    async def at_the_end(self, *, stopping: bool) -> None:
        """Compare once more, with the venue still open; `stopping`: somebody waits for the run to stop."""
        if self.can:
            await self._reconcile(_STOPPING_S if stopping else self._patience, at_end=True)

    async def _as_it_rests(self) -> None:
        """Compare when nothing is under way, and again when something has happened since, as long as the run is paused."""
        seen = None
        while True:
            if seen != (stamp := await self._stamp()):
                seen = stamp
                self.is_under_way = True
                try:
                    await self._reconcile(self._patience, at_end=False)
                finally:
                    self.is_under_way = False
            await asyncio.sleep(_LOOK_S)

    async def _reconcile(self, patience: float, *, at_end: bool) -> None:
        found, failed = None, ""
        try:
            with anyio.fail_after(patience):
                for wait in (*SETTLING_S, None):
                    found = await self._compared()
                    if wait is None or not found.differences:
                        break
                    await asyncio.sleep(wait)
        except TimeoutError:
            failed = f"the venue did not answer within {patience:g} s"
        except Exception as error:  # a run that is fine is not lost because it cannot be checked
            failed = _words(error)
        # What differed has not had the time to be mended then, but it differed.
        found = found or Reconciliation(at=time.time_ns(), failed=failed)
        self.found = msgspec.structs.replace(found, at_end=at_end)

    async def _compared(self) -> Reconciliation:
        """Ask, and compare; again, as long as something happens meanwhile."""
        while True:
            stamp = await self._stamp()
            open_orders = await self._asked(self._elsewhere.open_orders) if self._can.open_orders else None
            has_opening = bool(self._opening)
            balances = _by_key(await self._asked(self._elsewhere.balances)) if self._can.balances and has_opening else None
            told = Told(
                open_orders=open_orders,
                balances=balances,
                opening=self._opening if has_opening else None,
                strangers_differ=not self._can.balances,
            )
            compared = Compared(differences=[])
            for compared in compare(self._ledger, told):  # noqa: B007 - the last is all of it
                await asyncio.sleep(0)
            unheard = self._unheard(compared)
            if unheard:
                await self._elsewhere.hear_of(unheard)
            if await self._stamp() == stamp:
                break
        differences = compared.differences
        unsettled = {stray.slot for stray in self._elsewhere.strays if stray.slot is not None}
        for differences in explained(self._ledger, differences, unsettled, self._elsewhere.told_early):  # noqa: B007, B020
            await asyncio.sleep(0)
        return Reconciliation(
            at=time.time_ns(),
            differences=tuple(differences),
            accounts=len(self._ledger.accounts),
            balances=compared.balances,
            orders=compared.orders,
            foreign=compared.foreign,
            notes=(*compared.notes, *self._cannot_be_compared(has_opening=has_opening)),
        )

    def _unheard(self, compared: Compared) -> list[ActionSlot]:
        """Return the open orders that something may have become of that the venue tells only when it is asked."""
        if not self._can.look_up or self._can.pushes_executions:
            return []
        if self._can.open_orders:
            sequences = {sequence for each in compared.differences if each.what == "order" for sequence in each.slots}
            return [self._state.slots[sequence] for sequence in sorted(sequences) if self._state.slots[sequence].open]
        return [slot for slot in self._state.slots if slot.open] if compared.differences else []

    def _cannot_be_compared(self, *, has_opening: bool) -> Iterator[str]:
        if self._can.balances and not has_opening:
            yield f"balances were not compared: {self._no_opening}"
        if not self._can.open_orders:
            what = "balances alone were compared" if has_opening else "nothing was compared"
            yield f"the venue does not tell which orders are open: {what}"
        elif not self._can.balances:
            yield "the venue does not tell what accounts hold: open orders alone were compared"
        if self._can.only_known_orders:
            yield "its open orders were asked one by one: orders that the run does not know cannot be seen"

    async def _stamp(self) -> tuple[int, int]:
        """Wait until nothing is under way; return what changes as soon as something is."""
        while not self._elsewhere.is_resting:  # noqa: ASYNC110 - orders under way need not tell anybody that they have ended
            await asyncio.sleep(_LOOK_S)
        return self._elsewhere.begun, len(self._state.journal)

    async def _asked(self, ask: Callable[[list[str]], Coroutine[Any, Any, _T]]) -> _T:
        """Ask, in a task of its own: in Python 3.11, an `asyncio.TaskGroup` that fails leaves its task half cancelled."""
        for wait in _TRIES_S:
            with contextlib.suppress(OrderError):
                return await asyncio.create_task(ask(self._ledger.accounts))
            await asyncio.sleep(wait)
        return await asyncio.create_task(ask(self._ledger.accounts))

    @property
    def _ledger(self) -> Ledger:
        if self._made_for is None:
            self._made_for = Ledger(self._state, self._budgets, self._settlement, self._name)
        return self._made_for

    @property
    def _patience(self) -> float:
        return PATIENCE_S + _PATIENCE_EACH_S * len(self._ledger.accounts)


def why_not_compared(reconciling: Reconciling | None, *, is_embedded: bool) -> str:
    """Say why the ledger of a run was not compared with its venue; empty where it was."""
    if reconciling is not None and reconciling.found is not None:
        return reconciling.found.failed
    if reconciling is not None and not reconciling.can:
        return "the venue tells neither which orders are open nor what accounts hold"
    if is_embedded:
        return "the exchange is in this process: its books are the run's own"
    return "the venue is asked at a pause and at the end of a run, and what it says is not saved"


def _by_key(balances: Iterable[Balance]) -> Mapping[Key, Balance]:
    return {(balance.account, balance.asset): balance for balance in balances}


def _words(error: Exception) -> str:
    return hide(str(error) if isinstance(error, OrderError) else f"{type(error).__name__}: {error}".removesuffix(": "))
