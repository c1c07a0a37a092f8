"""Whose code is run: a Python venue's target is named before it is imported, unless it is the user's own or was allowed before.

    config file of the user, code that nobody else may change --> imported, and remembered
    a checkpoint, another's config, another's code             --> remembered? else asked, once

To import is to run, so which file a target stands for is found without importing anything. What was allowed is kept in a
private file: target and file, not what is in the file, since whoever writes a venue changes it all day.
"""

import contextlib
import json
import os
import secrets
import stat
import sys
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from orderbook_tui.engine.ownership import stranger, writer_besides
from orderbook_tui.errors import ConfigError, Problem

CodeCheck = Callable[[str], None]
"""Called with a target before it is imported. Raises CodeNotAllowed where it may not be."""

_MOST_BYTES: Final = 1 << 20
_MOST_REMEMBERED: Final = 1_000
_BUILT_IN: Final = "a part of Python itself"


class Origin(NamedTuple):
    """Where a configuration comes from."""

    words: str
    """Such as: the checkpoint abc."""
    file: Path | None = None
    """The file whose owner has asked for what it says. A checkpoint is no such file: anybody may have made its run."""

    @classmethod
    def config(cls, path: Path) -> "Origin":
        """A config file."""
        return cls(f"the config {path}", path)

    @classmethod
    def checkpoint(cls, simulation_id: str) -> "Origin":
        """A saved run."""
        return cls(f"the saved run {simulation_id}")

    @classmethod
    def draft(cls, path: Path | None) -> "Origin":
        """A draft that was taken from a file, or else from a saved run."""
        return cls("this draft", path)

    @property
    def doubt(self) -> str:
        """Why it need not be what the user wants; empty where it must."""
        if self.file is None:
            return "whoever made the saved run has chosen that"
        if self.file.exists() and not self.file.is_file():
            return f"{self.file} is no ordinary file: whose it is cannot be told"
        doubt = _doubt_about(self.file)
        return f"{self.file}: {doubt}" if doubt else ""


class Code(NamedTuple):
    """What importing a target would run."""

    target: str
    file: str
    """The file that its module is in, or the part of it that is there; empty where nothing is."""
    doubts: tuple[str, ...]
    """Why it need not be what the user wants, in words."""


class CodeNotAllowed(ConfigError):
    """A target was not imported, since nobody has allowed it."""

    def __init__(self, code: Code, origin: Origin) -> None:
        self.code, self.origin = code, origin
        why = f"{origin.words} would run code that was not allowed: {code.target}, which is {code.file}"
        super().__init__([Problem("venue.target", why)])


def question(code: Code, origin: Origin) -> list[str]:
    """Return what is to be asked, line by line."""
    return [
        f"{origin.words} places its orders through code: {code.target}",
        f"It would run {code.file}",
        *code.doubts,
    ]


def any_code(target: str) -> None:
    """Let everything be imported: whoever calls this package from Python has chosen what to run."""


class CodeTrust:
    """What the user lets be imported. `memory` is the file that keeps it; without one it is kept until the end."""

    def __init__(self, memory: Path | None) -> None:
        self._memory = memory
        self._allowed: set[tuple[str, str]] = set()

    def check(self, origin: Origin, ask: Callable[[Code, Origin], bool] | None = None) -> CodeCheck:
        """Return the check of a configuration that comes from `origin`; without `ask`, what needs asking is refused."""

        def check(target: str) -> None:
            code = code_of(target, origin)
            if not code.file:
                return  # there is nothing to run: the import says so, in its own words
            if code.doubts and not self.allows(code) and not (ask is not None and ask(code, origin)):
                raise CodeNotAllowed(code, origin)
            self.allow(code)

        return check

    def allows(self, code: Code) -> bool:
        """Whether this was allowed before."""
        return (code.target, code.file) in self._allowed or (code.target, code.file) in self._remembered()

    def allow(self, code: Code) -> None:
        """Allow it from here on. Where that cannot be written down, it holds until the end."""
        pair = (code.target, code.file)
        remembered = self._remembered()
        self._allowed.add(pair)
        if self._memory is not None and pair not in remembered:
            with contextlib.suppress(OSError):
                _write(self._memory, [*remembered, pair][-_MOST_REMEMBERED:])

    def _remembered(self) -> list[tuple[str, str]]:
        return [] if self._memory is None else _read(self._memory)


