"""The filter of the slots: a small language, and the passes over the slots that it stands for.

    btc failed                      words: in account, market, side, state, verdict, an error, or the order's id
    state:failed,skipped            a field has this value, or one of these
    account:"a name"  -side:bid     quotes hold a name together; a minus takes what does not match

What stands beside each other must all be so. Everything is compared as it is shown, in any case: states, sides and verdicts
by how they begin, an account and a market by its whole name or else by a part of it.

A million slots are asked in half a second. So what can be known beforehand, such as the accounts whose names match, is worked
out when the filter is made, and each condition is one loop over what the one before it has left, without a call for most.
"""

import re
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Final, NamedTuple, TypeVar

from orderbook_tui.core.book import Side
from orderbook_tui.core.slot import ActionSlot, SlotState, Verdict
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.tui.figures import message, name
from orderbook_tui.tui.widgets.slot_line import settled_verdict

Predicate = Callable[[ActionSlot], object]
"""What it returns is true for a slot that matches."""
Pass = Callable[[list[ActionSlot]], list[ActionSlot]]
"""Returns those of some slots that meet a condition, in order."""

_TERM: Final = re.compile(r'(-?)(?:([A-Za-z]+):)?("(?:[^"]|"")*"?|\S*)')
_FLAGS: Final[dict[str, tuple[str, str]]] = {
    "retried": ("earlier_attempts", "more than one attempt was made"),
    "open": ("open", "its order is open at the venue"),
    "decided": ("decisions", "somebody, or a policy, decided about it"),
}
FIELDS: Final = ("state", "account", "market", "side", "verdict", "is", "error", "order")
"""What a term may name, before a colon."""

Word = TypeVar("Word", SlotState, Verdict, Side)


class FilterError(ValueError):
    """A filter that cannot be read; the message says why and what would be right."""


class Term(NamedTuple):
    """One condition; `field` is empty for words, `value` in small letters and as it would be shown."""

    field: str
    value: str
    negated: bool = False


class SlotFilter:
    """A filter on the slots of one simulation. The empty one matches all."""

    def __init__(self, text: str, names: "Names") -> None:
        """Read `text`.

        Raises:
            FilterError: it means nothing.
        """
        self.text = text
        self._terms = sorted(read(text), key=lambda term: _COST[term.field])
        self._passes = [_pass(term, names) for term in self._terms]

    def __bool__(self) -> bool:
        return bool(self._terms)

    def among(self, slots: Iterable[ActionSlot]) -> list[ActionSlot]:
        """Return those of some slots that match, in order."""
        left = list(slots)
        for narrowed in self._passes:
            left = narrowed(left)
        return left


class Names:
    """What the accounts and markets of a simulation are called on the screen, in small letters."""

    def __init__(self, simulation: Simulation) -> None:
        plan = simulation.state.plan
        self.shown_accounts = {account.id: name(account.name) for account in plan.accounts}
        self.shown_markets = {market.symbol: name(market.symbol) for market in plan.markets}
        self.accounts = {account: shown.casefold() for account, shown in self.shown_accounts.items()}
        self.markets = {symbol: shown.casefold() for symbol, shown in self.shown_markets.items()}


def read(text: str) -> list[Term]:
    """Return the terms that a text is made of.

    Raises:
        FilterError: a field that there is not.
    """
    terms = []
    for minus, field, value in _TERM.findall(text):
        quoted = value.startswith('"')
        plain = value[1 : -1 if value.endswith('"') and len(value) > 1 else None].replace('""', '"') if quoted else value
        field = field.casefold()
        if field and field not in FIELDS:
            fields = ", ".join(FIELDS)
            raise FilterError(f'no field is called {name(field, 40)}: {fields}; in quotes it is text: "{name(field, 40)}:"')
        if plain:
            terms.append(Term(field, name(plain).casefold(), bool(minus)))
    return terms


def term(field: str, value: str) -> str:
    """Return the term that says that a field has a value, quoted where it must be."""
    bare = value and not re.search(r'[\s",]', value)
    return f"{field}:{value}" if bare else '{}:"{}"'.format(field, value.replace('"', '""'))


