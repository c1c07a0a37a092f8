"""A run's connection to its venue: what places there, and at a venue outside this process, what listens and compares.

    open -> orders of an earlier life are settled -> slots run -> what is still to be told is heard -> compared -> closed

A venue in this process is there all the time: nothing is opened, heard or compared.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Final
from uuid import uuid4

from orderbook_tui.config import SimulatorConfig
from orderbook_tui.core.exchange import Exchange
from orderbook_tui.core.journal import Balance
from orderbook_tui.core.replay import Replayed
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.engine.executor import SlotExecutor
from orderbook_tui.engine.persistence import Checkpoint, CheckpointWriter
from orderbook_tui.engine.placing import window_of
from orderbook_tui.engine.reconciling import Reconciling
from orderbook_tui.engine.recovery import recover
from orderbook_tui.engine.saving import Saving
from orderbook_tui.engine.wiring import open_venue

_MOST_STRAYS: Final = 20
"""Things told by the venue that could not be settled, of which each is noted."""


class Connection:
    """Has `executor` place orders. `exchange` is the one in this process, `reconciling` is there for one outside it."""

    def __init__(self, executor: SlotExecutor, exchange: Exchange | None, reconciling: Reconciling | None) -> None:
        self.executor, self.exchange, self.reconciling = executor, exchange, reconciling
        self.elsewhere = executor.elsewhere

    @property
    def can_cancel_later(self) -> bool:
        """Whether what is left open can still be cancelled when the run goes on: at a venue that outlives this process."""
        return self.elsewhere is not None and self.elsewhere.capabilities.cancel

    def listen(self, heard: Callable[[], None], is_stopping: Callable[[], bool]) -> None:
        """Have `heard` called when something came by itself and is settled; `is_stopping`: whether the run is to end soon."""
        if self.elsewhere is not None:
            self.elsewhere.heard, self.elsewhere.is_stopping = heard, is_stopping

    def keep_intents(self, writer: CheckpointWriter | None, concurrency: int) -> None:
        """Have `writer` note each order before it is sent, where that is not known from what it does here."""
        if self.elsewhere is not None and writer is not None:
            self.elsewhere.placing.keep_intents(writer, window_of(concurrency))

    async def open(self, note_opening: Callable[[list[Balance]], None], note: Callable[[str], None]) -> None:
        """Connect, and settle what came of an earlier life's orders.

        `note_opening` is called with what accounts hold before the first order, `note` with what the person should know.
        """
        if self.elsewhere is None or self.reconciling is None:
            return
        await self.elsewhere.open()
        words = await self.reconciling.open(note_opening)
        if words:
            note(words)
        unknown = await self.elsewhere.catch_up()
        if unknown:
            note(f"the venue does not say what became of {unknown} orders that were open when the run ended")

    async def finish(self, *, all_ended: bool, stopping: bool) -> None:
        """Hear what is still to be told, where all slots have ended, and compare the ledger with the venue."""
        if self.elsewhere is None or self.reconciling is None:
            return
        self.elsewhere.placing.withdraw()
        if all_ended:
            await self.elsewhere.hear_the_last()
        await self.reconciling.ended()
        await self.reconciling.at_the_end(stopping=stopping)

    async def close(self) -> None:
        """Hear nothing more."""
        if self.elsewhere is not None and self.reconciling is not None:
            await self.reconciling.ended()
            await self.elsewhere.close()

    def strays(self, known: Collection[str]) -> list[str]:
        """Return in words what the venue told and what could not be settled, but for what is known."""
        told = self.elsewhere.strays if self.elsewhere is not None else ()
        new = [words for words in dict.fromkeys(stray.words for stray in told) if words not in known]
        more = len(new) - _MOST_STRAYS
        return [*new[:_MOST_STRAYS], f"the venue told {more} more things that could not be settled"] if more > 0 else new


def connect(
    config: SimulatorConfig, run: Replayed, left: Checkpoint | None, saving: Saving, name: Callable[[str], str]
) -> Connection:
    """Make the configured venue, and take note of what an earlier life has `left` there; `name` is what people call an account.

    Raises:
        ConfigError: the user's callable cannot be imported, or what the venue needs is not there.
    """
    state, budgets, settlement = run
    venue, exchange = open_venue(config, state, saving.numbers_folder)
    executor = SlotExecutor(state, settlement, venue)
    elsewhere = executor.elsewhere
    if elsewhere is None:
        return Connection(executor, exchange, None)
    if not saving.is_wanted:
        _name_orders(state.slots)
    opening = left.opening_balances if left is not None else ()
    reconciling = Reconciling(state, budgets, settlement, elsewhere, name, opening)
    if left is not None:
        recover(left, state, settlement, elsewhere.placing, config.processor.concurrency)
    return Connection(executor, exchange, reconciling)


def _name_orders(slots: Iterable[ActionSlot]) -> None:
    """A run that is saved nowhere has no id, and its orders must not be taken for those of another such run."""
    name = f"unsaved-{uuid4().hex[:12]}"
    for slot in slots:
        slot.run = slot.run or name
