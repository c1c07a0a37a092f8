"""Which code is imported without asking, what is asked, and what is remembered of it."""

import os
import stat
import sys
from pathlib import Path

import pytest

from orderbook_tui.engine.trust import Code, CodeNotAllowed, CodeTrust, Origin, code_of, question

VENUE = "from pathlib import Path\nPath('imported').touch()\ndef place(slot):\n    return slot.sequence + 1\n"
RUN = Origin.checkpoint("a-run")


class Person:
    """Gives one answer, and remembers what was asked."""

    def __init__(self, *, says: bool) -> None:
        self.says = says
        self.asked: list[Code] = []

    def ask(self, code: Code, origin: Origin) -> bool:
        self.asked.append(code)
        return self.says


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a venue and a config that are the user's own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "desk.py").write_text(VENUE)
    (tmp_path / "config.json").write_text("{}")
    for path in tmp_path.iterdir():
        path.chmod(0o644)
    return tmp_path


@pytest.fixture
def memory(folder: Path) -> Path:
    return folder / "settings" / "allowed-code.json"


@pytest.fixture
def own(folder: Path) -> Origin:
    return Origin.config(folder / "config.json")


# What is asked


def test_the_users_own_config_with_code_of_its_own_is_not_asked_about(own: Origin, memory: Path) -> None:
    person = Person(says=False)
    CodeTrust(memory).check(own, person.ask)("desk:place")

    assert person.asked == []


def test_a_config_that_others_may_write_is_asked_about(folder: Path, own: Origin, memory: Path) -> None:
    (folder / "config.json").chmod(0o666)
    person = Person(says=True)
    CodeTrust(memory).check(own, person.ask)("desk:place")

    assert [(code.target, code.file) for code in person.asked] == [("desk:place", str(folder / "desk.py"))]


def test_a_config_that_comes_through_a_pipe_is_asked_about(folder: Path, memory: Path) -> None:
    os.mkfifo(folder / "pipe", 0o600)

    with pytest.raises(CodeNotAllowed):
        CodeTrust(memory).check(Origin.config(folder / "pipe"))("desk:place")


def test_code_that_others_may_write_is_asked_about(folder: Path, own: Origin, memory: Path) -> None:
    (folder / "desk.py").chmod(0o666)
    person = Person(says=True)
    CodeTrust(memory).check(own, person.ask)("desk:place")

    assert person.asked[0].doubts == (f"{folder / 'desk.py'}: everybody on this machine may write to it",)


def test_code_in_a_folder_that_others_may_add_to_is_asked_about(folder: Path, own: Origin, memory: Path) -> None:
    folder.chmod(0o1777)
    person = Person(says=True)
    CodeTrust(memory).check(own, person.ask)("desk:place")

    assert person.asked[0].doubts == (f"the folder {folder}: everybody on this machine may write to it",)


def test_a_saved_run_is_asked_about(memory: Path) -> None:
    person = Person(says=True)
    CodeTrust(memory).check(RUN, person.ask)("desk:place")

    assert len(person.asked) == 1


def test_the_question_names_target_file_and_origin(folder: Path) -> None:
    assert question(code_of("desk:place", RUN), RUN) == [
        "the saved run a-run places its orders through code: desk:place",
        f"It would run {folder / 'desk.py'}",
        "whoever made the saved run has chosen that",
    ]


def test_a_no_imports_nothing(memory: Path) -> None:
    with pytest.raises(CodeNotAllowed, match="desk:place"):
        CodeTrust(memory).check(RUN, Person(says=False).ask)("desk:place")


def test_where_nobody_can_be_asked_the_answer_is_no(memory: Path) -> None:
    with pytest.raises(CodeNotAllowed):
        CodeTrust(memory).check(RUN)("desk:place")


def test_a_module_that_is_not_there_is_not_asked_about(memory: Path) -> None:
    CodeTrust(memory).check(RUN)("nothing_of_that_name:place")


# Which file it is


def test_finding_the_file_imports_nothing(folder: Path) -> None:
    (folder / "firm").mkdir()
    (folder / "firm" / "__init__.py").write_text(VENUE)
    (folder / "firm" / "desk.py").write_text(VENUE)

    assert code_of("firm.desk:place", RUN).file == str(folder / "firm" / "desk.py")
    assert not (folder / "imported").exists()
    assert "firm" not in sys.modules


def test_folders_without_a_file_of_their_own_are_walked_through(folder: Path) -> None:
    (folder / "plain" / "inner" / "last").mkdir(parents=True)
    (folder / "plain" / "inner" / "last" / "desk.py").write_text(VENUE)

    assert code_of("plain.inner.last.desk:place", RUN).file == str(folder / "plain" / "inner" / "last" / "desk.py")


