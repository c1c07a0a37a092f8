"""A draft says what a file with the same content says, problems included, and keeps all that is typed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from orderbook_tui.config import SimulatorConfig, load_config, parse_config
from orderbook_tui.engine.drafting import ConfigDraft
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.errors import ConfigError
from tests.examples import CONFIGS, STANDALONE

PATHS = [field.path for field in ConfigDraft.new().fields()]
MATCH_WITH = "scheduler.matching_strategy.match_with"

examples = pytest.mark.parametrize("path", STANDALONE, ids=lambda path: path.stem)
in_a_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


def draft_of(tree: dict[str, Any]) -> ConfigDraft:
    """The draft of a configuration that was read from such a tree."""
    return ConfigDraft.of(parse_config(tree), Path())


def text_at(draft: ConfigDraft, path: str) -> str:
    return next(field.text for field in draft.fields() if field.path == path)


def loader_says(draft: ConfigDraft, folder: Path) -> dict[str, str]:
    """What the config loader says of a file with the draft's content."""
    file = folder / "said.json"
    file.write_text(draft.text(), encoding="utf-8")
    try:
        load_config(file)
    except ConfigError as error:
        found: dict[str, list[str]] = {}
        for path, message in error.problems:
            found.setdefault(path, []).append(message)
        return {path: "; ".join(messages) for path, messages in found.items()}
    return {}


# From a file and back


@examples
def test_an_example_that_is_saved_unchanged_loads_as_it_was(path: Path, tmp_path: Path) -> None:
    draft = ConfigDraft.load(path)
    was = draft.config()
    draft.save(tmp_path / path.name)
    assert load_config(tmp_path / path.name).model_copy(update={"accounts": was.accounts}) == was


@examples
def test_an_example_means_the_same_to_the_draft_as_to_the_loader(path: Path) -> None:
    assert ConfigDraft.load(path).config() == load_config(path)


@examples
def test_the_draft_of_a_run_that_is_open_loads_as_it_was(path: Path, tmp_path: Path) -> None:
    config = load_config(path)
    resumed = SimulatorConfig.model_validate_json(config.model_dump_json())
    draft = ConfigDraft.of(resumed, path.parent)
    assert draft.config() == config
    draft.save(tmp_path / "another-name.json")
    assert load_config(tmp_path / "another-name.json").model_copy(update={"accounts": config.accounts}) == config


amounts = st.integers(1, 10**6).map(lambda cents: f"{cents / 100:.2f}")
schedulers = st.fixed_dictionaries(
    {},
    optional={
        "min_amount": amounts.filter(lambda text: 1 <= float(text) <= 4000),
        "max_amount": amounts.filter(lambda text: float(text) >= 5000),
        "trades_per_account": st.integers(1, 50).map(lambda half: 2 * half),
        "bid_price_offset": st.sampled_from([1, "1.05", 2.5]),
        "alternate_sides": st.booleans(),
        "market_distribution": st.sampled_from(["round_robin", "same_market", "sequential", "random"]),
        "matching_strategy": st.sampled_from(["any", "sequential_next", {"match_with": {"test-account-1": "test-account-4"}}]),
        "amount_distribution": st.sampled_from(["uniform", "fixed"]),
        "time_in_force": st.fixed_dictionaries(
            {}, optional={"maker": st.just("post_only"), "taker": st.sampled_from(["ioc", "fok"])}
        ),
        "rounds": st.integers(1, 5),
        "overrides": st.just([{"slot": 1, "bid_amount": "0.5"}]),
    },
)
budgets = st.fixed_dictionaries({"amount": amounts}, optional={"asset_id": st.sampled_from([None, "USD"])})
trees = st.fixed_dictionaries(
    {},
    optional={
        "name": st.text(min_size=1, max_size=9).filter(lambda name: "\0" not in name),
        "seed": st.integers(0, 2**63 - 1),
        "scheduler": schedulers,
        "processor": st.fixed_dictionaries(
            {}, optional={"jitter": st.floats(0.001, 1), "slots_per_second": st.floats(1, 99) | st.none()}
        ),
        "budget": st.fixed_dictionaries({"budgets": st.lists(budgets)}),
        "venue": st.sampled_from([{}, {"fees": {"taker": "0.001"}}, {"target": "a.b:c"}, {"faults": {"latency_ms": [1, 2]}}]),
        "markets": st.just(
            [{"symbol": "A-B", "base": "A", "quote": "B", "reference_price": "9", "regulation": {}, "status": "active"}]
        ),
    },
)  # fmt: skip


