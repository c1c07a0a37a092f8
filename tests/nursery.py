"""The real program in processes of its own, without the time that starting Python takes: a nursery forks them.

    with Nursery() as nursery:
        ended = nursery.run("run", "config.json", kill_after=0.1)

The nursery has imported the program; each child that it forks is `orderbook-tui` from argv to exit status.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, NoReturn, Self

ROOT = Path(__file__).parents[1]


class Ended(NamedTuple):
    """How a process ended, and what it said. A status below zero is the signal that ended it."""

    status: int
    stdout: str
    stderr: str

    @property
    def killed(self) -> bool:
        return self.status == -signal.SIGKILL

    def result(self) -> dict[str, Any]:
        """What it printed, as JSON."""
        found: dict[str, Any] = json.loads(self.stdout)
        return found


class Nursery:
    """Runs the program as often as asked, one process at a time."""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tests.nursery"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.communicate(timeout=30)

    def run(
        self,
        *arguments: str | Path,
        folder: Path,
        kill_after: float | None = None,
        signal_after: tuple[float, int] | None = None,
        counted_from: str = "*",
    ) -> Ended:
        """Run `orderbook-tui` in `folder`; `kill_after` so many seconds it gets a SIGKILL, or another signal.

        The seconds are counted from when there is a file in `folder` that the pattern `counted_from` fits.
        """
        after, number = signal_after or (kill_after, signal.SIGKILL)
        order = {
            "arguments": [str(argument) for argument in arguments],
            "folder": str(folder),
            "after": after,
            "signal": number,
            "from": counted_from,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return Ended(*json.loads(self._process.stdout.readline()))


def become_the_program(
    arguments: Sequence[str], folder: str | Path, out: int, err: int, instead: Callable[[], Any] | None = None
) -> NoReturn:
    """Be `orderbook-tui`, in a process that was forked for it: from argv to exit status, saying what it says to `out`, `err`.

    `instead` is called in place of the command line, where there is none for what is wanted.
    """
    os.chdir(folder)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, place in ((nothing, 0), (out, 1), (err, 2)):
        os.dup2(descriptor, place)
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(n, "rw"[n > 0], closefd=False) for n in range(3))
    sys.argv = ["orderbook-tui", *arguments]
    from orderbook_tui.cli import main

    status = 1
    try:
        (instead or main)()
    except SystemExit as ended:
        status = int(ended.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _run(order: dict[str, Any]) -> tuple[int, str, str]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            become_the_program(order["arguments"], order["folder"], out.fileno(), err.fileno())
        if order["after"] is not None:
            give_up = time.monotonic() + 30
            while not any(Path(order["folder"]).glob(order["from"])) and time.monotonic() < give_up:
                time.sleep(0.001)
            time.sleep(order["after"])
            os.kill(child, order["signal"])  # not yet waited for, so the number is still its own
        _, status = os.waitpid(child, 0)
        out.seek(0)
        err.seek(0)
        return os.waitstatus_to_exitcode(status), out.read().decode(), err.read().decode()


def _serve() -> None:
    import orderbook_tui.cli
    import orderbook_tui.headless  # noqa: F401 - what a child would import first

    for line in sys.stdin:
        print(json.dumps(_run(json.loads(line))), flush=True)


if __name__ == "__main__":
    _serve()
