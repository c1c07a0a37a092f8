"""list, delete, export, accounts generate, schema, validate, and what is wrong with what a user gives."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from orderbook_tui import __version__
from orderbook_tui.cli import cli
from orderbook_tui.config.models import OnFailure
from orderbook_tui.engine.export import TABLES as EXPORTED
from orderbook_tui.engine.export import ExportFormat
from tests.cli.conftest import OUTAGE, Program
from tests.engine.runs import a_config

Config = Callable[..., Path]
TABLES = ["slots", "fills", "history", "attempts"]
HOSTILE = "\x1b]0;owned\x07\x1b[31m\nline\r\u202ebidi"


# list and delete


def test_an_empty_list_says_how_to_begin(program: Program) -> None:
    assert program("list").stdout == "there is no saved run in ./simulator_state: start one with orderbook-tui run CONFIG\n"


def test_an_empty_list_is_an_empty_json_list(program: Program) -> None:
    assert program("list", "--format", "json").stdout == "[]\n"


def test_a_run_is_listed_with_how_far_it_is(program: Program, config: Config) -> None:
    program("run", config(venue=OUTAGE), "--on-failure", "quit")
    (row,) = json.loads(program("list", "--format", "json").stdout)

    assert (row["status"], row["total_slots"], row["completed_slots"]) == ("interrupted", 40, 3)


def test_the_run_saved_last_comes_first(program: Program, config: Config) -> None:
    for name in ("first", "second"):
        program("run", config(name=name))
    rows = json.loads(program("list", "--format", "json").stdout)

    assert [row["name"] for row in rows] == ["second", "first"]


def test_a_list_for_people_has_a_head(program: Program, config: Config) -> None:
    program("run", config())

    assert program("list").stdout.startswith("ID ")


def test_delete_removes_a_run(program: Program, config: Config, folder: Path) -> None:
    saved = program("run", config(), "--format", "json").result()["simulation_id"]

    assert program("delete", saved).stdout == f"deleted {saved}\n"
    assert list((folder / "simulator_state").iterdir()) == []


def test_delete_deletes_no_latest(program: Program, config: Config) -> None:
    program("run", config())

    assert program("delete", "latest").status == 2


# fork


def test_a_fork_prints_the_id_of_the_new_run(program: Program, config: Config) -> None:
    saved = program("run", config(venue=OUTAGE), "--on-failure", "quit", "--format", "json").result()["simulation_id"]
    forked = program("fork", saved).stdout.strip()
    rows = json.loads(program("list", "--format", "json").stdout)

    assert {row["id"]: row["completed_slots"] for row in rows} == {saved: 3, forked: 3}


def test_a_fork_can_be_given_a_name(program: Program, config: Config) -> None:
    saved = program("run", config(), "--format", "json").result()["simulation_id"]
    forked = program("fork", saved, "--name", "What if?").stdout.strip()

    assert program("show", forked, "--format", "json").result()["name"] == "What if?"


def test_a_fork_of_nothing_is_bad_input(program: Program) -> None:
    ended = program("fork", "nothing")

    assert (ended.status, ended.stdout) == (2, "")


# export


@pytest.fixture
def saved(program: Program, config: Config) -> str:
    """A run in which a slot was skipped."""
    return str(program("run", config(venue=OUTAGE), "--format", "json").result()["simulation_id"])


def rows_of(program: Program, what: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(program("export", "latest", "--what", what).stdout, newline="")))


@pytest.mark.parametrize(("what", "count"), [("slots", 40), ("fills", 19), ("attempts", 41), ("history", 116)])
def test_every_record_is_a_row(program: Program, saved: str, what: str, count: int) -> None:
    assert len(rows_of(program, what)) == count


@pytest.mark.parametrize("what", TABLES)
def test_csv_and_json_lines_say_the_same(program: Program, saved: str, what: str) -> None:
    lines = program("export", saved, "--what", what, "--format", "jsonl").stdout.splitlines()
    parsed = [{key: "" if value is None else str(value) for key, value in json.loads(line).items()} for line in lines]

    assert parsed == rows_of(program, what)


@pytest.mark.parametrize("what", TABLES)
def test_an_empty_table_still_has_its_head(program: Program, config: Config, what: str) -> None:
    never = config(venue={"faults": {"rejection_rate": 1.0}})
    program("run", never, "--on-failure", "quit")
    head = program("export", "latest", "--what", what).stdout.splitlines()[0].split(",")
    program("run", config(venue=OUTAGE))

    assert head == list(rows_of(program, what)[0])


def test_slots_are_exported_by_default(program: Program, saved: str) -> None:
    assert program("export", saved).stdout.startswith("sequence,pair,account_id,")


def test_the_ledger_ends_with_the_budgets(program: Program, saved: str) -> None:
    last = {(row["account"], row["asset"]): row for row in rows_of(program, "history")}
    shown = program("show", saved, "--format", "json").result()["budget"]["assets"]["USD"]

    assert sum(float(row["spent"]) for (_, asset), row in last.items() if asset == "USD") == float(shown["total_spent"])


def test_the_skipped_slot_says_why(program: Program, saved: str) -> None:
    row = rows_of(program, "slots")[3]

    assert (row["state"], row["decisions"], row["verdict"]) == ("Skipped", "skip", "unmatched")
    assert row["last_error"].startswith("the venue is down")


def test_an_export_goes_to_a_file(program: Program, saved: str, folder: Path) -> None:
    ended = program("export", saved, "--output", "slots.csv")

    assert (ended.stdout, ended.stderr) == ("", "40 rows written to slots.csv\n")
    assert (folder / "slots.csv").read_text() == program("export", saved).stdout


def test_a_file_that_cannot_be_written_is_bad_input(program: Program, saved: str) -> None:
    ended = program("export", saved, "--output", "no/such/folder.csv")

    assert (ended.status, ended.stderr) == (2, "--output: no/such/folder.csv cannot be written: No such file or directory\n")


@pytest.mark.parametrize("lead", ["=", "+", "-", "@", "\t"])
def test_a_cell_that_a_spreadsheet_would_run_is_defused(program: Program, config: Config, lead: str) -> None:
    names = [f"{lead}HYPERLINK()", "b"]
    program("run", config(accounts={"list": [{"id": name} for name in names]}))

    assert {row["account"] for row in rows_of(program, "slots")} == {f"'{lead}HYPERLINK()", "b"}


def test_a_name_with_commas_quotes_and_newlines_survives_csv(program: Program, config: Config) -> None:
    name = 'a, "b"\nc'
    program("run", config(accounts={"list": [{"id": name}, {"id": "d"}]}))

    assert rows_of(program, "slots")[0]["account"] in (name, "d")
    assert {row["account"] for row in rows_of(program, "slots")} == {name, "d"}


# accounts generate, schema, validate


def test_accounts_are_made(program: Program) -> None:
    accounts = json.loads(program("accounts", "generate", "--prefix", "desk", "--count", "3").stdout)

    assert [account["name"] for account in accounts] == ["desk-1", "desk-2", "desk-3"]


def test_prefix_and_number_determine_an_id(program: Program) -> None:
    assert program("accounts", "generate").stdout == program("accounts", "generate").stdout


def test_made_accounts_can_be_used(program: Program, config: Config) -> None:
    program("accounts", "generate", "--count", "6", "--output", "accounts.json")

    assert program("run", config(accounts={"file": "accounts.json"})).status == 0


def test_accounts_are_looked_for_beside_the_config(program: Program, config: Config, folder: Path) -> None:
    (folder / "deep").mkdir()
    program("accounts", "generate", "--output", "deep/accounts.json")

    assert program("run", config("deep/config.json", accounts={"file": "accounts.json"})).status == 0


def test_the_schema_is_a_json_schema(program: Program) -> None:
    assert "scheduler" in program("schema").result()["properties"]


def test_validate_says_what_a_run_would_be(program: Program, config: Config) -> None:
    text = program("validate", config()).stdout

    assert "Slots: 40 in 20 pairs" in text
    assert "Preflight: every slot passes" in text


def test_validate_names_the_slots_that_would_not_pass(program: Program, config: Config) -> None:
    facts = program("validate", config(budget={"budgets": [{"amount": 9_000}]}), "--format", "json").result()

    assert not facts["preflight"]["passes"]
    assert facts["preflight"]["refused"][0]["code"] == "budget"


def test_validate_places_nothing(program: Program, config: Config, folder: Path) -> None:
    path = config()
    program("validate", path)

    assert list(folder.iterdir()) == [path]


def test_the_version_is_printed(program: Program) -> None:
    assert program("--version").stdout == f"orderbook-tui {__version__}\n"


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["run"],
        ["resume"],
        ["list"],
        ["show"],
        ["delete"],
        ["export"],
        ["accounts"],
        ["accounts", "generate"],
        ["schema"],
        ["validate"],
    ],
    ids=" ".join,
)
def test_every_command_explains_itself(program: Program, command: list[str]) -> None:
    ended = program(*command, "--help")

    assert (ended.status, ended.stderr) == (0, "")
    assert "Usage: " in ended.stdout


# What a user may get wrong


def test_every_problem_of_a_config_has_its_own_line(program: Program, folder: Path) -> None:
    (folder / "bad.json").write_text(
        json.dumps({"scheduler": {"min_amount": 100, "max_amount": 50}, "nonsense": 1, "processor": {"max_retries": -1}})
    )
    ended = program("run", "bad.json")

    assert (ended.status, ended.stdout) == (2, "")
    assert {line.split(":")[0] for line in ended.stderr.splitlines()} == {
        "scheduler.max_amount",
        "nonsense",
        "processor.max_retries",
    }
    assert "scheduler.max_amount: 50 is below min_amount 100" in ended.stderr


@pytest.mark.parametrize("command", ["run", "validate", "open"])
@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '{"a": NaN}',
        '{"seed": 1, "seed": 2}',
        "\x00",
        '{"seed": 1e400}',
        '{"name": "\\ud800"}',
        "[" * 100_000,
    ],
    ids=lambda content: repr(content[:20]),
)
def test_a_config_that_is_none_is_bad_input(program: Program, folder: Path, command: str, content: str) -> None:
    (folder / "bad.json").write_text(content)
    ended = program(command, "bad.json")

    assert (ended.status, ended.stdout) == (2, "")
    assert ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("name", ["missing.json", ".", "no/such/folder.json"])
def test_a_config_that_cannot_be_read_is_bad_input(program: Program, name: str) -> None:
    ended = program("run", name)

    assert (ended.status, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)


def test_the_app_needs_a_terminal(program: Program, config: Config) -> None:
    ended = program(config())

    assert (ended.status, ended.stdout) == (2, "")
    assert "needs a terminal" in ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [["run"], ["run", "a", "b"], ["--nonsense"], ["run", "--format", "xml", "a"], ["accounts", "generate", "--count", "0"]],
)
def test_wrong_arguments_are_bad_input(program: Program, arguments: list[str]) -> None:
    ended = program(*arguments)

    assert (ended.status, ended.stdout) == (2, "")


# Names from outside


def hostile(**more: Any) -> dict[str, Any]:
    """A configuration all of whose names would like to steer the terminal."""
    market = {"symbol": HOSTILE, "base": f"B{HOSTILE}", "quote": f"Q{HOSTILE}", "reference_price": 100}
    return {
        "name": HOSTILE,
        "accounts": {"list": [{"id": f"{n}", "name": f"{n}{HOSTILE}"} for n in range(2)]},
        "markets": [market, market | {"symbol": "other" + HOSTILE, "status": "inactive"}],
        "venue": OUTAGE,
        **more,
    }


@pytest.mark.parametrize("command", [["run"], ["validate"], ["run", "--market", HOSTILE + "x"]], ids=lambda words: words[0])
def test_names_never_reach_the_terminal_raw(program: Program, config: Config, command: list[str]) -> None:
    ended = program(command[0], config(**hostile()), *command[1:])

    assert ended.status in (0, 1, 2)
    assert not {"\x1b", "\x07", "\r", "\u202e"} & set(ended.stdout + ended.stderr)


@pytest.mark.parametrize("command", [["show", "latest"], ["list"], ["resume"]], ids=lambda words: words[0])
def test_names_of_saved_runs_never_reach_the_terminal_raw(program: Program, config: Config, command: list[str]) -> None:
    program("run", config(**hostile()))
    ended = program(*command)

    assert ended.stdout
    assert not {"\x1b", "\x07", "\r", "\u202e"} & set(ended.stdout + ended.stderr)


def test_wrong_names_in_a_config_never_reach_the_terminal_raw(program: Program, folder: Path) -> None:
    (folder / "bad.json").write_text(json.dumps({HOSTILE: 1, "scheduler": {"match_with": HOSTILE}, "venue": {"kind": HOSTILE}}))

    assert not {"\x1b", "\x07", "\r", "\u202e"} & set(program("run", "bad.json").stderr)


def test_names_of_files_never_reach_the_terminal_raw(program: Program, folder: Path) -> None:
    (folder / "simulator_state").mkdir()
    (folder / "simulator_state" / "\x1b]0;x\x07.sqlite").write_text("")

    assert "\x1b" not in program("list").stdout


# Pipes and disks


def test_a_reader_that_has_had_enough_is_not_complained_about(program: Program, saved: str) -> None:
    command = f"{sys.executable} -m orderbook_tui export {saved} --what history | head -1"
    ended = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)

    assert (ended.stdout.count("\n"), ended.stderr) == (1, "")


def test_a_config_of_defaults_is_enough(program: Program, folder: Path) -> None:
    (folder / "empty.json").write_text("{}")

    assert program("validate", "empty.json").status == 0


def test_the_name_of_the_file_is_the_name_of_the_run(program: Program, folder: Path) -> None:
    (folder / "two-venues.json").write_text(json.dumps(a_config()))
    program("run", "two-venues.json")

    assert json.loads(program("list", "--format", "json").stdout)[0]["name"] == "two-venues"


def test_names_of_folders_and_outputs_never_reach_the_terminal_raw(program: Program, saved: str, folder: Path) -> None:
    ended = [program("list", "--state-dir", HOSTILE), program("export", saved, "--output", "a\x1b]0;owned\x07.csv")]

    assert [end.status for end in ended] == [0, 0]
    assert not {"\x1b", "\x07", "\r", "\u202e"} & {letter for end in ended for letter in end.stdout + end.stderr}


# What the command line restates, so as not to import it


def choices_of(command: str, option: str) -> list[str]:
    """The choices of an option."""
    (kind,) = [parameter.type for parameter in cli.commands[command].params if option in parameter.opts]
    assert isinstance(kind, click.Choice)
    return list(kind.choices)


def test_the_choices_on_failure_are_all_there_are() -> None:
    assert choices_of("run", "--on-failure") == [policy.value for policy in OnFailure]


def test_all_that_can_be_exported_can_be_chosen() -> None:
    assert choices_of("export", "--what") == list(EXPORTED)
    assert choices_of("export", "--format") == [form.value for form in ExportFormat]
