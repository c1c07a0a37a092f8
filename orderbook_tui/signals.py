"""Signals, and the terminal they come from: which end us, how we are stopped for a while, whether anybody is there.

SIGINT, SIGTERM, SIGHUP   end a run in order, unless whoever started us had them ignored, as `nohup` does
SIGTSTP                   ctrl+z: stops the process until `fg`; nothing runs meanwhile
a terminal that has gone  says so to whoever polls it, also where no SIGHUP comes
"""

import contextlib
import os
import select
import signal
import sys

if sys.platform != "win32":
    import termios


def heeded() -> list[signal.Signals]:
    """Return the signals that end a run: not those that were ignored before us, or `nohup` would be for nothing."""
    wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if sys.platform != "win32" else (signal.SIGINT, signal.SIGTERM)
    return [number for number in wanted if signal.getsignal(number) is not signal.SIG_IGN]


def has_hung_up(terminal: int) -> bool:
    """Whether nobody is at the other end of the terminal that this descriptor belongs to."""
    if not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(terminal, 0)  # that it has hung up is told in any case
    return any(events & (select.POLLHUP | select.POLLNVAL) for _, events in poll.poll(0))


if sys.platform != "win32":

    def stop_until_continued(terminal: int, *, all_of_us: bool) -> bool:
        """Stop this process, as ctrl+z does, until it is continued; return whether the terminal is its own again.

        That it is not where a signal wants the process to end meanwhile, as `kill %1` does: nobody brings it back first.
        `all_of_us`: the others of the process group too, such as the program that started us. Where no shell could ever
        continue us, the system lets us go on at once. SIGTSTP and SIGCONT must have no handlers meanwhile.
        """
        wanted_by: list[int] = []
        before = {number: signal.signal(number, lambda number, _: wanted_by.append(number)) for number in heeded()}
        try:
            if all_of_us:
                signal.signal(signal.SIGTSTP, signal.SIG_IGN)
                os.killpg(os.getpgrp(), signal.SIGTSTP)
            signal.signal(signal.SIGTSTP, signal.SIG_DFL)
            # To this very thread, so that not one line more is run before it takes effect.
            signal.raise_signal(signal.SIGTSTP)
            if not wanted_by:
                wait_for_foreground(terminal)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        return not wanted_by

    def wait_for_foreground(terminal: int) -> None:
        """Stay stopped until the terminal is ours: `bg` continues us, and must not have us draw over the shell."""
        with contextlib.suppress(termios.error):
            # Changes nothing, and stops whoever asks for it from the background.
            termios.tcflow(terminal, termios.TCOON)
