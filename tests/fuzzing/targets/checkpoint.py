"""Checkpoints: any bytes in the file, its journal and its guard, and sound files that say what no run has written.

An input is what is in the folder: {name: bytes}, packed.
"""

import shutil
import tempfile
import zlib
from contextlib import suppress
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

import anyio
import apsw
import msgspec

from orderbook_tui.config import parse_config
from orderbook_tui.core.journal import RecoveryAction
from orderbook_tui.engine.checkpoint_file import checksums
from orderbook_tui.engine.decisions import PolicyDecider
from orderbook_tui.engine.simulation import Simulation
from tests.fuzzing.mutating import TEXTS, mutated
from tests.fuzzing.targets.base import Target
from tests.fuzzing.targets.reading import read_every_way

Files = dict[str, bytes]

_ID: Final = "it"
_MARKS: Final = (
    b"SQLite format 3\0",
    b"\x37\x7f\x06\x82",
    b"\x37\x7f\x06\x83",
    b"\0" * 1024,
    b"\xff" * 8,
    b"{}",
    b'{"pid": 1}',
)


def read_any_checkpoint(content: bytes, folder: Path) -> None:
    """Files of any bytes are a checkpoint, or are said to be none; whatever they are, they are not a way in."""
    state = folder / "state"
    state.mkdir()
    for name, part in unpacked(content).items():
        (state / name).write_bytes(part)
    read_every_way(state, _ID)


def packed(files: Files) -> bytes:
    """Return the content of a folder as one piece."""
    return zlib.compress(msgspec.msgpack.encode(files), 1)


def unpacked(content: bytes) -> Files:
    """Return what `packed` was given."""
    return msgspec.msgpack.decode(zlib.decompress(content), type=Files)


@cache
def bases() -> tuple[Files, ...]:
    """Return a run that is done, one that was closed half way, and one that was killed there."""
    config: dict[str, Any] = {
        "accounts": {"generate": {"count": 4}},
        "scheduler": {"trades_per_account": 4},
        "processor": {"retry_base_delay_ms": 0, "max_retries": 1, "max_delay_ms": 0},
        "budget": {"budgets": [{"amount": 10**9}]},
        "venue": {"kind": "embedded", "faults": {"transient_rate": 0.3, "rejection_rate": 0.1}},
    }
    found = []
    for how in ("done", "closed", "killed"):
        with tempfile.TemporaryDirectory() as folder:
            simulation = Simulation.create(parse_config(config), state_dir=folder)
            if how != "done":
                simulation.select(("BTC-USD",))
            anyio.run(simulation.run, PolicyDecider(RecoveryAction.SKIP))
            if how == "killed":
                found.append(_taken(Path(folder), simulation.id))
            simulation.close()
            if how != "killed":
                found.append(_taken(Path(folder), simulation.id))
    return tuple(found)


def _taken(folder: Path, id: str) -> Files:  # noqa: A002
    return {_ID + path.name.removeprefix(id): path.read_bytes() for path in folder.iterdir() if not path.name.endswith("-shm")}


def _checkpoint(random: Random) -> bytes:
    files = dict(random.choice(bases()))
    if random.random() < 0.6:
        return packed(_rewritten(random, files))
    name = random.choice(sorted(files))
    others = [part for each in bases() for part in each.values()]
    head = random.choice([100, 1024, len(files[name])])
    content = files[name]
    files[name] = mutated(random, content[:head], others, _MARKS)[: head * 4] + content[head:]
    if random.random() < 0.1:
        del files[random.choice(sorted(files))]
    if random.random() < 0.1:
        files[f"{_ID}{random.choice(['.sqlite-wal', '.sqlite-journal', '.lock', '.sqlite-shm'])}"] = random.choice(others)[
            :4096
        ]
    return packed(files)


def _rewritten(random: Random, files: Files) -> Files:
    """Change rows as SQLite itself would write them, so that every page checksum holds."""
    with tempfile.TemporaryDirectory() as folder:
        for name, part in files.items():
            (Path(folder) / name).write_bytes(part)
        path = Path(folder) / f"{_ID}.sqlite"
        connection = apsw.Connection(str(path), vfs=checksums())
        try:
            connection.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)
            for pragma in ("ignore_check_constraints=1", "foreign_keys=0", "synchronous=OFF"):
                connection.execute(f"PRAGMA {pragma}")
            for _ in range(random.choice([1, 1, 1, 2, 5])):
                with suppress(apsw.Error):
                    _rewrite(random, connection)
        finally:
            connection.close()
        return {each.name: each.read_bytes() for each in Path(folder).iterdir()}


def _rewrite(random: Random, connection: apsw.Connection) -> None:
    tables = [str(name) for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    table = random.choice(tables)
    columns = [str(row[1]) for row in connection.execute(f'PRAGMA table_info("{table}")')]
    column = random.choice(columns)
    rows = connection.execute(f'SELECT "{column}" FROM "{table}" LIMIT 100').fetchall()
    value, at = _value(random, rows), random.randrange(max(len(rows), 1))
    one = f'(SELECT "{columns[0]}" FROM "{table}" LIMIT 1 OFFSET {at})'
    match random.randrange(8):
        case 0:
            connection.execute(f'DELETE FROM "{table}" WHERE "{columns[0]}" = {one}')
        case 1:
            marks = ",".join("?" * len(columns))
            connection.execute(f'INSERT OR REPLACE INTO "{table}" VALUES ({marks})', [_value(random, rows) for _ in columns])
        case 2:
            connection.execute(
                f"PRAGMA {random.choice(['user_version', 'application_id'])} = {random.choice([0, 1, 2, 4, -1, 99])}"
            )
        case 3:
            connection.execute(f'UPDATE "{table}" SET "{column}" = ?', (value,))
        case _:
            connection.execute(f'UPDATE "{table}" SET "{column}" = ? WHERE "{columns[0]}" = {one}', (value,))


def _value(random: Random, rows: list[Any]) -> Any:
    there = random.choice(rows)[0] if rows else 0
    if isinstance(there, int) and random.random() < 0.4:
        beside = there + random.choice([-1, 1, 256, -there, 2**31])
        return min(max(beside, -(2**63)), 2**63 - 1)  # SQLite takes no more, and `there` may be the highest already
    if isinstance(there, str) and there[:1] == "{" and random.random() < 0.8:
        content = mutated(random, there.encode(), (), tuple(text.encode() for text in ("1e999", "null", "[[", "86400000")))
        return content.decode("utf-8", "replace")
    text = random.choice(TEXTS).encode("utf-8", "replace").decode()
    return random.choice([
        0, 1, -1, 2**31, 2**62, -(2**63), 2**63 - 1, None, 1.5, float("inf"), there, text, text, "x" * 100_000,
        b"", b"i0x1", b"izz", b"s\xed\xa0\x80", b"i" + b"9" * 10_000, b"s\xff", b"\0", there,
    ])  # fmt: skip


def clear(folder: Path) -> None:
    """Empty a folder."""
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


CHECKPOINT = Target("checkpoint", _checkpoint, read_any_checkpoint, 8)
