"""The summary of a run, and the exit status that says it in one number."""

import pytest

from orderbook_tui.core.journal import RecoveryAction
from orderbook_tui.engine.control import Ending
from orderbook_tui.engine.decisions import PolicyDecider
from orderbook_tui.engine.summary import exit_status, summary
from orderbook_tui.exit_status import ExitStatus
from tests.engine.runs import a_simulation, faults, finished

LOST = faults(outages=[{"from_slot": 3, "slots": 1, "attempts": 2}])


def test_a_perfect_run_is_ok() -> None:
    assert exit_status(finished(), Ending.DONE) is ExitStatus.OK


@pytest.mark.parametrize("action", [RecoveryAction.SKIP, RecoveryAction.CONTINUE])
def test_a_run_that_lost_a_slot_is_incomplete(action: RecoveryAction) -> None:
    assert exit_status(finished(None, PolicyDecider(action), venue=LOST), Ending.DONE) is ExitStatus.INCOMPLETE


@pytest.mark.parametrize(("ending", "status"), [(Ending.QUIT, ExitStatus.QUIT), (Ending.STOPPED, ExitStatus.INTERRUPTED)])
def test_a_run_that_did_not_end_says_why(ending: Ending, status: ExitStatus) -> None:
    assert exit_status(a_simulation(), ending) is status


def test_under_any_orders_need_not_match_their_pair() -> None:
    scattered = {"matching_strategy": "any", "time_in_force": {"maker": "ioc", "taker": "gtc"}}

    assert exit_status(finished(scheduler=scattered), Ending.DONE) is ExitStatus.OK


def test_directed_orders_must_match_their_pair() -> None:
    never_meet = {"time_in_force": {"maker": "ioc", "taker": "gtc"}}

    assert exit_status(finished(scheduler=never_meet), Ending.DONE) is ExitStatus.INCOMPLETE


def test_totals_are_the_sums_over_assets() -> None:
    budget = summary(finished(), Ending.DONE)["budget"]

    assert float(budget["total_spent"]) == pytest.approx(
        sum(float(asset["total_spent"]) for asset in budget["assets"].values())
    )


def test_no_amount_has_an_exponent() -> None:
    budget = summary(finished(budget={"budgets": [{"amount": 10**10}]}), Ending.DONE)["budget"]

    assert budget["total_initial"] == "120000000000"
