"""`orderbook-tui venue check`: one dry conversation with an exchange, and what each rule of the configuration made of it.

balances -> open orders -> status and fence of an order that nobody has placed
and with `place`: the smallest order, far from the market, for its status, and its cancel
"""

import json
import secrets
from collections.abc import Awaitable, Callable
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from orderbook_tui.config import SimulatorConfig
from orderbook_tui.config.venue_costs import FaultsSpec
from orderbook_tui.core.action import OrderAction
from orderbook_tui.core.book import Side
from orderbook_tui.core.discipline import band
from orderbook_tui.core.market import Market
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.core.state import SimulationState
from orderbook_tui.engine.planning import plan_run
from orderbook_tui.engine.wiring import open_venue
from orderbook_tui.environment import hide
from orderbook_tui.errors import ConfigError, OrderError, Problem, Rejected

if TYPE_CHECKING:
    from orderbook_tui.venues.http.client import Reply, Request
    from orderbook_tui.venues.http.venue import HttpVenue

_MOST_BODY: Final = 2_000
_FAR: Final = Decimal("0.5")
"""The price of the order that is placed, as a share of the reference price, where no band holds it nearer."""


class RuleStep(msgspec.Struct, frozen=True):
    """A rule that was held against a reply; `why_not` is empty where it holds."""

    outcome: str
    rule: str
    why_not: str


class Exchanged(msgspec.Struct, kw_only=True):
    """One request, the reply, and what was made of it."""

    operation: str
    method: str
    target: str
    headers: dict[str, str]
    body: str = ""
    status: int = 0
    reply: str = ""
    error: str = ""
    rules: list[RuleStep] = []
    expressions: dict[str, tuple[str, str]] = {}
    """What each jmespath is, and what it gave."""
    outcome: str = "unknown"
    """What it comes to; `unknown` where nothing in the configuration understands it."""


class _Nobody:
    """A listener that remembers what could not be settled."""

    def __init__(self) -> None:
        self.strays: list[str] = []

    def executed(self, execution: object) -> None:
        """Nothing is traded."""

    def closed(self, slot: ActionSlot) -> None:
        """Nothing is waited for."""

    def stray(self, words: str, slot: ActionSlot | None = None) -> None:
        self.strays.append(words)


async def check_venue(
    config: SimulatorConfig, folder: Path, *, account: str | None = None, market: str | None = None, place: bool = False
) -> list[Exchanged]:
    """Talk to the configured exchange, and return all that was said.

    Raises:
        ConfigError: the configuration cannot be carried out, or has no such account or market.
    """
    if config.venue.kind != "http":
        raise ConfigError([Problem("venue.kind", "is no http venue: there is no conversation to show")])
    planned = plan_run(config, folder)
    slot = _order(planned.slots, account, market, {each.id: each.name for each in planned.plan.accounts})
    state = SimulationState([slot], plan=planned.plan)
    # Faults on purpose have no place in a check.
    honest = config.venue.model_copy(update={"faults": FaultsSpec()})
    venue: Any = open_venue(config.model_copy(update={"venue": honest}), state)[0]
    return await _Conversation(venue, slot).hold(place=place)


