"""A trial: an exchange, a wire and a run, each in its place, some of them killed on the way, and all judged in the end."""

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final, Literal, Protocol

from orderbook_tui.engine.simulation import Simulation
from tests.serving.exchange import ServedProcess, served
from tests.wire.faults import Faults
from tests.wire.fix_wire import FixWire
from tests.wire.http_wire import HttpWire
from tests.wire.judge import violations

ROOT: Final = Path(__file__).parents[2]
_FEES: Final = {"maker": "0.0005", "taker": "0.001"}
_SECOND_CLIENT: Final = "TRADER2"


class Wire(Protocol):
    """What is between the run and the exchange."""

    port: int
    requests: int

    async def open(self) -> None: ...

    async def drained(self) -> None: ...

    async def close(self) -> None: ...


@dataclass
class Wanted:
    """What is to be tried."""

    over: Literal["http", "fix"]
    slots: int
    seed: int = 1
    concurrency: int = 1
    accounts: int = 16
    exchange_kills: int = 0
    run_kills: int = 0
    scale: float = 1.0
    """How frequent faults are."""
    plant: str | None = None
    without: tuple[str, ...] = ()
    """Sections of the venue that are left out: what the exchange is then taken not to have."""
    restarts: bool = True
    """Whether the finished run is resumed and verified too, each by the program in a process of its own."""
    within_s: float = 1200.0


@dataclass
class Outcome:
    """What came of it."""

    summary: dict[str, Any]
    violations: list[str]
    faults: dict[str, int]
    requests: int
    lives: int = 1
    exchange_kills: int = 0
    seconds: float = 0.0
    complaints: str = ""
    """What the run wrote to stderr."""


def exchange_config(wanted: Wanted) -> dict[str, Any]:
    """Return what the exchange serves: plenty of money, three markets, and fees."""
    return {
        "name": f"wire-{wanted.seed}",
        "seed": wanted.seed,
        "accounts": {"generate": {"prefix": "trader", "count": wanted.accounts}},
        "markets": [
            {"symbol": "BTC-USD", "base": "BTC", "quote": "USD", "lot_size": "0.00001", "reference_price": "60000"},
            {"symbol": "ETH-USD", "base": "ETH", "quote": "USD", "lot_size": "0.0001", "reference_price": "3000"},
            {"symbol": "SOL-USD", "base": "SOL", "quote": "USD", "lot_size": "0.001", "reference_price": "150"},
        ],
        "scheduler": {
            "trades_per_account": wanted.slots // wanted.accounts,
            "max_amount": 2000,
            "matching_strategy": "sequential_next",
        },
        "budget": {"budgets": [{"amount": 10_000_000}]},
        "venue": {"kind": "embedded", "fees": _FEES},
    }


