import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving.exchange import ServedProcess
from tests.venues.conformance.desks import SUBJECTS, Bench, Subject, has, the_exchange


@pytest.fixture(scope="session")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedProcess]:
    """The one exchange that all of this is about."""
    if not has("aiohttp"):
        pytest.skip("the extra http is not installed: there is no exchange to speak to")
    with the_exchange(tmp_path_factory.mktemp("exchange")) as process:
        yield process


@pytest.fixture(scope="session")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where sequence numbers are kept from desk to desk, as those of one trader."""
    return tmp_path_factory.mktemp("numbers")


@pytest.fixture(params=SUBJECTS, ids=lambda subject: subject.name)
def bench(request: pytest.FixtureRequest, exchange: ServedProcess, numbers: Path) -> Bench:
    """Each kind of venue in turn."""
    subject: Subject = request.param
    for module in subject.needs:
        if not has(module):
            pytest.skip(f"{module} is not installed")
    return Bench(subject, exchange, numbers)


@pytest.fixture
def outside(bench: Bench) -> Bench:
    """Each kind of venue that is not in this process."""
    if bench.subject.is_embedded:
        pytest.skip("it is in this process: there is nothing that could be unknown, late or gone")
    return bench


@pytest.fixture
def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return int(line.getsockname()[1])