class _Conversation:
    def __init__(self, venue: "HttpVenue", slot: ActionSlot) -> None:
        self._venue, self._slot = venue, slot
        self._said: list[Exchanged] = []
        venue.client.told = self._note

    async def hold(self, *, place: bool) -> list[Exchanged]:
        venue, slot = self._venue, self._slot
        await venue.client.open()
        try:
            if venue.capabilities.balances:
                await self._try("balances", lambda: venue.balances([slot.account_id]))
            if venue.capabilities.open_orders:
                await self._try("open_orders", lambda: venue.open_orders([slot.account_id]))
            if not place:
                for name in ("status", "fence"):
                    if name in venue.askings:
                        await self._ask(name)
                return self._said
            placed = await self._try("place", lambda: venue.place(slot, slot.action.quantity))
            if placed is not None:
                slot.begin(1)
                slot.complete(placed.order_id, 1)
                slot.open = slot.action.quantity
            if "status" in venue.askings:
                await self._ask("status")
            if venue.capabilities.cancel:
                await self._try("cancel", lambda: venue.cancel(slot))
        finally:
            await venue.client.close()
        return self._said

    async def _ask(self, name: str) -> None:
        venue, slot = self._venue, self._slot
        asking = venue.askings[name]
        if "order_id" in asking.operation.placeholders and slot.order_id is None:
            return
        await self._try(name, lambda: venue.ask(asking, slot))

    async def _try(self, name: str, say: Callable[[], Awaitable[Any]]) -> Any:
        """Have something said; what it comes to is noted with the last of it."""
        before = len(self._said)
        try:
            found = await say()
        except Rejected:
            return None  # that is an answer, and a rule has understood it
        except OrderError as error:
            if len(self._said) == before:
                self._said.append(Exchanged(operation=name, method="", target="", headers={}, error=hide(str(error))))
            self._said[-1].error = self._said[-1].error or hide(str(error))
            return None
        last = self._said[-1]
        if name in ("balances", "open_orders"):
            last.outcome = f"{len(list(found))} {name.replace('_', ' ')}"
        return found

    def _note(self, request: "Request", came: "Reply | Exception") -> None:
        """Remember a request and what came of it, without secrets."""
        said = Exchanged(
            operation=request.operation,
            method=request.method,
            target=_clean(request, request.target),
            headers={name: _clean(request, value) for name, value in request.headers.items()},
            body=_clean(request, (request.body or b"").decode("utf-8", "replace")),
        )
        self._said.append(said)
        if isinstance(came, Exception):
            said.error = _clean(request, str(came))
            return
        said.status = came.status
        said.reply = _clean(request, came.body[: 4 * _MOST_BODY].decode("utf-8", "replace"))[:_MOST_BODY]
        asking = self._venue.askings.get(request.operation)
        if asking is None:
            return
        said.rules = [RuleStep(each.outcome, each.words, _clean(request, each.why_not)) for each in asking.rules.steps(came)]
        said.outcome = asking.rules.judge(came).outcome
        said.expressions = {
            key: (expression, _clean(request, _shown(found)))
            for key, (expression, found) in asking.reader.explain(came).items()
        }


def is_understood(said: list[Exchanged]) -> bool:
    """Whether the configuration understands all that the exchange has said, and nothing broke."""
    return all(each.outcome not in ("unknown", "retry") and not each.error for each in said)


def as_facts(said: list[Exchanged]) -> dict[str, Any]:
    """Return a conversation as what JSON can say."""
    return {"understood": is_understood(said), "conversation": msgspec.to_builtins(said)}


def in_words(said: list[Exchanged]) -> list[str]:
    """Return a conversation line by line."""
    lines = []
    for each in said:
        lines += ["", f"{each.operation}: {each.outcome if not each.error else each.error}"]
        if each.method:
            lines.append(f"  > {each.method} {each.target}")
        lines += [f"  > {name}: {value}" for name, value in each.headers.items()]
        if each.body:
            lines.append(f"  > {each.body}")
        if each.status:
            lines.append(f"  < {each.status} {each.reply}")
        for rule in each.rules:
            lines.append(f"    rule  {rule.outcome} ({rule.rule}): {rule.why_not or 'holds'}")
        if each.rules == [] and each.outcome == "unknown" and each.status:
            lines.append("    no rule is for it")
        lines += [f"    {key}  {expression}: {found}" for key, (expression, found) in each.expressions.items()]
    return [*lines[1:], "", "Understood" if is_understood(said) else "NOT understood: what no rule knows is taken as unknown"]


def _order(slots: list[ActionSlot], account: str | None, market: str | None, names: dict[str, str]) -> ActionSlot:
    """Return a slot of that account and market that buys as little as it can, far below the market."""
    if account is not None and account not in names and account not in names.values():
        raise ConfigError([Problem("--account", f"{account} is no account of this run")])
    if market is not None and all(slot.action.market.symbol != market for slot in slots):
        raise ConfigError([Problem("--market", f"{market} is no market of this run")])
    mine = [slot for slot in slots if account is None or account in (slot.account_id, names.get(slot.account_id))]
    chosen = next((slot for slot in mine if market in (None, slot.action.market.symbol)), mine[0])
    traded = chosen.action.market
    if market is not None:
        traded = next(slot.action.market for slot in slots if slot.action.market.symbol == market)
    price, quantity = _least(traded)
    action = OrderAction(traded, Side.BID, quantity, price, chosen.action.matching_strategy)
    return ActionSlot(0, chosen.account_id, action, run=f"check{secrets.token_hex(6)}")


def _least(market: Market) -> tuple[int, int]:
    """Return price and quantity of the smallest order far from the market."""
    lowest, highest = band(market)
    price = int((market.reference_price * _FAR / market.tick_size).to_integral_value(ROUND_FLOOR))
    if highest is not None:
        price = lowest
    price = max(price, 1)
    return price, max(1, -(-market.min_notional_units // market.notional(price, 1)))


def _clean(request: "Request", text: str) -> str:
    return hide(request.unsigned(text))


def _shown(found: Any) -> str:
    text = json.dumps(found, default=str)
    return text if len(text) <= 200 else f"{text[:200]}..."
