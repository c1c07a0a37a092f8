"""The user's own venue: a Python callable that places an order and answers its id.

    def place_order(slot): ...                      returns an id, plain (it runs in a thread) or async
    async def place_order(slot, settlement): ...    and reports the fills: settlement.fill("0.5", price="60000")

What else the venue can do, attributes of the callable say, each as plain or async as one likes:

    look_up(slot[, settlement])     the id of the order of `slot.client_order_id`, with all its fills; None where there is none,
                                    and none can arrive any more; it raises where that cannot be known now
    fence = False                   None of `look_up` does not mean that the order cannot arrive any more
    deduplicates_for = 3600         for how many seconds an order of the same client order id is taken once only
    cancel(slot[, settlement])      True: nothing is open of the order any more; False: it cannot be cancelled
    open_orders(account_id)         the client order ids of its open orders, or pairs of those and the quantity left
    balances(account_id)            {"USD": (available, locked), "BTC": available}
    open(), close()                 called before the first order, and at the end

Without `look_up` nobody can ask what became of an order, so an outcome that is unknown is for a person to decide.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Final, cast
from uuid import UUID

import anyio.from_thread
import anyio.lowlevel

from orderbook_tui.core.exchange import Submission
from orderbook_tui.core.journal import Balance, Execution
from orderbook_tui.core.money import decimal
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.core.state import Plan
from orderbook_tui.errors import (
    AmountError,
    ConfigError,
    FailureKind,
    NotSeen,
    OrderbookTuiError,
    OrderError,
    OutcomeUnknown,
    Problem,
    Rejected,
    VenueUnavailable,
)
from orderbook_tui.venues.base import Capabilities, Listener, OpenOrder, OrderReport
from orderbook_tui.venues.settlement_handle import SettlementHandle as SettlementHandle
from orderbook_tui.venues.user_code import LONGEST_ERROR, answer, can_be_called_with, imported, takes_two, words

PlaceOrder = Callable[..., Any]

LONGEST_ID: Final = 1_000
_MOST_ENTRIES: Final = 1_000_000
"""Open orders of one account; a generator of the user's may never end."""


