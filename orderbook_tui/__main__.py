"""`python -m orderbook_tui` is `orderbook-tui`."""

from orderbook_tui.cli import main

main()
