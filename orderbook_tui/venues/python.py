"""The user's own venue: a Python callable that places an order and answers its id.

    def place_order(slot): ...                      returns an id, plain (it runs in a thread) or async
    async def place_order(slot, settlement): ...    and reports the fills: settlement.fill("0.5", price="60000")

Such a venue cannot be asked what became of an order, so an outcome that is unknown is for a person to decide; unless the
callable has an attribute that can:

    place_order.look_up(slot)               the id of the order of `slot.client_order_id`; None where there is none, and
    place_order.look_up(slot, settlement)   none can arrive any more; it raises where that cannot be known now
    place_order.deduplicates_for            for how many seconds an order of the same client order id is taken once only
"""

import importlib
import inspect
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from time import time_ns
from typing import Any, Final, cast
from uuid import UUID

import anyio.from_thread
import anyio.lowlevel

from orderbook_tui.core.book import Side
from orderbook_tui.core.exchange import FeeSchedule, Submission, fee
from orderbook_tui.core.journal import Execution
from orderbook_tui.core.market import Account
from orderbook_tui.core.money import decimal
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.errors import (
    AmountError,
    ConfigError,
    FailureKind,
    OrderbookTuiError,
    OrderError,
    OutcomeUnknown,
    Problem,
    Rejected,
    VenueUnavailable,
)
from orderbook_tui.venues.threads import in_a_daemon_thread

PlaceOrder = Callable[..., Any]

LONGEST_ID: Final = 1_000
LONGEST_ERROR: Final = 10_000
"""How much of an error a run keeps."""
_TOO_MUCH: Final = 2**62
"""Units that are refused: an amount has 64 bits, and what an account has received is a sum of them."""


class SettlementHandle:
    """How a user's venue reports what became of one slot's order. Safe to use from any thread, also later on."""

    def __init__(
        self, slot: ActionSlot, quantity: int, fees: FeeSchedule, names: dict[str, str], settle: Callable[[Execution], None]
    ) -> None:
        self.slot = slot
        self._left = quantity
        self._highest_fee = fees.highest
        self._names = names
        self._settle = settle
        self._lock = threading.Lock()
        self._before_the_answer: list[Execution] | None = []
        self._not_accepted = ""
        self._reported: set[str] = set()

    def fill(
        self,
        quantity: Decimal | int | str,
        price: Decimal | int | str | None = None,
        *,
        counterparty: str | None = None,
        fee: Decimal | int | str = 0,
        execution_id: str | None = None,
    ) -> None:
        """Report an execution of the slot's order: `quantity` of base at `price` (its own where omitted), `fee` in quote.

        `counterparty` is the other account's id or name; where the venue does not tell, it is taken to be the expected one.
        Of several reports with the same `execution_id` the first counts.

        Raises:
            AmountError: off the lot or tick, more than is left of the order, worse than its price, a fee above what
                was locked for it (`venue.fees`), or the callable failed: its order was not accepted.
            OrderbookTuiError: the run is over.
        """
        action, market = self.slot.action, self.slot.action.market
        lots = market.quantity_lots(decimal(quantity))
        ticks = action.price if price is None else market.price_ticks(decimal(price))
        charge = market.quote.units(decimal(fee))
        if ticks <= 0:
            raise AmountError(f"a fill at {market.price(ticks):f}: a price is more than 0")
        if ticks >= _TOO_MUCH or market.notional(ticks, lots) >= _TOO_MUCH:
            raise AmountError(f"a fill at that price comes to more than an amount of {market.quote.symbol} can be")
        if ticks > action.price if action.side is Side.BID else ticks < action.price:
            raise AmountError(
                f"a fill at {market.price(ticks):f} is worse than the order's price, {market.price(action.price):f}"
            )
        self._check_fee(ticks, lots, charge)
        counterparty, execution_id = _text_or_none(counterparty), _text_or_none(execution_id)
        who = self._names.get(counterparty, counterparty) if counterparty else action.matching_strategy.account
        sequence, first, at = self.slot.sequence, self.slot.sequence % 2 == 0, time_ns()
        if first:
            execution = Execution(sequence, -1, ticks, lots, charge, 0, at, who or "")
        else:
            execution = Execution(-1, sequence, ticks, lots, 0, charge, at, who or "")
        with self._lock:
            if execution_id is not None and execution_id in self._reported:
                return
            if self._not_accepted:
                raise AmountError(f"the order of slot {sequence} was not accepted: {self._not_accepted}")
            if not 0 < lots <= self._left:
                filled, left = market.quantity(lots), market.quantity(self._left)
                raise AmountError(f"a fill of {filled:f} {market.base.symbol}: {left:f} is left of the order")
            self._left -= lots
            if execution_id is not None:
                self._reported.add(execution_id)
            if self._before_the_answer is not None:
                self._before_the_answer.append(execution)
                return
        self._settle(execution)

    def _accept(self) -> Sequence[Execution]:
        """The order has its id: return what was reported until now; what comes from here on is settled as it comes."""
        with self._lock:
            executions, self._before_the_answer = self._before_the_answer or (), None
        return executions

    def _close(self, why: str) -> bool:
        """The order was not accepted: take no more reports. Return whether there were any."""
        with self._lock:
            self._not_accepted = why
            return bool(self._before_the_answer)

    def _check_fee(self, ticks: int, lots: int, charge: int) -> None:
        quote, notional = self.slot.action.market.quote, self.slot.action.market.notional(ticks, lots)
        most = fee(self._highest_fee, notional)
        if not 0 <= charge <= most:
            raise AmountError(f"a fee of {quote.amount(charge):f} {quote.symbol}: 0 to {quote.amount(most):f} is locked for it")


