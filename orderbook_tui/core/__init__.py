"""The exact, synchronous heart: no clock, no file, no network, no await, no unseeded randomness."""
