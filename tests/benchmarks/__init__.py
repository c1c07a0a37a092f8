"""How fast it is: `python -m tests.benchmarks [NAME ...]` prints one JSON object on one line.

    catalogue   every benchmark, by name, with its size; each is measured in a process of its own
    book        messages through an order book
    runs        whole runs without a screen: in memory, saved in groups, saved slot by slot
    screen      a run that the app shows, and the slots screen at any size
    scenes      what is played on that screen, in the process of the app
    memory      what the app takes beside the run that it shows
    concurrency overdrafts of many pairs at once
    venues      runs over HTTP and FIX, beside bare loops that send the same
    space       bytes that a slot takes
    plans       making a schedule
    databases   accounts and budgets from PostgreSQL
    starting    from the command to the help, and to the first frame

Machines drift: compare with what else ran in the same minute, not with another day's numbers.
"""
