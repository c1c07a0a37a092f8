"""What README says is there: its commands, options, exit statuses, examples and snippets."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
import pytest

from orderbook_tui import Simulation, load_config
from orderbook_tui.cli import cli
from orderbook_tui.exit_status import ExitStatus
from tests.examples import ENVIRONMENT, EXTRAS, FIRST

ROOT: Final = Path(__file__).parents[2]
README: Final = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES: Final = sorted(
    path.name for path in (ROOT / "configs").glob("*.json") if isinstance(json.loads(path.read_text(encoding="utf-8")), dict)
)
"""The configs; a list of accounts is none."""


def commands(group: click.Group = cli) -> Iterator[click.Command]:
    for command in group.commands.values():
        yield command
        if isinstance(command, click.Group):
            yield from commands(command)


def snippets(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)


def table(heading: str) -> list[list[str]]:
    """Return the rows of the table under a heading row that begins so."""
    lines = README.split("\n")
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {heading} |")) + 2
    rows = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))])
    return rows


def test_the_test_command_is_where_ci_looks_for_it() -> None:
    found = re.findall(r"^pip install .*&& pytest.*$", README, flags=re.MULTILINE)
    assert found == ["pip install -e '.[dev]' && pytest"]


def test_the_run_command_installs_and_opens_the_tour() -> None:
    assert re.findall(r"^pip install .*&& orderbook-tui .*$", README, flags=re.MULTILINE) == [
        "pip install . && orderbook-tui configs/simulator.json"
    ]


def test_every_option_that_is_named_exists() -> None:
    known = {option for command in (cli, *commands()) for parameter in command.params for option in parameter.opts}
    known |= {"--help", "--version"}
    of_the_program = re.sub(r"`python -m tests[^`]*`", "", README)
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", of_the_program)) <= known


def test_every_choice_of_an_option_is_named() -> None:
    for command in ("run", "resume", "export"):
        for parameter in cli.commands[command].params:
            if isinstance(parameter.type, click.Choice) and isinstance(parameter, click.Option):
                choices = "|".join(parameter.type.choices)
                assert f"{parameter.opts[0]} {choices}" in README.replace("\\|", "|")


def test_every_command_that_is_named_exists_and_none_is_missing() -> None:
    named = {word for row in table("command") for word in re.findall(r"`([a-z]+)", row[0])} - {"orderbook"}
    assert named == {name for name, command in cli.commands.items() if not command.hidden}


def test_every_exit_status_is_listed() -> None:
    assert {int(row[0]) for row in table("exit status")} == set(ExitStatus)


def test_every_file_that_is_linked_is_there() -> None:
    linked = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert linked
    assert [path for path in linked if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_loads_and_can_be_carried_out(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if name in EXTRAS:
        pytest.importorskip(EXTRAS[name])
    monkeypatch.chdir(ROOT)
    for variable in ENVIRONMENT.get(name, ()):
        monkeypatch.setenv(variable, "a secret of the tests")
    folder = Path("configs")
    if name in FIRST:
        folder = tmp_path
        cli.main(FIRST[name].format(folder=folder).split(), standalone_mode=False)
    simulation = Simulation.create(load_config(Path("configs", name)), folder=folder, save=False)
    refused = simulation.preflight().refused
    assert bool(refused) == (name == "page-example.json")


def test_every_example_is_explained() -> None:
    explained = (ROOT / "configs" / "README.md").read_text(encoding="utf-8")
    assert [name for name in EXAMPLES if f"| [{name}]({name}) |" not in explained] == []
    assert [name for name, command in FIRST.items() if command.format(folder="configs") not in explained] == []


@pytest.mark.parametrize("number", range(len(snippets("python"))))
def test_every_python_snippet_compiles(number: int) -> None:
    compile(snippets("python")[number], "README.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def test_there_are_python_snippets() -> None:
    assert len(snippets("python")) >= 2
