"""What a configuration is refused for, as a person reads it."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from orderbook_tui.config import parse_config
from orderbook_tui.errors import ConfigError


def problems(content: bytes | str | Mapping[str, object], folder: Path | str = ".") -> list[str]:
    """Return all that is wrong with a configuration, one line a problem."""
    text = json.dumps(content) if isinstance(content, Mapping) else content
    with pytest.raises(ConfigError) as refused:
        parse_config(text, folder)
    return [str(problem) for problem in refused.value.problems]


MARKET = {"symbol": "BTC-USD", "base": "BTC", "quote": "USD", "reference_price": "60000"}


def market(**changes: object) -> dict[str, object]:
    return {**MARKET, **changes}
