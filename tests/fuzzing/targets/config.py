"""Configurations: any bytes as a file, sound ones as a schedule and a run, and the settings of the app."""

import json
from pathlib import Path
from random import Random

import anyio

from orderbook_tui.config import load_config, parse_config, schedule, universe
from orderbook_tui.config.loading import read_config
from orderbook_tui.core.journal import RecoveryAction
from orderbook_tui.core.slot import SlotState
from orderbook_tui.engine.control import Ending
from orderbook_tui.engine.decisions import PolicyDecider
from orderbook_tui.engine.drafting import ConfigDraft
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.errors import ConfigError
from orderbook_tui.tui.keymap import checked
from orderbook_tui.tui.settings import read_settings
from tests.fuzzing.configs import MARKS, any_config, corpus, sound
from tests.fuzzing.mutating import TEXTS, bent, mutated, written
from tests.fuzzing.targets.base import Target, check_words

_FEW_SLOTS = 5_000


def read_any_config(content: bytes, folder: Path) -> None:
    """A file of any bytes is a configuration, or says why it is none: the same in every way of reading it."""
    path = folder / "run.json"
    path.write_bytes(content)
    try:
        config = load_config(path)
    except ConfigError as error:
        check_words(error)
        try:
            reading = read_config(content, folder, name="run.json")
        except ConfigError as same:
            check_words(same)
        else:
            assert reading.problems
        return
    draft = ConfigDraft.load(path)
    assert parse_config(draft.text(), folder).model_copy(update={"name": config.name}) == config
    if config.scheduler.trades_per_account * config.scheduler.rounds * 1_000 < _FEW_SLOTS * 100:
        _schedule(config.model_dump_json().encode(), folder)


def _schedule(content: bytes, folder: Path) -> None:
    config = parse_config(content, folder)
    try:
        described = universe(config, folder)
        if len(described.accounts) * config.scheduler.trades_per_account * config.scheduler.rounds > _FEW_SLOTS:
            return
        slots = schedule(config, described)
    except ConfigError as error:
        check_words(error)
        return
    assert len(slots) == len(described.accounts) * config.scheduler.trades_per_account * config.scheduler.rounds
    for slot in slots:
        assert slot.action.price > 0 < slot.action.quantity
        assert slot.action.market.symbol == slots[slot.partner].action.market.symbol


def run_config(content: bytes, folder: Path) -> None:
    """A sound configuration makes a schedule, and its run comes to an end with everything accounted for."""
    _schedule(content, folder)
    config = parse_config(content, folder)
    if config.venue.kind != "embedded" or config.venue.faults.latency_ms[1] or config.processor.retry_base_delay_ms:
        return
    try:
        simulation = Simulation.create(config, folder=folder, save=False)
    except ConfigError as error:
        check_words(error)
        return
    if len(simulation.slots) > _FEW_SLOTS // 10:
        return
    policy = RecoveryAction.SKIP if config.processor.on_failure.value == "skip" else RecoveryAction.CONTINUE
    assert anyio.run(simulation.run, PolicyDecider(policy)) is Ending.DONE
    assert all(simulation.invariants().values()), simulation.invariants()
    assert simulation.stats == simulation.state.recount()
    assert not any(slot.state in (SlotState.PENDING, SlotState.IN_PROGRESS) for slot in simulation.slots)


def _sound_or_nearly(random: Random) -> bytes:
    while True:
        tree = sound(random)
        for _ in range(random.choice([0, 0, 1])):
            tree = bent(random, tree, tuple(tree))
        content = written(tree).encode("utf-8", "surrogatepass")
        try:
            parse_config(content)
        except ConfigError:
            continue
        return content


def read_any_settings(content: bytes, folder: Path) -> None:
    """A file of any bytes is settings, or says why it is none."""
    path = folder / "settings.json"
    path.write_bytes(content)
    try:
        settings = read_settings(path)
    except ConfigError as error:
        check_words(error)
    else:
        kept, complaints = checked(settings.keys)
        assert len(kept) <= len(settings.keys) or complaints


def _settings(random: Random) -> bytes:
    keys = {random.choice(["run.step", "slots.follow", "app.quit", "nothing"]): random.choice(["n", "n,z", ",", "ctrl+c"])}
    tree = {"theme": random.choice(["orderbook-light", "nord", *TEXTS[:10]]), "keys": keys}
    if random.random() < 0.7:
        tree = bent(random, tree, ("theme", "keys", "run.step"))
    content = written(tree).encode("utf-8", "surrogatepass")
    return content if random.random() < 0.5 else mutated(random, content, (content, *corpus()), MARKS)


def sound_config(seed: int) -> bytes:
    """Return the text of one configuration that is sound."""
    return json.dumps(json.loads(_sound_or_nearly(Random(seed)))).encode()


CONFIG = Target("config", any_config, read_any_config, 6)
SCHEDULE = Target("schedule", _sound_or_nearly, run_config, 3)
SETTINGS = Target("settings", _settings, read_any_settings)
