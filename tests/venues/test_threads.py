"""Blocking code in threads that nobody has to wait for."""

import subprocess
import sys
import threading
import time

import anyio
import pytest

from orderbook_tui.venues.threads import in_a_daemon_thread

_LEAVES_A_CALL_THAT_HANGS = """
import time, anyio
from orderbook_tui.venues.threads import in_a_daemon_thread

async def main():
    with anyio.move_on_after(0.1):
        await in_a_daemon_thread(time.sleep, 60)

anyio.run(main)
"""


def test_it_returns_what_the_function_returns() -> None:
    assert anyio.run(in_a_daemon_thread, divmod, 7, 2) == (3, 1)


@pytest.mark.parametrize("error", [ZeroDivisionError, SystemExit])
def test_it_raises_what_the_function_raises(error: type[BaseException]) -> None:
    def fail() -> None:
        raise error("no")

    with pytest.raises(error, match="no"):
        anyio.run(in_a_daemon_thread, fail)


def test_the_thread_is_a_daemon_of_its_own() -> None:
    thread = anyio.run(in_a_daemon_thread, threading.current_thread)

    assert (thread.daemon, thread is threading.main_thread()) == (True, False)


def test_a_call_that_hangs_may_be_left_to_itself() -> None:
    async def leave() -> bool:
        with anyio.move_on_after(0.05) as scope:
            await in_a_daemon_thread(time.sleep, 5)
        return scope.cancelled_caught

    started = time.monotonic()

    assert anyio.run(leave)
    assert time.monotonic() - started < 3


def test_a_call_that_hangs_does_not_keep_the_process() -> None:
    assert subprocess.run([sys.executable, "-c", _LEAVES_A_CALL_THAT_HANGS], timeout=30, check=False).returncode == 0