@given(trees.filter(lambda tree: "markets" not in tree or "budget" not in tree))
@in_a_folder
def test_any_configuration_that_is_saved_unchanged_loads_as_it_was(tmp_path: Path, tree: dict[str, Any]) -> None:
    config = parse_config(tree)
    for draft in (ConfigDraft.of(config, tmp_path), ConfigDraft.of(_resumed(config), tmp_path)):
        draft.save(tmp_path / "again.json", replace=True)
        assert load_config(tmp_path / "again.json") == config


def _resumed(config: SimulatorConfig) -> SimulatorConfig:
    return SimulatorConfig.model_validate_json(config.model_dump_json())


def test_what_is_so_by_default_is_not_written() -> None:
    config = _resumed(parse_config({"name": "short", "scheduler": {"rounds": 3}}))
    assert json.loads(ConfigDraft.of(config, Path()).text()) == {"name": "short", "scheduler": {"rounds": 3}}


def test_the_kind_of_a_venue_is_always_written() -> None:
    config = parse_config({"venue": {"target": "a.b:c"}})
    assert json.loads(ConfigDraft.of(config, Path()).text())["venue"] == {"kind": "python", "target": "a.b:c"}


def test_numbers_stay_as_they_were_typed(tmp_path: Path) -> None:
    draft = ConfigDraft.new()
    draft.set("scheduler.min_amount", "100.50")
    draft.save(tmp_path / "a.json")
    assert '"min_amount": 100.50\n' in (tmp_path / "a.json").read_text(encoding="utf-8")