def toggled(text: str, wanted: str) -> str:
    """Return `text` without the term `wanted` if it is there; else with it, in place of what it said about that field."""
    field = wanted.partition(":")[0]
    terms = [match.group() for match in _TERM.finditer(text) if match.group()]
    kept = [one for one in terms if one.partition(":")[0].casefold() != field]
    return " ".join(kept if wanted in terms else [*kept, wanted])


def suggestion(text: str, names: Names) -> str | None:
    """Return `text` with its last term completed; None where there is nothing to complete, or nothing to complete it with."""
    last = next((match for match in reversed(list(_TERM.finditer(text))) if match.end() == len(text) and match.group()), None)
    if last is None:
        return None
    _, field, value = last.groups()
    if not field:
        if value.startswith('"'):
            return None
        return _completed(text, value, (f"{one}:" for one in FIELDS))
    closed: dict[str, Iterable[str]] = {
        "state": (state.value.casefold() for state in SlotState),
        "side": (_shown(side) for side in Side),
        "verdict": (verdict.value for verdict in Verdict),
        "is": _FLAGS,
        "account": names.shown_accounts.values(),
        "market": names.shown_markets.values(),
    }
    part = value if field.casefold() in ("account", "market") else value.rpartition(",")[2]
    if part.startswith('"'):
        whole = (f'"{one}"' for one in closed.get(field.casefold(), ()) if '"' not in one)
        return _completed(text, part, whole)
    return _completed(text, part, (one for one in closed.get(field.casefold(), ()) if term(field, one) == f"{field}:{one}"))


def _completed(text: str, part: str, whole: Iterable[str]) -> str | None:
    folded = part.casefold()
    found = next((one for one in whole if one.casefold().startswith(folded)), None) if part else None
    return None if found is None or len(found) == len(part) else text + found[len(part) :]


def _pass(term: Term, names: Names) -> Pass:
    """Return the pass that leaves the slots which match a term."""
    return _without(_plain_pass(term, names)) if term.negated else _plain_pass(term, names)


def _plain_pass(term: Term, names: Names) -> Pass:
    value = term.value
    match term.field:
        case "state":
            states = _begun(term, SlotState, "state")
            return lambda slots: [slot for slot in slots if slot.state in states]
        case "side":
            sides = _begun(term, Side, "side")
            return lambda slots: [slot for slot in slots if slot.action.side in sides]
        case "account":
            accounts = _called(value, names.accounts)
            if not accounts:
                raise FilterError(f"no account's name contains {name(value, 40)}")
            return lambda slots: [slot for slot in slots if slot.account_id in accounts]
        case "market":
            markets = _called(value, names.markets)
            if not markets:
                some = ", ".join(list(names.shown_markets.values())[:5]) + (", ..." if len(names.shown_markets) > 5 else "")
                raise FilterError(f"no market's name contains {name(value, 40)}: {some}")
            return lambda slots: [slot for slot in slots if slot.action.market.symbol in markets]
        case "verdict":
            return _with_verdict(_begun(term, Verdict, "verdict"))
        case "is":
            return _asked(_is_any(_flags(term)))
        case "error":
            return _asked(_error_contains(value))
        case "order":
            return _asked(_order_contains(value))
    return _anywhere(value, names)


def _asked(matches: Predicate) -> Pass:
    """Return the pass that asks about each slot."""
    return lambda slots: list(filter(matches, slots))


def _without(meant: Pass) -> Pass:
    """Return the pass that leaves what another one takes away."""

    def left(slots: list[ActionSlot]) -> list[ActionSlot]:
        away = {slot.sequence for slot in meant(slots)}
        return [slot for slot in slots if slot.sequence not in away]

    return left


_COST: Final = {"state": 0, "account": 1, "is": 1, "side": 2, "market": 3, "error": 4, "order": 5, "verdict": 6, "": 7}
"""What is asked first, since the others are then asked about less."""


def _begun(term: Term, words: type[Word], what: str) -> tuple[Word, ...]:
    """Return the words that begin as the term says, or as one of its parts between commas."""
    chosen: list[Word] = []
    for part in filter(None, term.value.split(",")):
        found = [word for word in words if _shown(word).startswith(part)]
        if not found:
            every = ", ".join(map(_shown, words))
            raise FilterError(f"no {what} is called {name(part, 40)}: {every}")
        chosen += found
    return tuple(dict.fromkeys(chosen)) or tuple(words)