def run_config(wanted: Wanted, port: int) -> dict[str, Any]:
    """Return what is run: the same, at an exchange that is reached through `port`, with little patience."""
    venue = json.loads((ROOT / "configs" / f"venue-{wanted.over}.json").read_text())["venue"]
    if wanted.over == "http":
        venue |= {
            "base_url": f"http://127.0.0.1:{port}",
            "timeout_ms": 300,
            "connect_timeout_ms": 300,
            "most_retry_after_ms": 100,
            "fees": _FEES,
        }
        venue["stream"] |= {"reconnect_ms": 10, "most_reconnect_ms": 200, "ping_ms": 500}
        venue = {name: section for name, section in venue.items() if name not in wanted.without}
        if "fence" in wanted.without:
            venue["deduplicates_for_s"] = 3600
    else:
        names = [f"trader-{number}" for number in range(1, wanted.accounts // 2 + 1)]
        venue |= {
            "port": port,
            "sessions": [
                {"sender_comp_id": "TRADER", "target_comp_id": "EXCHANGE"},
                {"sender_comp_id": _SECOND_CLIENT, "target_comp_id": "EXCHANGE", "accounts": names},
            ],
            "order_timeout_ms": 300,
            "logon_timeout_ms": 1000,
            "reconnect_ms": 50,
            "heartbeat_s": 1,
            "fees": _FEES,
        }
    processor = {
        "retry_base_delay_ms": 5,
        "max_delay_ms": 50,
        "max_retries": 4,
        "concurrency": wanted.concurrency,
        "on_failure": "continue",
    }
    return exchange_config(wanted) | {"venue": venue, "processor": processor}


def tried(wanted: Wanted, folder: Path) -> Outcome:
    """Try it in `folder`, and judge."""
    (folder / "exchange").mkdir()
    fix = wanted.over == "fix"
    options = ["--fix-comp-id", _SECOND_CLIENT] if fix else []
    with served(exchange_config(wanted), folder / "exchange", state=True, fix=fix, options=options) as exchange:
        outcome = asyncio.run(_Trial(wanted, folder, exchange).run())
        status = exchange.end()
    said = exchange.stderr.read_text()
    if status or "Traceback" in said:
        outcome.violations.append(f"the exchange ended with {status}: {said[-500:]}")
    if outcome.summary:
        _judge(wanted, outcome, folder)
    return outcome


def _judge(wanted: Wanted, outcome: Outcome, folder: Path) -> None:
    run_id = outcome.summary["simulation_id"]
    simulation = Simulation.resume(run_id, folder / "state")
    try:
        if simulation.state_hash() != outcome.summary["state_hash"]:
            outcome.violations.append("the finished run has another hash when it is resumed")
        place = folder / "exchange"
        outcome.violations += violations(simulation, outcome.summary, place / "exchange.json", place / "exchange.sqlite")
    finally:
        simulation.close()
    for command in ("resume", "verify") if wanted.restarts else ():
        arguments = [sys.executable, "-m", "orderbook_tui", command, run_id, "--state-dir", str(folder / "state")]
        done = subprocess.run(
            [*arguments, "--format", "json"], capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL
        )
        if done.returncode:
            outcome.violations.append(f"{command} ends with {done.returncode}: {done.stderr[-500:]} {done.stdout[-200:]}")
        elif command == "resume" and json.loads(done.stdout)["state_hash"] != outcome.summary["state_hash"]:
            outcome.violations.append("the finished run has another hash when the program resumes it")


class _Trial:
    def __init__(self, wanted: Wanted, folder: Path, exchange: ServedProcess) -> None:
        self._wanted, self._folder, self._exchange = wanted, folder, exchange
        self._faults = Faults(wanted.seed, wanted.scale)
        self._wire: Wire = (
            FixWire(exchange.fix_port, self._faults) if wanted.over == "fix" else HttpWire(exchange.http_port, self._faults)
        )
        self._chance = Random(f"kills {wanted.seed}")
        self._life: asyncio.subprocess.Process | None = None
        self._lives = self._exchange_kills = 0
        self._over = asyncio.Event()

    async def run(self) -> Outcome:
        """Run all of it."""
        began = time.monotonic()
        await self._wire.open()
        config = self._folder / "run.json"
        config.write_text(json.dumps(run_config(self._wanted, self._wire.port)))
        summary, wrong = {}, []
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._kill_exchange())
                group.create_task(self._kill_run())
                try:
                    async with asyncio.timeout(self._wanted.within_s):
                        summary = await self._live(config)
                except TimeoutError:
                    wrong.append(f"the run did not end within {self._wanted.within_s:g} s")
                finally:
                    self._over.set()
            await self._wire.drained()
        finally:
            await self._wire.close()
        complaints = (self._folder / "run.stderr").read_text()
        if not summary:
            wrong.append(f"the run printed no summary: {complaints[-1500:]}")
        if "Traceback" in complaints:
            wrong.append(f"the run complained: {complaints[-1500:]}")
        return Outcome(
            summary,
            wrong,
            dict(sorted(self._faults.counts.items())),
            self._wire.requests,
            self._lives,
            self._exchange_kills,
            time.monotonic() - began,
            complaints,
        )

    async def _live(self, config: Path) -> dict[str, Any]:
        """Have the run live until it comes to its end, and return its summary."""
        arguments = ["-m", "tests.wire.life", str(config), str(self._folder / "state")]
        if self._wanted.plant:
            arguments += ["--plant", self._wanted.plant]
        while True:
            with (self._folder / "run.stderr").open("ab") as complaints:
                life = self._life = await asyncio.create_subprocess_exec(
                    sys.executable, *arguments, stdout=subprocess.PIPE, stderr=complaints, stdin=subprocess.DEVNULL, cwd=ROOT
                )
            self._lives += 1
            try:
                said, _ = await life.communicate()
            except BaseException:
                life.kill()
                await life.communicate()
                raise
            if life.returncode != -signal.SIGKILL:
                return dict(json.loads(said)) if said.strip() else {}

    async def _kill_exchange(self) -> None:
        for instant in self._instants(self._wanted.exchange_kills):
            if not await self._comes(instant):
                return
            await asyncio.to_thread(self._exchange.kill)
            self._exchange_kills += 1
            await asyncio.sleep(self._chance.uniform(0.0, 0.5))
            await asyncio.to_thread(self._exchange.start)

    async def _kill_run(self) -> None:
        for instant in self._instants(self._wanted.run_kills):
            if not await self._comes(instant):
                return
            if self._life is not None and self._life.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    self._life.kill()

    def _instants(self, number: int) -> list[int]:
        """Return when to kill: after so many requests."""
        slots = self._wanted.slots
        return sorted(self._chance.randrange(slots // 20, slots * 5 // 4) for _ in range(number))

    async def _comes(self, instant: int) -> bool:
        """Wait until so many requests have come; return whether the run goes on then."""
        while self._wire.requests < instant and not self._over.is_set():  # noqa: ASYNC110 - the wire tells nobody
            await asyncio.sleep(0.002)
        return not self._over.is_set()
