"""The asynchronous shell around the core: time, retries, decisions, files."""
