"""Fuzzing: inputs that nobody meant, at every place where text or bytes from outside come in.

    python -m tests.fuzzing --cpu-minutes 30

    target --make(random)--> an input, as bytes --run(input, folder)--> nothing, or whatever escaped

Any input must give a result or one of the program's own errors, in bounded time and memory. An input is a function of (target,
seed, number), so whatever is found can be made again; what was found is kept in `cases`, and run by `test_cases`.
"""
