"""Text from outside as it is shown and exported, and the language in which slots are looked for."""

import csv
import io
import json
import re
import unicodedata
from functools import cache
from pathlib import Path
from random import Random

import anyio
from rich.cells import cell_len

from orderbook_tui.config import parse_config
from orderbook_tui.config.showing import file_text, message_text, place_text, plain_text, shown
from orderbook_tui.core.journal import RecoveryAction
from orderbook_tui.core.words import harmless
from orderbook_tui.engine.decisions import PolicyDecider
from orderbook_tui.engine.export import TABLES, ExportFormat, export
from orderbook_tui.engine.simulation import Simulation
from orderbook_tui.errors import ConfigError
from orderbook_tui.tui.figures import fit, fit_middle, message, name
from orderbook_tui.tui.slot_filter import FIELDS, FilterError, Names, SlotFilter, suggestion, term, toggled
from tests.fuzzing.mutating import TEXTS, mutated_text
from tests.fuzzing.targets.base import Target, check_said, check_words
from tests.fuzzing.targets.config import sound_config

_FORMULA = re.compile(r"\s*[=+\-@]")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_STEERING = ("Cc", "Cs")
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029\ufeff\u200b")


def show_any_text(content: bytes, folder: Path) -> None:
    """Nothing that is shown steers the terminal, and it has the room that it is said to take."""
    text = _text_of(content)
    for made in (harmless(text), harmless(text, 40), name(text), name(text, 20), message(text), shown(text), plain_text(text),
                 file_text(text), message_text(ValueError(text)), place_text((text, 0, text))):  # fmt: skip
        steering = [letter for letter in made if unicodedata.category(letter) in _STEERING or letter in _TURNING]
        assert not steering, f"{steering[:3]} in {made[:100]!r}"
        made.encode()
    assert len(name(text, 20)) <= 20
    for width in (0, 1, 5, 12, 80):
        for right in (False, True):
            assert cell_len(fit(name(text), width, right=right)) == width
        assert cell_len(fit_middle(name(text), width)) == width


def filter_by_any_text(content: bytes, folder: Path) -> None:
    """A filter chooses slots, in order, or says why it cannot be read."""
    text = _text_of(content)
    simulation, names = _run()
    completed = suggestion(text, names)
    assert completed is None or completed.startswith(text)
    for wanted in ("state:failed", term("account", text)):
        toggled(text, wanted)
    try:
        chosen = SlotFilter(text, names).among(simulation.slots)
    except FilterError as error:
        check_said(str(error))
        return
    sequences = [slot.sequence for slot in chosen]
    assert sequences == sorted(set(sequences))


def export_any_names(content: bytes, folder: Path) -> None:
    """Names of any kind come back from an export in one piece, and start no formula."""
    names = _text_of(content).split("|")
    try:
        config = parse_config({
            "accounts": {"list": [{"id": f"{called}{place}" if place else called} for place, called in enumerate(names)]},
            "markets": [{"symbol": names[0], "base": f"B{names[-1]}", "quote": "USD", "reference_price": "100"}],
            "scheduler": {"trades_per_account": 2},
        })  # fmt: skip
        simulation = Simulation.create(config, save=False)
    except ConfigError as error:
        check_words(error)
        return
    anyio.run(simulation.run, PolicyDecider(RecoveryAction.SKIP))
    for what, table in TABLES.items():
        rows = list(table.rows(simulation))
        out = io.StringIO(newline="")
        assert export(simulation, what, ExportFormat.CSV, out) == len(rows)
        cells = list(csv.reader(io.StringIO(out.getvalue(), newline="")))
        assert [len(row) for row in cells] == [len(table.columns)] * (len(rows) + 1), what
        for row in cells[1:]:
            for called, cell in zip(table.columns, row, strict=True):
                assert not _FORMULA.match(cell) or _NUMBER.fullmatch(cell), f"{called}: {cell[:50]!r}"
        out = io.StringIO()
        export(simulation, what, ExportFormat.JSONL, out)
        made = [json.loads(line) for line in out.getvalue().splitlines()]
        assert [list(line.values()) for line in made] == rows


@cache
def _run() -> tuple[Simulation, Names]:
    simulation = Simulation.create(parse_config(sound_config(3)), save=False)
    anyio.run(simulation.run, PolicyDecider(RecoveryAction.SKIP))
    return simulation, Names(simulation)


def _text_of(content: bytes) -> str:
    return content.decode("utf-8", "surrogatepass") if _is_text(content) else content.decode("latin-1")


def _is_text(content: bytes) -> bool:
    try:
        content.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def _any_text(random: Random) -> bytes:
    text = "".join(random.choice(TEXTS) for _ in range(random.choice([1, 1, 2, 5])))
    for _ in range(random.choice([0, 1, 3, 10])):
        text = mutated_text(random, text)
    if random.random() < 0.3:
        text += "".join(chr(random.randrange(0x110000)) for _ in range(random.choice([1, 5, 50])))
    return text.encode("utf-8", "surrogatepass")


def _any_filter(random: Random) -> bytes:
    words = [
        "",
        "btc",
        "failed",
        "a1",
        "42",
        "m0",
        '"a b"',
        '"',
        '""',
        '"""',
        ",",
        ":",
        "-",
        "e",
        "open",
        "retried,open",
        "f,s",
    ]
    terms = []
    for _ in range(random.choice([1, 1, 2, 3, 8, 200])):
        value = random.choice([random.choice(words), random.choice(words), mutated_text(random, random.choice(words))])
        field = random.choice(["", "", f"{random.choice(FIELDS)}:", "nothing:", f"{random.choice(FIELDS).upper()}:"])
        terms.append(random.choice(["", "-", "--"]) + field + value)
    text = random.choice([" ", "  ", "\t", ","]).join(terms)
    return (mutated_text(random, text) if random.random() < 0.3 else text).encode("utf-8", "surrogatepass")


def _any_names(random: Random) -> bytes:
    usual = [
        "a",
        "=1+1",
        "-1",
        "@SUM(A1)",
        "\tx",
        '"',
        'a"b',
        "a,b",
        "a\nb",
        "\r",
        "x|",
        " =1",
        "\uff1d1",
        "'=1",
        "+",
        "a\r\nb",
        "%",
        "\x0b",
    ]
    names = [random.choice([random.choice(usual), random.choice(TEXTS[:40])]) for _ in range(random.choice([2, 2, 3, 4]))]
    if random.random() < 0.5:
        names[0] = mutated_text(random, names[0])
    return "|".join(names).encode("utf-8", "surrogatepass")


TEXT = Target("text", _any_text, show_any_text)
FILTER = Target("filter", _any_filter, filter_by_any_text)
EXPORT = Target("export", _any_names, export_any_names)
