"""What is said in passing, in the corner: the end of a run, why it paused by itself, a budget that runs out, and that the
ledger and the venue do not agree."""

from typing import TYPE_CHECKING, Final

from orderbook_tui.engine.reconciliation import Reconciliation
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.tui.alerts import BudgetAlerts
from orderbook_tui.tui.figures import message, name
from orderbook_tui.tui.reconciled import differences
from orderbook_tui.tui.screens.base import DialogScreen

if TYPE_CHECKING:
    from orderbook_tui.tui.app import OrderbookApp

_ALERT_S: Final = 5
"""Seconds that an alert stays: it lies over what the screen shows."""

_DIFFERENCE_S: Final = 15


class Notices:
    """Looks at the run now and then, and says each thing once."""

    def __init__(self, app: "OrderbookApp") -> None:
        self._app = app
        self._simulation: Simulation | None = None
        self._alerts: BudgetAlerts | None = None
        self._stopped_by = ""
        self._reconciliation: Reconciliation | None = None

    def look(self, simulation: Simulation | None) -> None:
        """Say what is new."""
        if simulation is not self._simulation:
            self._simulation, self._stopped_by = simulation, ""
            self._reconciliation = simulation.reconciliation if simulation is not None else None
            self._alerts = BudgetAlerts(simulation) if simulation is not None else None
        if simulation is None or self._alerts is None or isinstance(self._app.screen, DialogScreen):
            return  # nothing is laid over what somebody has to answer
        if simulation.stopped_by != self._stopped_by:
            self._stopped_by = simulation.stopped_by
            if self._stopped_by:
                self._app.notify(message(self._stopped_by), title="Paused", markup=False, timeout=10)
        if simulation.reconciliation is not self._reconciliation:
            self._tell_differences(simulation)
        if (notice := self._alerts.look()) is not None:
            self._app.notify(message(notice.text), severity=notice.severity, markup=False, timeout=_ALERT_S)

    def tell_the_end(self, simulation: Simulation) -> None:
        """Say what became of the run."""
        stats = simulation.stats
        what = f"{stats.completed_slots:,} completed, {stats.failed_slots:,} failed, {stats.skipped_slots:,} skipped"
        self._app.notify(
            f"{what}, {stats.total_matches:,} trades", title=f"{name(simulation.name, 40)} is done", markup=False, timeout=8
        )
        self._tell_differences(simulation)

    def _tell_differences(self, simulation: Simulation) -> None:
        """Say where the ledger and the venue do not agree, or where nobody could see to it."""
        found = self._reconciliation = simulation.reconciliation
        if found is None:
            return
        if found.failed:
            self._app.notify(
                f"The venue was not compared with: {message(found.failed)}",
                severity="warning",
                markup=False,
                timeout=_DIFFERENCE_S,
            )
        elif found.differences:
            text = f"{differences(len(found.differences))} between the ledger and the venue: see Budgets, key x"
            self._app.notify(text, severity="error", markup=False, timeout=_DIFFERENCE_S)
