"""What there is to see of the app: each screen and dialog, in the middle of a real, seeded run."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from textual.pilot import Pilot

from orderbook_tui.tui.app import OrderbookApp
from orderbook_tui.tui.screens.schedule import ScheduleScreen
from orderbook_tui.tui.theme import DARK
from orderbook_tui.tui.widgets.checkpoint_table import CheckpointTable
from tests.tui.drafting import planned
from tests.tui.made_world import SAVED, STATE_DIR, Clock, Director, Script, a_made_world, a_run, put_saved_runs, until
from tests.tui.screen import PromptPilot

_ENDLESS: Final = {"run", "folder"}
"""What goes on as long as its screen: the run, which may be paused, and the look at the folder."""


class Scene(NamedTuple):
    """An app on a run of `config`, or on the saved runs, and what is done in it before one looks."""

    config: str | None
    play: Callable[[OrderbookApp, Pilot[int], Clock], "Script"]


def _after_the_dialog(*keys: str) -> Scene:
    """Go to the pause after the dialog, then press keys."""

    def play(app: OrderbookApp, pilot: Pilot[int], clock: Clock) -> Script:
        return _then(_director(app, clock).to_a_pause, *keys)

    return Scene("simulator.json", play)


def _run_to(config: str, slot: int, *keys: str) -> Scene:
    """Run to a slot, then press keys."""

    def play(app: OrderbookApp, pilot: Pilot[int], clock: Clock) -> Script:
        async def there(app: OrderbookApp, pilot: Pilot[int]) -> None:
            await _director(app, clock).run_to(app, slot)

        return _then(there, *keys)

    return Scene(config, play)


def _on_the_list(*keys: str) -> Scene:
    """Press keys on the list of saved runs."""

    def play(app: OrderbookApp, pilot: Pilot[int], clock: Clock) -> Script:
        async def listed(app: OrderbookApp, pilot: Pilot[int]) -> None:
            await until(lambda: sum(table.count for table in app.screen.query(CheckpointTable)) == len(SAVED))

        return _then(listed, *keys)

    return Scene(None, play)


def _then(script: Script, *keys: str) -> Script:
    async def played(app: OrderbookApp, pilot: Pilot[int]) -> None:
        await script(app, pilot)
        app.clear_notifications()
        await _settled(app)
        for key in keys:
            app.simulate_key(key)
            await _settled(app)
        app.clear_notifications()
        for _ in range(3):  # what is seen of the run may be counted in more than one look
            app._pulse()
            await _settled(app)

    return played


async def _settled(app: OrderbookApp) -> None:
    """Wait until nothing more happens by itself: all that was begun is done, a draft is planned, and the screen is drawn."""
    pilot = PromptPilot(app)
    await pilot.settle()
    await until(lambda: all(worker.is_finished or worker.group in _ENDLESS for worker in app.workers))
    if isinstance(app.screen, ScheduleScreen):
        await planned(app)
    await pilot.settle()


def _director(app: OrderbookApp, clock: Clock) -> Director:
    assert app.simulation is not None
    return Director(app.simulation, clock)


def _dialog(app: OrderbookApp, pilot: Pilot[int], clock: Clock) -> Script:
    return _then(_director(app, clock).to_the_dialog)


SCENES: Final = {
    "schedule": _after_the_dialog("1"),
    "schedule-needs": _after_the_dialog("1", "f7", "f7"),
    "slots": _after_the_dialog(),
    "slots-filter": _after_the_dialog("slash", *"btc bid", "enter"),
    "budgets": _run_to("page-example.json", 19, "3", "s"),
    "ledger": _run_to("page-example.json", 19, "3", "s", "enter"),
    "book": _run_to("any-counterparty.json", 21, "4"),
    "markets": _run_to("any-counterparty.json", 21, "4", "m"),
    "checkpoints": _on_the_list(),
    "export": _on_the_list("x"),
    "fork": _on_the_list("f"),
    "delete": _on_the_list("d"),
    "dialog": Scene("simulator.json", _dialog),
    "put-off": Scene("simulator.json", lambda app, pilot, clock: _then(_director(app, clock).to_the_dialog, "escape")),
    "run-options": _after_the_dialog("o"),
    "details": _after_the_dialog("g", "1", "2", "enter", "enter"),
    "help": _after_the_dialog("question_mark"),
}
"""Every screen and dialog, by the name of its picture."""


@contextmanager
def the_scene(called: str, theme: str = DARK.name) -> Iterator[tuple[OrderbookApp, Script]]:
    """Give the app of a scene and the script that plays it, in a world of their own."""
    scene = SCENES[called]
    with a_made_world() as clock:
        run = a_run(scene.config, clock) if scene.config is not None else None
        if run is None:
            put_saved_runs(clock)
        app = OrderbookApp(run, STATE_DIR)
        app.theme = theme

        async def script(app: OrderbookApp, pilot: Pilot[int]) -> None:
            await pilot.pause()
            await scene.play(app, pilot, clock)(app, pilot)

        yield app, script
        if app.simulation is not None:
            app.simulation.close()
