"""A deterministic simulator of trouble: one seed is one run with everything that can go wrong, on virtual time.

    configs       what is run: drawn from the seed
    venue         an order book outside the process, which survives its crashes and misbehaves
    kernel        what the operating system does for a process: files that tear and fill up, and its death
    virtual_time  clocks that jump, and an event loop that never waits
    person        who decides, pauses, stops, goes on and mends
    books         the books, kept a second time and by hand
    checks        what must be true after each step
    world         one run in all its lives
    seeds         one seed: the run undisturbed, and in all its troubles
    listening     how a world hears of what the program does
    planted       bugs that must be found

`python -m tests.simulator --seed 12345` repeats one.
"""
