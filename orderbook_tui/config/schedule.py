"""From a checked configuration to its slots: those drawn, with the overrides put in."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import islice

from orderbook_tui.config.models import SimulatorConfig
from orderbook_tui.config.showing import message_text, place_text
from orderbook_tui.config.universe import Universe, scheduler_config
from orderbook_tui.core.action import OrderAction
from orderbook_tui.core.overrides import Override, override_pair
from orderbook_tui.core.scheduler import SlotScheduler
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.errors import ConfigError, Problem, ScheduleError


def schedule(config: SimulatorConfig, described: Universe) -> list[ActionSlot]:
    """Return all slots in the order in which they run.

    Raises:
        ConfigError: no such schedule can be made, or overrides do not fit it; every problem at once.
    """
    planned = PlannedPairs(config, described)
    slots = [slot for pair in planned for slot in pair]
    if planned.problems:
        raise ConfigError(planned.problems)
    return slots


def drawn_pair(config: SimulatorConfig, described: Universe, place: int) -> tuple[ActionSlot, ActionSlot]:
    """Return one pair as it is drawn, whatever its overrides.

    Raises:
        ConfigError: no such schedule can be made, or there is no such pair.
    """
    scheduler = SlotScheduler(scheduler_config(config, described.accounts))
    try:
        pair = next(islice(scheduler.pairs(described.accounts, described.markets), place, None), None)
    except ScheduleError as error:
        raise ConfigError([Problem("scheduler", message_text(error))]) from error
    if pair is None:
        raise ConfigError([Problem("", f"there is no slot {2 * place}")])
    return pair


class PlannedPairs:
    """The same slots, pair by pair. A pair whose overrides do not fit stays as it was drawn, and `problems` says why."""

    def __init__(self, config: SimulatorConfig, described: Universe) -> None:
        self.problems: list[Problem] = []
        self.drawn: dict[int, OrderAction] = {}
        """The orders that overrides have replaced, by slot."""
        self._config, self._described = config, described
        self._overrides: defaultdict[int, list[int]] = defaultdict(list)
        """Which overrides each pair has."""
        for place, spec in enumerate(config.scheduler.overrides):
            self._overrides[spec.slot >> 1].append(place)

    def __iter__(self) -> Iterator[tuple[ActionSlot, ActionSlot]]:
        """Yield each pair.

        Raises:
            ConfigError: no such schedule can be made; before the first pair.
        """
        described, overrides = self._described, self._overrides
        scheduler = SlotScheduler(scheduler_config(self._config, described.accounts))
        try:
            for pair in scheduler.pairs(described.accounts, described.markets):
                if overrides and pair[0].pair in overrides:
                    self._override(pair, overrides.pop(pair[0].pair))
                yield pair
        except ScheduleError as error:
            raise ConfigError([Problem("scheduler", message_text(error))]) from error
        for places in overrides.values():
            self.problems += [Problem(_path(place), "there is no such slot") for place in places]

    def _override(self, pair: tuple[ActionSlot, ActionSlot], places: list[int]) -> None:
        self.drawn |= {slot.sequence: slot.action for slot in pair}
        specs = self._config.scheduler.overrides
        try:
            override_pair(pair, tuple(Override(specs[at].slot, specs[at].bid_amount, specs[at].ask_amount) for at in places))
        except ScheduleError as error:
            self.problems.append(Problem(_path(places[-1]), message_text(error)))


def _path(place: int) -> str:
    return place_text(("scheduler", "overrides", place))
