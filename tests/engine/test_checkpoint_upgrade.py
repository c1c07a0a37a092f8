"""Checkpoints of earlier formats, as earlier versions of the program left them: read as they are, written anew to go on.

The `finished` and `interrupted` ones are runs of one configuration; the latter was stopped after twelve records.
`version-1-intents` was killed while its slot 1 was being placed by `accepting`, `version-2-intents` while its slot 3 was by
`reporting`, whose fills are from outside.
"""

import os
import shutil
from collections.abc import Callable
from contextlib import closing
from itertools import permutations, product
from pathlib import Path
from unittest.mock import patch

import apsw
import pytest

from orderbook_tui.core.journal import Balance, Execution
from orderbook_tui.core.slot import ActionSlot
from orderbook_tui.core.state import state_hash
from orderbook_tui.engine import checkpoint_upgrade
from orderbook_tui.engine.checkpoint_chain import link
from orderbook_tui.engine.checkpoint_file import reading
from orderbook_tui.engine.checkpoint_journal import ends_of_chains
from orderbook_tui.engine.checkpoint_schema import CHAINED, EARLIER, USER_VERSION, Declared, fingerprint, schema_of
from orderbook_tui.engine.fork import fork_checkpoint
from orderbook_tui.engine.persistence import CheckpointStatus, Intent, StatePersistence
from orderbook_tui.engine.simulation import RunStatus, Simulation
from orderbook_tui.engine.verifying import verify
from orderbook_tui.errors import CheckpointDamaged, CheckpointError, StorageError
from orderbook_tui.venues.python import SettlementHandle
from tests.damage.damage import Damaged, flips
from tests.engine.checkpoints import contents, file_of, forge
from tests.engine.runs import ByAttempts, run
from tests.engine.test_checkpoint_damage import spoil

FILES = Path(__file__).with_name("files")
DONE = "c036077b32e99fa94fd3c80f6e99f74bbfca63ffd2d6e59a506d197a8f019d6d"
HALF = "9b123e6d42ea28dbb6f47505b91978e1bb4f643b808d511eb3127f6539406cf8"
HASHES = {
    "version-1-finished": DONE,
    "version-2-finished": DONE,
    "version-1-interrupted": HALF,
    "version-2-interrupted": HALF,
    "version-1-intents": "1f94da3c40b661546e19f0d1d0911bf2699b7a6162f579d30ac2ada1dea45c80",
    "version-2-intents": "86a382e9e18917b9fc739d7e7b3bbf9b07b46c1567dfcca12dc36f16cc5e152a",
}
FINISHED, INTERRUPTED, INTENTS = "version-1-finished", "version-1-interrupted", "version-1-intents"
VERSIONS = (1, 2)
MEANT = {
    1: (Intent(1, 1, "simulation-20261123T143607Z-a023-1-0"),),
    2: (Intent(3, 1, "simulation-20261123T174608Z-ebf8e4b9-3-0", 1795455968047173413),),
}
ALL = tuple(HASHES)


def accepting(slot: ActionSlot) -> str:
    """What `version-1-intents` places its orders with."""
    return f"order-{slot.sequence}"


