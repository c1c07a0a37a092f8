"""What a run does only once a person has said that it may: import code of theirs, and trade with real money."""

from typing import Final

from orderbook_tui.config import SimulatorConfig
from orderbook_tui.engine.trust import CodeCheck
from orderbook_tui.engine.venue_markets import check_exchange_code

REAL_MONEY: Final = "is false: orders would be real, with real money, and nobody has confirmed that"
"""What is wrong with `venue.sandbox` then."""


def check_code_of(config: SimulatorConfig, check_code: CodeCheck) -> None:
    """Have it checked that the callable, or the class of an exchange, which the venue needs may be imported.

    Raises:
        CodeNotAllowed: what `check_code` says.
    """
    if config.venue.kind == "python":
        check_code(config.venue.target)
    check_exchange_code(config, check_code)


def trades_for_real(config: SimulatorConfig) -> bool:
    """Whether orders are real ones, at an exchange outside its sandbox."""
    return config.venue.kind == "ccxt" and not config.venue.sandbox
