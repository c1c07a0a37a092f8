"""Runs whose book has depth: orders of any price and size, makers that only make, fills in parts."""

import random
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from orderbook_tui.config import parse_config, universe
from orderbook_tui.core.action import ANY, OrderAction, OrderMatchingStrategy
from orderbook_tui.core.book import Side, TimeInForce
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.engine.simulation import Simulation

REGULATED = {"kind": "regulated", "band": "0.01"}
MARKETS = [
    {"symbol": "BTC-USD", "base": "BTC", "quote": "USD", "reference_price": "60000", "regulation": REGULATED},
    {"symbol": "ETH-USD", "base": "ETH", "quote": "USD", "reference_price": "3000"},
    {"symbol": "SOL-USD", "base": "SOL", "quote": "USD", "reference_price": "150"},
]
Order = tuple[int, str, Side, str, str]
"""The number of an account, a market, a side, a quantity and a price."""


def a_config(**sections: Any) -> dict[str, Any]:
    """A config of four accounts and three markets, with enough of everything, without waits."""
    return {
        "name": "deep",
        "markets": MARKETS,
        "processor": {"retry_base_delay_ms": 0, "max_retries": 0, "on_failure": "continue"},
        "budget": {"budgets": [{"amount": 10**9}]},
        **sections,
    }


def a_run_of(
    *orders: Order,
    folder: Path | None = None,
    lives: TimeInForce = TimeInForce.GTC,
    only: Mapping[int, int] | None = None,
    **sections: Any,
) -> Simulation:
    """A run of exactly these orders, in pairs. `only` says of some which account they admit. `lives` is for the makers."""
    config = parse_config(a_config(**sections))
    described = universe(config, Path())
    markets = {market.symbol: market for market in described.markets}
    slots = []
    for place, (account, symbol, side, quantity, price) in enumerate(orders):
        market = markets[symbol]
        action = OrderAction(
            market,
            side,
            market.quantity_lots(Decimal(quantity)),
            market.price_ticks(Decimal(price)),
            OrderMatchingStrategy.match_with(described.accounts[only[place]].id) if only and place in only else ANY,
            lives if place % 2 == 0 else TimeInForce.GTC,
        )
        slots.append(ActionSlot(place, described.accounts[account].id, action, 0, 1))
    return Simulation.create(config, state_dir=folder, save=folder is not None, slots=slots)


def a_deep_run(count: int = 60, seed: int = 3, **sections: Any) -> Simulation:
    """A run of orders around the reference prices: most rest, some trade, with one maker or with several."""
    draw = random.Random(seed)
    orders: list[Order] = []
    for _ in range(count):
        side, account = Side(draw.randrange(2)), draw.randrange(4)
        away = draw.randrange(-2, 9) * (1 if side is Side.ASK else -1)
        symbol, reference = draw.choice([("BTC-USD", 60_000), ("BTC-USD", 60_000), ("ETH-USD", 3_000)])
        orders.append((account, symbol, side, f"0.{draw.randrange(1, 9)}", f"{reference + 5 * away}"))
    return a_run_of(*orders, **sections)
