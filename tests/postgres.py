"""A PostgreSQL server for tests: Debian's programs, a user of its own, a socket in a folder of its own, nothing on the network.

    with Postgres.started() as server:
        server.url("app")      postgresql://app@/tests?host=/tmp/pg-...

It is not kept: nothing is synced to the disk, and the folder goes with it.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import pytest

_SECONDS: Final = 30
_OWNERS: Final = ("postgres", "nobody")


class Postgres(NamedTuple):
    """A server that is running. Its superuser is `owner` and needs no password; other users do."""

    folder: Path
    owner: str

    @classmethod
    @contextlib.contextmanager
    def started(cls) -> Iterator["Postgres"]:
        """Start a server, and end it.

        Raises:
            FileNotFoundError: PostgreSQL is not there.
        """
        programs = _programs()
        # The path of a socket has room for some hundred characters only, and not all of pytest's folders leave that.
        folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        account = _owner()
        who: dict[str, Any] = {} if account is None else {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        if account is not None:
            os.chown(folder, account.pw_uid, account.pw_gid)
        options: dict[str, Any] = {"cwd": folder, "env": {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}, **who}
        try:
            owner = "owner"
            subprocess.run(
                [programs / "initdb", "--no-sync", "--auth=trust", "--encoding=UTF8", "-U", owner, "-D", folder / "data"],
                check=True,
                capture_output=True,
                **options,
            )
            (folder / "data" / "pg_hba.conf").write_text(f"local all {owner} trust\nlocal all all scram-sha-256\n")
            with (folder / "log").open("w") as log:
                server = subprocess.Popen(
                    [
                        programs / "postgres", "-D", folder / "data", "-k", folder, "-c", "listen_addresses=",
                        "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off",
                    ],
                    stdout=log, stderr=log, stdin=subprocess.DEVNULL, **options,
                )  # fmt: skip
            try:
                found = cls(folder, owner)
                found._wait(server)
                found.run("CREATE DATABASE tests", database="postgres")
                yield found
            finally:
                server.send_signal(signal.SIGINT)  # ends whoever is still connected
                server.wait(_SECONDS)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def url(self, user: str | None = None, password: str | None = None, database: str = "tests") -> str:
        """Return the URL of a database, as a config has it; `password` is text that stands there."""
        secret = "" if password is None else f":{password}"
        return f"postgresql://{user or self.owner}{secret}@/{database}?host={quote(str(self.folder), safe='')}"

    def run(self, *statements: str, database: str = "tests") -> list[tuple[Any, ...]]:
        """Run statements, each by itself, and return the rows of the last one, if it has any."""
        import psycopg

        with psycopg.connect(host=str(self.folder), user=self.owner, dbname=database, autocommit=True) as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement.encode())
            return cursor.fetchall() if cursor.description is not None else []

    def _wait(self, server: "subprocess.Popen[bytes]") -> None:
        import psycopg

        until = time.monotonic() + _SECONDS
        while True:
            try:
                self.run("SELECT 1", database="postgres")
                return
            except psycopg.OperationalError:
                if server.poll() is not None or time.monotonic() > until:
                    raise RuntimeError((self.folder / "log").read_text()) from None
                time.sleep(0.02)


def _programs() -> Path:
    """Return the folder of the server's programs, the newest where there are several."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parent.parent.name))
    if found:
        return found[-1].parent
    config = shutil.which("pg_config")
    if config is not None:
        folder = Path(subprocess.run([config, "--bindir"], check=True, capture_output=True, text=True).stdout.strip())
        if (folder / "postgres").exists():
            return folder
    raise FileNotFoundError("PostgreSQL's server is not installed (apt-get install postgresql)")


def _owner() -> "pwd.struct_passwd | None":
    """Return whom to be, since PostgreSQL refuses root; None where we are not root."""
    if os.geteuid() != 0:
        return None
    for name in _OWNERS:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise FileNotFoundError(f"PostgreSQL refuses root, and there is no user {' or '.join(_OWNERS)}")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server for the whole session, or a skip that says why."""
    pytest.importorskip("sqlalchemy")
    pytest.importorskip("psycopg")
    try:
        _programs(), _owner()
    except FileNotFoundError as error:
        print(f"\nWARNING: PostgreSQL is NOT tested: {error}")
        pytest.skip(f"PostgreSQL is NOT tested: {error}")
    with Postgres.started() as server:
        yield server
