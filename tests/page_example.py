"""The user's guide, from accounts to a resumed run, as one script: an order book of one's own, and budgets kept by hand."""

import asyncio
from decimal import Decimal

from orderbook_tui import (
    Account,
    ActionSlot,
    Asset,
    BudgetStore,
    InsufficientBudget,
    Market,
    MarketDiscipline,
    MarketDistribution,
    SchedulerConfig,
    Side,
    SimulationState,
    SlotProcessor,
    SlotScheduler,
    StatePersistence,
)


async def main(state_dir: str = "./simulator_state") -> SimulationState:
    # 1. Accounts and markets
    accounts = [Account("alice"), Account("bob"), Account("carol")]
    usd, btc, eth = assets = [Asset("USD"), Asset("BTC"), Asset("ETH")]
    markets = [
        Market(symbol="BTC-USD", base=btc, quote=usd, reference_price=Decimal(60_000)),
        Market(symbol="ETH-USD", base=eth, quote=usd, reference_price=Decimal(3_000)),
    ]

    # 2. Budgets
    budget_store = BudgetStore(assets)
    for account in accounts:
        for asset in assets:
            budget_store.set_budget(account, asset, 50_000)

    # 3. The schedule
    config = SchedulerConfig(
        min_amount=Decimal(100),
        max_amount=Decimal(5000),
        trades_per_account=10,
        alternate_sides=True,
        market_distribution=MarketDistribution.ROUND_ROBIN,
    )
    slots = SlotScheduler(config).generate_schedule(accounts, markets)

    # Amounts of your own, in place of those drawn: give them to both slots of a pair, so that they still cross.
    for slot in slots[:2]:
        if slot.action.side is Side.BID:
            slot.override(bid_amount=1200, ask_amount="0.02")  # gives 1200 USD for 0.02 BTC
        else:
            slot.override(bid_amount="0.02", ask_amount=1200)

    # 4. State, and where it is kept
    state = SimulationState(slots)
    persistence = StatePersistence(state_dir)

    # 5. Run the slots
    disciplines = {market.symbol: MarketDiscipline(market) for market in markets}

    async def place_order(slot: ActionSlot) -> str:
        action = slot.action
        if not budget_store.has_available(slot.account_id, action.bid_asset, action.bid_amount):
            budget = budget_store.budget(slot.account_id, action.bid_asset)
            there = budget.asset.amount(budget.available)
            raise InsufficientBudget(action.bid_amount, there, account=slot.account_id, asset=action.bid_asset)
        disciplines[action.market_id].validate_price(action.market.price(action.price))
        budget_store.lock(slot.account_id, action.bid_asset, action.bid_amount)
        # Here your order goes to your exchange. This one fills it at once, and at its price.
        budget_store.spend(slot.account_id, action.bid_asset, action.bid_amount)
        return f"order-{slot.sequence}"

    processor = SlotProcessor(500)  # the wait before the first retry, in milliseconds
    await processor.process_slots([slot for slot in state.slots if slot.action.market_id == "BTC-USD"], place_order)
    simulation_id = persistence.save(state)

    # 6. Take the run up where it was
    assert simulation_id in [simulation.id for simulation in persistence.list_simulations()]
    state = persistence.load(simulation_id)
    await processor.process_slots(state.slots[state.current_slot_index :], place_order)
    persistence.close()
    persistence.save(state)
    persistence.close()

    # What came of it
    state.update_stats()
    print(f"Total Slots: {state.stats.total_slots}")
    print(f"Completed: {state.stats.completed_slots}")
    print(f"Failed: {state.stats.failed_slots}")
    print(f"Skipped: {state.stats.skipped_slots}")
    print(f"Orders Created: {state.stats.total_orders_created}")
    summary = budget_store.get_summary()
    print(f"Total Budget: {summary.total_initial}")
    print(f"Total Spent: {summary.total_spent}")
    print(f"Utilization: {summary.total_utilization_percent()}%")
    for snapshot in list(budget_store.get_history())[-2:]:  # every movement, and the budget right after it
        print(f"{snapshot.account_id}: {snapshot.kind} {snapshot.amount} {snapshot.asset}, spent {snapshot.spent}")
    return state


if __name__ == "__main__":
    asyncio.run(main())
