"""The program in a terminal, without the time that importing it takes: a process that has imported it forks one that is it.

    program = STARTER.start(["configs/simulator.json"], folder=..., terminal="/dev/pts/7", environment=...)
    program.poll()

What is forked has a session and a process group of its own, with the terminal as theirs, as if it had been started there.
"""

import atexit
import gc
import importlib
import json
import os
import pkgutil
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

import orderbook_tui.tui
from tests.nursery import Step, prepared

ROOT: Final = Path(__file__).parents[2]


class Starter:
    """Starts the program as often as asked: begins with the first time, and ends with the process that asks."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def start(
        self,
        arguments: Sequence[str],
        *,
        folder: Path,
        terminal: str,
        environment: Mapping[str, str],
        before: Sequence[Step] = (),
    ) -> "Started":
        """Start the program in `folder`, at a terminal that is nobody's yet."""
        order = {
            "arguments": arguments,
            "folder": str(folder),
            "terminal": terminal,
            "environment": dict(environment),
            "before": before,
        }
        return Started(self, self.ask(order))

    def ask(self, order: dict[str, Any]) -> Any:
        """Send an order, and return what comes of it."""
        if self._process is None:
            command = [sys.executable, "-m", "tests.e2e.starter"]
            self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            atexit.register(self._process.communicate)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


STARTER: Final = Starter()


class Started:
    """A program that was started; as much of `subprocess.Popen` as is asked of it."""

    def __init__(self, starter: Starter, pid: int) -> None:
        self._starter = starter
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return its exit status, if it has ended."""
        return self._ended(wait=False)

    def wait(self) -> int:
        """Return its exit status, once it has ended."""
        ended = self._ended(wait=True)
        assert ended is not None
        return ended

    def _ended(self, *, wait: bool) -> int | None:
        if self.returncode is None:
            self.returncode = self._starter.ask({"ended": self.pid, "wait": wait})
        return self.returncode


def _status(pid: int, *, wait: bool) -> int | None:
    ended, status = os.waitpid(pid, 0 if wait else os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def _start(order: dict[str, Any]) -> int:
    """Fork the program, and return its number once it has its terminal."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        terminal = os.open(order["terminal"], os.O_RDWR)  # which is the session's from here on
        for place in range(3):
            os.dup2(terminal, place)
        for descriptor in (terminal, reading, writing):
            os.close(descriptor)
        _become_the_program(order)
    os.close(writing)
    os.read(reading, 1)
    os.close(reading)
    return child


def _become_the_program(order: dict[str, Any]) -> NoReturn:
    _kept = prepared(order["before"])
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.stdin = sys.__stdin__ = os.fdopen(0, closefd=False)  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w", closefd=False)  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = os.fdopen(2, "w", closefd=False, errors="backslashreplace")  # type: ignore[misc]
    sys.argv = ["orderbook-tui", *order["arguments"]]
    from orderbook_tui.cli import main

    status = 1
    try:
        main()
    except SystemExit as ended:
        status = int(ended.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _serve() -> None:
    # What a child would import first, or with each screen.
    for name in ("orderbook_tui.cli", "orderbook_tui.headless", "textual.drivers.linux_driver", "anyio._backends._asyncio"):
        importlib.import_module(name)
    for module in pkgutil.walk_packages(orderbook_tui.tui.__path__, "orderbook_tui.tui."):
        importlib.import_module(module.name)
    gc.freeze()
    for line in sys.stdin:
        order = json.loads(line)
        answer = _start(order) if "terminal" in order else _status(order["ended"], wait=order["wait"])
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    _serve()