def reporting(slot: ActionSlot, settlement: SettlementHandle) -> str:
    """What `version-2-intents` places its orders with."""
    lots = slot.action.quantity
    settlement.fill(slot.action.market.quantity(lots // 2), counterparty="a desk", fee="0.5", execution_id=f"e-{slot.sequence}")
    settlement.fill(slot.action.market.quantity(lots - lots // 2), counterparty="\udc80 desk")
    return f"order-{slot.sequence}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Copies of the files that a test may write to."""
    for file in FILES.iterdir():
        shutil.copy(file, tmp_path)
    return tmp_path


def hash_of(folder: Path, simulation_id: str) -> str:
    replayed = StatePersistence(folder).read(simulation_id).replay()
    return state_hash(replayed.state, replayed.budgets)


def schema_in(folder: Path, version: int) -> Declared:
    with reading(file_of(folder, f"version-{version}-finished"), in_use_elsewhere=False) as connection:
        return schema_of(connection)


def version_of(folder: Path, simulation_id: str) -> int:
    return StatePersistence(folder).read(simulation_id).version


def test_each_is_listed_with_how_far_it_has_come(folder: Path) -> None:
    listed = {info.id: (info.status, info.completed, info.skipped) for info in StatePersistence(folder).list_simulations()}
    assert listed == {
        "version-1-finished": (CheckpointStatus.FINISHED, 19, 1),
        "version-1-interrupted": (CheckpointStatus.INTERRUPTED, 4, 1),
        "version-1-intents": (CheckpointStatus.INTERRUPTED, 1, 0),
        "version-2-finished": (CheckpointStatus.FINISHED, 19, 1),
        "version-2-interrupted": (CheckpointStatus.INTERRUPTED, 4, 1),
        "version-2-intents": (CheckpointStatus.INTERRUPTED, 3, 0),
    }


@pytest.mark.parametrize("simulation_id", ALL)
def test_each_is_read_to_the_state_that_was_saved_and_stays_as_it_is(folder: Path, simulation_id: str) -> None:
    before = contents(folder)
    assert hash_of(folder, simulation_id) == HASHES[simulation_id]
    assert f"version-{version_of(folder, simulation_id)}-" in simulation_id
    assert not verify(folder, simulation_id).wrong
    assert contents(folder) == before


def test_the_versions_that_can_be_read_are_those_before_todays() -> None:
    assert set(EARLIER) == set(range(1, USER_VERSION))


def test_each_version_is_made_of_other_tables(folder: Path) -> None:
    assert {fingerprint(schema) for schema in (schema_in(folder, 1), schema_in(folder, 2))} == set(EARLIER.values())


@pytest.mark.parametrize("version", VERSIONS)
def test_a_finished_run_is_shown_with_what_happened_in_it(folder: Path, version: int) -> None:
    simulation = Simulation.look(f"version-{version}-finished", folder)
    assert simulation.status is RunStatus.DONE
    assert (simulation.stats.total_matches, sum(len(slot.decisions) for slot in simulation.slots)) == (8, 8)


@pytest.mark.parametrize("simulation_id", ALL)
def test_taking_one_up_brings_it_to_todays_format_with_all_that_is_in_it(folder: Path, simulation_id: str) -> None:
    old = StatePersistence(folder).read(simulation_id)
    new, writer = StatePersistence(folder).resume(simulation_id, group=1)
    writer.close()
    assert (new.version, new.plan, new.slots, new.journal) == (USER_VERSION, old.plan, old.slots, old.journal)
    assert (new.created_at, new.saved_at, new.finished, new.snapshot) == (
        old.created_at,
        old.saved_at,
        old.finished,
        old.snapshot,
    )
    assert (hash_of(folder, simulation_id), version_of(folder, simulation_id)) == (HASHES[simulation_id], USER_VERSION)
    assert not verify(folder, simulation_id).wrong
    assert sorted(contents(folder)) == sorted(f"{name}.sqlite" for name in ALL)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_order_that_was_about_to_be_placed_is_still_known_to_be(folder: Path, version: int) -> None:
    simulation_id = f"version-{version}-intents"
    assert StatePersistence(folder).read(simulation_id).intents == MEANT[version]
    checkpoint, writer = StatePersistence(folder).resume(simulation_id, group=1)
    writer.close()
    assert checkpoint.intents == StatePersistence(folder).read(simulation_id).intents == MEANT[version]


def test_executions_of_an_earlier_version_have_no_id(folder: Path) -> None:
    checkpoint, writer = StatePersistence(folder).resume("version-2-intents", group=1)
    writer.close()
    fills = [event for event in checkpoint.journal if isinstance(event, Execution)]
    assert [(fill.outside, fill.id) for fill in fills] == [("a desk", None), ("\udc80 desk", None)] * 3


@pytest.mark.parametrize("simulation_id", ALL)
def test_one_that_was_brought_to_todays_format_may_have_balances_noted(folder: Path, simulation_id: str) -> None:
    balances = [Balance("a", "USD", 1, 2)]
    with StatePersistence(folder).resume(simulation_id, group=1)[1] as writer:
        assert writer.opening_balances() == []
        writer.note_balances(balances)
    assert StatePersistence(folder).read(simulation_id).opening_balances == tuple(balances)
    assert not verify(folder, simulation_id).wrong


@pytest.mark.parametrize("version", VERSIONS)
def test_an_interrupted_run_goes_on_to_where_it_would_have_ended(folder: Path, version: int) -> None:
    simulation = Simulation.resume(f"version-{version}-interrupted", folder)
    run(simulation, ByAttempts())
    simulation.close()
    assert simulation.state_hash() == hash_of(folder, f"version-{version}-interrupted") == DONE


@pytest.mark.parametrize("version", VERSIONS)
def test_a_finished_run_may_be_revisited(folder: Path, version: int) -> None:
    simulation = Simulation.resume(f"version-{version}-finished", folder)
    run(simulation)
    simulation.close()
    assert (hash_of(folder, simulation.id), version_of(folder, simulation.id)) == (DONE, USER_VERSION)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_fork_is_of_todays_format_and_the_original_stays_as_it_is(folder: Path, version: int) -> None:
    before = contents(folder)
    forked = fork_checkpoint(folder, f"version-{version}-interrupted")
    assert (hash_of(folder, forked), version_of(folder, forked)) == (HALF, USER_VERSION)
    assert contents(folder).items() >= before.items()


@pytest.mark.parametrize("version", VERSIONS)
def test_what_lies_in_a_write_ahead_journal_comes_along(folder: Path, version: int) -> None:
    simulation_id = f"version-{version}-interrupted"
    file = file_of(folder, simulation_id)
    connection = apsw.Connection(str(file), vfs="cksmvfs")
    connection.execute("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0").fetchall()
    row = (17, 3, 1, "retry", "a person", 5)
    if version == 1:
        connection.execute("INSERT INTO decisions VALUES(?,?,?,?,?,?)", row)
    else:
        made = link(ends_of_chains(connection)[1], [(CHAINED.index("decisions"), *row, None)])
        connection.execute("INSERT INTO decisions VALUES(?,?,?,?,?,?,?)", (*row, made))
    killed = folder / "killed"
    killed.mkdir()
    for left in folder.glob(f"{file.name}*"):
        shutil.copy(left, killed)
    connection.close()
    checkpoint, writer = StatePersistence(killed).resume(simulation_id, group=1)
    writer.close()
    assert (checkpoint.version, len(checkpoint.journal)) == (USER_VERSION, 18)
    assert list(contents(killed)) == [file.name]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_crash_at_any_step_of_it_loses_nothing(tmp_path: Path, version: int) -> None:
    simulation_id = f"version-{version}-intents"

    def attempt(folder: Path, steps: int) -> bool:
        """Have a process of its own take it up, and die at the last of so many steps; return whether it came to the end."""
        process = os.fork()
        if process == 0:
            left = steps

            def dying(then: Callable[..., object]) -> Callable[..., object]:
                def step(*args: object, **named: object) -> object:
                    nonlocal left
                    left -= 1
                    if not left:
                        os._exit(9)
                    return then(*args, **named)

                return step

            for where, name in (
                (os, "fsync"), (os, "open"), (Path, "rename"), (Path, "unlink"), (checkpoint_upgrade, "insert"),
                (checkpoint_upgrade, "opened"), (checkpoint_upgrade, "read_checkpoint"), (checkpoint_upgrade, "_fold"),
            ):  # fmt: skip
                setattr(where, name, dying(getattr(where, name)))
            try:
                StatePersistence(folder).resume(simulation_id, group=1)
            except BaseException:
                os._exit(8)
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        assert status in (0, 9)
        return status == 0

    versions, done = [], False
    for steps in range(1, 100):
        folder = tmp_path / str(steps)
        folder.mkdir()
        shutil.copy(file_of(FILES, simulation_id), folder)
        done = attempt(folder, steps)
        versions.append(version_of(folder, simulation_id))
        assert hash_of(folder, simulation_id) == HASHES[simulation_id]
        checkpoint, writer = StatePersistence(folder).resume(simulation_id, group=1)
        writer.close()
        assert (checkpoint.version, hash_of(folder, simulation_id)) == (USER_VERSION, HASHES[simulation_id])
        StatePersistence(folder)._sweep()
        assert list(contents(folder)) == [f"{simulation_id}.sqlite"]
        if done:
            break
    assert done
    assert versions == sorted(versions)
    assert set(versions) == {version, USER_VERSION}


def test_what_does_not_read_back_the_same_takes_nobodys_place(folder: Path) -> None:
    before = contents(folder)
    with (
        patch.object(checkpoint_upgrade, "RowInserter", side_effect=StorageError("the disk is full")),
        pytest.raises(StorageError),
    ):
        StatePersistence(folder).resume(FINISHED, group=1)
    with (
        patch.object(checkpoint_upgrade, "_facts", side_effect=[1, 2]),
        pytest.raises(CheckpointError, match="could not be brought to today's format"),
    ):
        StatePersistence(folder).resume(FINISHED, group=1)
    assert contents(folder) == before


@pytest.mark.parametrize(
    ("version", "sql"),
    [
        *product(VERSIONS, ("CREATE TABLE more(x)", "DROP VIEW ledger", "ALTER TABLE fills ADD COLUMN more ANY")),
        *((version, f"PRAGMA user_version = {said}") for version, said in permutations((*VERSIONS, USER_VERSION), 2)
          if version in VERSIONS),
    ],
)  # fmt: skip
def test_tables_that_are_not_those_of_the_version_are_damage(folder: Path, version: int, sql: str) -> None:
    spoil(file_of(folder, f"version-{version}-finished"), sql)
    with pytest.raises(CheckpointDamaged, match="its tables"):
        StatePersistence(folder).read(f"version-{version}-finished")


def refused(folder: Path, simulation_id: str) -> None:
    """It is neither read nor gone on with, and stays as it is."""
    before = contents(folder)
    with pytest.raises(CheckpointDamaged):
        StatePersistence(folder).read(simulation_id)
    with pytest.raises(CheckpointDamaged):
        StatePersistence(folder).resume(simulation_id, group=1)
    assert verify(folder, simulation_id).wrong
    assert contents(folder) == before


@pytest.mark.parametrize(
    ("simulation_id", "table", "column"),
    [
        ("version-2-finished", "plan", "name = name || 'x'"),
        ("version-2-finished", "plan", "digest = zeroblob(32)"),
        ("version-2-finished", "plan_slots", "price = price + 1"),
        ("version-2-finished", "attempts", "ended = ended + 1"),
        ("version-2-finished", "fills", "at = at + 1"),
        ("version-2-finished", "fills", "outside = 'somebody'"),
        ("version-2-finished", "fills", "chain = zeroblob(16)"),
        ("version-2-finished", "fills", "chain = NULL"),
        ("version-2-finished", "decisions", "by = 'somebody'"),
        ("version-2-intents", "fills", "outside = NULL"),
        ("version-2-intents", "fills", "maker_fee = maker_fee + 1"),
        ("version-2-intents", "intents", "at = at + 1"),
        ("version-2-intents", "intents", "client_order_id = 'another'"),
    ],
)
def test_a_row_of_version_2_that_is_changed_is_told(folder: Path, simulation_id: str, table: str, column: str) -> None:
    """Its chain is held against the columns that it had then."""
    last = f"WHERE rowid = (SELECT max(rowid) FROM {table})"
    spoil(file_of(folder, simulation_id), f"UPDATE {table} SET {column} {last}")
    refused(folder, simulation_id)


@pytest.mark.parametrize("kind", ["finished", "intents"])
def test_any_flipped_bit_of_version_2_is_harmless_or_told(tmp_path: Path, kind: str) -> None:
    damaged = Damaged({"sqlite": file_of(FILES, f"version-2-{kind}").read_bytes()}, tmp_path)
    outcomes = {str(flip): damaged.outcome(flip) for flip in flips(damaged.sound, 40)}
    assert {flip: outcome for flip, outcome in outcomes.items() if outcome not in ("harmless", "told")} == {}
    assert list(outcomes.values()).count("told") > 20


@pytest.mark.parametrize("table", ["fills", "intents"])
def test_rows_that_a_hostile_hand_has_linked_are_no_way_in(folder: Path, table: str) -> None:
    """Chains that fit hold nothing back that no run could have left."""
    simulation_id = "version-2-intents"
    spoil(file_of(folder, simulation_id), f"UPDATE {table} SET {'taker' if table == 'fills' else 'slot'} = 4000")
    with closing(apsw.Connection(str(file_of(folder, simulation_id)), vfs="cksmvfs")) as connection:
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)
        forge(connection, of=CHAINED[:5])
    with pytest.raises(CheckpointDamaged, match="slot 4000, and there are 4"):
        StatePersistence(folder).read(simulation_id)
    refused(folder, simulation_id)