class PythonVenue:
    """Places orders through the user's callable."""

    in_process = False

    def __init__(self, place_order: PlaceOrder, fees: FeeSchedule, accounts: Iterable[Account] = ()) -> None:
        self._place_order = place_order
        self._look_up = getattr(place_order, "look_up", None)
        self.can_look_up = self._look_up is not None
        self.deduplicates_for_s = float(getattr(place_order, "deduplicates_for", 0))
        self._fees = fees
        self._names = {account.name: account.id for account in accounts}
        self._settle: Callable[[Execution], None] | None = None

    def on_execution(self, settle: Callable[[Execution], None]) -> None:
        self._settle = settle

    def place_again(self, slot: ActionSlot, quantity: int) -> Submission:
        raise Rejected("an order placed elsewhere is not placed again")

    def cancel(self, slot: ActionSlot) -> bool:
        """A callable has no way to cancel: what it placed is its owner's to take back."""
        return False

    def restore(self, slot: ActionSlot) -> None:
        """The orders of an earlier life are where they were."""

    async def place(self, slot: ActionSlot, quantity: int) -> Submission:
        can_be_settled = self.can_look_up or self.deduplicates_for_s > 0
        placed = await self._call(self._place_order, slot, quantity, partial(_failure, is_sure=not can_be_settled))
        if placed is None:
            raise OutcomeUnknown("the callable answered None where an order id was expected: the order may exist")
        return placed

    async def look_up(self, slot: ActionSlot, quantity: int) -> Submission | None:
        assert self._look_up is not None
        return await self._call(self._look_up, slot, quantity, lambda error, *, filled: OutcomeUnknown(_words(error)))

    async def _call(
        self, function: PlaceOrder, slot: ActionSlot, quantity: int, failure_of: Callable[..., OrderError]
    ) -> Submission | None:
        """Call the user's function, and return the order id that it answers, with the fills that it reports; None for None."""
        settlement = SettlementHandle(slot, quantity, self._fees, self._names, self._settler())
        try:
            order_id = await _answer(function, [slot, settlement] if _takes_two(function) else [slot])
        except Exception as error:
            failure = failure_of(error, filled=settlement._close(_words(error)))
            if failure is error:
                raise
            raise failure from error
        except BaseException:
            settlement._close("nobody waited for the callable's answer")
            raise
        if order_id is None:
            filled = settlement._close("the callable answered None")
            if filled:
                raise OutcomeUnknown("the callable answered None, after a fill was reported: the order exists")
            return None
        if not isinstance(order_id, int | str | UUID):
            settlement._close("the callable answered no order id")
            raise OutcomeUnknown(f"the callable answered {type(order_id).__name__} where an order id was expected")
        name = _plain(order_id)
        if len(name) > LONGEST_ID if isinstance(name, str) else abs(name) >= 10**LONGEST_ID:
            settlement._close("the callable answered too long an order id")
            raise OutcomeUnknown(f"the callable answered an order id of more than {LONGEST_ID} characters")
        return Submission(name, settlement._accept())

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
        assert self._settle is not None
        self._settle(execution)


