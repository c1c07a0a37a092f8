"""The journal: the records of what happens in a run. All else follows from the plan and these, in order.

Attempt     a slot's order was accepted, or why not
Execution   two orders traded, or one of ours and an outsider's
Cancel      what was left of an order was cancelled
Decision    what was decided about a slot whose retries were spent
"""

from enum import StrEnum

import msgspec

from orderbook_tui.errors import FailureKind


class RecoveryAction(StrEnum):
    """What may be decided about a slot when its retries are spent."""

    RETRY = "retry"
    SKIP = "skip"
    CONTINUE = "continue"
    QUIT = "quit"


class Failure(msgspec.Struct, frozen=True, gc=False):
    """Why an attempt did not place its order."""

    code: str
    kind: FailureKind
    message: str


class Attempt(msgspec.Struct, gc=False):
    """One try at placing a slot's order. Times are nanoseconds since the epoch; `number` counts from 1."""

    slot: int
    number: int
    started: int
    ended: int = 0
    order_id: int | str | None = None
    failure: Failure | None = None


class Execution(msgspec.Struct, frozen=True, gc=False):
    """A trade between two slots: `price` in ticks, `quantity` in lots, fees in quote units.

    A venue outside this process reports one side at a time: the other is then -1, and `outside` says who it was.
    """

    maker: int
    taker: int
    price: int
    quantity: int
    maker_fee: int
    taker_fee: int
    at: int
    outside: str | None = None
    id: str | None = None
    """What the venue calls it; None where it does not say, or is in this process."""


class Balance(msgspec.Struct, frozen=True, gc=False):
    """What a venue says that an account holds of an asset, in the asset's units."""

    account: str
    asset: str
    available: int
    locked: int = 0


class Cancel(msgspec.Struct, frozen=True, gc=False):
    """What was left of a slot's order was cancelled: `quantity` in lots."""

    slot: int
    quantity: int
    at: int


class Decision(msgspec.Struct, frozen=True, gc=False):
    """What was decided about a slot after its attempt `attempt`, and by whom (a person, or a policy)."""

    slot: int
    attempt: int
    action: RecoveryAction
    by: str
    at: int


Event = Attempt | Execution | Cancel | Decision
"""What happens in a run. All else follows from the plan and these, in order: states, budgets, ledger, statistics, books."""
