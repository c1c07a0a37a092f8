"""Runs QuickFIX, the C++ engine, as a counterparty in a process of its own; `quickfix_acceptor.py` is what runs there."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import IO, Any


class QuickFix:
    """A QuickFIX that runs: its port, and what its exchange says of an account when it is asked directly."""

    def __init__(self, port: int, asked: IO[str], said: IO[str]) -> None:
        self.fix_port = port
        self._asked, self._said, self._lock = asked, said, threading.Lock()

    def orders(self, account: str) -> dict[str, tuple[str, Decimal]]:
        """The status of each order, and how much of it is filled, by client order id."""
        return {name: (status, Decimal(filled)) for name, (status, filled) in self._told("orders", account).items()}

    def balances(self, account: str) -> dict[str, tuple[Decimal, Decimal]]:
        """What is available and locked, by asset."""
        return {asset: (Decimal(there), Decimal(locked)) for asset, (there, locked) in self._told("balances", account).items()}

    def _told(self, what: str, account: str) -> Any:
        with self._lock:
            self._asked.write(json.dumps([what, account]) + "\n")
            self._asked.flush()
            return json.loads(self._said.readline())


@contextmanager
def quickfix(folder: Path, *options: str) -> Iterator[QuickFix]:
    """Run it on a port of its own until the block ends; its numbers are kept in `folder`."""
    import fixcore

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tests.venues.quickfix_acceptor", str(port)]
    command += [str(Path(fixcore.__file__).parent / "specs"), str(folder), *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield QuickFix(port, process.stdin, process.stdout)
        finally:
            process.kill()