def test_a_run_that_differs_from_its_file_is_a_changed_draft(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text('{"seed": 5}')
    config = load_config(file)
    assert not ConfigDraft.of(config, tmp_path, file).is_changed
    assert ConfigDraft.of(config.model_copy(update={"seed": 6}), tmp_path, file).is_changed


def test_a_file_that_cannot_be_used_is_refused_as_the_loader_does(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text('{"seed": "x"}')
    with pytest.raises(ConfigError, match="expected a whole number"):
        ConfigDraft.load(file)


# Typing


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("seed", "-1"), ("seed", "one"), ("seed", ""), ("seed", "1e99"), ("seed", "9" * 200), ("name", ""), ("state_dir", ""),
        ("accounts.generate.count", "1"), ("accounts.generate.count", "1e9"), ("accounts.generate.prefix", ""),
        ("scheduler.min_amount", "9999"), ("scheduler.min_amount", ""), ("scheduler.min_amount", "1.000000000001"),
        ("scheduler.max_amount", "NaN"), ("scheduler.max_amount", "true"), ("scheduler.max_amount", "\u202e\x1b[2J"),
        ("scheduler.trades_per_account", "2.5"), ("scheduler.alternate_sides", "yes"), ("scheduler.amount_in", "x"),
        ("scheduler.market_distribution", "weighted"),
        ("scheduler.market_weights", "BTC-USD=1"), ("scheduler.market_weights", "BTC-USD"), ("scheduler.market_weights", "{"),
        ("scheduler.matching_strategy", "match_with"), ("scheduler.matching_strategy", "best"),
        (MATCH_WITH, "test-account-1:bob"), (MATCH_WITH, "test-account-1"),
        ("scheduler.time_in_force.maker", "day"), ("scheduler.bid_price_offset", "0.5"),
        ("processor.jitter", "2"), ("processor.slots_per_second", "fast"), ("processor.on_failure", ""),
        ("budget.budgets[0].amount", "-1"), ("budget.budgets[0].asset_id", "GBP"), ("budget.budgets[0].account_id", "bob"),
        ("name", "half of a pair: \ud800"), ("name", "nul \0"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_in_the_loaders_words(path: str, text: str, tmp_path: Path) -> None:
    draft = ConfigDraft.new()
    draft.set(path, text)
    assert draft.problems()
    if "\ud800" not in text:  # which no file can hold
        assert draft.problems() == loader_says(draft, tmp_path)


def test_what_is_wrong_stays_as_it_was_typed() -> None:
    draft = ConfigDraft.new()
    draft.set("scheduler.min_amount", "12,5")
    assert text_at(draft, "scheduler.min_amount") == "12,5"


def test_half_a_number_stays_as_it_was_typed() -> None:
    draft = ConfigDraft.new()
    draft.set("scheduler.min_amount", "5.")
    assert (text_at(draft, "scheduler.min_amount"), draft.problems()) == ("5.", {})


@pytest.mark.parametrize("path", [path for path in PATHS if path != MATCH_WITH])
def test_typing_what_is_there_changes_nothing(path: str) -> None:
    for file in STANDALONE:
        draft = ConfigDraft.load(file)
        for field in draft.fields():
            if field.path == path:
                draft.set(path, "something else")
                draft.set(path, field.text)
                assert (file.name, draft.is_changed) == (file.name, False)


@given(
    st.lists(st.tuples(st.sampled_from([field.path for field in ConfigDraft.new().fields()]), st.text(max_size=12)), max_size=6)
)
@example(keys=[("budget.budgets[0].amount", "")])
@in_a_folder
def test_whatever_is_typed_the_loader_says_the_same(tmp_path: Path, keys: list[tuple[str, str]]) -> None:
    draft = ConfigDraft.new()
    for path, text in keys:
        draft.set(path, text)
        assert text in (text_at(draft, path), "") or path == MATCH_WITH
    assert draft.problems() == loader_says(draft, tmp_path)


@given(st.text(max_size=20), st.text(max_size=20))
def test_setting_never_raises(path: str, text: str) -> None:
    draft = ConfigDraft.new()
    draft.set(path, text)
    draft.problems()
    draft.fields()


def test_a_field_can_be_taken_back_to_its_default() -> None:
    draft = ConfigDraft.new()
    draft.set("seed", "x")
    draft.reset("seed")
    assert (text_at(draft, "seed"), draft.is_changed) == ("1", False)


def test_an_optional_field_may_be_empty() -> None:
    draft = draft_of({"processor": {"slots_per_second": 5}})
    draft.set("processor.slots_per_second", "")
    assert draft.config().processor.slots_per_second is None


def test_typing_pairs_chooses_the_strategy() -> None:
    draft = ConfigDraft.new()
    draft.set(MATCH_WITH, "test-account-1:test-account-3")
    assert text_at(draft, "scheduler.matching_strategy") == "match_with"
    assert draft.problems() == {}


def test_pairs_are_remembered_while_another_strategy_is_chosen() -> None:
    draft = draft_of({"scheduler": {"matching_strategy": {"match_with": {"test-account-1": "test-account-3"}}}})
    draft.set("scheduler.matching_strategy", "any")
    assert text_at(draft, MATCH_WITH) == ""
    draft.set("scheduler.matching_strategy", "match_with")
    assert (text_at(draft, MATCH_WITH), draft.is_changed) == ("test-account-1:test-account-3", False)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("scheduler.max_amount", "scheduler.max_amount"),
        ("scheduler.market_weights.BTC", "scheduler.market_weights"),
        (f"{MATCH_WITH}.bob", MATCH_WITH),
        ("budget.budgets[0].amount", "budget.budgets[0].amount"),
        ("budget.budgets[0]", ""),
        ("markets", ""),
        ("", ""),
    ],
)
def test_a_problem_belongs_to_the_field_around_it(path: str, field: str) -> None:
    assert ConfigDraft.new().place_of(path) == field


# Budgets


def test_a_budget_can_be_added_and_filled_in() -> None:
    draft = ConfigDraft.new()
    draft.add_budget()
    draft.set("budget.budgets[1].asset_id", "USD")
    draft.set("budget.budgets[1].amount", "5")
    assert [(spec.asset_id, str(spec.amount)) for spec in draft.config().budget.budgets] == [(None, "10000"), ("USD", "5")]


def test_a_budget_that_is_added_and_removed_leaves_nothing_changed() -> None:
    draft = ConfigDraft.new()
    draft.add_budget()
    draft.remove_budget(1)
    assert not draft.is_changed


def test_when_a_budget_is_removed_the_others_move_up() -> None:
    draft = draft_of({"budget": {"budgets": [{"amount": 1}, {"amount": 2}, {"amount": 3}]}})
    draft.set("budget.budgets[1].amount", "2.5")
    draft.remove_budget(0)
    assert [text_at(draft, f"budget.budgets[{row}].amount") for row in (0, 1)] == ["2.5", "3"]


# Markets and accounts


def test_a_market_that_is_not_chosen_is_written_down_as_inactive() -> None:
    draft = ConfigDraft.new()
    draft.choose_market("BTC-USD", chosen=False)
    assert draft.choices_of_markets() == [("BTC-USD", False), ("ETH-USD", True)]
    assert {slot.action.market_id for slot in draft.preview().slots} == {"ETH-USD"}


@examples
def test_a_market_that_is_chosen_again_leaves_nothing_changed(path: Path) -> None:
    draft = ConfigDraft.load(path)
    for symbol, chosen in draft.choices_of_markets():
        draft.choose_market(symbol, chosen=not chosen)
        draft.choose_market(symbol, chosen=chosen)
    assert not draft.is_changed


@pytest.mark.parametrize("status", ["active", "inactive", "suspended"])
def test_a_market_gets_back_the_status_that_it_had(status: str, tmp_path: Path) -> None:
    market = {"symbol": "A-B", "base": "A", "quote": "B", "reference_price": 9}
    file = tmp_path / "a.json"
    file.write_text(json.dumps({"markets": [market, {**market, "symbol": "C", "status": status}]}))
    draft = ConfigDraft.load(file)
    draft.choose_market("C", chosen=status != "active")
    draft.choose_market("C", chosen=status == "active")
    assert not draft.is_changed


def test_without_a_market_that_is_chosen_there_is_nothing_to_trade() -> None:
    draft = ConfigDraft.new()
    for symbol, _ in draft.choices_of_markets():
        draft.choose_market(symbol, chosen=False)
    assert draft.problems() == {"markets": "no market is active"}


def test_a_suspended_market_can_be_chosen() -> None:
    market = {"symbol": "A-B", "base": "A", "quote": "B", "reference_price": 9}
    draft = draft_of({"markets": [market, {**market, "symbol": "C", "status": "suspended"}]})
    draft.choose_market("C", chosen=True)
    assert draft.choices_of_markets() == [("A-B", True), ("C", True)]


@examples
def test_an_account_that_is_chosen_again_leaves_nothing_changed(path: Path) -> None:
    draft = ConfigDraft.load(path)
    first, second = (choice[0] for choice in draft.choices_of_accounts()[:2])
    for account, chosen in ((first, False), (second, False), (first, True), (second, True)):
        draft.choose_account(account, chosen=chosen)
    assert not draft.is_changed


@examples
def test_an_account_that_is_not_chosen_gets_no_slots(path: Path) -> None:
    draft = ConfigDraft.load(path)
    everybody = draft.choices_of_accounts()
    draft.set("scheduler.matching_strategy", "any")
    draft.set("scheduler.trades_per_account", "6")
    for row in range(len(draft.config().budget.budgets)):
        draft.set(f"budget.budgets[{row}].account_id", "")
    draft.choose_account(everybody[1][0], chosen=False)
    left = {account.id for account in Simulation.create(draft.config(), folder=draft.folder, save=False).state.plan.accounts}
    assert left == {account for account, _, _ in everybody} - {everybody[1][0]}


def test_a_budget_of_an_account_that_is_left_out_is_a_problem() -> None:
    draft = draft_of({"budget": {"budgets": [{"account_id": "test-account-2", "amount": 1}]}})
    draft.choose_account(draft.choices_of_accounts()[1][0], chosen=False)
    assert draft.problems() == {
        "budget.budgets[0].account_id": 'no account is called "test-account-2" (did you mean "test-account-4"?)'
    }


def test_accounts_can_be_chosen_again_after_saving(tmp_path: Path) -> None:
    draft = ConfigDraft.new()
    account = draft.choices_of_accounts()[2][0]
    draft.choose_account(account, chosen=False)
    draft.save(tmp_path / "a.json")
    draft.choose_account(account, chosen=True)
    assert draft.config().accounts == SimulatorConfig().accounts


# Single slots


def test_a_slot_gets_amounts_of_its_own() -> None:
    draft = ConfigDraft.new()
    assert draft.override(0, "6000", None) is None
    assert [str(slot.action.bid_amount) for slot in draft.preview().slots[:2]] == ["6000", "0.1"]


@pytest.mark.parametrize("watched", [False, True])
def test_amounts_that_do_not_fit_are_refused_and_change_nothing(watched: bool) -> None:
    draft = ConfigDraft.new()
    preview = draft.preview() if watched else None
    assert draft.override(0, "1", None) == "slot 0: 1 USD gives no whole quantity on BTC-USD (0.96 or 1.02 would do)"
    assert not draft.is_changed
    assert preview is None or preview.slots


@pytest.mark.parametrize(
    ("slot", "given", "words"),
    [
        (0, "", "give bid_amount, ask_amount or both"),
        (0, "much", 'expected a number, got "much"'),
        (99, "1", "there is no slot 99: there are 40, counted from 0"),
        (-1, "1", "-1 is below the least, 0"),
    ],
)
def test_amounts_are_refused_in_the_loaders_words(slot: int, given: str, words: str) -> None:
    draft = ConfigDraft.new()
    assert (draft.override(slot, given, None), draft.is_changed) == (words, False)


def test_amounts_of_a_slot_take_the_place_of_earlier_ones() -> None:
    draft = ConfigDraft.new()
    draft.override(0, "6000", None)
    draft.override(0, "3000", None)
    assert [str(override.bid_amount) for override in draft.overrides.values()] == ["3000"]


def test_amounts_are_held_against_those_of_the_partner() -> None:
    draft = ConfigDraft.new()
    draft.override(0, None, "0.1")
    preview = draft.preview()
    assert draft.override(1, "0.2", None) == (
        "slot 1 trades 0.2 BTC, and slot 0, which it must cross, 0.1 BTC: they must be equal"
    )
    assert preview.slots


def test_a_run_with_amounts_that_do_not_fit_is_refused_where_they_stand() -> None:
    config = parse_config({"scheduler": {"overrides": [{"slot": 2, "ask_amount": 1}]}})
    with pytest.raises(ConfigError, match=r"^scheduler\.overrides\[0\]: slot 2: 1 USD gives no whole quantity"):
        Simulation.create(config, save=False)


def test_amounts_change_the_state_hash() -> None:
    plain, changed = ConfigDraft.new(), ConfigDraft.new()
    changed.override(0, "6000", None)
    hashes = {Simulation.create(draft.config(), save=False).state_hash() for draft in (plain, changed)}
    assert len(hashes) == 2


def test_amounts_can_be_cleared() -> None:
    draft = ConfigDraft.new()
    draft.override(0, "6000", None)
    draft.clear_override(0)
    assert (draft.overrides, draft.is_changed) == ({}, False)


def test_amounts_survive_saving(tmp_path: Path) -> None:
    draft = ConfigDraft.new()
    draft.override(0, "6000", None)
    draft.save(tmp_path / "a.json")
    assert ConfigDraft.load(tmp_path / "a.json").overrides == draft.overrides


# Saving


def saved(change: Callable[[ConfigDraft], None] = lambda _: None) -> ConfigDraft:
    draft = ConfigDraft.new()
    draft.set("seed", "7")
    change(draft)
    return draft


def test_a_draft_that_was_saved_is_unchanged_and_of_its_file(tmp_path: Path) -> None:
    draft = saved()
    draft.save(tmp_path / "a.json")
    assert (draft.is_changed, draft.path, draft.folder) == (False, tmp_path / "a.json", tmp_path)


def test_another_file_is_written_over_only_if_that_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("precious")
    with pytest.raises(ConfigError, match="there is a file of that name already"):
        saved().save(tmp_path / "a.json")
    assert (tmp_path / "a.json").read_text() == "precious"
    saved().save(tmp_path / "a.json", replace=True)
    assert load_config(tmp_path / "a.json").seed == 7


def test_a_draft_with_problems_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected a number"):
        saved(lambda draft: draft.set("scheduler.min_amount", "x")).save(tmp_path / "a.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("target", "words"),
    [("nowhere/a.json", "there is no such folder"), ("", "this is a folder"), ("x" * 300, "cannot be written")],
)
def test_where_it_cannot_be_written_it_says_so(target: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=words):
        saved().save(tmp_path / target)
    assert list(tmp_path.iterdir()) == []


def test_a_draft_of_no_file_must_be_told_where() -> None:
    with pytest.raises(ConfigError, match="no file is named"):
        saved().save()


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("{}")
    (tmp_path / "link.json").symlink_to("real.json")
    saved().save(tmp_path / "link.json", replace=True)
    assert (tmp_path / "link.json").is_symlink()
    assert load_config(tmp_path / "real.json").seed == 7


def test_the_rights_of_a_file_stay_as_they_were(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "a.json").chmod(0o640)
    saved().save(tmp_path / "a.json", replace=True)
    assert (tmp_path / "a.json").stat().st_mode & 0o777 == 0o640


def test_nothing_else_is_left_in_the_folder(tmp_path: Path) -> None:
    saved().save(tmp_path / "a.json")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_file_of_accounts_is_found_from_another_folder(tmp_path: Path) -> None:
    draft = ConfigDraft.load(CONFIGS / "accounts-from-file.json")
    names = [name for _, name, _ in draft.choices_of_accounts()]
    (tmp_path / "inside").mkdir()
    draft.save(tmp_path / "inside" / "a.json")
    assert [name for _, name, _ in ConfigDraft.load(tmp_path / "inside" / "a.json").choices_of_accounts()] == names
    assert draft.problems() == {}


def test_a_run_called_as_its_file_keeps_its_name_in_another(tmp_path: Path) -> None:
    (tmp_path / "first.json").write_text("{}")
    draft = ConfigDraft.load(tmp_path / "first.json")
    assert text_at(draft, "name") == "first"
    draft.save(tmp_path / "second.json")
    assert load_config(tmp_path / "second.json").name == "first"


def test_a_new_draft_shows_the_budget_that_everybody_has_by_default() -> None:
    draft = ConfigDraft.new()
    texts = {field.path: field.text for field in draft.fields()}
    assert texts["budget.budgets[0].amount"] == str(draft.config().budget.budgets[0].amount)


def test_a_listed_account_is_not_looked_at_again_for_a_change_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "many.json"
    path.write_text(json.dumps({"accounts": {"list": [{"id": f"a{number}"} for number in range(100)]}}))
    draft = ConfigDraft.load(path)
    draft.fields()
    monkeypatch.setattr("orderbook_tui.config.accounts.Account", None)
    draft.set("seed", "5")
    assert draft.problems() == {}
    assert draft.accounts_in_short(2) == (100, 100, ["a0", "a1"])


def test_a_file_of_accounts_that_has_changed_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "accounts.json"
    file.write_text(json.dumps(["alice", "bob"]))
    (tmp_path / "run.json").write_text(json.dumps({"accounts": {"file": "accounts.json"}}))
    draft = ConfigDraft.load(tmp_path / "run.json")
    assert draft.accounts_in_short(9)[0] == 2
    file.write_text(json.dumps(["alice", "bob", "carol", "dave"]))
    draft.set("seed", "6")
    assert draft.accounts_in_short(9) == (4, 4, ["alice", "bob", "carol", "dave"])
