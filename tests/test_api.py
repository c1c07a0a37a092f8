"""The public API: the names, and the user's guide section by section."""

import ast
import asyncio
import importlib.metadata
from decimal import Decimal
from pathlib import Path

import pytest

import orderbook_tui
from orderbook_tui import (
    Account,
    ActionSlot,
    AmountError,
    Asset,
    BudgetStore,
    DisciplineError,
    Ending,
    IllegalTransition,
    InsufficientBudget,
    Market,
    MarketDiscipline,
    MarketStatus,
    OrderMatchingStrategy,
    ProcessorResults,
    Regulation,
    SchedulerConfig,
    Side,
    SimulationState,
    SlotProcessor,
    SlotScheduler,
    SlotState,
    StatePersistence,
    StorageError,
    Verdict,
)
from tests.page_example import main

BTC_USD = Market(symbol="BTC-USD", base=Asset("BTC"), quote=Asset("USD"), reference_price=Decimal(60_000))
ETH_USD = Market(symbol="ETH-USD", base=Asset("ETH"), quote=Asset("USD"), reference_price=Decimal(3_000))
ACCOUNTS = [Account("a"), Account("b"), Account("c")]


def a_schedule(**config: object) -> list[ActionSlot]:
    scheduler = SlotScheduler(SchedulerConfig(trades_per_account=4, **config))  # type: ignore[arg-type]
    return scheduler.generate_schedule(ACCOUNTS, [BTC_USD, ETH_USD])


def place_order(slot: ActionSlot) -> str:
    return f"order-{slot.sequence}"


def process(slots: list[ActionSlot]) -> ProcessorResults:
    return asyncio.run(SlotProcessor(0).process_slots(slots, place_order))


# The names


@pytest.mark.parametrize("name", orderbook_tui.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(orderbook_tui, name) is not None


def test_a_name_is_listed_once() -> None:
    assert len(orderbook_tui.__all__) == len(set(orderbook_tui.__all__))


def test_every_name_that_can_be_imported_is_public() -> None:
    assert set(orderbook_tui._HOME_OF) | {"__version__"} == set(orderbook_tui.__all__)


def test_type_checkers_see_each_name_where_it_is_imported_from() -> None:
    tree = ast.parse(Path(orderbook_tui.__file__).read_text(encoding="utf-8"))
    guarded = next(node for node in tree.body if isinstance(node, ast.If)).body
    seen = {alias.name: node.module for node in guarded if isinstance(node, ast.ImportFrom) for alias in node.names}

    assert seen == {name: f"orderbook_tui.{home}" for name, home in orderbook_tui._HOME_OF.items()}


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        _ = orderbook_tui.Nonsense


def test_dir_lists_the_public_names() -> None:
    assert set(orderbook_tui.__all__) <= set(dir(orderbook_tui))


def test_the_version_is_that_of_the_package() -> None:
    assert orderbook_tui.__version__ == importlib.metadata.version("orderbook-tui")


# The guide


def test_the_guide_runs_to_its_end(tmp_path: Path) -> None:
    state = asyncio.run(main(str(tmp_path)))

    assert (state.stats.completed_slots, state.stats.total_slots) == (30, 30)


def test_the_guide_leaves_its_run_saved(tmp_path: Path) -> None:
    state = asyncio.run(main(str(tmp_path)))

    assert StatePersistence(tmp_path).load(state.id).stats.completed_slots == 30


def test_the_guide_prints_statistics_and_budgets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(main(str(tmp_path)))

    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()][:8] == [
        "Total Slots", "Completed", "Failed", "Skipped", "Orders Created", "Total Budget", "Total Spent", "Utilization",
    ]  # fmt: skip


def test_two_slots_of_a_pair_cross() -> None:
    slots = a_schedule()

    for first, second in zip(slots[::2], slots[1::2], strict=True):
        bid, ask = (first, second) if first.action.side is Side.BID else (second, first)
        assert (bid.action.market, bid.action.price >= ask.action.price) == (ask.action.market, True)


def test_a_strategy_may_name_the_counterparty() -> None:
    assert OrderMatchingStrategy.match_with("b").account == "b"


def test_amounts_may_be_overridden() -> None:
    bid = next(slot for slot in a_schedule() if slot.action.side is Side.BID)
    bid.override(bid_amount=Decimal(1000), ask_amount=Decimal("0.02"))

    price = bid.action.market.price(bid.action.price)
    assert (bid.action.bid_amount, bid.action.ask_amount, price) == (Decimal(1000), Decimal("0.02"), Decimal(50_000))


def test_amounts_that_give_no_whole_lots_are_refused() -> None:
    with pytest.raises(AmountError):
        a_schedule()[0].override(ask_amount="0.00000001", bid_amount=1)


def test_amounts_of_a_slot_that_was_run_stay() -> None:
    slots = a_schedule()
    process(slots)

    with pytest.raises(IllegalTransition):
        slots[0].override(bid_amount=1000)


def test_slots_may_be_filtered_by_market() -> None:
    state = SimulationState(a_schedule())
    process([slot for slot in state.slots if slot.action.market_id == "ETH-USD"])

    assert {slot.action.market_id for slot in state.slots if slot.state is SlotState.COMPLETED} == {"ETH-USD"}


def test_the_trading_history_can_be_exported() -> None:
    budget_store = BudgetStore()
    budget_store.set_budget("a", "USD", 1000)
    budget_store.lock("a", "USD", 500)
    budget_store.spend("a", "USD", 500)

    assert [(snapshot.account_id, snapshot.spent) for snapshot in budget_store.get_history()] == [
        ("a", Decimal(0)),
        ("a", Decimal(500)),
    ]


def test_a_run_is_done_when_its_slots_are() -> None:
    assert process(a_schedule()) == ProcessorResults(Ending.DONE, completed=12)


def test_a_price_outside_the_band_is_refused() -> None:
    regulated = Market(
        symbol="BTC-USD",
        base=Asset("BTC"),
        quote=Asset("USD"),
        reference_price=Decimal(60_000),
        regulation=Regulation(Decimal("0.1")),
        status=MarketStatus.ACTIVE,
    )

    with pytest.raises(DisciplineError):
        MarketDiscipline(regulated).validate_price(Decimal(70_000))


# Troubleshooting


def test_orders_that_did_not_cross_say_so() -> None:
    slots = a_schedule()
    process(slots)

    assert {slot.verdict for slot in slots} == {Verdict.UNMATCHED}


def test_a_budget_that_was_not_locked_cannot_be_spent() -> None:
    budget_store = BudgetStore()
    budget_store.set_budget("a", "USD", 1000)

    with pytest.raises(InsufficientBudget):
        budget_store.spend("a", "USD", 1)


def test_an_amount_that_the_asset_cannot_hold_is_refused() -> None:
    budget_store = BudgetStore([Asset("USD", 2)])

    with pytest.raises(AmountError, match=r"0\.005 USD: USD has 2 decimals"):
        budget_store.set_budget("a", "USD", "0.005")


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StorageError):
        StatePersistence(tmp_path / "file").save(SimulationState(a_schedule()))
