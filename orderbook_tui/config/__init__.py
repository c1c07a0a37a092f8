"""Configuration: simulator.json in, a checked `SimulatorConfig` and the `Universe` it describes out."""

from orderbook_tui.config.accounts import generate, read_accounts
from orderbook_tui.config.loading import load_config, parse_config
from orderbook_tui.config.models import OnFailure, SimulatorConfig
from orderbook_tui.config.schedule import PlannedPairs, schedule
from orderbook_tui.config.schema import json_schema
from orderbook_tui.config.universe import Universe, scheduler_config, universe
from orderbook_tui.config.venue import EmbeddedVenueSpec, PythonVenueSpec

__all__ = [
    "EmbeddedVenueSpec",
    "OnFailure",
    "PlannedPairs",
    "PythonVenueSpec",
    "SimulatorConfig",
    "Universe",
    "generate",
    "json_schema",
    "load_config",
    "parse_config",
    "read_accounts",
    "schedule",
    "scheduler_config",
    "universe",
]