def _shown(word: SlotState | Verdict | Side) -> str:
    return (word.word if isinstance(word, Side) else word.value).casefold()


def _called(value: str, names: dict[str, str]) -> frozenset[str]:
    """Return who is called so; where nobody is, whose name contains it."""
    whole = frozenset(key for key, called in names.items() if called == value)
    return whole or frozenset(key for key, called in names.items() if value in called)


def _with_verdict(verdicts: tuple[Verdict, ...]) -> Pass:
    """Return the pass that leaves the slots with one of these verdicts. Whether anything was filled tells most apart."""
    if Verdict.UNMATCHED not in verdicts:
        return lambda slots: [slot for slot in slots if slot.first_fill is not None and settled_verdict(slot) in verdicts]
    if len(verdicts) == 1:
        return lambda slots: [slot for slot in slots if slot.first_fill is None and settled_verdict(slot) in verdicts]
    return lambda slots: [slot for slot in slots if settled_verdict(slot) in verdicts]


def _flags(term: Term) -> list[str]:
    """Return the attributes that are true of a slot with one of the flags."""
    attributes = []
    for part in filter(None, term.value.split(",")):
        found = [attribute for flag, (attribute, _) in _FLAGS.items() if flag.startswith(part)]
        if not found:
            every = "; ".join(f"{flag} ({what})" for flag, (_, what) in _FLAGS.items())
            raise FilterError(f"no slot is {name(part, 40)}: {every}")
        attributes += found
    return attributes


def _is_any(attributes: list[str]) -> Predicate:
    """Return what is true of a slot of which one of some attributes is; where none is named, of every slot."""
    if len(attributes) < 2:
        return attrgetter(*attributes) if attributes else lambda slot: True
    read = attrgetter(*attributes)
    return lambda slot: any(read(slot))


def _error_contains(value: str) -> Predicate:
    def matches(slot: ActionSlot) -> bool:
        last = slot.last_attempt
        if last is None:
            return False
        if last.failure is not None and value in message(last.failure.message).casefold():
            return True
        return bool(slot.earlier_attempts) and any(
            attempt.failure is not None and value in message(attempt.failure.message).casefold()
            for attempt in slot.earlier_attempts
        )

    return matches


def _order_contains(value: str) -> Predicate:
    """An order's id is a number here and most often: only digits can be in one."""
    numeric = value.isdecimal()

    def matches(slot: ActionSlot) -> bool:
        last = slot.last_attempt
        if last is None:
            return False
        order = last.order_id if last.order_id is not None or not slot.earlier_attempts else slot.order_id
        if type(order) is int:
            return numeric and value in str(order)
        return order is not None and value in name(str(order)).casefold()

    return matches


def _anywhere(value: str, names: Names) -> Pass:
    """Return the pass that leaves the slots where a word is anywhere in what is shown of them."""
    accounts = frozenset(key for key, called in names.accounts.items() if value in called)
    markets = frozenset(key for key, called in names.markets.items() if value in called)
    states = tuple(state for state in SlotState if value in _shown(state))
    sides = tuple(side for side in Side if value in _shown(side))
    verdicts = tuple(verdict for verdict in Verdict if value in verdict.value)
    in_error, in_order = _error_contains(value), _order_contains(value)
    numeric = value.isdecimal()

    def told(slot: ActionSlot) -> bool:
        return bool(in_error(slot) or in_order(slot))

    # Nearly every slot has had one attempt without an error, whose order has a number.
    return lambda slots: [
        slot
        for slot in slots
        if slot.account_id in accounts
        or slot.state in states
        or slot.action.market.symbol in markets
        or slot.action.side in sides
        or (verdicts and settled_verdict(slot) in verdicts)
        or (
            (last := slot.last_attempt) is not None
            and (
                (numeric and value in str(last.order_id))
                if last.failure is None and type(last.order_id) is int and not slot.earlier_attempts
                else told(slot)
            )
        )
    ]
