"""Which orders are open, as an exchange says: told in a list, or order by order.

    OrderMassStatusRequest (AF)  MassStatusReqID 584, MassStatusReqType 585=7 (all orders), Account 1
    ExecutionReport (8)          one for each order, with the same 584; TotNumReports 911 says how many they are, or
                                 LastRptRequested 912=Y that this is the last. Where there is none: one report that has
                                 TotNumReports 0, or is rejected and names no order

An exchange may list the orders of the day that are closed too, and those of accounts that it was not asked for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Final, TypeVar

from orderbook_tui.config.fix import FixVenueSpec
from orderbook_tui.core.market import Market
from orderbook_tui.core.slot import ActionSlot, SlotState
from orderbook_tui.environment import hide
from orderbook_tui.errors import AmountError, OutcomeUnknown, Rejected, VenueUnavailable
from orderbook_tui.venues.base import OpenOrder
from orderbook_tui.venues.fix.asking import Asking
from orderbook_tui.venues.fix.correlation import ClientIds, Kind, Waiting
from orderbook_tui.venues.fix.messages import Body, Reader, Says, Writer, is_number, reason
from orderbook_tui.venues.fix.session import Line

_AT_ONCE: Final = 16
"""Questions whose answers are waited for at a time."""
_NO_ORDER: Final = frozenset({"", "0", "NONE"})
"""OrderID where a report is about no order."""
_NONE_FOUND: Final = frozenset({"", "5"})
"""OrdRejReason where that is because there is none."""
_LONGEST: Final = 500

_Item = TypeVar("_Item")


class Listed(Waiting):
    """A list that was asked for, as it comes; `more` is called when a part of it has come, and the last has not."""

    __slots__ = ("_more", "_reports")

    def __init__(self, name: str, line: object, more: Callable[[], None]) -> None:
        super().__init__(Kind.LIST, name, line)
        self._more = more
        self._reports: dict[tuple[str, str], Body] = {}

    def take(self, body: Body) -> None:
        """Take a report; with the last one all of them are the answer."""
        if self.answer.done():
            return
        total = body.get(911, "")
        count = int(total) if is_number(total) and total.isdigit() else None
        if count == 0:
            self.answer.set_result(())
        elif body.get(39) == "8" and body.get(37, "") in _NO_ORDER:
            if body.get(150) == "I" and body.get(103, "") in _NONE_FOUND:
                self.answer.set_result(())
            else:
                self.answer.set_exception(VenueUnavailable(f"the list of open orders is refused: {hide(reason(body))}"))
        else:
            # A report that is sent again, as what was missed is, does not count twice.
            self._reports[body.get(37, ""), body.get(11, "")] = body
            if body.get(912) == "Y" or (count is not None and len(self._reports) >= count):
                self.answer.set_result(tuple(self._reports.values()))
            else:
                self._more()


class OpenOrderReader:
    """Reads which order a report says is open."""

    def __init__(self, spec: FixVenueSpec, markets: Iterable[Market], ids: ClientIds, reader: Reader) -> None:
        self._markets = {spec.symbols.get(market.symbol, market.symbol): market for market in markets}
        self._ids, self._reader = ids, reader

    def listed(self, body: Body, accounts: Collection[str], asked: str) -> OpenOrder | None:
        """Return the order of a report in the list that was asked for the account `asked`.

        None where nothing is open of it, or it is of none of `accounts`.

        Raises:
            OutcomeUnknown: it cannot be read.
        """
        found = self._ids.slot(body.get(11, "")) or self._ids.slot(body.get(41, ""))
        told = body.get(1, "")
        account = self._reader.account(told) if told else None
        if found is not None:
            slot, generation = found
            account = account or slot.account_id
            name = f"{slot.run}-{slot.sequence}-{generation}"
            return self._ours(slot, account, name, body) if account in accounts else None
        if not told:
            account = asked
        if account is None or account not in accounts or not self._is_open(body):
            return None
        symbol, left = body.get(55, ""), -1
        market = self._markets.get(symbol)
        if market is not None:
            with suppress(AmountError):  # others may trade in smaller lots than the run
                left = _left(body, market)
        return _order(account, body.get(11, ""), body, symbol if market is None else market.symbol, left)

    def known(self, slot: ActionSlot, body: Body) -> OpenOrder | None:
        """Return the order of a slot as the answer to a question about it says; None where nothing is open of it.

        Raises:
            OutcomeUnknown: it cannot be read.
        """
        return self._ours(slot, slot.account_id, slot.client_order_id, body)

    def _ours(self, slot: ActionSlot, account: str, name: str, body: Body) -> OpenOrder | None:
        if not self._is_open(body):
            return None
        market = slot.action.market
        try:
            left = _left(body, market)
        except AmountError as error:
            raise OutcomeUnknown(f"what is left of order {name} cannot be: {error}") from None
        return _order(account, name, body, market.symbol, left)

    def _is_open(self, body: Body) -> bool:
        left = body.get(151, "")
        is_none_left = is_number(left) and not Decimal(left)
        return not is_none_left and self._reader.says(body) not in (Says.CLOSED, Says.REFUSED)


def _left(body: Body, market: Market) -> int:
    """Return what is left of an order, in lots; -1 where that is not said."""
    left = body.get(151, "")
    return market.quantity_lots(Decimal(left)) if is_number(left) else -1


def _order(account: str, name: str, body: Body, market: str, left: int) -> OpenOrder:
    name, order_id, market = (hide(text)[:_LONGEST] for text in (name, body.get(37, ""), market))
    return OpenOrder(account=account, client_order_id=name, order_id=order_id, market=market, left=left)


class Lists:
    """Asks for the orders of accounts in lists."""

    def __init__(self, asking: Asking, writer: Writer, reader: OpenOrderReader, line_of: Mapping[str, Line]) -> None:
        self._asking, self._writer, self._reader, self._line_of = asking, writer, reader, line_of

    async def open_orders(self, accounts: Sequence[str], *, by_account: bool) -> list[OpenOrder]:
        """Return those of accounts, asked `by_account`, or session by session where no account can be said.

        Raises:
            OrderError: one of the lists was not told.
        """
        wanted, found = set(accounts), list[OpenOrder]()

        async def ask(account: str) -> None:
            line = self._line_of[account]
            try:
                bodies = await self._asking.answered(line, lambda: self._list(line, account))
            except Rejected as error:
                raise VenueUnavailable(f"OrderMassStatusRequest is refused: {error}") from None
            orders = (self._reader.listed(body, wanted, account) for body in bodies)
            found.extend(order for order in orders if order is not None)

        one_of_each = {self._line_of[account]: account for account in reversed(accounts)}
        await _a_few_at_once(accounts if by_account else list(one_of_each.values()), ask)
        return found

    async def _list(self, line: Line, account: str) -> Sequence[Body]:
        """Return all reports of one list, however long they take as long as they come."""
        limit = asyncio.timeout(self._asking.timeout)

        def more() -> None:
            if not limit.expired():
                limit.reschedule(asyncio.get_running_loop().time() + self._asking.timeout)

        waiting = Listed(self._asking.own_id("L"), line, more)
        bodies: Sequence[Body] = await self._asking.answer(
            "AF", waiting, self._writer.list_question(account, waiting.name), limit
        )
        return bodies


class OneByOne:
    """Asks about each order of the run that may be open; `known` returns the report on it."""

    def __init__(
        self, slots: Sequence[ActionSlot], reader: OpenOrderReader, known: Callable[[ActionSlot], Awaitable[Body | None]]
    ) -> None:
        self._slots, self._reader, self._known = slots, reader, known

    async def open_orders(self, accounts: Sequence[str]) -> list[OpenOrder]:
        """Return those of accounts.

        Raises:
            OrderError: one of the questions was not answered.
        """
        wanted, found = set(accounts), list[OpenOrder]()

        async def ask(slot: ActionSlot) -> None:
            body = await self._known(slot)
            order = None if body is None else self._reader.known(slot, body)
            if order is not None:
                found.append(order)

        await _a_few_at_once([slot for slot in self._slots if _may_be_open(slot) and slot.account_id in wanted], ask)
        return found


def _may_be_open(slot: ActionSlot) -> bool:
    """Whether an order of the slot may be open: it is, or nobody knows."""
    is_known = slot.state is SlotState.COMPLETED or slot.last_attempt is None
    return slot.open > 0 or (not is_known and slot.in_doubt)


async def _a_few_at_once(items: Collection[_Item], ask: Callable[[_Item], Awaitable[None]]) -> None:
    """Ask about all items, few at a time. Raises what the first that fails does; no more is asked then."""
    waiting = iter(items)

    async def work() -> None:
        for item in waiting:
            await ask(item)

    tasks = [asyncio.create_task(work()) for _ in range(min(_AT_ONCE, len(items)))]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
