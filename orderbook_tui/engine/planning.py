"""From a configuration to a plan and its slots, what they would come to, and which of them a filter means."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import NamedTuple

from orderbook_tui.config import SimulatorConfig, Universe, schedule
from orderbook_tui.core.book import SelfTradePrevention
from orderbook_tui.core.preflight import Preflight, preflight
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.core.state import Plan, SimulationState
from orderbook_tui.engine.describing import described as described_by
from orderbook_tui.engine.wiring import fee_schedule
from orderbook_tui.errors import ConfigError, Problem, ScheduleError


class Planned(NamedTuple):
    """What a run is to be. `notes` say what was left out, in words."""

    plan: Plan
    slots: list[ActionSlot]
    notes: list[str]


def plan_run(config: SimulatorConfig, folder: Path, slots: list[ActionSlot] | None = None) -> Planned:
    """Make the plan and the schedule that `config` asks for; `slots` is a schedule to take in place of that.

    Raises:
        ConfigError: the configuration cannot be carried out; every problem at once.
    """
    described, notes = described_by(config, folder)
    given = slots
    if slots is None:
        slots = schedule(config, described)
    plan = plan_of(config, described)
    if given is not None:
        try:
            plan.check_slots(given)
        except ScheduleError as error:
            raise ConfigError([Problem("slots", str(error))]) from error
    return Planned(plan, slots, notes)


def plan_of(config: SimulatorConfig, described: Universe) -> Plan:
    """Return the plan of a configuration, which describes this universe."""
    return Plan(
        name=config.name,
        config=config.model_dump_json(),
        accounts=tuple(described.accounts),
        markets=tuple(described.markets),
        assets=tuple(described.assets.values()),
        budgets=described.budgets,
        fees=fee_schedule(config),
    )


def preflight_of(config: SimulatorConfig, state: SimulationState) -> Preflight:
    """Return what a run of these slots would be from its start, without placing anything."""
    fresh = [
        ActionSlot(slot.sequence, slot.account_id, slot.action, slot.max_retries, slot.max_retries + 1) for slot in state.slots
    ]
    venue = config.venue
    prevention = venue.self_trade_prevention if venue.kind == "embedded" else SelfTradePrevention.CANCEL_NEWEST
    return preflight(state.plan, fresh, prevention)


def pairs_with(
    state: SimulationState, markets: Collection[str], accounts: Collection[str]
) -> Callable[[ActionSlot], bool] | None:
    """Return what says whether a slot's pair is on one of `markets` and with one of `accounts`; None where all are meant.

    Raises:
        ConfigError: a name that is none of the run's.
    """
    known = {market.symbol for market in state.plan.markets}
    ids = {name: account.id for account in state.plan.accounts for name in (account.name, account.id)}
    problems = [Problem("--market", f"{name} is no market of this run") for name in markets if name not in known]
    problems += [Problem("--account", f"{name} is no account of this run") for name in accounts if name not in ids]
    if problems:
        raise ConfigError(problems)
    wanted, slots = {ids[name] for name in accounts}, state.slots

    def chosen(slot: ActionSlot) -> bool:
        if markets and slot.action.market.symbol not in markets:
            return False
        return not wanted or slot.account_id in wanted or slots[slot.partner].account_id in wanted

    return chosen if markets or accounts else None
