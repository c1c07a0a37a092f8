"""The HTTP venue: an exchange whose REST API is described in the configuration.

place      -> open, filled, cancelled     the order was accepted, with what is filled of it
           -> accepted                    it is asked about until that is decided
           -> refused, retry              it was not placed
           -> everything else             nobody knows: whoever placed it looks it up
"""

import asyncio
from collections.abc import Iterable, Sequence
from time import monotonic
from typing import Final

from orderbook_tui.config.http import HttpVenueSpec, OperationSpec, Outcome
from orderbook_tui.core.exchange import Submission
from orderbook_tui.core.journal import Balance
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.core.state import Plan, SimulationState
from orderbook_tui.environment import expand
from orderbook_tui.errors import (
    ConfigError,
    NotSeen,
    OrderError,
    OutcomeUnknown,
    Problem,
    Rejected,
    VenueUnavailable,
)
from orderbook_tui.venues.base import Capabilities, Listener, OpenOrder, OrderReport
from orderbook_tui.venues.http import templates
from orderbook_tui.venues.http.client import Client, Reply, Request
from orderbook_tui.venues.http.holdings import BalanceReader, OpenOrderReader
from orderbook_tui.venues.http.operations import Common, Operation, base_url
from orderbook_tui.venues.http.replies import ReplyReader
from orderbook_tui.venues.http.rules import USUAL, Rules, Ruling
from orderbook_tui.venues.http.signing import Signer
from orderbook_tui.venues.http.stream import Stream
from orderbook_tui.venues.http.templates import Unfit
from orderbook_tui.venues.http.values import Accounts, AskingValues, OrderValues, Words

METHODS: Final = {"place": "POST", "status": "GET", "fence": "POST", "cancel": "DELETE"}
_MARGIN_S: Final = 0.25
"""How much later than it says an exchange may still take a request that has expired."""


class Asking:
    """An operation about an order, with what its replies mean and where they say what."""

    def __init__(self, name: str, spec: OperationSpec, venue: HttpVenueSpec, common: Common, accounts: Accounts) -> None:
        self.operation = Operation(name, spec.method or METHODS[name], spec, common)
        self.rules = Rules(USUAL[name] if spec.outcomes is None else spec.outcomes, f"venue.{name}")
        place = f"venue.{name}.reply" if spec.reply is not None else "venue.reply"
        self.reader = ReplyReader(spec.reply or venue.reply, place, accounts, pushes=venue.stream is not None)


