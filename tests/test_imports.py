"""What is imported when: the screens only by the app, and nothing slow before it is needed."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import orderbook_tui

PACKAGE = Path(orderbook_tui.__file__).parent
AT_THE_END = """
import atexit, sys
atexit.register(lambda: print(*{name.split('.')[0] for name in sys.modules}, file=sys.stderr))
"""


def imported(code: str, folder: Path) -> set[str]:
    """The top-level names of all modules that are loaded after `code`."""
    command = [sys.executable, "-c", AT_THE_END + code]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert "Traceback" not in ended.stderr, ended.stderr
    return set(ended.stderr.splitlines()[-1].split())


def program(*arguments: str) -> str:
    return f"sys.argv = ['orderbook-tui', *{list(arguments)!r}]\nfrom orderbook_tui.cli import main\nmain()\n"


def test_importing_the_package_imports_nothing_else_of_weight(tmp_path: Path) -> None:
    assert not {"textual", "rich", "pydantic", "apsw", "msgspec", "anyio", "click"} & imported("import orderbook_tui", tmp_path)


def test_importing_every_public_name_imports_no_screen(tmp_path: Path) -> None:
    assert "textual" not in imported("from orderbook_tui import *", tmp_path)


def test_help_imports_nothing_of_weight(tmp_path: Path) -> None:
    assert not {"textual", "rich", "pydantic", "apsw"} & imported(program("--help"), tmp_path)


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_run_without_a_screen_imports_no_screen(tmp_path: Path, form: str) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"scheduler": {"trades_per_account": 1}}))
    loaded = imported(program("run", "config.json", "--format", form), tmp_path)

    assert "apsw" in loaded
    assert "textual" not in loaded


def imports_of(path: Path) -> set[str]:
    """The modules of ours that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name for name in names if name.startswith("orderbook_tui")}


@pytest.mark.parametrize("path", sorted((PACKAGE / "core").glob("*.py")), ids=lambda path: path.stem)
def test_the_core_imports_the_core_and_errors_alone(path: Path) -> None:
    assert all(name.startswith(("orderbook_tui.core", "orderbook_tui.errors")) for name in imports_of(path))
