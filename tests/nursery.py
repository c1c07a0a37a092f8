"""The real program in processes of its own, without the time that starting Python takes: a nursery forks them.

    with Nursery() as nursery:
        ended = nursery.run("run", "config.json", folder=..., kill_after=0.1)
        running = nursery.start("run", "config.json", folder=...)

The nursery has imported the program; each child that it forks is `orderbook-tui` from argv to exit status.
"""

import json
import os
import pkgutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NamedTuple, NoReturn, Self

ROOT = Path(__file__).parents[1]

Step = Sequence[str]
"""What a process does before it is the program: the name of a function, as `tests.disk.faulty:enter`, and its arguments."""


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


class Running(NamedTuple):
    """A process that was started, and is the program until it ends."""

    nursery: "Nursery"
    pid: int

    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return bool(self.nursery.ask({"runs": self.pid}))

    def end(self) -> Ended:
        """Wait until it has ended, and return how; once."""
        return Ended(*self.nursery.ask({"ended": self.pid}))


class Nursery:
    """Runs the program as often as asked."""

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
        before: Sequence[Step] = (),
    ) -> Ended:
        """Run `orderbook-tui` in `folder`; `kill_after` so many seconds it gets a SIGKILL, or another signal.

        The seconds are counted from when there is a file in `folder` that the pattern `counted_from` fits.
        """
        running = self.start(*arguments, folder=folder, before=before)
        after, number = signal_after or (kill_after, signal.SIGKILL)
        if after is not None:
            self.ask({"signalled": running.pid, "signal": number, "after": after, "folder": str(folder), "from": counted_from})
        return running.end()

    def start(self, *arguments: str | Path, folder: Path, before: Sequence[Step] = ()) -> Running:
        """Start `orderbook-tui` in `folder`, and do not wait for it."""
        order = {"arguments": [str(argument) for argument in arguments], "folder": str(folder), "before": before}
        return Running(self, self.ask(order))

    def ask(self, order: dict[str, Any]) -> Any:
        """Send an order, and return what comes of it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def prepared(before: Sequence[Step]) -> list[Any]:
    """Take the steps, and return what they came to: it is there as long as somebody keeps it."""
    return [pkgutil.resolve_name(name)(*arguments) for name, *arguments in before]


def become_the_program(
    arguments: Sequence[str],
    folder: str | Path,
    out: int,
    err: int,
    instead: Callable[[], Any] | None = None,
    before: Sequence[Step] = (),
) -> NoReturn:
    """Be `orderbook-tui`, in a process that was forked for it: from argv to exit status, saying what it says to `out`, `err`.

    `instead` is called in place of the command line, where there is none for what is wanted.
    """
    _kept = prepared(before)
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


class _Child(NamedTuple):
    """A process that was forked, and where it says what it says."""

    pid: int
    out: IO[bytes]
    err: IO[bytes]

    @classmethod
    def forked(cls, order: dict[str, Any]) -> "_Child":
        out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115 - closed once it has ended
        pid = os.fork()
        if pid == 0:
            become_the_program(order["arguments"], order["folder"], out.fileno(), err.fileno(), before=order["before"])
        return cls(pid, out, err)

    def is_running(self) -> bool:
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def signal(self, order: dict[str, Any]) -> None:
        give_up = time.monotonic() + 30
        while not any(Path(order["folder"]).glob(order["from"])) and time.monotonic() < give_up:
            time.sleep(0.001)
        time.sleep(order["after"])
        os.kill(self.pid, order["signal"])  # not yet waited for, so the number is still its own

    def ended(self) -> Ended:
        _, status = os.waitpid(self.pid, 0)
        with self.out as out, self.err as err:
            out.seek(0)
            err.seek(0)
            return Ended(os.waitstatus_to_exitcode(status), out.read().decode(), err.read().decode())


def _answer(order: dict[str, Any], children: dict[int, _Child]) -> Any:
    match order:
        case {"runs": pid}:
            return children[pid].is_running()
        case {"signalled": pid}:
            return children[pid].signal(order)
        case {"ended": pid}:
            return children.pop(pid).ended()
        case _:
            child = _Child.forked(order)
            children[child.pid] = child
            return child.pid


def _serve() -> None:
    import orderbook_tui.cli
    import orderbook_tui.headless  # noqa: F401 - what a child would import first

    children: dict[int, _Child] = {}
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line), children)), flush=True)


if __name__ == "__main__":
    _serve()
