"""Exports: every table as CSV and JSON lines."""

import csv
import io
import json
import re
from pathlib import Path

import pytest

from orderbook_tui.core.journal import Execution
from orderbook_tui.engine.export import TABLES, ExportFormat, export
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.engine.summary import moment
from tests.engine.runs import a_simulation, faults, finished


@pytest.fixture(scope="module")
def simulation() -> Simulation:
    """A run in which an attempt failed, and a slot was skipped."""
    return finished(venue=faults(outages=[{"from_slot": 3, "slots": 1, "attempts": 2}]))


def written(simulation: Simulation, what: str, form: ExportFormat = ExportFormat.CSV) -> str:
    out = io.StringIO()
    export(simulation, what, form, out)
    return out.getvalue()


@pytest.mark.parametrize("what", TABLES)
def test_the_count_is_that_of_the_rows(simulation: Simulation, what: str) -> None:
    out = io.StringIO()

    assert export(simulation, what, ExportFormat.JSONL, out) == out.getvalue().count("\n")


@pytest.mark.parametrize("what", TABLES)
def test_every_row_has_a_cell_for_each_column(simulation: Simulation, what: str) -> None:
    head, *rows = csv.reader(io.StringIO(written(simulation, what)))

    assert {len(row) for row in rows} == {len(head)}


@pytest.mark.parametrize("what", ["fills", "attempts", "history"])
def test_a_table_without_rows_is_its_head(what: str) -> None:
    assert written(a_simulation(), what) == ",".join(TABLES[what].columns) + "\n"


@pytest.mark.parametrize("what", ["fills", "attempts", "history"])
def test_json_lines_without_rows_are_nothing(what: str) -> None:
    assert written(a_simulation(), what, ExportFormat.JSONL) == ""


def test_a_slot_that_was_never_tried_has_no_times() -> None:
    first = json.loads(written(a_simulation(), "slots", ExportFormat.JSONL).splitlines()[0])

    assert (first["state"], first["started_at"], first["order_id"], first["verdict"]) == ("Pending", None, None, None)


def test_a_failed_attempt_says_why(simulation: Simulation) -> None:
    rows = [json.loads(line) for line in written(simulation, "attempts", ExportFormat.JSONL).splitlines()]

    assert [(row["slot"], row["attempt"], row["error_kind"]) for row in rows if row["error_code"]] == [
        (3, 1, "transient"),
        (3, 2, "transient"),
    ]


def test_a_fill_names_both_sides(simulation: Simulation) -> None:
    first = json.loads(written(simulation, "fills", ExportFormat.JSONL).splitlines()[0])

    assert (first["maker_slot"], first["taker_slot"], first["maker"], first["taker"]) == (
        0,
        1,
        "test-account-1",
        "test-account-2",
    )


def test_a_fill_says_what_the_venue_calls_it_where_it_does(simulation: Simulation) -> None:
    reported = a_simulation()
    reported.state.journal.append(Execution(0, -1, 100, 1, 0, 0, 3, "somebody", "=e-0"))
    named, *_ = (json.loads(line) for line in written(reported, "fills", ExportFormat.JSONL).splitlines())
    inside, *_ = (json.loads(line) for line in written(simulation, "fills", ExportFormat.JSONL).splitlines())
    cells = [next(csv.DictReader(io.StringIO(written(each, "fills"))))["execution_id"] for each in (reported, simulation)]

    assert (named["execution_id"], inside["execution_id"], cells) == ("=e-0", None, ["'=e-0", ""])


def test_a_time_is_iso_8601_in_utc() -> None:
    assert moment(1_700_000_000_123_456_789) == "2023-11-14T22:13:20.123456+00:00"


def test_an_export_of_a_checkpoint_is_that_of_the_run(tmp_path: Path) -> None:
    simulation = finished(tmp_path)

    assert written(Simulation.look(simulation.id, tmp_path), "history") == written(simulation, "history")


FORMULAS = (
    "=1+1",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "  =1",
    "\n@x",
    "\uff1d1",
    "\u2028=1+1",
    "\u3000@x",
    "\u200b \u2060=1+1",
    "a;\u2003=1+1",
    '=HYPERLINK("http://x","y")',
    "a;=1+1",
    "a\t=1+1",
    "a,=1+1",
    'a"\n=1+1',
)


def cells_as_read(text: str, separator: str) -> list[str]:
    """Every cell, as a spreadsheet that is set to a separator takes it."""
    return [cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) for cell in row]


@pytest.mark.parametrize("named", FORMULAS, ids=ascii)
def test_no_cell_is_a_formula_whatever_the_separator(named: str) -> None:
    accounts = [{"id": f"account-{number}", "name": f"{named}{' ' * number}"} for number in range(4)]
    text = written(a_simulation(accounts={"list": accounts}), "slots")
    names = [row["account"] for row in csv.DictReader(io.StringIO(text, newline=""))]

    assert all(name.replace("'", "").startswith(named) for name in names)
    for cell in names + cells_as_read(text.replace(",", "\x00"), ";") + cells_as_read(text.replace(",", "\x00"), "\t"):
        seen = re.sub("[\u200b\u2060]", "", cell).strip()
        assert seen[:1] not in ("=", "+", "@", "\uff1d")
        assert not (seen[:1] == "-" and not seen.removeprefix("-").isdecimal())


@pytest.mark.parametrize("number", ["-5", "-0.25", "12", "0.00001"])
def test_a_number_stays_a_number(number: str) -> None:
    accounts = [{"id": f"account-{place}", "name": f"{number}{place}"} for place in range(4)]

    assert f",{number}0," in written(a_simulation(accounts={"list": accounts}), "slots")
