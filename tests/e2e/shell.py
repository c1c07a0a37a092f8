"""A shell with job control in a terminal of its own, and the program as its job: what ctrl+z, `fg` and `bg` are about.

Shell(folder)       typed `orderbook-tui run ...` --> the shell --> the program in a process group of its own
stop it, `fg` it    ... and the shell has the terminal meanwhile
"""

import contextlib
import os
import re
import shlex
import signal
from pathlib import Path
from types import TracebackType
from typing import Final

from tests.e2e.terminal import SIZES, Terminal, command

PROMPT: Final = "ready> "
_ENDED: Final = re.compile(r"ended with (\d+)\.")


class Shell(Terminal):
    """Somebody at a shell, who runs one program at a time."""

    def __init__(self, folder: Path, size: tuple[int, int] = SIZES[0]) -> None:
        super().__init__(folder=folder, size=size, program=["env", f"PS1={PROMPT}", "sh", "-i"])
        self._pid_file = folder / "pid"
        self._asks = 1
        """How often the shell will have shown its prompt, once it waits for a line."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        # The job has a process group of its own, and does not end with the shell.
        with contextlib.suppress(OSError, ValueError):
            os.kill(self.job, signal.SIGKILL)
        super().__exit__(kind, error, trace)

    @property
    def job(self) -> int:
        """The process of the program that was started last."""
        return int(self._pid_file.read_text())

    @property
    def is_stopped(self) -> bool:
        """Whether the job is stopped, and not only silent."""
        return _state(self.job) == "T"

    @property
    def job_is_gone(self) -> bool:
        """Whether the job has ended, whoever has noticed."""
        try:
            return _state(self.job) in "ZX"
        except OSError:
            return True

    def type(self, line: str) -> None:
        """Type a line at the prompt."""
        self.wait_until(lambda: self.everything.count(PROMPT) >= self._asks, "the shell's prompt")
        self.press(line, "\n")  # what enter comes to, also where a program was stopped that has a terminal not say so

    def start(self, *arguments: str) -> None:
        """Start the program in the foreground."""
        # The shell that becomes the program leaves its number, which stays the program's.
        self.type(f"sh -c 'echo $$ >pid; exec {shlex.join([*command(), *arguments])}'")
        self.wait_until(lambda: self._pid_file.exists() and self._pid_file.read_text().endswith("\n"), "the program to start")

    def signal_job(self, number: signal.Signals) -> None:
        """Send the program, and nobody else, a signal."""
        os.kill(self.job, number)

    def wait_until_stopped(self) -> None:
        """Wait until the job is stopped and the shell has the terminal back."""
        self.wait_until(lambda: self.is_stopped, "the program to be stopped")
        self._asks += 1
        self.wait_until(lambda: self.everything.count(PROMPT) >= self._asks, "the shell's prompt")

    def job_ended(self) -> int:
        """Wait until the program in the foreground has ended; return its exit status."""
        self.wait_until(lambda: self.job_is_gone, "the program to end")
        self._asks += 1
        self.type("echo ended with $?.")
        self.wait_until(lambda: _ENDED.search(self.everything) is not None, "its exit status")
        return int(_ENDED.findall(self.everything)[-1])


def _state(process: int) -> str:
    """Return the letter that `ps` shows for a process."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