def test_a_package_that_would_run_before_its_missing_module_is_named(folder: Path) -> None:
    (folder / "firm").mkdir()
    (folder / "firm" / "__init__.py").write_text(VENUE)

    assert code_of("firm.made_by_firm:place", RUN).file == str(folder / "firm" / "__init__.py")


def test_a_name_that_python_has_already_is_pythons_and_not_the_folders(folder: Path) -> None:
    (folder / "json.py").write_text(VENUE)

    assert code_of("json:loads", RUN).file.endswith("/json/__init__.py")


def test_what_is_built_into_python_is_asked_about_too() -> None:
    assert code_of("sys:exit", RUN).file == "a part of Python itself"


def test_a_link_is_shown_as_what_it_leads_to(folder: Path) -> None:
    (folder / "linked.py").symlink_to("desk.py")

    assert code_of("linked:place", RUN).file == str(folder / "desk.py")


# What is remembered


def test_an_answer_is_asked_for_once(memory: Path) -> None:
    CodeTrust(memory).check(RUN, Person(says=True).ask)("desk:place")
    later = Person(says=False)
    CodeTrust(memory).check(Origin.checkpoint("another"), later.ask)("desk:place")

    assert later.asked == []


def test_a_run_that_was_started_here_is_not_asked_about_when_it_is_resumed(own: Origin, memory: Path) -> None:
    CodeTrust(memory).check(own)("desk:place")
    CodeTrust(memory).check(RUN)("desk:place")


def test_a_no_is_not_remembered(memory: Path) -> None:
    with pytest.raises(CodeNotAllowed):
        CodeTrust(memory).check(RUN)("desk:place")

    assert not memory.exists()


def test_the_same_name_in_another_folder_is_other_code(folder: Path, memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    CodeTrust(memory).check(RUN, Person(says=True).ask)("desk:place")
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "desk.py").write_text(VENUE)
    monkeypatch.chdir(folder / "elsewhere")

    with pytest.raises(CodeNotAllowed):
        CodeTrust(memory).check(RUN)("desk:place")


def test_another_name_in_the_same_file_is_asked_about(memory: Path) -> None:
    CodeTrust(memory).check(RUN, Person(says=True).ask)("desk:place")

    with pytest.raises(CodeNotAllowed):
        CodeTrust(memory).check(RUN)("desk:other")


def test_without_a_memory_an_answer_holds_until_the_end() -> None:
    trust = CodeTrust(None)
    trust.check(RUN, Person(says=True).ask)("desk:place")
    trust.check(RUN)("desk:place")


def test_a_memory_that_cannot_be_written_is_no_obstacle(folder: Path) -> None:
    trust = CodeTrust(folder / "desk.py" / "allowed-code.json")
    trust.check(RUN, Person(says=True).ask)("desk:place")
    trust.check(RUN)("desk:place")


def test_the_memory_is_private(own: Origin, memory: Path) -> None:
    CodeTrust(memory).check(own)("desk:place")

    assert stat.S_IMODE(memory.stat().st_mode) == 0o600
    assert stat.S_IMODE(memory.parent.stat().st_mode) == 0o700
    assert [path.name for path in memory.parent.iterdir()] == [memory.name]


def _remembering(path: Path, folder: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'[{{"target": "desk:place", "file": "{folder / "desk.py"}"}}]')
    path.chmod(0o600)


def test_what_the_memory_says_counts(folder: Path, memory: Path) -> None:
    _remembering(memory, folder)
    CodeTrust(memory).check(RUN)("desk:place")


def test_a_memory_that_others_may_write_says_nothing(folder: Path, memory: Path) -> None:
    _remembering(memory, folder)
    memory.chmod(0o666)

    with pytest.raises(CodeNotAllowed):
        CodeTrust(memory).check(RUN)("desk:place")


def test_a_memory_that_is_a_link_says_nothing(folder: Path, memory: Path) -> None:
    _remembering(folder / "planted.json", folder)
    memory.parent.mkdir()
    memory.symlink_to(folder / "planted.json")

    with pytest.raises(CodeNotAllowed):
        CodeTrust(memory).check(RUN)("desk:place")


def test_a_link_in_place_of_the_memory_is_not_written_through(folder: Path, memory: Path, own: Origin) -> None:
    precious = folder / "precious"
    precious.write_text("as it was")
    memory.parent.mkdir()
    memory.symlink_to(precious)
    CodeTrust(memory).check(own)("desk:place")

    assert precious.read_text() == "as it was"
    assert not memory.is_symlink()


@pytest.mark.parametrize("content", ["", "{}", "[1]", '[{"target": 1, "file": "x"}]', "\xff", "[" * 10_000, "x" * 2_000_000])
def test_a_memory_that_makes_no_sense_says_nothing(memory: Path, content: str) -> None:
    memory.parent.mkdir()
    memory.write_text(content)

    with pytest.raises(CodeNotAllowed):
        CodeTrust(memory).check(RUN)("desk:place")
