import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.venues.conformance.desks import SUBJECTS, Bench, Exchange, Subject, has, the_exchange, the_quickfix


@pytest.fixture(scope="session")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """The one exchange that all of this is about."""
    if not has("aiohttp"):
        pytest.skip("the extra http is not installed: there is no exchange to speak to")
    with the_exchange(tmp_path_factory.mktemp("exchange")) as running:
        yield running


@pytest.fixture(scope="session")
def counterparty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """Another exchange of the same rules, which is not of this project where it speaks."""
    with the_quickfix(tmp_path_factory.mktemp("quickfix")) as running:
        yield running


@pytest.fixture(scope="session")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where sequence numbers are kept from desk to desk, as those of one trader."""
    return tmp_path_factory.mktemp("numbers")


@pytest.fixture(params=SUBJECTS, ids=lambda subject: subject.name)
def bench(request: pytest.FixtureRequest, numbers: Path) -> Bench:
    """Each kind of venue in turn."""
    subject: Subject = request.param
    for module in subject.needs:
        if not has(module):
            pytest.skip(f"{module} is not installed, or has no build for this machine")
    running: Exchange = request.getfixturevalue("counterparty" if subject.language == "quickfix" else "exchange")
    return Bench(subject, running.ports.get(subject.language, 0), running.books, numbers / subject.name)


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
