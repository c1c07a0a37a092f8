"""The ears of a world: what the program does to slots and to its checkpoint is told to the world that it runs in."""

from typing import Any

from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.engine import persistence as checkpoints
from orderbook_tui.engine.bookkeeper import Bookkeeper
from orderbook_tui.engine.persistence import CheckpointWriter
from tests.simulator.world import World


def install() -> None:
    """Have the world told of what the program does."""
    for name in ("slot_ended", "attempt_failed", "decided"):
        setattr(Bookkeeper, name, _told(name, getattr(Bookkeeper, name)))
    for name in ("begin", "complete", "fail_attempt", "decide", "move", "begin_again"):
        setattr(ActionSlot, name, _watched(getattr(ActionSlot, name)))
    wrote: Any = CheckpointWriter._wrote

    def saved(self: CheckpointWriter, end: int) -> None:
        wrote(self, end)
        if World.current is not None:
            World.current.saved(end)

    CheckpointWriter._wrote = saved  # type: ignore[method-assign]
    checkpoints.secrets = _Tokens  # type: ignore[assignment, attr-defined]


def _told(name: str, do: Any) -> Any:
    def tell(self: Bookkeeper, what: Any) -> Any:
        answer = do(self, what)
        if World.current is not None:
            slot = what.sequence if isinstance(what, ActionSlot) else what.slot
            state = self._state.slots[slot].state.value
            # What a decision has ended is counted, and its pair closed, when the slot's end is told, right after it.
            whole = name != "decided" or not self._state.slots[slot].is_ended
            World.current.stepped(f"{name} of slot {slot}, {state}", whole=whole)
        return answer

    return tell


def _watched(do: Any) -> Any:
    def watch(self: ActionSlot, *arguments: Any, **named: Any) -> Any:
        before = self.state
        answer = do(self, *arguments, **named)
        if World.current is not None and self.state is not before:
            World.current.moved(self, before)
        return answer

    return watch


class _Tokens:
    """In place of `secrets`: what makes an id unlike any other is drawn from the seed, too."""

    @staticmethod
    def token_hex(size: int) -> str:
        """Return the next token."""
        return World.current.new_token(size) if World.current is not None else "00" * size
