"""orderbook-tui: scripted order flow against an order book, inside exact budgets, resumable."""

__version__ = "0.1.0"