class HttpVenue:
    """Places orders at an exchange over HTTP."""

    def __init__(self, spec: HttpVenueSpec, state: SimulationState) -> None:
        """Take the configuration apart.

        Raises:
            ConfigError: a variable of the environment is missing, an expression is none, or what is said does not fit together.
        """
        self.spec, self.slots = spec, state.slots
        plan = state.plan
        url = base_url(expand(spec.base_url, "venue.base_url"))
        self.client = Client(url, spec)
        self.accounts = Accounts(plan.accounts, spec)
        self._words = Words(spec)
        common = Common(url, spec)
        self.askings = {
            name: Asking(name, one, spec, common, self.accounts) for name in METHODS if (one := getattr(spec, name)) is not None
        }
        self._place = self.askings["place"]
        self._status, self._fence, self._cancel = (self.askings.get(name) for name in ("status", "fence", "cancel"))
        self._open_orders = OpenOrderReader(spec.open_orders, common, plan.markets, self._words) if spec.open_orders else None
        self._balances = BalanceReader(spec.balances, common, plan.assets, self._words) if spec.balances else None
        self._stream = Stream(spec.stream, self, common, url) if spec.stream is not None else None
        """What the orders of a run are called by that has no name, since it is not saved."""
        self._sent: dict[str, float] = {}
        """When each order that may be under way was last sent, where an exchange drops what comes late."""
        self._opened = 0.0
        self.listener: Listener | None = None
        self.open_slots: dict[int, ActionSlot] = {}
        """Slots whose orders were accepted; those that have ended are dropped now and then."""
        self._check()
        self._try_accounts(plan, common.signer)
        ways = [each for each in (self._status, self._fence) if each is not None]
        self.capabilities = Capabilities(
            look_up=any("order_id" not in each.operation.placeholders for each in ways),
            fence=bool(self._fence or (self._status and spec.expires_after_ms)),
            deduplicates_for_s=spec.deduplicates_for_s,
            cancel=self._cancel is not None,
            client_ids="client_order_id" in self._place.operation.placeholders,
            pushes_executions=self._stream is not None,
            open_orders=self._open_orders is not None,
            balances=self._balances is not None,
        )

    def _check(self) -> None:
        problems = []
        for name, asking in self.askings.items():
            if "accepted" in asking.rules.outcomes and self._status is None and getattr(self.spec, name).outcomes:
                problems.append(
                    Problem(f"venue.{name}.outcomes", "an order that is `accepted` is asked about: give venue.status")
                )
        if self._fence is not None and "order_id" in self._fence.operation.placeholders:
            problems.append(Problem("venue.fence", "asks by {order_id}: an order that is not there has none"))
        if self.spec.expires_after_ms and self._status is None and self._fence is None:
            problems.append(Problem("venue.expires_after_ms", "is waited for before the exchange is asked: give venue.status"))
        if problems:
            raise ConfigError(problems)

    def _try_accounts(self, plan: Plan, signer: Signer | None) -> None:
        """Make the keys of every account that trades, so that one that is missing is said before anything is placed."""
        texts = [*self.spec.headers.values(), *self.spec.place.headers.values()]
        ready = [templates.text(each) for each in texts if not templates.names([each]) - {"account"}]
        all_texts = [*texts, self.spec.signing.secret] if self.spec.signing is not None else texts
        account_ids = [account.id for account in plan.accounts[:1]]
        if "account" in templates.names(all_texts):
            account_ids = self.traders()
        problems: dict[Problem, None] = {}
        for account_id in account_ids:
            values = self.accounts[account_id]
            try:
                for render in ready:
                    render(values)
                if signer is not None:
                    signer.key(values)
            except ConfigError as error:
                problems |= dict.fromkeys(error.problems)
            except Unfit as error:
                problems[Problem("venue", str(error))] = None
        if problems:
            raise ConfigError(list(problems))

    # The life of a run

    async def open(self, listener: Listener) -> None:
        self.listener = listener
        self._opened = monotonic()
        await self.client.open()
        if self._stream is not None:
            await self._stream.open()

    async def close(self) -> None:
        try:
            if self._stream is not None:
                await self._stream.close()
        finally:
            await self.client.close()
            self.listener = None

    def restore(self, slot: ActionSlot) -> None:
        self._accepted(slot, str(slot.order_id))

    def place_again(self, slot: ActionSlot, quantity: int) -> Submission:
        raise Rejected("an order placed elsewhere is not placed again")

    # Orders

    async def place(self, slot: ActionSlot, quantity: int) -> Submission:
        values = self._values(slot, quantity, "")

        def make() -> Request:
            if self.spec.expires_after_ms:
                self._sent[values.name] = monotonic()
            return self._place.operation.request(values)

        try:
            reply = await self.client.send(make)
        except Unfit as error:
            raise Rejected(str(error)) from None
        ruling = self._place.rules.judge(reply)
        match ruling.outcome:
            case "open" | "filled" | "cancelled":
                return self._report(self._place, slot, values, reply, ruling)
            case "accepted":
                return await self._decided(slot, values, reply)
            case "refused":
                self._sent.pop(values.name, None)
                raise Rejected(f"the exchange refused it, {self._place.reader.reason(reply)}")
            case "retry":
                raise VenueUnavailable(f"the exchange did not take it now, {self._place.reader.reason(reply)}")
        raise OutcomeUnknown(f"the exchange answered what no rule knows, {reply.status}: {reply.words()}")

    async def look_up(self, slot: ActionSlot, quantity: int) -> Submission | None:
        values = self._values(slot, quantity, self._order_id(slot))
        # What is known to be there need not be fenced off.
        asking = self._status if slot.open and self._status is not None else self._fence or self._status
        if asking is None:
            raise OutcomeUnknown("the exchange cannot be asked about an order")
        outcome, found = await self._asked(asking, slot, values)
        if outcome != "not_found" or slot.open or self._fence is not None:
            return found
        expires = self.spec.expires_after_ms
        if not expires:
            raise NotSeen(f"the exchange has no order {values.name} now")
        left = self._sent.get(values.name, self._opened) + expires / 1000 + _MARGIN_S - monotonic()
        if left > 0:
            await asyncio.sleep(left)
            _, found = await self._asked(asking, slot, values)
        self._sent.pop(values.name, None)
        return found

    async def cancel(self, slot: ActionSlot) -> OrderReport | None:
        if self._cancel is None:
            return None
        values = self._values(slot, slot.action.quantity, self._order_id(slot))
        reply = await self._answer(self._cancel, values)
        ruling = self._cancel.rules.judge(reply)
        match ruling.outcome:
            case "open" | "filled" | "cancelled":
                report = self._cancel.reader.report(slot, reply, ruling.outcome, values.order_id or values.name, self.listener)
                says_all = bool(report.executions) or report.filled is not None
                if says_all or self._status is None:
                    return report
                _, found = await self._asked(self._status, slot, values)
                if found is not None:
                    found.closed = found.closed or report.closed
                    return found
            case "not_found" | "refused" if self._status is not None:
                _, found = await self._asked(self._status, slot, values)
                if found is not None:
                    return found
        raise OutcomeUnknown(f"the exchange does not say that it is cancelled, {self._cancel.reader.reason(reply)}")

    # Books

    async def open_orders(self, accounts: Sequence[str]) -> Iterable[OpenOrder]:
        if self._open_orders is None:
            raise VenueUnavailable("the exchange does not tell which orders are open")
        return await self._open_orders.read(self.client, [self.accounts[each] for each in accounts])

    async def balances(self, accounts: Sequence[str]) -> Iterable[Balance]:
        if self._balances is None:
            raise VenueUnavailable("the exchange does not tell what accounts hold")
        return await self._balances.read(self.client, [self.accounts[each] for each in accounts])

    # What the stream asks

    def name_of(self, slot: ActionSlot) -> str:
        """Return the client order id under which the slot's order goes."""
        return slot.client_order_id

    def slot_named(self, name: str) -> ActionSlot | None:
        """Return the slot whose order goes by a client order id."""
        _, _, sequence = name.rpartition("-")[0].rpartition("-")
        if not (sequence.isascii() and sequence.isdigit() and len(sequence) < 12):
            return None
        slots = self.slots
        slot = slots[int(sequence)] if int(sequence) < len(slots) else None
        return slot if slot is not None and self.name_of(slot) == name else None

    def is_of_this_run(self, name: str) -> bool:
        """Whether a client order id was made by this run."""
        run = self.slots[0].run if self.slots else ""
        return bool(run) and name.startswith(f"{run}-")

    def asking_values(self, account_id: str, since: str = "") -> AskingValues:
        """Return the values of a request for an account."""
        return AskingValues(self.accounts[account_id], since)

    def traders(self) -> list[str]:
        """Return the ids of the accounts that trade in this run."""
        return list(dict.fromkeys(slot.account_id for slot in self.slots))

    async def ask(self, asking: Asking, slot: ActionSlot) -> tuple[Outcome, OrderReport | None]:
        """Ask about the slot's order in one way.

        Raises:
            OrderError: that cannot be known now.
        """
        return await self._asked(asking, slot, self._values(slot, slot.action.quantity, self._order_id(slot)))

    async def what_became_of(self, slot: ActionSlot) -> OrderReport | None:
        """Ask about an open order, where that can be asked.

        Raises:
            OrderError: that cannot be known now.
        """
        if self._status is None:
            return None
        _, found = await self.ask(self._status, slot)
        return found

    # Within

    def _values(self, slot: ActionSlot, quantity: int, order_id: str) -> OrderValues:
        return OrderValues(slot, self.name_of(slot), quantity, order_id, self.accounts, self._words)

    def _order_id(self, slot: ActionSlot) -> str:
        return "" if slot.order_id is None else str(slot.order_id)

    async def _answer(self, asking: Asking, values: OrderValues) -> Reply:
        try:
            return await self.client.send(lambda: asking.operation.request(values.afresh()))
        except Unfit as error:
            raise OutcomeUnknown(str(error)) from None

    async def _asked(self, asking: Asking, slot: ActionSlot, values: OrderValues) -> tuple[Outcome, OrderReport | None]:
        """Return what the exchange says of an order: nothing, where it has none (`not_found`) or has refused it.

        Raises:
            OrderError: that cannot be known now.
        """
        reply = await self._answer(asking, values)
        ruling = asking.rules.judge(reply)
        match ruling.outcome:
            case "open" | "filled" | "cancelled":
                return ruling.outcome, self._report(asking, slot, values, reply, ruling)
            case "accepted":
                return "open", await self._decided(slot, values, reply)
            case "refused":
                return "refused", self._report(asking, slot, values, reply, ruling) if slot.open else None
            case "not_found":
                return "not_found", None
            case "retry":
                raise VenueUnavailable(f"the exchange does not answer now, {asking.reader.reason(reply)}")
        raise OutcomeUnknown(f"the exchange answered what no rule knows, {reply.status}: {reply.words()}")

    async def _decided(self, slot: ActionSlot, values: OrderValues, reply: Reply) -> OrderReport:
        """Ask about an order that was acknowledged until it is decided about.

        Raises:
            Rejected: it was refused.
            OutcomeUnknown: it was not decided in time.
        """
        asking, poll = self._status, self.spec.poll
        if asking is None:
            raise OutcomeUnknown(f"the exchange has taken note of it, and cannot be asked further, {reply.status}")
        values.order_id = values.order_id or self._place.reader.order_id(reply, values.name)
        deadline = monotonic() + poll.deadline_ms / 1000
        while monotonic() < deadline:
            await asyncio.sleep(poll.interval_ms / 1000)
            try:
                answer = await self._answer(asking, values)
                ruling = asking.rules.judge(answer)
                if ruling.outcome in ("open", "filled", "cancelled"):
                    return self._report(asking, slot, values, answer, ruling)
            except OrderError:
                continue  # it is asked again
            if ruling.outcome == "refused":
                raise Rejected(f"the exchange refused it, {asking.reader.reason(answer)}")
        raise OutcomeUnknown(f"the exchange has taken note of it, and decided nothing within {poll.deadline_ms} ms")

    def _report(self, asking: Asking, slot: ActionSlot, values: OrderValues, reply: Reply, ruling: Ruling) -> OrderReport:
        """Return what a reply says of an order that is there.

        Raises:
            OutcomeUnknown: it does not say which order that is.
        """
        order_id = asking.reader.order_id(reply, values.name) or values.order_id
        if not order_id:
            raise OutcomeUnknown(f"the exchange took it, and gave no order id, {reply.status}: {reply.words()}")
        report = asking.reader.report(slot, reply, ruling.outcome, order_id, self.listener)
        self._sent.pop(values.name, None)
        self._accepted(slot, str(report.order_id))
        return report

    def _accepted(self, slot: ActionSlot, order_id: str) -> None:
        if self._stream is not None:
            self.open_slots[slot.sequence] = slot
            self._stream.accepted(slot, order_id)
