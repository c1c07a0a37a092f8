"""Whoever watches the workers: takes what they have found, and begins a new one after an input that killed or stopped one."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.fuzzing.targets import TARGETS
from tests.fuzzing.worker import LIMIT_WALL_S, NOTE, Finding, made

_LOOK_S: Final = 0.5


class Watch:
    """The workers of one call, and what they have found."""

    def __init__(self, names: list[str], seed: int, jobs: int, cpu_s: float, told: Callable[[Finding], None]) -> None:
        self._told = told
        self.findings: list[Finding] = []
        self.inputs: Counter[str] = Counter()
        self.cpu_s = 0.0
        self._names, self._seed, self._jobs, self._cpu_s = names, seed, jobs, cpu_s
        self._lock = threading.Lock()

    def run(self) -> None:
        """Run until the time is up."""
        threads = [threading.Thread(target=self._watch, args=(job,)) for job in range(self._jobs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _watch(self, job: int) -> None:
        """Keep one worker going until its share of the time is used."""
        left, starts = self._cpu_s / self._jobs, dict.fromkeys(self._names, job)
        while left > 0:
            with tempfile.NamedTemporaryFile(prefix="fuzzing-note-") as file:
                note = Path(file.name)
                note.write_bytes(NOTE.pack(b"", 0))
                orders = json.dumps([self._names, self._seed, job, self._jobs, left, str(note), starts])
                worker = subprocess.Popen(
                    [sys.executable, "-m", "tests.fuzzing.work", orders],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                    start_new_session=True,
                )
                reader = threading.Thread(target=self._read, args=(worker,))
                reader.start()
                used, stood_still = self._follow(worker, note)
                reader.join()
                last, number = NOTE.unpack(note.read_bytes())
            if worker.returncode == 0:
                return
            left -= used
            self.cpu_s += used
            name = last.rstrip(b"\0").decode()
            if not name:
                raise RuntimeError("a worker died before it began: run python -m tests.fuzzing.work by hand")
            words = f"stood still for {LIMIT_WALL_S} s" if stood_still else f"the process died of {_death(worker.returncode)}"
            self._found(
                Finding(name, number, "hang" if stood_still else "crash", words, made(TARGETS[name], self._seed, number))
            )
            # Which numbers the other targets had come to is not known: they go on after a gap.
            starts = {each: number + self._jobs if each == name else starts[each] + 100_000 * self._jobs for each in starts}

    def _follow(self, worker: "subprocess.Popen[str]", note: Path) -> tuple[float, bool]:
        """Wait for a worker's end, which it is given where it stands still. Return the time it took, and whether it did."""
        seen, since, cpu_s = b"", time.monotonic(), 0.0
        while worker.poll() is None:
            time.sleep(_LOOK_S)
            cpu_s = _cpu_s(worker.pid) or cpu_s
            now = note.read_bytes()
            if now != seen:
                seen, since = now, time.monotonic()
            elif time.monotonic() - since > LIMIT_WALL_S:
                os.killpg(worker.pid, signal.SIGKILL)
                worker.wait()
                return cpu_s, True
        return cpu_s, False

    def _read(self, worker: "subprocess.Popen[str]") -> None:
        assert worker.stdout is not None
        for line in worker.stdout:
            said: dict[str, Any] = json.loads(line)
            if "inputs" in said:
                with self._lock:
                    self.inputs.update(said["inputs"])
                    self.cpu_s += said["cpu_s"]
            else:
                self._found(Finding(**said | {"content": bytes.fromhex(said["content"])}))

    def _found(self, finding: Finding) -> None:
        with self._lock:
            self.findings.append(finding)
            self._told(finding)


def _cpu_s(pid: int) -> float | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _death(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit status {code}"
