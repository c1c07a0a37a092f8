"""A user's blocking code in a daemon thread: waited for, but never to be waited for.

A call that hangs keeps its thread, and neither the run from being stopped nor the process from ending. A thread whose call
has returned takes the next: starting one takes longer than most calls wait for theirs.
"""

import contextvars
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import TypeVar, TypeVarTuple

import anyio
import anyio.from_thread
import anyio.lowlevel

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")

_Calls = SimpleQueue[Callable[[], None]]
_idle: list[_Calls] = []
"""What each thread without a call is waiting on."""


async def in_a_daemon_thread(function: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
    """Call `function` in a thread and return what it returns, or raise what it raises.

    Where the waiting is cancelled the call is left to itself: it goes on, and what comes of it is dropped.
    """
    token, ended, context = anyio.lowlevel.current_token(), anyio.Event(), contextvars.copy_context()
    results: list[Result] = []
    failures: list[BaseException] = []
    thread = _idle.pop() if _idle else _start()

    def call() -> None:
        try:
            results.append(context.run(function, *arguments))
        except BaseException as error:  # whatever it is, it is for whoever waits
            failures.append(error)
        # The event loop may have gone meanwhile, and with it whoever waited.
        with suppress(RuntimeError):
            anyio.from_thread.run_sync(ended.set, token=token)
        # Not before: where the event loop goes right now, this thread never comes back from telling it.
        _idle.append(thread)

    thread.put(call)
    await ended.wait()
    if failures:
        raise failures.pop()
    return results.pop()


def _start() -> _Calls:
    calls: _Calls = SimpleQueue()
    threading.Thread(target=_work, args=(calls,), name="user's code", daemon=True).start()
    return calls


def _work(calls: _Calls) -> None:
    while True:
        calls.get()()
