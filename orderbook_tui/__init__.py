"""orderbook-tui: scripted order flow against an order book, inside exact budgets, resumable.

    config -> Simulation.create -> run -> summary      a whole run, wired together
    SlotScheduler -> SlotProcessor -> your executor     the parts, for a loop of your own

A name is imported when it is first used, so that `import orderbook_tui` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orderbook_tui.config import SimulatorConfig, load_config, parse_config
    from orderbook_tui.core.action import OrderAction, OrderMatchingStrategy, StrategyKind
    from orderbook_tui.core.book import OrderBook, SelfTradePrevention, Side, TimeInForce
    from orderbook_tui.core.budget import AccountBudget, BudgetSnapshot, BudgetStore, BudgetSummary
    from orderbook_tui.core.discipline import MarketDiscipline
    from orderbook_tui.core.exchange import Exchange, FeeSchedule
    from orderbook_tui.core.journal import RecoveryAction
    from orderbook_tui.core.market import Account, Market, MarketStatus, Regulation
    from orderbook_tui.core.money import Asset
    from orderbook_tui.core.scheduler import AmountDistribution, AmountIn, MarketDistribution, SchedulerConfig, SlotScheduler
    from orderbook_tui.core.slot import ActionSlot, SlotState, Verdict
    from orderbook_tui.core.state import SimulationState, SimulationStats
    from orderbook_tui.engine.control import Ending
    from orderbook_tui.engine.decisions import Decider, PolicyDecider, Question, TerminalDecider
    from orderbook_tui.engine.persistence import StatePersistence
    from orderbook_tui.engine.processor import ProcessorResults, SlotProcessor
    from orderbook_tui.engine.retry import Backoff
    from orderbook_tui.engine.simulation import RunStatus, Simulation
    from orderbook_tui.errors import (
        AmountError,
        CheckpointError,
        ConfigError,
        DisciplineError,
        FailureKind,
        IllegalTransition,
        InsufficientBudget,
        OrderbookTuiError,
        OrderError,
        OutcomeUnknown,
        Rejected,
        ScheduleError,
        StorageError,
        VenueUnavailable,
    )
    from orderbook_tui.venues.python import SettlementHandle

__version__ = "0.1.0"

_HOMES = {
    "config": ("SimulatorConfig", "load_config", "parse_config"),
    "core.action": ("OrderAction", "OrderMatchingStrategy", "StrategyKind"),
    "core.book": ("OrderBook", "SelfTradePrevention", "Side", "TimeInForce"),
    "core.budget": ("AccountBudget", "BudgetSnapshot", "BudgetStore", "BudgetSummary"),
    "core.discipline": ("MarketDiscipline",),
    "core.exchange": ("Exchange", "FeeSchedule"),
    "core.journal": ("RecoveryAction",),
    "core.market": ("Account", "Market", "MarketStatus", "Regulation"),
    "core.money": ("Asset",),
    "core.scheduler": ("AmountDistribution", "AmountIn", "MarketDistribution", "SchedulerConfig", "SlotScheduler"),
    "core.slot": ("ActionSlot", "SlotState", "Verdict"),
    "core.state": ("SimulationState", "SimulationStats"),
    "engine.control": ("Ending",),
    "engine.decisions": ("Decider", "PolicyDecider", "Question", "TerminalDecider"),
    "engine.persistence": ("StatePersistence",),
    "engine.processor": ("ProcessorResults", "SlotProcessor"),
    "engine.retry": ("Backoff",),
    "engine.simulation": ("RunStatus", "Simulation"),
    "errors": (
        "AmountError", "CheckpointError", "ConfigError", "DisciplineError", "FailureKind", "IllegalTransition",
        "InsufficientBudget", "OrderError", "OrderbookTuiError", "OutcomeUnknown", "Rejected", "ScheduleError", "StorageError",
        "VenueUnavailable",
    ),
    "venues.python": ("SettlementHandle",),
}  # fmt: skip
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [  # noqa: RUF022 - in the order of a run
    "SimulatorConfig", "load_config", "parse_config",
    "Account", "Asset", "Market", "MarketStatus", "Regulation",
    "AccountBudget", "BudgetSnapshot", "BudgetStore", "BudgetSummary",
    "AmountDistribution", "AmountIn", "MarketDistribution", "SchedulerConfig", "SlotScheduler",
    "ActionSlot", "OrderAction", "OrderMatchingStrategy", "RecoveryAction", "SlotState", "StrategyKind", "Verdict",
    "SimulationState", "SimulationStats", "StatePersistence",
    "Backoff", "Decider", "Ending", "PolicyDecider", "ProcessorResults", "Question", "SlotProcessor", "TerminalDecider",
    "MarketDiscipline",
    "Exchange", "FeeSchedule", "OrderBook", "SelfTradePrevention", "Side", "TimeInForce",
    "RunStatus", "SettlementHandle", "Simulation",
    "AmountError", "CheckpointError", "ConfigError", "DisciplineError", "FailureKind", "IllegalTransition",
    "InsufficientBudget", "OrderError", "OrderbookTuiError", "OutcomeUnknown", "Rejected", "ScheduleError", "StorageError",
    "VenueUnavailable",
    "__version__",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
