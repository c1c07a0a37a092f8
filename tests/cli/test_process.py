"""The program as a process: signals, pipes, disks, and a person at a terminal."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import OUTAGE
from tests.e2e.starter import STARTER, Started
from tests.engine.runs import faults, finished
from tests.nursery import Nursery

Config = Callable[..., Path]
WAIT_S = 30


# What cannot be written as it is


@pytest.mark.parametrize("form", ["csv", "jsonl"])
@pytest.mark.parametrize("output", [[], ["--output", "file"]], ids=["stdout", "file"])
def test_text_that_is_no_unicode_is_exported_as_an_escape(
    nursery: Nursery, config: Config, folder: Path, form: str, output: list[str]
) -> None:
    (folder / "desk.py").write_text("def place(slot):\n    raise RuntimeError('odd \\ud800 text')\n")
    config(venue={"target": "desk:place"})
    nursery.run("run", "config.json", folder=folder)
    ended = nursery.run("export", "latest", "--format", form, *output, folder=folder)
    text = (folder / "file").read_text() if output else ended.stdout

    assert (ended.status, text.count(r"odd \ud800 text")) == (0, 40)


@pytest.mark.parametrize("command", ["validate", "run"])
def test_a_terminal_of_another_alphabet_gets_escapes(config: Config, folder: Path, command: str) -> None:
    config(name="b\xfcro")
    words = [sys.executable, "-m", "orderbook_tui", command, "config.json"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    ended = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)

    assert r"b\xfcro" in ended.stdout


# Signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_run_with_130(nursery: Nursery, config: Config, folder: Path, number: int) -> None:
    config(processor={"slots_per_second": 20})
    ended = nursery.run("run", "config.json", folder=folder, signal_after=(0.3, number), counted_from="*/*.lock")

    assert ended.status == 130


def test_an_interrupted_run_prints_its_summary(nursery: Nursery, config: Config, folder: Path) -> None:
    config(processor={"slots_per_second": 20})
    arguments = ["run", "config.json", "--format", "json"]
    ended = nursery.run(*arguments, folder=folder, signal_after=(0.3, signal.SIGTERM), counted_from="*/*.lock")

    assert (ended.result()["exit_status"], ended.stderr) == (130, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_resumed_to_the_same_end(nursery: Nursery, config: Config, folder: Path, number: int) -> None:
    config(venue=OUTAGE, processor={"slots_per_second": 100})
    nursery.run("run", "config.json", folder=folder, signal_after=(0.1, number), counted_from="*/*.lock")
    ended = nursery.run("resume", "latest", "--format", "json", folder=folder)

    assert ended.result()["state_hash"] == finished(venue=OUTAGE).state_hash()


def test_a_signal_ends_a_long_wait(nursery: Nursery, config: Config, folder: Path) -> None:
    config(venue=OUTAGE, processor={"retry_base_delay_ms": 60_000, "max_delay_ms": 60_000})
    began = time.monotonic()
    ended = nursery.run("run", "config.json", folder=folder, signal_after=(0.3, signal.SIGTERM), counted_from="*/*.lock")

    assert ended.status == 130
    assert time.monotonic() - began < WAIT_S


# Pipes and disks


@pytest.mark.parametrize("arguments", [["list"], ["schema"], ["accounts", "generate"]], ids=" ".join)
def test_a_full_disk_is_said_in_one_line(folder: Path, arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "orderbook_tui", *arguments]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)

    assert (ended.returncode, ended.stderr) == (4, "the result cannot be written: No space left on device\n")


def test_a_file_on_a_full_disk_is_said_in_one_line(nursery: Nursery, config: Config, folder: Path) -> None:
    config()
    nursery.run("run", "config.json", folder=folder)
    ended = nursery.run("export", "latest", "--output", "/dev/full", folder=folder)

    assert (ended.status, ended.stderr) == (4, "the result cannot be written: No space left on device\n")


def test_the_program_can_be_run_as_a_module(folder: Path) -> None:
    ended = subprocess.run([sys.executable, "-m", "orderbook_tui", "--version"], capture_output=True, text=True, check=True)

    assert ended.stdout.startswith("orderbook-tui 0.")


# At a terminal


class Terminal:
    """A person in front of the program."""

    def __init__(self, process: Started, screen: int) -> None:
        self.process, self._screen = process, screen
        self.text = ""

    def until(self, what: str, *, times: int = 1) -> None:
        """Read until the program has said that so often."""
        give_up = time.monotonic() + WAIT_S
        while self.text.count(what) < times:
            assert time.monotonic() < give_up, self.text
            if not self._read():
                raise AssertionError(f"it ended, and said {self.text!r}")

    def type(self, keys: str) -> None:
        os.write(self._screen, keys.encode())

    def ended(self) -> int:
        """Read to the end, and return the exit status."""
        while self._read():
            pass
        return self.process.wait()

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.process.pid, number)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._screen], [], [], 0.2)
        if not ready:
            return self.process.poll() is None
        try:
            said = os.read(self._screen, 65_536)
        except OSError:  # that is how a terminal says that nobody is at its other end any more
            return False
        self.text += said.decode(errors="replace")
        return bool(said)


@contextmanager
def at_a_terminal(*arguments: str, folder: Path) -> Iterator[Terminal]:
    """The program at a pseudo-terminal of its own."""
    screen, inside = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    process = STARTER.start(arguments, folder=folder, terminal=os.ttyname(inside), environment=environment)
    os.close(inside)
    try:
        yield Terminal(process, screen)
    finally:
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)  # not yet waited for, so the number is still its own
        process.wait()
        os.close(screen)


QUESTION = "[r]etry  [s]kip  [c]ontinue  [q]uit ? "


@pytest.mark.parametrize(
    ("key", "status", "line"),
    [("r", 0, "Completed: 40"), ("s", 1, "Skipped: 1"), ("c", 1, "Failed: 1"), ("q", 3, "Pending: 37")],
)
def test_each_answer_does_what_it_says(config: Config, folder: Path, key: str, status: int, line: str) -> None:
    config(venue=OUTAGE)
    with at_a_terminal("run", "config.json", "--on-failure", "ask", folder=folder) as terminal:
        terminal.until(QUESTION)
        terminal.type(f"{key}\n")

        assert terminal.ended() == status
        assert line in terminal.text


def test_the_question_says_which_slot_failed_and_why(config: Config, folder: Path) -> None:
    config(venue=OUTAGE)
    with at_a_terminal("run", "config.json", "--on-failure", "ask", folder=folder) as terminal:
        terminal.until(QUESTION)

        assert re.search(
            r"slot 3 of test-account-3, Bid \S+ BTC-USD, failed after 2 attempts: the venue is down", terminal.text
        )


def test_a_failing_slot_is_asked_about_again(config: Config, folder: Path) -> None:
    config(venue=faults(outages=[{"from_slot": 3, "slots": 1, "attempts": 4}]))
    with at_a_terminal("run", "config.json", "--on-failure", "ask", folder=folder) as terminal:
        for time_asked in (1, 2, 3):
            terminal.until(QUESTION, times=time_asked)
            terminal.type("r\n")

        assert terminal.ended() == 0


def test_a_signal_ends_a_question(config: Config, folder: Path) -> None:
    config(venue=OUTAGE)
    with at_a_terminal("run", "config.json", "--on-failure", "ask", folder=folder) as terminal:
        terminal.until(QUESTION)
        terminal.signal(signal.SIGINT)

        assert terminal.ended() == 130


def test_the_end_of_input_quits(config: Config, folder: Path) -> None:
    config(venue=OUTAGE)
    with at_a_terminal("run", "config.json", "--on-failure", "ask", folder=folder) as terminal:
        terminal.until(QUESTION)
        terminal.type("\x04")

        assert terminal.ended() == 3


def test_a_run_killed_at_a_question_asks_it_again(nursery: Nursery, config: Config, folder: Path) -> None:
    config(venue=OUTAGE)
    with at_a_terminal("run", "config.json", "--on-failure", "ask", folder=folder) as terminal:
        terminal.until(QUESTION)
        terminal.signal(signal.SIGKILL)
        terminal.ended()
    ended = nursery.run("resume", "--on-failure", "skip", "--format", "json", folder=folder)

    assert ended.result()["state_hash"] == finished(venue=OUTAGE).state_hash()


def test_at_a_terminal_there_is_a_progress_bar(config: Config, folder: Path) -> None:
    config(name="desk run")
    with at_a_terminal("run", "config.json", folder=folder) as terminal:
        assert terminal.ended() == 0
        assert re.search(r"desk run .*40/40", terminal.text, re.DOTALL)


def test_the_name_of_a_run_never_steers_the_terminal(config: Config, folder: Path) -> None:
    config(name="\x1b]0;owned\x07[bold]")
    with at_a_terminal("run", "config.json", folder=folder) as terminal:
        terminal.ended()

        assert "\x1b]0" not in terminal.text
        assert "[bold]" in terminal.text
