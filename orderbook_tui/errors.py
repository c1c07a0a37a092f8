"""Every error of the project, in one small tree; each carries values and says itself in words.

OrderbookTuiError
├── ConfigError            what is wrong with a configuration, all of it at once
├── AmountError            an amount, price or quantity that does not fit its unit
├── ScheduleError          a schedule that cannot be made
├── IllegalTransition      a slot asked to do what its state does not allow
├── OrderError             why an order was not accepted; `kind` says what to do about it
│   ├── InsufficientBudget, DisciplineError, Rejected        permanent
│   ├── VenueUnavailable, NotThere                           transient
│   ├── OutcomeUnknown                                       unknown: a person decides
│   ├── Unanswered                                           unknown, but whoever tries again asks the venue first
│   └── NotSeen                                              unknown: not there now, and may still arrive
└── CheckpointError        a checkpoint that cannot be written or read
    ├── CheckpointNotFound, CheckpointDamaged, CheckpointInUse, CheckpointTooNew
    └── StorageError       the disk or the folder said no
"""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar, Final, NamedTuple


class OrderbookTuiError(Exception):
    """The root of what this project raises on purpose."""


class Problem(NamedTuple):
    """One thing that is wrong with the input, and where."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class ConfigError(OrderbookTuiError):
    """A configuration that cannot be used, with every problem found in it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


class AmountError(OrderbookTuiError, ValueError):
    """A number that is not a whole count of its unit, or out of range; the message says which and why."""


class ScheduleError(OrderbookTuiError, ValueError):
    """A schedule that cannot be made from what was asked; the message says why and what would be right."""


class IllegalTransition(OrderbookTuiError):
    """A slot was asked to move between two states that no arrow joins. Nothing has changed."""

    def __init__(self, sequence: int, state: str, wanted: str) -> None:
        super().__init__(sequence, state, wanted)
        self.sequence, self.state, self.wanted = sequence, state, wanted

    def __str__(self) -> str:
        return f"slot {self.sequence} is {self.state} and cannot become {self.wanted}"


class FailureKind(StrEnum):
    """What a failure says about the order, and so what may be done next."""

    TRANSIENT = "transient"
    """The order does not exist; the same attempt may succeed later."""
    PERMANENT = "permanent"
    """The order does not exist and never will as it stands; waiting is pointless."""
    UNKNOWN = "unknown"
    """The order may exist; nothing may be placed again before that is known."""


class OrderError(OrderbookTuiError):
    """An order was not accepted, or it is not known whether it was."""

    kind: ClassVar[FailureKind] = FailureKind.PERMANENT
    code: ClassVar[str] = "order"


class InsufficientBudget(OrderError):
    """Less is there than the order needs. Amounts are in the asset; nothing has changed."""

    code = "budget"

    def __init__(self, needed: Decimal, available: Decimal, *, account: str, asset: str, pot: str = "available") -> None:
        super().__init__(needed, available)
        self.needed, self.available, self.account, self.asset, self.pot = needed, available, account, asset, pot

    def __str__(self) -> str:
        verb = "the order needs" if self.pot == "available" else "asked for"
        return f"{self.account} has {self.available:f} {self.asset} {self.pot}, {verb} {self.needed:f}"


class DisciplineError(OrderError):
    """A price or quantity outside the market's rules; the message names the rule and what would pass."""

    code = "discipline"


class Rejected(OrderError):
    """The venue refused the order and would refuse it again."""

    code = "rejected"


class VenueUnavailable(OrderError):
    """The venue could not take the order now; it was not placed."""

    kind = FailureKind.TRANSIENT
    code = "unavailable"


NOT_THERE: Final = "not_there"
"""The code of an attempt whose outcome was unknown, until the venue said that it has no such order and takes none any more."""


class NotThere(VenueUnavailable):
    """The venue was asked, and has not got the order; what was sent of it is dead."""

    code = NOT_THERE


class OutcomeUnknown(OrderError):
    """The venue did not say whether it took the order."""

    kind = FailureKind.UNKNOWN
    code = "unknown"


UNANSWERED: Final = "unanswered"
"""The code of an attempt whose order may exist, at a venue where trying again cannot place it twice."""


class Unanswered(OutcomeUnknown):
    """The venue cannot say now whether it took the order. To try again is to ask it again: nothing is placed twice."""

    code = UNANSWERED


class NotSeen(Unanswered):
    """The venue has no such order now, but what was sent of it may still arrive."""


class CheckpointError(OrderbookTuiError):
    """A checkpoint that cannot be used; the message says which file, why, and what to do."""


class CheckpointNotFound(CheckpointError):
    """No checkpoint goes by that id."""


class CheckpointDamaged(CheckpointError):
    """The file is not what was written; it was left as it is."""


class CheckpointInUse(CheckpointError):
    """Another process is running this simulation; the message says which and since when."""


class CheckpointTooNew(CheckpointError):
    """A later version of the program wrote the file."""


class StorageError(CheckpointError):
    """The operating system refused a read or a write."""


class FileThere(StorageError):
    """There is a file already where one was to be written."""
