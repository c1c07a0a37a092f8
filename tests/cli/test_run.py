"""run, resume and show: what they print, where, and with which exit status."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import OUTAGE, Program
from tests.engine.runs import faults

Config = Callable[..., Path]
STATS = {
    "total_slots", "completed_slots", "failed_slots", "skipped_slots", "pending_slots", "total_orders_created", "total_matches",
}  # fmt: skip
AMOUNTS = {"total_initial", "total_available", "total_locked", "total_spent", "total_utilization_percent"}
DOCUMENTED = {
    "simulation_id", "state_hash", "exit_status", "elapsed_s", "slots_per_second", "stats", "verdicts", "budget", "invariants",
    "open_orders",
}  # fmt: skip


@pytest.fixture
def result(program: Program, config: Config) -> dict[str, Any]:
    """What a run prints as JSON."""
    return program("run", config(), "--format", "json").result()


# Exit statuses


def test_a_run_that_completes_everything_answers_0(program: Program, config: Config) -> None:
    assert program("run", config()).status == 0


@pytest.mark.parametrize("policy", ["skip", "continue"])
def test_a_run_that_lost_a_slot_answers_1(program: Program, config: Config, policy: str) -> None:
    assert program("run", config(venue=OUTAGE), "--on-failure", policy).status == 1


def test_a_run_whose_directed_pairs_did_not_match_answers_1(program: Program, config: Config) -> None:
    never_meet = {"time_in_force": {"maker": "ioc", "taker": "gtc"}}

    assert program("run", config(scheduler=never_meet)).status == 1


def test_a_run_that_was_quit_answers_3(program: Program, config: Config) -> None:
    assert program("run", config(venue=OUTAGE), "--on-failure", "quit").status == 3


def test_ask_without_a_terminal_means_quit(program: Program, config: Config) -> None:
    assert program("run", config(venue=OUTAGE), "--on-failure", "ask").status == 3


def test_the_config_says_what_happens_where_no_option_does(program: Program, config: Config) -> None:
    assert program("run", config(venue=OUTAGE, processor={"on_failure": "quit"})).status == 3


def test_a_checkpoint_that_cannot_be_written_answers_4_in_one_line(program: Program, config: Config, folder: Path) -> None:
    (folder / "taken").write_text("")
    ended = program("run", config(), "--format", "json", "--state-dir", "taken")

    assert (ended.status, ended.stdout, ended.stderr.count("\n")) == (4, "", 1)


# JSON


def test_the_keys_are_those_documented(result: dict[str, Any]) -> None:
    assert set(result) == DOCUMENTED | {"name", "notes", "reconciliation", "not_reconciled"}


def test_the_statistics_are_whole_numbers(result: dict[str, Any]) -> None:
    assert {key: type(value) for key, value in result["stats"].items()} == dict.fromkeys(STATS, int)


def test_the_verdicts_are_whole_numbers(result: dict[str, Any]) -> None:
    assert result["verdicts"] == {"matched": 40, "partly": 0, "by_another": 0, "unmatched": 0}


def test_amounts_are_decimal_texts(result: dict[str, Any]) -> None:
    assert all(re.fullmatch(r"\d+(\.\d+)?", result["budget"][key]) for key in AMOUNTS)


def test_amounts_are_also_given_for_each_asset(result: dict[str, Any]) -> None:
    assets = result["budget"]["assets"]

    assert set(assets) == {"BTC", "ETH", "USD"}
    assert all(re.fullmatch(r"\d+(\.\d+)?", totals[key]) for totals in assets.values() for key in AMOUNTS)


def test_budgets_are_counted(result: dict[str, Any]) -> None:
    assert (result["budget"]["budget_count"], result["budget"]["depleted_count"]) == (12, 0)


def test_every_invariant_is_given_and_holds(result: dict[str, Any]) -> None:
    assert set(result["invariants"].values()) == {True}


def test_the_invariants_hold_what_the_design_says(result: dict[str, Any]) -> None:
    assert {"budgets_balance", "none_negative", "spent_equals_received_plus_fees", "nothing_locked_without_open_orders"} <= set(
        result["invariants"]
    )


def test_the_exit_status_is_in_the_result(program: Program, config: Config) -> None:
    ended = program("run", config(venue=OUTAGE), "--format", "json", "--on-failure", "quit")

    assert ended.result()["exit_status"] == ended.status == 3


def test_the_state_hash_is_a_sha256(result: dict[str, Any]) -> None:
    assert re.fullmatch("[0-9a-f]{64}", result["state_hash"])


def test_open_orders_are_listed(program: Program, config: Config) -> None:
    sections = {
        "venue": OUTAGE,
        "scheduler": {"matching_strategy": "any", "trades_per_account": 1},
        "processor": {"cancel_open_orders_at_end": False},
    }
    (order,) = program("run", config(**sections), "--format", "json").result()["open_orders"]

    assert (order["slot"], order["market"], type(order["open"])) == (2, "BTC-USD", str)


def test_results_are_on_stdout_alone(program: Program, config: Config) -> None:
    ended = program("run", config(), "--format", "json")

    assert (ended.stdout.count("\n"), ended.stderr) == (1, "")


def test_progress_is_on_stderr(program: Program, config: Config) -> None:
    ended = program("run", config())

    assert "40/40 slots" in ended.stderr
    assert "40/40 slots" not in ended.stdout


# Text


def test_the_summary_gives_the_statistics(program: Program, config: Config) -> None:
    text = program("run", config(venue=OUTAGE)).stdout

    for line in ("Total Slots: 40", "Completed: 39", "Failed: 0", "Skipped: 1", "Orders Created: 39", "Matches: 19"):
        assert f"\n{line}\n" in text


@pytest.mark.parametrize(
    "what", ["Total Budget: ", "Total Spent: ", "Utilization: ", "Verdicts: matched 38", "Left open: nothing"]
)
def test_the_summary_gives_budgets_and_verdicts(program: Program, config: Config, what: str) -> None:
    assert what in program("run", config(venue=OUTAGE)).stdout


def test_the_summary_names_what_did_not_happen_and_why(program: Program, config: Config) -> None:
    assert "Skipped: slot 3 of test-account-3: the venue is down" in program("run", config(venue=OUTAGE)).stdout


# Options


def test_the_seed_of_an_option_wins(program: Program, config: Config) -> None:
    by_option = program("run", config(seed=5), "--seed", "7", "--format", "json").result()
    by_config = program("run", config(seed=7), "--format", "json").result()

    assert by_option["state_hash"] == by_config["state_hash"]


def test_the_pace_of_an_option_wins(program: Program, config: Config) -> None:
    small = config(scheduler={"trades_per_account": 1}, processor={"slots_per_second": 0.01})

    assert program("run", small, "--slots-per-second", "1000").status == 0


@pytest.mark.parametrize("pace", ["0", "-1", "nan", "fast"])
def test_a_pace_that_is_none_is_refused(program: Program, config: Config, pace: str) -> None:
    ended = program("run", config(), "--slots-per-second", pace)

    assert (ended.status, ended.stdout) == (2, "")
    assert "--slots-per-second" in ended.stderr


def test_the_checkpoint_goes_where_the_option_says(program: Program, config: Config, folder: Path) -> None:
    program("run", config(), "--state-dir", "elsewhere")

    assert len(list((folder / "elsewhere").glob("*.sqlite"))) == 1


def test_without_an_option_the_checkpoint_goes_into_the_working_folder(program: Program, config: Config, folder: Path) -> None:
    program("run", config())

    assert len(list((folder / "simulator_state").glob("*.sqlite"))) == 1


def test_a_market_is_chosen_with_whole_pairs(program: Program, config: Config) -> None:
    ended = program("run", config(), "--market", "BTC-USD", "--format", "json")

    assert (ended.status, ended.result()["stats"]["completed_slots"], ended.result()["stats"]["pending_slots"]) == (0, 20, 20)


def test_an_account_is_chosen_with_its_counterparties(program: Program, config: Config) -> None:
    ended = program("run", config(), "--account", "test-account-1", "--format", "json")

    assert (ended.status, ended.result()["stats"]["completed_slots"]) == (0, 20)


def test_filters_may_be_given_more_than_once(program: Program, config: Config) -> None:
    ended = program("run", config(), "--market", "BTC-USD", "--market", "ETH-USD", "--format", "json")

    assert ended.result()["stats"]["completed_slots"] == 40


def test_the_exit_status_speaks_of_the_selected(program: Program, config: Config) -> None:
    only_btc = program("run", config(venue=OUTAGE), "--market", "ETH-USD")

    assert only_btc.status == 0


def test_a_later_resume_runs_the_rest(program: Program, config: Config) -> None:
    program("run", config(), "--market", "BTC-USD")
    ended = program("resume", "--format", "json")

    assert (ended.status, ended.result()["stats"]["completed_slots"]) == (0, 40)


@pytest.mark.parametrize(("option", "value"), [("--market", "XRP-USD"), ("--account", "nobody")])
def test_a_filter_by_an_unknown_name_is_bad_input(program: Program, config: Config, option: str, value: str) -> None:
    ended = program("run", config(), option, value)

    assert (ended.status, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"{option}: {value} is no ")


# resume and show


def test_a_run_that_was_quit_is_resumed(program: Program, config: Config) -> None:
    program("run", config(venue=OUTAGE), "--on-failure", "quit")

    assert program("resume", "latest").status == 0


def test_resume_takes_the_latest_by_itself(program: Program, config: Config) -> None:
    first = program("run", config(venue=OUTAGE), "--on-failure", "quit", "--format", "json").result()

    assert program("resume", "--format", "json").result()["simulation_id"] == first["simulation_id"]


def test_resume_takes_the_policy_of_an_option(program: Program, config: Config) -> None:
    always = config(venue=faults(outages=[{"from_slot": 3, "slots": 1, "attempts": 99}]))
    program("run", always, "--on-failure", "quit")

    assert program("resume", "--on-failure", "skip").status == 1


def test_a_finished_run_resumed_prints_its_summary(program: Program, config: Config) -> None:
    first = program("run", config(), "--format", "json").result()
    again = program("resume", first["simulation_id"], "--format", "json")

    assert (again.status, again.result()["state_hash"]) == (0, first["state_hash"])


def test_the_seed_of_a_resumed_run_cannot_be_changed(program: Program, config: Config) -> None:
    program("run", config(venue=OUTAGE), "--on-failure", "quit")
    ended = program("resume", "--seed", "9")

    assert (ended.status, ended.stderr) == (2, "--seed: the schedule was made from seed 1 and stays as it is\n")


def test_after_a_resume_that_was_refused_another_is_possible(program: Program, config: Config) -> None:
    program("run", config(venue=OUTAGE), "--on-failure", "quit")
    program("resume", "--market", "NONE-SUCH")

    assert program("resume").status == 0


@pytest.mark.parametrize("command", ["resume", "show", "export"])
def test_there_is_no_latest_where_nothing_was_saved(program: Program, command: str) -> None:
    ended = program(command, "latest")

    assert (ended.status, ended.stdout) == (2, "")
    assert ended.stderr == "there is no saved run in ./simulator_state: start one with orderbook-tui run CONFIG\n"


@pytest.mark.parametrize("command", ["resume", "show", "export", "delete"])
@pytest.mark.parametrize("name", ["nothing", "../up", "a b", "", "-x"])
def test_an_id_that_names_nothing_is_bad_input(program: Program, command: str, name: str) -> None:
    ended = program(command, "--", name)

    assert (ended.status, ended.stdout) == (2, "")
    assert "Traceback" not in ended.stderr


def test_a_file_that_is_no_checkpoint_is_not_the_latest(program: Program, config: Config, folder: Path) -> None:
    first = program("run", config(), "--format", "json").result()
    (folder / "simulator_state" / "a b.sqlite").write_text("not ours")

    assert program("show", "latest", "--format", "json").result()["simulation_id"] == first["simulation_id"]


def test_show_prints_the_summary_of_a_run(program: Program, config: Config) -> None:
    first = program("run", config(), "--format", "json").result()
    shown = program("show", "latest", "--format", "json").result()

    assert {key: shown[key] for key in ("state_hash", "stats", "verdicts", "budget")} == {
        key: first[key] for key in ("state_hash", "stats", "verdicts", "budget")
    }


def test_show_changes_nothing(program: Program, config: Config, folder: Path) -> None:
    program("run", config(venue=OUTAGE), "--on-failure", "quit")
    before = {path.name: path.read_bytes() for path in (folder / "simulator_state").iterdir()}
    program("show", "latest")

    assert {path.name: path.read_bytes() for path in (folder / "simulator_state").iterdir()} == before


def test_the_small_example_runs(program: Program) -> None:
    example = Path(__file__).parents[2] / "configs" / "page-example.json"
    ended = program("run", example, "--on-failure", "skip", "--format", "json")
    named = program("validate", example, "--format", "json").result()["preflight"]["refused"]

    assert (ended.status, ended.result()["stats"]["skipped_slots"]) == (1, len(named))


def test_json_of_a_run_is_plain_ascii(program: Program, config: Config) -> None:
    ended = program("run", config(name="näme \x1b[31m"), "--format", "json")

    assert ended.stdout.isascii()
    assert json.loads(ended.stdout)["name"] == "näme \x1b[31m"
