"""Checkpoints: the runs of this folder that can be taken up again."""

import asyncio
from typing import ClassVar, Final

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import DataTable, Static

from orderbook_tui.engine.catalog import CheckpointStatus, SimulationInfo, delete_checkpoint, list_checkpoints
from orderbook_tui.errors import CheckpointError
from orderbook_tui.tui.figures import ago, fit_middle, message, name, size
from orderbook_tui.tui.screens.base import RunScreen
from orderbook_tui.tui.screens.confirm import ConfirmScreen
from orderbook_tui.tui.theme import inks
from orderbook_tui.tui.widgets.key_bar import KeyBar
from orderbook_tui.tui.widgets.status_strip import StatusStrip

_WORDS: Final = {
    CheckpointStatus.FINISHED: "done",
    CheckpointStatus.INTERRUPTED: "to resume",
    CheckpointStatus.RUNNING: "in use",
    CheckpointStatus.DAMAGED: "damaged",
    CheckpointStatus.TOO_NEW: "too new",
    CheckpointStatus.FOREIGN: "foreign",
    CheckpointStatus.UNREADABLE: "unreadable",
}
_OPENABLE: Final = (CheckpointStatus.FINISHED, CheckpointStatus.INTERRUPTED)


class CheckpointTable(DataTable[Text]):
    """The list; what Enter does on it depends on the line."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Resume", id="checkpoints.open", tooltip="take the run under the cursor up"),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.screen.check_action("open", ()) if action == "select_cursor" else True


class CheckpointsScreen(RunScreen):
    """The checkpoints of the state folder, the one saved last first."""

    NAME = "Checkpoints"
    CSS_PATH = "checkpoints.tcss"
    AUTO_FOCUS = "CheckpointTable"
    FOCUSED_KEYS_FIRST = True
    HELP_TEXT = (
        "Every line is a run that was saved in the state folder. One that is to resume goes on exactly where it stopped; "
        "one that is done opens to be looked at. One that is in use belongs to another process; one that is damaged says "
        "why, and does not open."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "d", "delete", "Delete", id="checkpoints.delete", tooltip="delete the checkpoint under the cursor, after asking"
        ),
        Binding("ctrl+r", "reload", "Reload", id="checkpoints.reload", tooltip="read the folder again"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._listed: list[SimulationInfo] = []

    def compose(self) -> ComposeResult:
        yield StatusStrip()
        yield Static("", id="folder", markup=False)
        yield CheckpointTable(cursor_type="row", id="list")
        yield Static("", id="reason", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        self.pulse()

    def on_screen_resume(self) -> None:
        self.action_reload()

    @property
    def chosen(self) -> SimulationInfo | None:
        """The checkpoint under the cursor."""
        place = self.query_one(CheckpointTable).cursor_row
        return self._listed[place] if 0 <= place < len(self._listed) else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        chosen = self.chosen if self.is_mounted else None
        match action:
            case "open":
                return chosen is not None and (self._is_open(chosen) or chosen.status in _OPENABLE or None)
            case "delete":
                return chosen is not None and (
                    (not self._is_open(chosen) and chosen.status is not CheckpointStatus.FOREIGN) or None
                )
        return True

    def key_label(self, action: str) -> str | None:
        if action == "select_cursor" and (chosen := self.chosen) is not None and chosen.finished:
            return "Open"
        return None

    def on_data_table_row_highlighted(self) -> None:
        self._explain()
        self.refresh_bindings()

    def on_data_table_row_selected(self) -> None:
        self._open_chosen()

    def _open_chosen(self) -> None:
        chosen = self.chosen
        if chosen is None:
            return
        if self._is_open(chosen):
            self.run_app.show_screen("slots")
        elif chosen.status in _OPENABLE:
            self.run_app.open_checkpoint(chosen.id)
        else:
            self.run_app.complain(chosen.reason or f"{chosen.id} is {_WORDS[chosen.status]}")

    def action_delete(self) -> None:
        chosen = self.chosen
        if chosen is None or self._is_open(chosen):
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._delete(chosen.id)

        called = name(chosen.name) or name(chosen.id)
        self.app.push_screen(
            ConfirmScreen(
                f"Delete the checkpoint of {fit_middle(called, min(len(called), 40)).rstrip()}?",
                f"{name(chosen.id)} cannot be brought back.",
            ),
            answered,
        )

    def action_reload(self) -> None:
        self._load()

    @work(exclusive=True, group="list")
    async def _load(self) -> None:
        try:
            listed = await asyncio.to_thread(list_checkpoints, self.run_app.state_dir)
        except CheckpointError as error:
            listed = []
            self.run_app.complain(str(error))
        self._show(listed)

    @work(group="delete")
    async def _delete(self, simulation_id: str) -> None:
        try:
            await asyncio.to_thread(delete_checkpoint, self.run_app.state_dir, simulation_id)
        except CheckpointError as error:
            self.run_app.complain(str(error))
        self._load()

    def _is_open(self, info: SimulationInfo) -> bool:
        return self.simulation is not None and bool(self.simulation.id) and info.id == self.simulation.id

    def on_resize(self) -> None:
        self._lay_out()

    def _show(self, listed: list[SimulationInfo]) -> None:
        self._listed = listed
        self._lay_out()
        self.set_class(not listed, "-empty")
        folder = message(str(self.run_app.state_dir))
        self.query_one("#folder", Static).update(f"{len(listed)} in {folder}" if listed else _nothing(folder))
        self._explain()
        self.refresh_bindings()

    def _lay_out(self) -> None:
        """Fill the table. Its widths are given: those it finds itself come a frame late, or not at all."""
        table = self.query_one(CheckpointTable)
        place, lines = table.cursor_row, [self._cells(info) for info in self._listed]
        titles = ("state", "done", "failed", "size", "saved")
        widths = [max([len(title), *map(len, column)]) for title, column in zip(titles, zip(*lines, strict=True), strict=False)]
        room = self.size.width - sum(widths) - 2 * (len(titles) + 1) - 1
        names = max(min(room, 24), 8)
        ids = min(room - names - 2, 40)
        table.clear(columns=True)
        table.add_column("name", width=names)
        if ids >= 20:
            table.add_column("id", width=ids)
        for title, width in zip(titles, widths, strict=False):
            table.add_column(title, width=width)
        ink = inks(self.app)
        for info, line in zip(self._listed, lines, strict=True):
            named = [Text(fit_middle(name(info.name or info.id), names), ink.plain)]
            if ids >= 20:
                named.append(Text(fit_middle(name(info.id), ids), ink.muted))
            table.add_row(*named, *line)
        if self._listed:
            table.move_cursor(row=min(max(place, 0), len(self._listed) - 1))

    def _cells(self, info: SimulationInfo) -> list[Text]:
        ink = inks(self.app)
        done = info.completed + info.failed + info.skipped
        state = "open here" if self._is_open(info) else _WORDS[info.status]
        match info.status:
            case CheckpointStatus.FINISHED:
                style = ink.good
            case CheckpointStatus.INTERRUPTED:
                style = ink.plain
            case CheckpointStatus.DAMAGED | CheckpointStatus.UNREADABLE:
                style = ink.bad
            case _:
                style = ink.warn
        known = info.total_slots > 0
        progress = f"{done:,}/{info.total_slots:,} {100 * done // info.total_slots:>3}%" if known else "-"
        return [
            Text(state, style),
            Text(progress, ink.plain, justify="right"),
            Text(f"{info.failed:,}" if known else "-", ink.bad if info.failed else ink.muted, justify="right"),
            Text(size(info.size), ink.muted, justify="right"),
            Text(ago(info.saved_at) if info.saved_at else "-", ink.muted, justify="right"),
        ]

    def _explain(self) -> None:
        chosen = self.chosen
        self.query_one("#reason", Static).update(
            message(chosen.reason) if chosen is not None and not self._is_open(chosen) else ""
        )


def _nothing(folder: str) -> str:
    return (
        f"No checkpoints in {folder}\n\n"
        "A run saves itself here as soon as it starts. Start one:\n\n"
        "    orderbook-tui configs/simulator.json\n\n"
        "or say with --state-dir where yours are."
    )
