"""Nothing that the package reads is ever run: no pickle, no eval, no shell, and what the environment says is not kept."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import orderbook_tui

PACKAGE = Path(orderbook_tui.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "yaml", "subprocess", "pty", "code", "codeop", "ctypes", "xml"}
CALLS = {"eval", "exec", "compile", "__import__", "breakpoint", "input"}
OF_OS = {"system", "popen", "startfile", "execv", "execve", "execvp", "execl", "spawnv", "posix_spawn", "putenv"}
IMPORTS_CODE = {"venues/user_code.py"}
"""Where a user's own code is imported, after it was allowed."""
READS_ENVIRONMENT = {"cli/__init__.py", "environment.py"}
"""Where a variable is set for a library of ours, and where the config's placeholders get their values."""


def named(file: Path) -> str:
    return file.relative_to(PACKAGE).as_posix()


def found(file: Path) -> Iterator[str]:
    """Yield what a file does that could run what it has read."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from (f"import {alias.name}" for alias in names if alias.name.partition(".")[0] in MODULES)
            case ast.ImportFrom(module=str(module)) if module.partition(".")[0] in MODULES:
                yield f"from {module} import"
            case ast.Call(func=ast.Name(id=called)) if called in CALLS:
                yield f"{called}()"
            case ast.Attribute(value=ast.Name(id="os"), attr=called) if called in OF_OS:
                yield f"os.{called}"
            case ast.Attribute(value=ast.Name(id="importlib"), attr="import_module") if named(file) not in IMPORTS_CODE:
                yield "importlib.import_module"
            case ast.Attribute(value=ast.Name(id="os"), attr="environ" | "getenv") if named(file) not in READS_ENVIRONMENT:
                yield "os.environ"
            case ast.keyword(arg="shell"):
                yield "shell="


@pytest.mark.parametrize("file", FILES, ids=named)
def test_a_module_runs_nothing_that_it_has_read(file: Path) -> None:
    assert list(found(file)) == []


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from subprocess import run",
        "eval('1')",
        "import os\nos.system('x')",
        "import os\nos.environ['X']",
        "import importlib\nimportlib.import_module('x')",
        "run('x', shell=True)",
    ],
)
def test_what_is_looked_for_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("tests.test_no_eval.PACKAGE", tmp_path)
    (tmp_path / "module.py").write_text(text)

    assert list(found(tmp_path / "module.py"))