async def _answer(function: PlaceOrder, arguments: list[Any]) -> Any:
    """Call what may be plain or async, and wait for what it answers; what is plain does not keep the event loop."""
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__):
        return await function(*arguments)
    answer = await in_a_daemon_thread(function, *arguments)
    return await answer if inspect.isawaitable(answer) else answer


def load_callable(target: str) -> PlaceOrder:
    """Import `package.module:name`, looking in the working folder too.

    Raises:
        ConfigError: the module or the name is not there, the import failed, or it cannot be called.
    """
    module_name, _, name = target.partition(":")
    folder = str(Path.cwd())
    added = folder not in sys.path
    if added:
        sys.path.insert(0, folder)
    try:
        found: Any = importlib.import_module(module_name)
        for part in name.split("."):
            found = getattr(found, part)
    except (Exception, SystemExit) as error:  # the module is the user's: anything may come out of it
        raise ConfigError([Problem("venue.target", f"{target} cannot be imported: {_words(error)}")]) from error
    finally:
        if added:
            sys.path.remove(folder)
    if not callable(found):
        raise ConfigError([Problem("venue.target", f"{target} is no callable")])
    if not any(_can_be_called_with(found, count) for count in (1, 2)):
        raise ConfigError([Problem("venue.target", f"{target} takes neither a slot, nor a slot and a settlement handle")])
    look_up, window = getattr(found, "look_up", None), getattr(found, "deduplicates_for", 0)
    if look_up is not None and not (callable(look_up) and any(_can_be_called_with(look_up, count) for count in (1, 2))):
        raise ConfigError([Problem("venue.target", f"{target}.look_up takes neither a slot, nor a slot and a handle")])
    if isinstance(window, bool) or not isinstance(window, int | float) or not 0 <= window < float("inf"):
        raise ConfigError([Problem("venue.target", f"{target}.deduplicates_for is no number of seconds, 0 or more")])
    return cast(PlaceOrder, found)


def _can_be_called_with(place_order: PlaceOrder, count: int) -> bool:
    try:
        inspect.signature(place_order).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:  # it has no signature to look at
        return True
    return True


def _takes_two(place_order: PlaceOrder) -> bool:
    """Whether a callable is to get the settlement handle too."""
    try:
        signature = inspect.signature(place_order)
    except (TypeError, ValueError):
        return False
    parameters = signature.parameters.values()
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    required = [p for p in positional if p.default is p.empty]
    return len(required) >= 2 or any(p.kind is p.VAR_POSITIONAL for p in parameters)


def _failure(error: Exception, *, filled: bool, is_sure: bool) -> OrderError:
    """Return what a callable's exception says about its order; `filled`: it had reported a fill before.

    An exception that says nothing about the order is taken as "not placed" where `is_sure`; where it can be found out, it is.
    """
    if filled:
        return OutcomeUnknown(f"{_words(error)}, after a fill was reported: the order exists")
    if isinstance(error, OrderError):
        return error if _says_itself(error) else _SAYING.get(error.kind, OutcomeUnknown)(_words(error))
    if isinstance(error, ConnectionRefusedError) or (is_sure and not isinstance(error, TimeoutError | ConnectionError)):
        return VenueUnavailable(_words(error))
    return OutcomeUnknown(_words(error))


def _words(error: BaseException) -> str:
    """Return what a user's error says, cut where it is too long to be kept; one that cannot say itself has its name."""
    kind = type(error).__name__
    try:
        text = str(error)
    except Exception:  # its `__str__` is the user's too
        return kind
    return f"{kind}: {text[:LONGEST_ERROR]}{'...' if len(text) > LONGEST_ERROR else ''}" if text else kind


def _says_itself(error: OrderError) -> bool:
    try:
        return len(str(error)) <= LONGEST_ERROR
    except Exception:  # as above
        return False


def _text_or_none(text: str | None) -> str | None:
    """Return a name as a plain text, whatever class of the user's own it is of."""
    if text is not None and not isinstance(text, str):
        raise AmountError(f"a counterparty or an execution is called by a text, not by a {type(text).__name__}")
    return None if text is None else str.__str__(text)


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