class PythonVenue:
    """Places orders through the user's callable."""

    def __init__(self, place_order: PlaceOrder, plan: Plan, slots: Sequence[ActionSlot] = ()) -> None:
        self._place_order = place_order
        attributes = "look_up", "cancel", "open_orders", "balances", "open", "close"
        self._look_up, self._cancel, self._open_orders, self._balances, self._open, self._close = (
            getattr(place_order, name, None) for name in attributes
        )
        can_look_up = self._look_up is not None
        # What look_up tells must be heard before a cancel, or where nothing else tells; where orders stay open, and
        # `place_order` has a handle, fills come through that.
        is_polled = self._looks_up_fills and (self._cancel is not None or not takes_two(place_order))
        self.capabilities = Capabilities(
            look_up=can_look_up,
            fence=can_look_up and bool(getattr(place_order, "fence", True)),
            deduplicates_for_s=float(getattr(place_order, "deduplicates_for", 0)),
            cancel=self._cancel is not None,
            client_ids=True,
            pushes_executions=not is_polled,
            open_orders=self._open_orders is not None,
            balances=self._balances is not None,
        )
        self._fees = plan.fees
        self._slots = slots
        self._names = {account.name: account.id for account in plan.accounts}
        self._assets = plan.assets
        self._listener: Listener | None = None
        self._unsettled: dict[str, list[SettlementHandle]] = {}
        """The handles of attempts of which nobody knows what became, by client order id: more may be reported through them."""

    async def open(self, listener: Listener) -> None:
        self._listener = listener
        if self._open is not None:
            await self._told(self._open)

    async def close(self) -> None:
        """Let the callable end. What is reported late is settled as long as the program runs."""
        if self._close is not None:
            await self._told(self._close)

    def place_again(self, slot: ActionSlot, quantity: int) -> Submission:
        raise Rejected("an order placed elsewhere is not placed again")

    def restore(self, slot: ActionSlot) -> None:
        """The orders of an earlier life are where they were."""

    async def place(self, slot: ActionSlot, quantity: int) -> Submission:
        can_be_settled = self.capabilities.look_up or self.capabilities.deduplicates_for_s > 0
        failure_of = partial(_failure, is_sure=not can_be_settled)
        placed = await self._call(self._place_order, slot, quantity, failure_of, keeps=can_be_settled)
        if placed is None:
            raise OutcomeUnknown("the callable answered None where an order id was expected: the order may exist")
        return placed

    async def look_up(self, slot: ActionSlot, quantity: int) -> Submission | None:
        assert self._look_up is not None
        found = await self._call(self._look_up, slot, quantity, lambda error, *, filled: OutcomeUnknown(words(error)))
        if found is None:
            if any(handle._is_filled for handle in self._unsettled.get(slot.client_order_id, ())):
                raise OutcomeUnknown("the callable's look_up answered None, after a fill was reported: the order exists")
            if not self.capabilities.fence:
                raise NotSeen(f"the venue has no order {slot.client_order_id} now")
            for handle in self._unsettled.pop(slot.client_order_id, ()):
                handle._close("the venue has no such order")
        return found

    async def cancel(self, slot: ActionSlot) -> OrderReport | None:
        if self._cancel is None:
            return None
        # The order is accepted: what is reported is settled at once, and stays so if the cancel fails.
        told = {fill.id for fill in slot.fills if fill.id is not None}
        settlement = SettlementHandle(slot, slot.open, self._fees, self._names, self._settler(), told)
        settlement._accept()
        cancelled = await self._told(self._cancel, *([slot, settlement] if takes_two(self._cancel) else [slot]))
        if cancelled is not True:
            if cancelled is None or cancelled is False:
                return None
            raise OutcomeUnknown(f"the callable's cancel answered {type(cancelled).__name__} where True or False was expected")
        executions: Sequence[Execution] = ()
        if slot.open and self._looks_up_fills:
            # It may have been filled right before: the last word is what is said now that nothing is open.
            found = await self.look_up(slot, slot.action.quantity)
            executions = found.executions if found is not None else ()
        return OrderReport("" if slot.order_id is None else slot.order_id, executions, closed=True)

    async def open_orders(self, accounts: Sequence[str]) -> Iterable[OpenOrder]:
        if self._open_orders is None:
            raise VenueUnavailable("the callable does not tell which orders are open")
        found: list[OpenOrder] = []
        for account in accounts:
            entries = await self._told(self._open_orders, account)
            try:
                for entry in entries:
                    found.append(self._open_order(account, entry))
                    if len(found) > _MOST_ENTRIES:
                        raise AmountError(f"more than {_MOST_ENTRIES} orders")
            except Exception as error:  # what it answered is the user's own too
                raise OutcomeUnknown(f"the callable's open_orders cannot be read: {words(error)}") from error
        return found

    async def balances(self, accounts: Sequence[str]) -> Iterable[Balance]:
        if self._balances is None:
            raise VenueUnavailable("the callable does not tell what accounts hold")
        found: list[Balance] = []
        for account in accounts:
            held = await self._told(self._balances, account)
            try:
                for asset in self._assets:
                    if asset.symbol in held:
                        entry = held[asset.symbol]
                        available, locked = entry if isinstance(entry, tuple | list) else (entry, 0)
                        units = asset.whole_units(decimal(available)), asset.whole_units(decimal(locked))
                        found.append(Balance(account, asset.symbol, *units))
            except Exception as error:  # as above
                raise OutcomeUnknown(f"the callable's balances cannot be read: {words(error)}") from error
        return found

    # How the callable is asked

    @property
    def _looks_up_fills(self) -> bool:
        return self._look_up is not None and takes_two(self._look_up)

    async def _told(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return what the user's function answers.

        Raises:
            OrderError: it raises something.
        """
        try:
            return await answer(function, *arguments)
        except OrderError as error:
            if _says_itself(error):
                raise
            raise OutcomeUnknown(words(error)) from error
        except Exception as error:
            raise OutcomeUnknown(words(error)) from error

    def _open_order(self, account: str, entry: Any) -> OpenOrder:
        name, quantity = (entry, None) if isinstance(entry, str) else entry
        if not isinstance(name, str):
            raise AmountError(f"a client order id is a text, not {type(name).__name__}")
        name = str.__str__(name)
        slot = self._slot_named(name)
        if slot is None:
            return OpenOrder(account=account, client_order_id=name[:LONGEST_ID])
        market = slot.action.market
        left = -1 if quantity is None else market.quantity_lots(decimal(quantity))
        order_id = "" if slot.order_id is None else str(slot.order_id)
        return OpenOrder(account=account, client_order_id=name, order_id=order_id, market=market.symbol, left=left)

    def _slot_named(self, client_order_id: str) -> ActionSlot | None:
        number = client_order_id.rpartition("-")[0].rpartition("-")[2]
        if not (number.isascii() and number.isdigit() and len(number) < 12 and int(number) < len(self._slots)):
            return None
        slot = self._slots[int(number)]
        return slot if slot.client_order_id == client_order_id else None

    async def _call(
        self,
        function: PlaceOrder,
        slot: ActionSlot,
        quantity: int,
        failure_of: Callable[..., OrderError],
        *,
        keeps: bool = False,
    ) -> Submission | None:
        """Call the user's function, and return the order id that it answers, with the fills that it reports; None for None.

        `keeps`: where nobody knows what became of the order, its handle is kept until that is known.
        """
        settlement, order = SettlementHandle(slot, quantity, self._fees, self._names, self._settler()), slot.client_order_id

        def not_known(why: str) -> None:
            if keeps:
                self._unsettled.setdefault(order, []).append(settlement)
            else:
                settlement._close(why)

        try:
            order_id = await answer(function, *([slot, settlement] if takes_two(function) else [slot]))
        except Exception as error:
            failure = failure_of(error, filled=settlement._is_filled)
            if isinstance(failure, OutcomeUnknown):
                not_known(words(error))
            else:
                settlement._close(words(error))
            if failure is error:
                raise
            raise failure from error
        except BaseException:
            not_known("nobody waited for the callable's answer")
            raise
        if order_id is None:
            not_known("the callable answered None")
            if settlement._is_filled:
                raise OutcomeUnknown("the callable answered None, after a fill was reported: the order exists")
            return None
        if not isinstance(order_id, int | str | UUID):
            not_known("the callable answered no order id")
            raise OutcomeUnknown(f"the callable answered {type(order_id).__name__} where an order id was expected")
        name = _plain(order_id)
        if len(name) > LONGEST_ID if isinstance(name, str) else abs(name) >= 10**LONGEST_ID:
            not_known("the callable answered too long an order id")
            raise OutcomeUnknown(f"the callable answered an order id of more than {LONGEST_ID} characters")
        return Submission(name, settlement._accept(self._unsettled.pop(order, ())))

    def _settler(self) -> Callable[[Execution], None]:
        """Return what settles an execution that comes later, from whichever thread."""
        loop_thread, token = threading.get_ident(), anyio.lowlevel.current_token()

        def settle(execution: Execution) -> None:
            if threading.get_ident() == loop_thread:
                self._late(execution)
                return
            try:
                anyio.from_thread.run_sync(self._late, execution, token=token)
            except RuntimeError as error:
                raise OrderbookTuiError("the run is over: nobody hears of a fill any more") from error

        return settle

    def _late(self, execution: Execution) -> None:
        if self._listener is None:
            raise OrderbookTuiError("the run is over: nobody hears of a fill any more")
        self._listener.executed(execution)


_TAKING: Final = {
    "look_up": ((1, 2), "takes neither a slot, nor a slot and a handle"),
    "cancel": ((1, 2), "takes neither a slot, nor a slot and a handle"),
    "open_orders": ((1,), "does not take an account's id"),
    "balances": ((1,), "does not take an account's id"),
    "open": ((0,), "is not to be called without arguments"),
    "close": ((0,), "is not to be called without arguments"),
}
"""How many arguments the optional functions may take, and what is said of one that does not."""


def load_callable(target: str) -> PlaceOrder:
    """Import `package.module:name`, looking in the working folder too.

    Raises:
        ConfigError: the module or the name is not there, the import failed, or it cannot be called.
    """
    found = imported(target)
    if not callable(found):
        raise _wrong(f"{target} is no callable")
    if not any(can_be_called_with(found, count) for count in (1, 2)):
        raise _wrong(f"{target} takes neither a slot, nor a slot and a settlement handle")
    for name, (counts, wrong) in _TAKING.items():
        function = getattr(found, name, None)
        if function is not None and not (callable(function) and any(can_be_called_with(function, count) for count in counts)):
            raise _wrong(f"{target}.{name} {wrong}")
    window, fence = getattr(found, "deduplicates_for", 0), getattr(found, "fence", True)
    if isinstance(window, bool) or not isinstance(window, int | float) or not 0 <= window < float("inf"):
        raise _wrong(f"{target}.deduplicates_for is no number of seconds, 0 or more")
    if not isinstance(fence, bool):
        raise _wrong(f"{target}.fence is neither True nor False")
    return cast(PlaceOrder, found)


def _wrong(message: str) -> ConfigError:
    return ConfigError([Problem("venue.target", message)])


def _failure(error: Exception, *, filled: bool, is_sure: bool) -> OrderError:
    """Return what a callable's exception says about its order; `filled`: it had reported a fill before.

    An exception that says nothing about the order is taken as "not placed" where `is_sure`; where it can be found out, it is.
    """
    if filled:
        return OutcomeUnknown(f"{words(error)}, after a fill was reported: the order exists")
    if isinstance(error, OrderError):
        return error if _says_itself(error) else _SAYING.get(error.kind, OutcomeUnknown)(words(error))
    if isinstance(error, ConnectionRefusedError) or (is_sure and not isinstance(error, TimeoutError | ConnectionError)):
        return VenueUnavailable(words(error))
    return OutcomeUnknown(words(error))


def _says_itself(error: OrderError) -> bool:
    try:
        return len(str(error)) <= LONGEST_ERROR
    except Exception:  # as above
        return False


def _plain(order_id: int | str | UUID) -> int | str:
    """Return an id as a plain number or text, whatever class of the user's own it is of."""
    if isinstance(order_id, int) and not isinstance(order_id, bool):
        return int.__int__(order_id)
    return str.__str__(order_id) if isinstance(order_id, str) else str(order_id)


_SAYING: Final = {
    FailureKind.PERMANENT: Rejected,
    FailureKind.TRANSIENT: VenueUnavailable,
    FailureKind.UNKNOWN: OutcomeUnknown,
}
