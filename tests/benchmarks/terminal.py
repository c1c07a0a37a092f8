"""A program in a pseudo-terminal of 120x36, with someone who reads all that it writes and answers nothing."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

COLUMNS, ROWS = 120, 36


@contextmanager
def in_terminal(command: Sequence[str], *, keep_open: Sequence[int] = ()) -> Iterator[int]:
    """Start `command` and give the descriptor to read from; what still runs in the end is killed."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "COLUMNS", "LINES"}}
    environment |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    try:
        process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, pass_fds=keep_open, start_new_session=True
        )
    finally:
        os.close(theirs)
    try:
        yield ours
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(ours)


def written(terminal: int, *, patience_s: float) -> Iterator[bytes]:
    """Yield what is written, as it comes, until the program ends.

    Raises:
        TimeoutError: it has not ended after `patience_s` seconds.
    """
    until = time.monotonic() + patience_s
    while (left := until - time.monotonic()) > 0:
        if not select.select([terminal], [], [], left)[0]:
            break
        try:
            chunk = os.read(terminal, 1 << 16)
        except OSError:  # the way in which Linux says that the other end is closed
            return
        if not chunk:
            return
        yield chunk
    raise TimeoutError(f"the program in the terminal has not ended after {patience_s} s")
