"""The user's own venue: a Python callable that places an order and answers its id.

    def place_order(slot): ...                      returns an id, plain (it runs in a thread) or async
    async def place_order(slot, settlement): ...    and reports the fills: settlement.fill("0.5", price="60000")

Such a venue cannot be asked what became of an order, so an outcome that is unknown is for a person to decide.
"""

import importlib
import inspect
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from time import time_ns
from typing import Any, cast
from uuid import UUID

import anyio.from_thread
import anyio.lowlevel

from orderbook_tui.core.book import Side
from orderbook_tui.core.exchange import FeeSchedule, Submission, fee
from orderbook_tui.core.journal import Execution
from orderbook_tui.core.market import Account
from orderbook_tui.core.money import decimal
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.errors import AmountError, ConfigError, OrderError, OutcomeUnknown, Problem, Rejected, VenueUnavailable
from orderbook_tui.venues.threads import in_a_daemon_thread

PlaceOrder = Callable[..., Any]


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

    def fill(
        self,
        quantity: Decimal | int | str,
        price: Decimal | int | str | None = None,
        *,
        counterparty: str | None = None,
        fee: Decimal | int | str = 0,
    ) -> None:
        """Report an execution of the slot's order: `quantity` of base at `price` (its own where omitted), `fee` in quote.

        `counterparty` is the other account's id or name; where the venue does not tell, it is taken to be the expected one.

        Raises:
            AmountError: off the lot or tick, more than is left of the order, worse than its price, a fee above what
                was locked for it (`venue.fees`), or the callable failed: its order was not accepted.
        """
        action, market = self.slot.action, self.slot.action.market
        lots = market.quantity_lots(decimal(quantity))
        ticks = action.price if price is None else market.price_ticks(decimal(price))
        charge = market.quote.units(decimal(fee))
        if ticks > action.price if action.side is Side.BID else ticks < action.price:
            raise AmountError(f"a fill at {price} is worse than the order's price, {market.price(action.price):f}")
        self._check_fee(ticks, lots, charge)
        who = self._names.get(counterparty, counterparty) if counterparty else action.matching_strategy.account
        sequence, first, at = self.slot.sequence, self.slot.sequence % 2 == 0, time_ns()
        if first:
            execution = Execution(sequence, -1, ticks, lots, charge, 0, at, who or "")
        else:
            execution = Execution(-1, sequence, ticks, lots, 0, charge, at, who or "")
        with self._lock:
            if self._not_accepted:
                raise AmountError(f"the order of slot {sequence} was not accepted: {self._not_accepted}")
            if not 0 < lots <= self._left:
                raise AmountError(
                    f"a fill of {quantity} {market.base.symbol}: {market.quantity(self._left):f} is left of the order"
                )
            self._left -= lots
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
        self._fees = fees
        self._names = {account.name: account.id for account in accounts}
        self._wants_settlement = _takes_two(place_order)
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
        loop_thread, token = threading.get_ident(), anyio.lowlevel.current_token()

        def settle(execution: Execution) -> None:
            if threading.get_ident() == loop_thread:
                self._late(execution)
            else:
                anyio.from_thread.run_sync(self._late, execution, token=token)

        settlement = SettlementHandle(slot, quantity, self._fees, self._names, settle)
        try:
            order_id = await self._call([slot, settlement] if self._wants_settlement else [slot])
        except Exception as error:
            failure = _failure(error, filled=settlement._close(_words(error)))
            if failure is error:
                raise
            raise failure from error
        except BaseException:
            settlement._close("nobody waited for the callable's answer")
            raise
        return Submission(order_id, settlement._accept())

    async def _call(self, arguments: list[Any]) -> int | str:
        if inspect.iscoroutinefunction(self._place_order) or inspect.iscoroutinefunction(type(self._place_order).__call__):
            order_id = await self._place_order(*arguments)
        else:
            order_id = await in_a_daemon_thread(self._place_order, *arguments)
            if inspect.isawaitable(order_id):
                order_id = await order_id
        if order_id is None:
            raise OutcomeUnknown("the callable answered None where an order id was expected: the order may exist")
        if not isinstance(order_id, int | str | UUID):
            raise OutcomeUnknown(f"the callable answered {type(order_id).__name__} where an order id was expected")
        return order_id if isinstance(order_id, int) and not isinstance(order_id, bool) else str(order_id)

    def _late(self, execution: Execution) -> None:
        assert self._settle is not None
        self._settle(execution)


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


def _failure(error: Exception, *, filled: bool) -> OrderError:
    """Return what a callable's exception says about its order; `filled`: it had reported a fill before."""
    if filled:
        return OutcomeUnknown(f"{_words(error)}, after a fill was reported: the order exists")
    if isinstance(error, OrderError):
        return error
    if isinstance(error, TimeoutError | ConnectionError) and not isinstance(error, ConnectionRefusedError):
        return OutcomeUnknown(_words(error))
    return VenueUnavailable(_words(error))


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
