"""The terminal application. It drives a `Simulation` and knows nothing beneath it."""
