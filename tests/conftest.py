"""No test depends on who runs it: not on settings or what was allowed, nor on signals that are ignored in the background."""

import gc
import signal
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def _settings_of_nobody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("settings")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _signals_as_in_the_foreground() -> None:
    # The program, as it should, leaves alone what was ignored when it was started, as by nohup or by a shell for its jobs.
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name a test by the beginning of a long text: each process would send the other all of a file of a million entries."""
    return f"{val[:60]}…" if isinstance(val, str) and len(val) > 200 else None


def pytest_collection_finish() -> None:
    """Spare the collector what lasts as long as the tests, and look for garbage less often: a fifth of the time went there."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 10)
