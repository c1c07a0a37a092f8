"""The configurations in `configs`, and what some of them need before they can be carried out."""

from pathlib import Path
from typing import Final

CONFIGS: Final = Path(__file__).parents[1] / "configs"
FIRST: Final = {
    "database.json": "accounts generate --database sqlite:///{folder}/accounts.sqlite --table accounts --count 8",
}
"""The command that has to be carried out first."""
ENVIRONMENT: Final = {"venue-ccxt.json": ("BINANCE_TESTNET_KEY", "BINANCE_TESTNET_SECRET")}
"""The secrets that it takes from the environment."""
EXTRAS: Final = {"database.json": "sqlalchemy", "venue-ccxt.json": "ccxt"}
"""The package that it needs besides."""
STANDALONE: Final = sorted(path for path in CONFIGS.glob("*.json") if path.name not in {"accounts.json", *FIRST, *ENVIRONMENT})
"""Those that can be planned as they stand."""
