"""The terminal under the app, as Textual drives it; but it may be taken away."""

import contextlib

from textual.drivers.linux_driver import LinuxDriver


class TerminalDriver(LinuxDriver):
    """Draws on a terminal until `let_go`; from then on what is drawn goes nowhere, and nothing waits for the terminal."""

    has_let_go = False

    def let_go(self) -> None:
        """Neither read from the terminal nor write to it any more: it has gone, or is somebody else's."""
        self.has_let_go = True
        # What the loop there waits for would never come, or come for ever.
        self.exit_event.set()

    def write(self, data: str) -> None:
        if not self.has_let_go:
            super().write(data)

    def start_application_mode(self) -> None:
        if not self.has_let_go:
            super().start_application_mode()  # type: ignore[no-untyped-call]

    def stop_application_mode(self) -> None:
        if not self.has_let_go:
            super().stop_application_mode()

    def disable_input(self) -> None:
        if not self.has_let_go:
            super().disable_input()

    def close(self) -> None:
        if not self.has_let_go:
            super().close()

    def run_input_thread(self) -> None:
        # A terminal that has gone cannot be read; whoever watches over it knows what to do.
        with contextlib.suppress(OSError):
            super().run_input_thread()
