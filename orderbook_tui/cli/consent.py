"""What somebody has to allow before it happens, by an option or at the terminal: a stranger's code, and real orders."""

import sys
from typing import TYPE_CHECKING

from orderbook_tui.core.words import harmless
from orderbook_tui.errors import ConfigError, Problem

if TYPE_CHECKING:
    from orderbook_tui.engine.simulation import Simulation
    from orderbook_tui.engine.trust import Code, CodeCheck, Origin


def code_check(origin: "Origin", *, allow_code: bool) -> "CodeCheck":
    """Return what is asked before code is imported that is not the user's own: the option, or whoever is at the terminal."""
    from orderbook_tui.engine.trust import CodeTrust, memory_path

    return CodeTrust(memory_path()).check(origin, _allowed_by_option if allow_code else _allowed_at_terminal)


def confirm_real_money(simulation: "Simulation", *, leave_sandbox: bool) -> None:
    """Have it confirmed that orders are real, where they would be: by the option, or by whoever is at the terminal.

    Raises:
        ConfigError: nobody confirms it.
    """
    from orderbook_tui.engine.consent import REAL_MONEY

    if not simulation.is_for_real or simulation.status.value == "DONE":
        return
    if not leave_sandbox:
        if not _somebody_can_answer():
            raise ConfigError([Problem("venue.sandbox", f"{REAL_MONEY}; without a terminal, --leave-sandbox does")])
        print("This run trades outside the sandbox: its orders are real, with real money.", file=sys.stderr)
        if not _says_yes("Place real orders?"):
            raise ConfigError([Problem("venue.sandbox", REAL_MONEY)])
    simulation.leave_sandbox()


def _allowed_by_option(code: "Code", origin: "Origin") -> bool:
    return True


def _allowed_at_terminal(code: "Code", origin: "Origin") -> bool:
    from orderbook_tui.engine.trust import question

    for line in question(code, origin):
        print(harmless(line), file=sys.stderr)
    if not _somebody_can_answer():
        print("There is no terminal to ask at: --allow-code allows it, once and for all", file=sys.stderr)
        return False
    return _says_yes("Run it, now and later?")


def _somebody_can_answer() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _says_yes(question: str) -> bool:
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
