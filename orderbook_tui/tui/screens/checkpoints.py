"""Checkpoints: the runs of this folder that can be taken up again.

folder --(a thread, every two seconds while the screen is shown)--> lines --(filter, order)--> table
the run that is open --(twice a second)--> its line
"""

import asyncio
import contextlib
from time import monotonic
from typing import ClassVar, Final

import msgspec
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.theme import Theme
from textual.widgets import Input, Static

from orderbook_tui.engine.catalog import CheckpointStatus, SimulationInfo, delete_checkpoint
from orderbook_tui.engine.listing import CheckpointListing
from orderbook_tui.engine.simulation import RunStatus
from orderbook_tui.errors import CheckpointError
from orderbook_tui.tui.checkpoint_lines import Line, Order, line_of, matching, shortened
from orderbook_tui.tui.figures import message, name
from orderbook_tui.tui.screens.base import RunScreen
from orderbook_tui.tui.screens.confirm import ConfirmScreen
from orderbook_tui.tui.widgets.checkpoint_details import CheckpointDetails
from orderbook_tui.tui.widgets.checkpoint_table import CheckpointTable
from orderbook_tui.tui.widgets.plain_input import PlainInput

_LOOK_EVERY_S: Final = 2.0
_LIVE_EVERY_S: Final = 0.5


