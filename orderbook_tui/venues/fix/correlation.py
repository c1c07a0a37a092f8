"""Which order a message is about.

    ClOrdID <-> slot      a run's name, the slot and its generation; a name too long for the exchange is a digest
    RefSeqNum -> question a refusal of the session says only the number of the message that it refuses

What was sent and waits for its answer is a `Waiting`; there is at most one of each kind for an order.
"""

import asyncio
import hashlib
from base64 import b32encode
from collections.abc import Sequence
from enum import Enum
from typing import Any, Final

from orderbook_tui.core.slot import ActionSlot

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_LONGEST_TAIL: Final = 15
"""What slot and generation take at most, in tens: "-2147483647-999"."""
_SHORT_TAIL: Final = 11
"""The same in digits and letters."""


class ClientIds:
    """Says the ClOrdID of a slot's order, of `longest` characters at most, and which slot one is of."""

    def __init__(self, slots: Sequence[ActionSlot], longest: int) -> None:
        self._slots, self._longest = slots, longest
        self._run: str | None = None
        self._prefix = ""
        self._base = 10

    def of(self, slot: ActionSlot) -> str:
        """Return the ClOrdID of the slot's order; of every generation another."""
        if slot.run != self._run:
            self._name(slot.run)
        if self._base == 10:
            return f"{self._prefix}-{slot.sequence}-{slot.generation}"
        return f"{self._prefix}-{_written(slot.sequence)}-{_written(slot.generation)}"

    def slot(self, name: str) -> tuple[ActionSlot, int] | None:
        """Return the slot and the generation that a ClOrdID is of; None where it is none of this run's."""
        prefix, _, rest = name.rpartition("-")
        prefix, _, sequence = prefix.rpartition("-")
        if self._run is None and self._slots:
            self._name(self._slots[0].run)
        if prefix != self._prefix or not sequence or not rest:
            return None
        try:
            number, generation = int(sequence, self._base), int(rest, self._base)
        except ValueError:
            return None
        return (self._slots[number], generation) if 0 <= number < len(self._slots) and generation >= 0 else None

    def _name(self, name: str) -> None:
        self._run = name
        if len(name) + _LONGEST_TAIL <= self._longest:
            self._prefix, self._base = name, 10
        else:
            digest = b32encode(hashlib.sha256(name.encode()).digest()).decode().lower()
            self._prefix, self._base = digest[: min(self._longest - _SHORT_TAIL, 32)], 36


class Kind(Enum):
    """What was sent."""

    ORDER = "the order"
    CANCEL = "the cancel"
    STATUS = "the question what became of the order"
    LIST = "the question which orders are open"


_KINDS: Final = {"D": Kind.ORDER, "F": Kind.CANCEL, "H": Kind.STATUS, "AF": Kind.LIST}
"""By type of message."""


class Waiting:
    """Something that was sent and waits for its answer."""

    __slots__ = ("answer", "kind", "line", "name", "number", "own_name")

    def __init__(self, kind: Kind, name: str, line: object, own_name: str = "") -> None:
        self.kind = kind
        self.name = name
        """The ClOrdID of the order that it is about; of a list, its own id."""
        self.line = line
        """The session that it was sent in."""
        self.own_name = own_name
        """The ClOrdID of a cancel."""
        self.number = 0
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()


class Correlation:
    """Everything that waits for an answer."""

    def __init__(self) -> None:
        self._by_name: dict[Kind, dict[str, Waiting]] = {kind: {} for kind in Kind}
        self.orders = self._by_name[Kind.ORDER]
        self.cancels = self._by_name[Kind.CANCEL]
        self.questions = self._by_name[Kind.STATUS]
        self.lists = self._by_name[Kind.LIST]
        self._of_cancels: dict[str, str] = {}
        self._by_number: dict[tuple[object, int], Waiting] = {}

    def add(self, waiting: Waiting) -> None:
        """Wait for the answer of something that is about to be sent."""
        self._by_name[waiting.kind][waiting.name] = waiting
        if waiting.own_name:
            self._of_cancels[waiting.own_name] = waiting.name

    def numbered(self, waiting: Waiting, number: int) -> None:
        """Take note of the number under which it is sent."""
        waiting.number = number
        self._by_number[waiting.line, number] = waiting

    def remove(self, waiting: Waiting) -> None:
        """Wait for it no longer."""
        named = self._by_name[waiting.kind]
        if named.get(waiting.name) is waiting:
            del named[waiting.name]
        self._of_cancels.pop(waiting.own_name, None)
        if self._by_number.get((waiting.line, waiting.number)) is waiting:
            del self._by_number[waiting.line, waiting.number]

    def of_number(self, line: object, number: int) -> Waiting | None:
        """Return what was sent in a session under a number."""
        return self._by_number.get((line, number))

    def of_kind(self, message: str) -> dict[str, Waiting]:
        """Return what was sent in messages of a type, by name."""
        return self._by_name[_KINDS.get(message, Kind.ORDER)]

    def order_of(self, cancel: str) -> str:
        """Return the ClOrdID of the order that a cancel of that ClOrdID is about; empty where there is none."""
        return self._of_cancels.get(cancel, "")

    def of_line(self, line: object) -> list[Waiting]:
        """Return everything that was sent in a session."""
        return [each for named in self._by_name.values() for each in named.values() if each.line is line]


def _written(number: int) -> str:
    text = ""
    while True:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
        if not number:
            return text
