"""Faults on the wire: a run, a served exchange in a process of its own, and between them a proxy that misbehaves.

    python -m tests.wire --slots 2000 --over http
    python -m tests.wire --slots 2000 --over fix --concurrency 16 --kill-exchange --kill-run

    life      one life of the run, in a process that can be killed
    faults    what goes wrong, drawn from a seed
    http_wire, fix_wire    the proxies: they carry requests, frames and messages, or do not
    trial     all of it put up, and its processes killed
    judge     afterwards: nothing twice, nothing lost, and the same money on both sides
    planted   bugs that the judge must find

What happens to a message depends on the seed, on what it is about, and on how many such there were before: not on timing.
"""
