"""A question at the terminal of a run without a screen: it outlives ctrl+z, and ends with the terminal."""

import signal
import sys

import anyio

from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.signals import has_hung_up


async def ask(simulation: Simulation, text: str) -> str:
    """Put `text` to the person at the terminal and return the line that is typed; after ctrl+z and `fg` it is put again.

    A terminal that has gone is nobody's answer: the run is stopped, as by SIGHUP.

    Raises:
        EOFError: the end of input.
    """
    async with anyio.create_task_group() as group:
        group.start_soon(_put_again_when_continued, text)
        # The question goes to stderr, so that stdout stays free for results.
        _put(text)
        # Waiting here, not in a thread: a thread that reads would keep an interrupted program from ending.
        await anyio.wait_readable(sys.stdin)
        group.cancel_scope.cancel()
    try:
        line = sys.stdin.readline()
        has_gone = not line and has_hung_up(sys.stdin.fileno())
    except OSError:
        line, has_gone = "", True
    if has_gone:
        simulation.stop()
        await anyio.sleep_forever()
    if not line:
        raise EOFError
    return line


async def _put_again_when_continued(text: str) -> None:
    with anyio.open_signal_receiver(signal.SIGCONT) as continued:
        async for _ in continued:
            _put(text)


def _put(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
