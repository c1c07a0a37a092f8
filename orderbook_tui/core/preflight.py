"""The preflight: run the schedule against budgets and discipline before anything is placed.

It plays the schedule on an exchange of its own, with no faults, going on after every order that does not pass, as a run
does whose failures are skipped.
"""

from collections.abc import Iterable, Iterator
from copy import copy
from decimal import Decimal

import msgspec

from orderbook_tui.core.book import SelfTradePrevention
from orderbook_tui.core.exchange import Exchange
from orderbook_tui.core.journal import Decision, Failure, RecoveryAction
from orderbook_tui.core.money import Asset
from orderbook_tui.core.replay import replay
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
    slots: Iterable[ActionSlot],
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.CANCEL_NEWEST,
) -> Preflight:
    """Return which of the fresh `slots` would not pass under `plan`, and what each budget is asked for."""
    rehearsal = Rehearsal(plan, self_trade_prevention)
    for slot in slots:
        rehearsal.play(slot)
    return rehearsal.result()


class Rehearsal:
    """The preflight slot by slot, for who has other things to do in between."""

    def __init__(self, plan: Plan, self_trade_prevention: SelfTradePrevention = SelfTradePrevention.CANCEL_NEWEST) -> None:
        self._plan = plan
        self._slots: list[ActionSlot] = []
        # An account gets its budgets with its first slot: all at once they take a second where there are 100,000.
        _, self._budgets, self._settlement = replay(msgspec.structs.replace(plan, budgets={}), self._slots)
        self._exchange = Exchange(plan.markets, plan.fees, self_trade_prevention)
        self.refused: list[Refused] = []
        self._asked: dict[str, dict[str, int]] = {}
        """What was asked for, by account and asset."""
        self._first_refused: dict[tuple[str, str], int] = {}

    def play(self, fresh: ActionSlot) -> None:
        """Place the next slot of the schedule, which is not changed."""
        slot = copy(fresh)
        slots, settlement, action = self._slots, self._settlement, slot.action
        slots.append(slot)
        key = slot.account_id, action.bid_asset
        asked = self._asked.setdefault(slot.account_id, {})
        asked[action.bid_asset] = asked.get(action.bid_asset, 0) + settlement.need(action, action.quantity)
        market = action.market
        held = self._budgets.accounts.get(slot.account_id)
        if held is None or market.base.symbol not in held or market.quote.symbol not in held:
            self._give_budget(slot.account_id, market.base)
            self._give_budget(slot.account_id, market.quote)
        slot.begin(0)
        try:
            self._place(slot)
        except OrderError as error:
            self.refused.append(Refused(slot.sequence, error.code, str(error)))
            if error.code == "budget":
                self._first_refused.setdefault(key, slot.sequence)
            slot.fail_attempt(Failure(error.code, error.kind, str(error)), 0)
            slot.decide(Decision(slot.sequence, 1, RecoveryAction.SKIP, "preflight", 0))
        if slot.sequence & 1 and action.matching_strategy.account is not None:
            for half in (slots[slot.partner], slot):
                if half.open:
                    self._exchange.cancel(int(half.order_id or 0))
                    settlement.cancel(half)
            slots[-2:] = slots[0], slots[0]  # nobody looks at this pair again: its copies can go

    def result(self) -> Preflight:
        """Return what the slots until now amount to."""
        return Preflight(list(self.refused), list(self.needs()))

    def needs(self) -> Iterator[Need]:
        """Yield what the slots until now ask of each budget, account by account."""
        for account in self._plan.accounts:
            for asset, units in sorted(self._asked.get(account.id, {}).items()):
                budget = self._budgets.budget(account.id, asset)
                amount = budget.asset.amount
                refused = self._first_refused.get((account.id, asset))
                yield Need(budget.account.name, asset, amount(units), amount(budget.initial), refused)

    def _give_budget(self, account_id: str, asset: Asset) -> None:
        if asset.symbol not in self._budgets.accounts.get(account_id, ()):
            budget = self._budgets.budget(account_id, asset)
            self._budgets.set_units(budget.account, asset, self._plan.budgets.get((account_id, asset.symbol), 0))

    def _place(self, slot: ActionSlot) -> None:
        settlement = self._settlement
        quantity = settlement.reserve(slot)
        try:
            submission = self._exchange.submit(slot.account_id, slot.action, quantity, slot.sequence, 0)
        except OrderError:
            settlement.give_back(slot)
            raise
        slot.open = quantity
        for execution in submission.executions:
            settlement.execute(execution)
        for sequence, _ in submission.cancelled:
            settlement.cancel(self._slots[sequence])
        slot.complete(submission.order_id, 0)