def memory_path() -> Path:
    """Return where it is kept what whoever runs this has allowed."""
    from platformdirs import user_config_path  # only where a venue is Python code

    return user_config_path("orderbook-tui", appauthor=False) / "allowed-code.json"


def code_of(target: str, origin: Origin) -> Code:
    """Return what importing `target` from the working folder would run. Nothing is imported."""
    files, built_in = _files_of(target.partition(":")[0])
    where = os.path.realpath(files[-1]) if files else _BUILT_IN if built_in else ""
    return Code(target, where, tuple(_doubts(files, origin)))


def _doubts(files: list[Path], origin: Origin) -> Iterator[str]:
    if origin.doubt:
        yield origin.doubt
    for file in files:
        if doubt := _doubt_about(file):
            yield f"{file}: {doubt}"
    for folder in dict.fromkeys([Path.cwd(), *(file.parent for file in files)] if files else ()):
        # Who can put a file beside a module can have it imported in place of another.
        if doubt := _doubt_about(folder) or _added_to_by(folder):
            yield f"the folder {folder}: {doubt}"


def _files_of(module: str) -> tuple[list[Path], bool]:
    """Return the files that importing a module runs, packages first, and whether it is built into Python."""
    files: list[Path] = []
    built_in = False
    with _working_folder_first():
        locations: list[str] | None = None
        names = module.split(".")
        for count in range(1, len(names) + 1):
            found = _found(".".join(names[:count]), locations)
            if found is None:
                break
            file, locations = found
            if file is not None:
                files.append(file)
            built_in = built_in or (file is None and not locations)
            if locations is None:
                break
    return files, built_in


def _found(module: str, locations: list[str] | None) -> tuple[Path | None, list[str] | None] | None:
    """Return a module's file and, of a package, where its modules are; None where there is none."""
    spec: ModuleSpec | None = getattr(sys.modules.get(module), "__spec__", None)
    if spec is None:
        try:
            spec = PathFinder.find_spec(module, locations) if locations is not None else _top(module)
        except KeyError:
            # A package without a file inside a package that is not imported: Python asks the outer one where it is.
            last = module.rpartition(".")[2]
            return None, [str(Path(folder) / last) for folder in locations or () if (Path(folder) / last).is_dir()]
    if spec is None:
        return None
    file = Path(spec.origin) if spec.has_location and spec.origin else None
    inside = spec.submodule_search_locations
    return file, None if inside is None else list(inside)


def _top(module: str) -> ModuleSpec | None:
    found = (finder.find_spec(module, None) for finder in sys.meta_path)
    return next((spec for spec in found if spec is not None), None)


@contextlib.contextmanager
def _working_folder_first() -> Iterator[None]:
    """Look for modules as the import will."""
    folder = str(Path.cwd())
    added = folder not in sys.path
    if added:
        sys.path.insert(0, folder)
    try:
        yield
    finally:
        if added:
            sys.path.remove(folder)


def _doubt_about(path: Path) -> str:
    try:
        return stranger(path.stat())
    except OSError as error:
        return f"it cannot be looked at: {error.strerror}"


def _added_to_by(folder: Path) -> str:
    try:
        return writer_besides(folder.stat())
    except OSError:
        return ""


# The private file


class _Entry(msgspec.Struct, frozen=True):
    target: str
    file: str


def _read(path: Path) -> list[tuple[str, str]]:
    """Return what a file says was allowed: nothing, where it is a link, or somebody else may have written it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return []
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode) or stranger(about) or about.st_size > _MOST_BYTES:
            return []
        try:
            entries = msgspec.json.decode(file.read(_MOST_BYTES), type=list[_Entry])
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return []
    return [(entry.target, entry.file) for entry in entries]


def _write(path: Path, pairs: list[tuple[str, str]]) -> None:
    """Write the file anew. A link in its place is replaced, not followed."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    making = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        descriptor = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump([{"target": target, "file": file_} for target, file_ in pairs], file, indent=1)
            file.flush()
            os.fsync(descriptor)
        making.replace(path)
    finally:
        making.unlink(missing_ok=True)