class CheckpointsScreen(RunScreen):
    """The checkpoints of the state folder."""

    NAME = "Checkpoints"
    CSS_PATH = "checkpoints.tcss"
    AUTO_FOCUS = "CheckpointTable"
    FOCUSED_KEYS_FIRST = True
    HELP_TEXT = (
        "Every line is a run that was saved in the state folder, the one saved last first. One that is to resume goes on "
        "exactly where it stopped; one that is done opens to be looked at. One that is in use belongs to another process; "
        "one that is damaged says why, and does not open. A fork is a new run that starts from where the other one is; what "
        "becomes of either does not touch the other. The folder is looked at every two seconds, so a run of another process "
        "is seen to go on."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "fork", "Fork", id="checkpoints.fork", tooltip="make a new run that starts from where this one is"),
        Binding("x", "export", "Export", id="checkpoints.export", tooltip="write slots, fills, budgets or attempts to a file"),
        Binding(
            "d", "delete", "Delete", id="checkpoints.delete", tooltip="delete the checkpoint under the cursor, after asking"
        ),
        Binding(
            "s", "sort", "Sort", id="checkpoints.sort", tooltip="order by another column: saved, name, progress, failed, size"
        ),
        Binding("S", "reverse", "Reverse", show=False, id="checkpoints.reverse", tooltip="turn the order round"),
        Binding(
            "slash",
            "filter",
            "Filter",
            key_display="/",
            id="checkpoints.filter",
            tooltip="show those whose name, id or state has some text",
        ),
        Binding("escape", "clear_filter", "Show all", id="checkpoints.clear_filter", tooltip="end the filter"),
        Binding("ctrl+r", "reload", "Reload", show=False, id="checkpoints.reload", tooltip="read the folder again now"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._infos: list[SimulationInfo] | None = None
        """What is in the folder; None until it has been looked at."""
        self._trouble = ""
        """Why the folder cannot be listed."""
        self._unread = 0
        self._order = Order()
        self._wanted = ""
        """The checkpoint that the cursor is to go to once it is in the list."""
        self._stirred = asyncio.Event()
        self._is_shown = True
        self._looked_at = 0.0

    def body(self) -> ComposeResult:
        yield Static("", id="folder", markup=False)
        with Horizontal(id="filter"):
            yield Static("filter", markup=False)
            yield PlainInput(placeholder="words of a name, an id or a state", id="words")
        yield CheckpointTable(id="list")
        yield CheckpointDetails(id="chosen")

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, self._theme_changed)
        self._arrange()
        self._watch_folder()
        self.pulse()

    def on_screen_suspend(self) -> None:
        self._is_shown = False

    def on_screen_resume(self) -> None:
        self._is_shown = True
        self._stirred.set()

    def on_resize(self) -> None:
        self.call_after_refresh(self._tell)

    def _theme_changed(self, theme: Theme) -> None:
        self.call_after_refresh(self._tell)

    @property
    def _is_up(self) -> bool:
        """Whether its widgets are there: what was begun may end when it is already being taken down."""
        return len(self.query(CheckpointDetails)) > 0

    # What the folder holds

    @work(exclusive=True, group="folder")
    async def _watch_folder(self) -> None:
        """Look at the folder again and again. A look that has begun is waited for: there is never more than one."""
        listing = CheckpointListing(self.run_app.state_dir)
        while True:
            self._stirred.clear()
            infos, trouble = [], ""
            try:
                infos = [self._as_known(info) for info in await asyncio.to_thread(listing.look)]
            except CheckpointError as error:
                trouble = str(error)
            if not self._is_up:
                return
            if (infos, trouble, listing.unread) != (self._infos, self._trouble, self._unread):
                self._infos, self._trouble, self._unread = infos, trouble, listing.unread
                self._arrange()
            if not listing.unread:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stirred.wait(), _LOOK_EVERY_S if self._is_shown else None)

    def _as_known(self, info: SimulationInfo) -> SimulationInfo:
        """Return what is known of a checkpoint: a look reads too little of it to see all damage, opening it reads all."""
        if reason := self.run_app.damage.get(info.id):
            return msgspec.structs.replace(info, status=CheckpointStatus.DAMAGED, reason=reason)
        return info

    def action_reload(self) -> None:
        self._stirred.set()

    def show_simulation(self) -> None:
        super().show_simulation()
        self._arrange()
        self._stirred.set()

    def pulse(self) -> None:
        if not self._is_up:
            return
        super().pulse()
        now = monotonic()
        if now - self._looked_at >= _LIVE_EVERY_S:
            self._looked_at = now
            table, simulation = self.query_one(CheckpointTable), self.simulation
            for info in self._infos or ():
                if simulation is not None and simulation.id == info.id:
                    table.replace(line_of(info, simulation))
            table.look()
            self._explain()

    # What is shown

    @property
    def chosen(self) -> Line | None:
        """The line under the cursor."""
        return self.query_one(CheckpointTable).chosen

    @property
    def words(self) -> str:
        """What the filter asks for."""
        return self.query_one(PlainInput).value

    def _arrange(self) -> None:
        """Show the lines that pass the filter, in order."""
        table = self.query_one(CheckpointTable)
        lines = [line_of(info, self.simulation) for info in self._infos or ()]
        found = self._order.arranged(matching(lines, self.words))
        none = f"None of {len(lines):,} has that in its name, id or state. Escape shows all." if lines else ""
        table.show(found, self._order, none)
        if self._wanted and table.go_to(self._wanted):
            self._wanted = ""
        self.set_class(self._infos is not None and not lines and not self._unread, "-empty")
        self._tell()
        self.refresh_bindings()

    def _tell(self) -> None:
        if not self._is_up:
            return
        self.query_one("#folder", Static).update(self._said())
        self._explain()

    def _said(self) -> str:
        folder, infos = message(str(self.run_app.state_dir)), self._infos
        if self._trouble:
            return message(self._trouble)
        if infos is None:
            return f"reading {folder}"
        if not infos and not self._unread:
            return _nothing(folder)
        shown = self.query_one(CheckpointTable).count
        counted = f"{shown:,} of {len(infos):,}" if self.words else f"{len(infos):,}"
        after = f", {self._unread:,} to be read" if self._unread else ""
        room = max(self.size.width - len(counted) - len(after) - 6, 10)
        return f"{counted} in {shortened(folder, room)}{after}"

    def _explain(self) -> None:
        self.query_one(CheckpointDetails).show_line(self.chosen)

    def on_checkpoint_table_moved(self) -> None:
        self._explain()
        self.refresh_bindings()

    # Order and filter

    def action_sort(self) -> None:
        self._sort(self._order.next())

    def action_reverse(self) -> None:
        self._sort(Order(self._order.by, not self._order.reverse))

    def on_checkpoint_table_order_asked(self, event: CheckpointTable.OrderAsked) -> None:
        again = event.by == self._order.by
        self._sort(Order(event.by, again and not self._order.reverse))

    def _sort(self, order: Order) -> None:
        self._order = order
        self._arrange()

    def action_filter(self) -> None:
        self.add_class("-filtered")
        self.query_one(PlainInput).focus()

    def action_clear_filter(self) -> None:
        self.remove_class("-filtered")
        self.query_one(PlainInput).value = ""
        self.query_one(CheckpointTable).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        self._arrange()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.query_one(CheckpointTable).focus()

    # What can be done

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        line = self.chosen if self.is_mounted else None
        match action:
            case "open":
                return line is not None and (line.opens or None)
            case "delete":
                return line is not None and (line.goes or None)
            case "fork" | "export":
                # What a run writes at this moment cannot be read at the same time.
                return line is not None and ((line.is_readable and line.here is not RunStatus.RUNNING) or None)
            case "filter" if self.focused is self.query_one(PlainInput):
                return False
            case "sort" | "reverse" | "filter":
                return bool(self._infos)
            case "clear_filter":
                return self.has_class("-filtered")
        return super().check_action(action, parameters)

    def key_label(self, action: str) -> str | None:
        if action == "choose" and (line := self.chosen) is not None:
            return "Show" if line.here is not None else "Open" if line.info.finished else "Resume"
        return super().key_label(action)

    def on_cursor_list_chosen(self) -> None:
        line = self.chosen
        if line is None:
            return
        if line.here is not None:
            self.run_app.show_screen("slots")
        elif line.opens:
            self.run_app.open_checkpoint(line.info.id)
        else:
            self.run_app.complain(line.info.reason or f"{line.info.id} is {line.state}")

    def action_delete(self) -> None:
        line = self.chosen
        if line is None or not line.goes:
            return
        question = ConfirmScreen(
            f"Delete the checkpoint of {shortened(name(line.called), 40)}?",
            f"{name(line.info.id)} cannot be brought back.",
        )

        def answered(yes: bool | None) -> None:
            if yes:
                self._delete(line.info.id)

        self.app.push_screen(question, answered)

    def action_fork(self) -> None:
        from orderbook_tui.tui.screens.fork import ForkScreen

        if self.chosen is not None:
            self.app.push_screen(ForkScreen(self.chosen), self._forked)

    def _forked(self, made: str | None) -> None:
        if made is not None:
            self._wanted = made
            self.action_clear_filter()
            self.notify(name(made), title="Forked", markup=False)
            self._stirred.set()

    def action_export(self) -> None:
        from orderbook_tui.tui.screens.export import ExportScreen

        if self.chosen is not None:
            self.app.push_screen(ExportScreen(self.chosen), self._exported)

    def _exported(self, written: str | None) -> None:
        if written is not None:
            self.notify(message(written), title="Exported", markup=False, timeout=10)

    @work(group="delete")
    async def _delete(self, simulation_id: str) -> None:
        try:
            await asyncio.to_thread(delete_checkpoint, self.run_app.state_dir, simulation_id)
        except CheckpointError as error:
            self.run_app.complain(str(error))
        self._stirred.set()


def _nothing(folder: str) -> str:
    return (
        f"No checkpoints in {folder}\n\n"
        "A run saves itself here as soon as it starts. Press 1 to build one and start it,\n"
        "or leave with q and open a config file, such as\n\n"
        "    orderbook-tui configs/simulator.json\n\n"
        "Runs that are elsewhere: orderbook-tui --state-dir FOLDER"
    )
