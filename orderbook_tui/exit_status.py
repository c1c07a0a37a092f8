"""What a process that ran a simulation answers. A module of its own, so that the command line need not import the engine."""

from enum import IntEnum


class ExitStatus(IntEnum):
    """What a process that ran a simulation answers."""

    OK = 0
    """Every slot completed, and every directed one was matched by its counterparty."""
    INCOMPLETE = 1
    """The run is over, but not so."""
    BAD_INPUT = 2
    QUIT = 3
    """A person or a policy decided to quit; the rest can be resumed."""
    STORAGE = 4
    """The checkpoint could not be written."""
    INTERRUPTED = 130
    """Stopped by a signal; everything is saved."""
