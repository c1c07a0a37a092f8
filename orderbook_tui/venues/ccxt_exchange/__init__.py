"""An exchange through the library ccxt (extra `ccxt`), which is imported with the modules here, and only when one is used."""
