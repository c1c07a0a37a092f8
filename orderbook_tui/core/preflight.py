"""The preflight: run the schedule against budgets and discipline before anything is placed.

It plays the schedule on an exchange of its own, with no faults, going on after every order that does not pass, as a run
does whose failures are skipped.
"""

from collections.abc import Sequence
from copy import copy
from decimal import Decimal

import msgspec

from orderbook_tui.core.book import SelfTradePrevention
from orderbook_tui.core.exchange import Exchange
from orderbook_tui.core.journal import Decision, Failure, RecoveryAction
from orderbook_tui.core.replay import replay
from orderbook_tui.core.settlement import Settlement
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.core.state import Plan
from orderbook_tui.errors import OrderError


class Refused(msgspec.Struct, frozen=True, gc=False):
    """A slot that would not pass, and why."""

    slot: int
    code: str
    message: str


class Need(msgspec.Struct, frozen=True):
    """What the whole schedule asks of one budget, were every order placed, and what is there. Amounts in the asset."""

    account: str
    asset: str
    needed: Decimal
    budget: Decimal
    refused: int | None
    """The first slot for which this budget is not enough."""

    @property
    def left(self) -> Decimal:
        return self.budget - self.needed


class Preflight(msgspec.Struct, frozen=True):
    """What a run would be."""

    refused: list[Refused]
    needs: list[Need]

    def in_words(self) -> str:
        """Say whether every slot would pass, and if not, the first that would not and why."""
        if not self.refused:
            return "every slot passes"
        first = self.refused[0]
        if len(self.refused) == 1:
            return f"1 slot would not pass: slot {first.slot}: {first.message}"
        return f"{len(self.refused)} slots would not pass; the first is slot {first.slot}: {first.message}"


def preflight(
    plan: Plan,
    slots: Sequence[ActionSlot],
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.CANCEL_NEWEST,
) -> Preflight:
    """Return which of the fresh `slots` would not pass under `plan`, and what each budget is asked for."""
    copies = [copy(slot) for slot in slots]
    _, budgets, settlement = replay(plan, copies)
    exchange = Exchange(plan.markets, plan.fees, self_trade_prevention)
    refused = []
    asked: dict[tuple[str, str], int] = {}
    first_refused: dict[tuple[str, str], int] = {}
    for slot in copies:
        key = slot.account_id, slot.action.bid_asset
        asked[key] = asked.get(key, 0) + settlement.need(slot.action, slot.action.quantity)
        slot.begin(0)
        try:
            _place(slot, copies, exchange, settlement)
        except OrderError as error:
            refused.append(Refused(slot.sequence, error.code, str(error)))
            if error.code == "budget":
                first_refused.setdefault(key, slot.sequence)
            slot.fail_attempt(Failure(error.code, error.kind, str(error)), 0)
            slot.decide(Decision(slot.sequence, 1, RecoveryAction.SKIP, "preflight", 0))
        if slot.sequence & 1 and slot.action.matching_strategy.account is not None:
            for half in (copies[slot.partner], slot):
                if half.open:
                    exchange.cancel(int(half.order_id or 0))
                    settlement.cancel(half)
    needs = []
    places = {account.id: place for place, account in enumerate(plan.accounts)}
    for (account, asset), units in sorted(asked.items(), key=lambda item: (places[item[0][0]], item[0][1])):
        budget = budgets.budget(account, asset)
        amount = budget.asset.amount
        needs.append(
            Need(budget.account.name, asset, amount(units), amount(budget.initial), first_refused.get((account, asset)))
        )
    return Preflight(refused, needs)


def _place(slot: ActionSlot, slots: Sequence[ActionSlot], exchange: Exchange, settlement: Settlement) -> None:
    quantity = settlement.reserve(slot)
    try:
        submission = exchange.submit(slot.account_id, slot.action, quantity, slot.sequence, 0)
    except OrderError:
        settlement.give_back(slot)
        raise
    slot.open = quantity
    for execution in submission.executions:
        settlement.execute(execution)
    for sequence, _ in submission.cancelled:
        settlement.cancel(slots[sequence])
    slot.complete(submission.order_id, 0)
