"""Command lines: any words after the program's name, in a folder with all kinds of files."""

import io
import json
import os
import re
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from random import Random
from typing import Final
from unittest.mock import patch

from orderbook_tui import cli
from orderbook_tui.exit_status import ExitStatus
from tests.fuzzing.mutating import TEXTS, mutated_text
from tests.fuzzing.targets.base import Target, check_said
from tests.fuzzing.targets.checkpoint import bases

_COMMANDS: Final = ("run", "resume", "list", "show", "delete", "fork", "export", "accounts", "schema", "validate", "verify")
_OPTIONS: Final = (
    "--state-dir", "--format", "--seed", "--account", "--market", "--slots-per-second", "--on-failure", "--name", "--what",
    "--output", "--prefix", "--count", "--help", "-h", "--version", "--", "-", "---", "--no-such",
)  # fmt: skip
_FILES: Final = (
    "config.json",
    "wrong.json",
    "empty.json",
    "folder",
    "loop",
    "state",
    "nowhere",
    "/dev/null",
    "/dev/zero",
)
_WORDS: Final = (
    "generate", "it", "latest", "csv", "jsonl", "json", "text", "slots", "fills", "history", "attempts", "skip", "ask", "quit",
    "0", "1", "-1", "9999999999999999999999", "1e999", "nan", "inf", "0.00001", "4", "3000", "BTC-USD", "test-account-1",
)  # fmt: skip
_ELSEWHERE: Final = re.compile(r"(^|=)\s*/(?!dev/(null|zero)$)|\.\./\.\./\.\.")


def obey_any_words(content: bytes, folder: Path) -> None:
    """Any words come to a result, or to an exit status and a reason that steers no terminal."""
    words = [word for word in json.loads(content) if not _ELSEWHERE.search(word)]
    here = folder / "a" / "b"
    here.mkdir(parents=True)
    _furnish(here)
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace") for _ in range(2))
    with chdir(here), patch.object(sys, "argv", ["orderbook-tui", *words]), redirect_stdout(out), redirect_stderr(err):
        with patch.object(sys, "stdin", io.StringIO()):
            try:
                cli.main()
            except SystemExit as ended:
                status = ended.code
        out.flush()
        err.flush()
    assert status in set(ExitStatus) | {1}, f"exit status {status!r}"
    said = err.buffer.getvalue().decode()
    assert len(said) < 1_000_000, f"{len(said)} characters on stderr"
    for line in said.split("\n"):
        check_said(line)
    assert status == 0 or said.strip() or out.buffer.getvalue(), "ended without a word"


def _furnish(folder: Path) -> None:
    config = {
        "accounts": {"generate": {"count": 2}},
        "scheduler": {"trades_per_account": 2},
        "processor": {"retry_base_delay_ms": 0},
        "budget": {"budgets": [{"amount": 10**9}]},
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "wrong.json").write_text('{"seed": "\\u001b[2J", "\\u202e": 1}')
    (folder / "empty.json").write_text("")
    (folder / "folder").mkdir()
    (folder / "loop").symlink_to("loop")
    state = folder / "simulator_state"
    state.mkdir()
    for name, part in bases()[1].items():
        (state / name).write_bytes(part)


def _command(random: Random) -> bytes:
    words = [random.choice(_COMMANDS)]
    for _ in range(random.choice([0, 1, 1, 2, 2, 3, 6])):
        words.append(
            random.choice([random.choice(_OPTIONS), random.choice(_WORDS), random.choice(_FILES), random.choice(TEXTS)])
        )
        if words[-1].startswith("--") and random.random() < 0.3:
            words[-1] += "=" + random.choice([*_WORDS, *_FILES, *TEXTS])
    if random.random() < 0.3:
        at = random.randrange(len(words))
        words[at] = mutated_text(random, words[at])
    # A command line holds no NUL, and bytes that are no UTF-8 come as surrogates of their own.
    return json.dumps([_passable(word) for word in words]).encode()


def _passable(word: str) -> str:
    return os.fsdecode(word.replace("\0", "").encode("utf-8", "surrogatepass"))


COMMAND = Target("command", _command, obey_any_words, 3)
