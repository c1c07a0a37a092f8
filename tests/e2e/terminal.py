"""The program in a real pseudo-terminal, and somebody who reads its screen and presses keys.

    Terminal("configs/simulator.json", folder=...)     press --> pseudo-terminal --> the program
                                                       wait_for <-- pyte's screen <-- what it writes

It is forked from a process that has imported it; with `program=command()` it is started as it is installed, which takes a
second more. Nothing here sleeps for a fixed time: one waits for what one wants to see, and fails with the screen as it is.
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import sysconfig
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import pyte

from tests.e2e.starter import STARTER, Started
from tests.nursery import Step

PATIENCE_S: Final = 30.0
"""How long a slow machine may take for anything."""
SIZES: Final = ((120, 36), (80, 24))
KEYS: Final = {
    "enter": "\r",
    "tab": "\t",
    "escape": "\x1b",
    "space": " ",
    "ctrl+c": "\x03",
    "ctrl+o": "\x0f",
    "ctrl+s": "\x13",
    "ctrl+u": "\x15",
    "ctrl+z": "\x1a",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "end": "\x1b[F",
    "f2": "\x1bOQ",
    "f5": "\x1b[15~",
    "f9": "\x1b[20~",
}

ALTERNATE_SCREEN, MAIN_SCREEN = b"\x1b[?1049h", b"\x1b[?1049l"
HIDE_CURSOR, SHOW_CURSOR = b"\x1b[?25l", b"\x1b[?25h"
_TITLE: Final = re.compile("\x1b\\]2;([^\x07\x1b]*)")
_FRAME_BEGINS, _FRAME_ENDS = b"\x1b[?2026h", b"\x1b[?2026l"
_ASKS_FOR_FRAMES, _HAS_FRAMES = b"\x1b[?2026$p", b"\x1b[?2026;2$y"
_MODES: Final = {
    "mouse": b"1000",
    "mouse drags": b"1003",
    "focus": b"1004",
    "pasting": b"2004",
    "cursor": b"25",
    "screen": b"1049",
}


def command() -> list[str]:
    """Return how the program is started: as it is installed beside the Python that runs the tests."""
    installed = Path(sysconfig.get_path("scripts")) / "orderbook-tui"
    return [str(installed)] if installed.exists() else [sys.executable, "-m", "orderbook_tui"]


def settings_path(folder: Path) -> Path:
    """Return where the program that is started in `folder` has its settings."""
    return folder / ".config" / "orderbook-tui" / "settings.json"


class Terminal:
    """One program in a terminal of its own. Left as a context, it ends what still runs."""

    def __init__(
        self,
        *arguments: str | Path,
        folder: Path,
        size: tuple[int, int] = SIZES[0],
        program: Sequence[str] | None = None,
        before: Sequence[Step] = (),
    ) -> None:
        self.written = b""
        """Everything that the program has written."""
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)
        self._lines: list[str] | None = None
        """The screen as it was last looked at, until more is written."""
        self._ours, self._theirs = pty.openpty()
        self._set_size(size)
        self._before = termios.tcgetattr(self._theirs)
        # The settings of whoever runs the tests are not read, nor written.
        environment = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "COLUMNS", "LINES"}} | {
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "XDG_CONFIG_HOME": str(settings_path(folder).parents[1]),
        }
        words = [str(argument) for argument in arguments]
        self._process: Started | subprocess.Popen[bytes]
        if program is None:
            self._process = STARTER.start(
                words, folder=folder, terminal=os.ttyname(self._theirs), environment=environment, before=before
            )
        else:
            self._process = subprocess.Popen(
                [*program, *words],
                stdin=self._theirs,
                stdout=self._theirs,
                stderr=self._theirs,
                cwd=folder,
                env=environment,
                start_new_session=True,
                # The terminal has to be the session's own, or nobody is told when it vanishes.
                preexec_fn=_take_terminal,  # noqa: PLW1509
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)  # not yet waited for, so the number is still its own
        self._process.wait()
        for descriptor in (self._ours, self._theirs):
            if descriptor >= 0:
                os.close(descriptor)

    # What is seen

    @property
    def lines(self) -> list[str]:
        """The screen, line by line."""
        if self._lines is None:
            self._lines = [line.rstrip() for line in self._screen.display]
        return self._lines

    @property
    def text(self) -> str:
        """The screen as one text."""
        return "\n".join(self.lines)

    @property
    def background(self) -> str:
        """The colour that the middle of the screen is painted on."""
        return str(self._screen.buffer[self._screen.lines // 2][self._screen.columns - 1].bg)

    @property
    def cursor_line(self) -> int:
        """The line that the terminal's own cursor is in: where an input has the focus, that input's."""
        return int(self._screen.cursor.y)

    @property
    def title(self) -> str:
        """The title that the terminal was given last."""
        titles = _TITLE.findall(self.everything)
        return titles[-1] if titles else ""

    @property
    def everything(self) -> str:
        """All that was ever written, with its control sequences: what has scrolled away too."""
        return self.written.decode(errors="replace")

    def wait_for(self, *texts: str) -> str:
        """Wait until all `texts` are on the screen, and return it."""
        return self.wait_until(lambda: all(text in self.text for text in texts), " and ".join(map(repr, texts)))

    def wait_while(self, text: str) -> str:
        """Wait until `text` is no longer on the screen, and return it."""
        return self.wait_until(lambda: text not in self.text, f"{text!r} to go")

    def wait_until(self, holds: Callable[[], bool], what: str = "what was waited for") -> str:
        """Wait until `holds` on the screen, and return it."""
        give_up = time.monotonic() + PATIENCE_S
        while not holds():
            if time.monotonic() > give_up or (self._process.poll() is not None and not self._read(0)):
                assert holds(), f"waited for {what}, exit status {self._process.poll()}, on the screen is\n{self.text}"
                break
            self._read(0.1)
        return self.text

    # What is done

    def press(self, *keys: str) -> None:
        """Press keys, named as in `KEYS` or as they are written."""
        for key in keys:
            os.write(self._ours, KEYS.get(key, key).encode())

    def click(self, text: str) -> None:
        """Press and release the left button of the mouse on the first `text` on the screen, once it is there."""
        self.wait_for(text)
        line = next(number for number, line in enumerate(self.lines) if text in line)
        place = f"{self._screen.display[line].index(text) + 1};{line + 1}"
        self.press(f"\x1b[<0;{place}M", f"\x1b[<0;{place}m")

    def resize(self, columns: int, lines: int) -> None:
        """Make the terminal another size, as somebody who drags its corner."""
        # What the program has written for the old size belongs on the old screen.
        self._read(0)
        self._screen.resize(lines=lines, columns=columns)
        self._erase()
        self._set_size((columns, lines))

    def wipe(self) -> None:
        """Clear the screen, so that only what is drawn anew from here on is seen."""
        while self._read(0):
            pass
        self._erase()

    def signal(self, number: signal.Signals) -> None:
        """Send the program a signal."""
        os.kill(self._process.pid, number)

    def vanish(self) -> None:
        """Take the terminal away under the program, as when a window is closed or a connection breaks."""
        os.close(self._theirs)
        os.close(self._ours)
        self._ours = self._theirs = -1

    def end(self) -> int:
        """Wait until the program has ended, and return its exit status; minus the signal that killed it, if one did."""
        give_up = time.monotonic() + PATIENCE_S
        while self._process.poll() is None:
            assert time.monotonic() < give_up, f"the program has not ended; on the screen is\n{self.text}"
            if self._ours < 0:
                time.sleep(0.01)
            else:
                self._read(0.1)
        while self._ours >= 0 and self._read(0):
            pass
        assert self._process.returncode is not None
        return self._process.returncode

    # What it leaves behind

    @property
    def leaves_a_process(self) -> bool:
        """Whether anything of the program's process group is still there."""
        try:
            os.killpg(self._process.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def is_as_before(self) -> bool:
        """Whether the terminal has the settings (echo, line editing, signals) it had before the program."""
        return bool(termios.tcgetattr(self._theirs) == self._before)

    def modes_left_on(self) -> set[str]:
        """Return what the program has switched on in the terminal, or hidden, and not taken back."""
        left = set()
        for what, number in _MODES.items():
            on, off = self.written.rfind(b"\x1b[?%bh" % number), self.written.rfind(b"\x1b[?%bl" % number)
            if (off > on) if what == "cursor" else (on > off):
                left.add(what)
        return left

    def _read(self, seconds: float) -> bool:
        """Take in what the program writes, waiting so long for it; return whether there was anything."""
        if not select.select([self._ours], [], [], seconds)[0]:
            return False
        while True:
            chunk = os.read(self._ours, 1 << 16)
            self.written += chunk
            self._stream.feed(chunk)
            self._lines = None
            if _ASKS_FOR_FRAMES in chunk:
                os.write(self._ours, _HAS_FRAMES)
            # Half a frame is nothing to look at.
            in_a_frame = self.written.rfind(_FRAME_BEGINS) > self.written.rfind(_FRAME_ENDS)
            if not in_a_frame or not select.select([self._ours], [], [], 1.0)[0]:
                return True

    def _erase(self) -> None:
        self._screen.erase_in_display(2)
        self._lines = None

    def _set_size(self, size: tuple[int, int]) -> None:
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
