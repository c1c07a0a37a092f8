"""Real orders are placed only where that was confirmed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Program


def test_without_a_terminal_and_the_option_real_orders_are_refused(program: Program, config: Callable[..., Path]) -> None:
    pytest.importorskip("ccxt", reason="the extra ccxt is not installed")
    markets = [{"symbol": "BTC-USDT", "base": "BTC", "quote": "USDT", "reference_price": "60000"}]
    path = config(venue={"kind": "ccxt", "exchange": "binance", "sandbox": False}, markets=markets)
    ended = program("run", path)

    assert ended.status == 2
    assert "--leave-sandbox" in ended.stderr
