"""Opening a database: to read, in a transaction that can do nothing else, or to write the accounts that were generated.

    url with ${env:NAME} --expand--> driver, file or server --> a connection

What goes wrong is said in words without a secret: neither the URL nor what a driver says is repeated unseen.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from orderbook_tui.config.showing import file_text
from orderbook_tui.core.words import harmless
from orderbook_tui.environment import PLACEHOLDER, conceal, expand, hide
from orderbook_tui.errors import ConfigError, Problem

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection

CONNECT_SECONDS: Final = 10
LOCK_SECONDS: Final = 10
STATEMENT_SECONDS: Final = 120
"""A server that says nothing is not waited for any longer than these."""

BATCH: Final = 2_000
"""Rows that are fetched at a time: few enough for all of them to be near at hand for the processor."""

_LONGEST_MESSAGE: Final = 300

_SQLITE_OK, _SQLITE_DENY = 0, 1
_READING: Final = frozenset({20, 21, 22, 31, 33})
"""What SQLite's authorizer is asked: READ, SELECT, TRANSACTION, FUNCTION, RECURSIVE. No PRAGMA, no ATTACH."""


@contextmanager
def reading(url: str, folder: Path, path: str = "database") -> Iterator["Connection"]:
    """Open a connection for one read-only transaction; `path` is where the URL stands in the config.

    Raises:
        ConfigError: a driver is missing, or the database cannot be opened or read; in words.
    """
    found = _url(url, f"{path}.url")
    if _is_sqlite(found):
        file = _file(found, folder, f"{path}.url")
        if not file.exists():
            raise ConfigError([Problem(f"{path}.url", f"{file_text(file)}: there is no such file")])
        found = _sqlite_url(file, "ro")
    with _connected(found, f"{path}.url") as connection:
        if _is_sqlite(found):
            raw: Any = connection.connection.driver_connection
            # SQL is the user's own, or that of whoever gave them the config: even ATTACH would make a file.
            raw.set_authorizer(lambda action, *_: _SQLITE_OK if action in _READING else _SQLITE_DENY)
            yield connection
            return
        from sqlalchemy import text
        from sqlalchemy.exc import SQLAlchemyError

        connection.execution_options(postgresql_readonly=True, isolation_level="REPEATABLE READ")
        try:
            connection.execute(text(f"SET lock_timeout = '{LOCK_SECONDS}s'"))
            connection.execute(text(f"SET statement_timeout = '{STATEMENT_SECONDS}s'"))
            connection.commit()
        except SQLAlchemyError as error:
            raise ConfigError([Problem(f"{path}.url", f"cannot be read from: {said(error)}")]) from None
        # A cursor on the server: rows come in batches, and it takes one statement only, so that none can end the transaction.
        yield connection.execution_options(stream_results=True, yield_per=BATCH)


@contextmanager
def writing(url: str, path: str) -> Iterator["Connection"]:
    """Open a connection in one transaction, which is committed at the end and undone by any error.

    Raises:
        ConfigError: as `reading`.
    """
    found = _url(url, path)
    if _is_sqlite(found):
        found = _sqlite_url(_file(found, Path(), path), "rwc")
    with _connected(found, path) as connection, connection.begin():
        yield connection


def said(error: BaseException) -> str:
    """Return what a driver has said, on one line and without secrets."""
    words = " ".join(str(getattr(error, "orig", None) or error).split())
    return harmless(hide(words), _LONGEST_MESSAGE)


@contextmanager
def _connected(url: "URL", path: str) -> Iterator["Connection"]:
    from sqlalchemy import create_engine
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.pool import NullPool

    arguments = {} if _is_sqlite(url) else {"connect_timeout": CONNECT_SECONDS}
    try:
        engine = create_engine(url, poolclass=NullPool, connect_args=arguments, hide_parameters=True)
        connection = engine.connect()
    except ImportError:
        raise _missing("PostgreSQL", "postgres", path) from None
    except (SQLAlchemyError, ValueError, TypeError, OSError) as error:
        raise ConfigError([Problem(path, f"cannot be connected to: {said(error)}")]) from None
    try:
        with connection:
            yield connection
    finally:
        engine.dispose()


def _url(text: str, path: str) -> "URL":
    """Return the URL that is meant, with its driver and its secrets."""
    try:
        from sqlalchemy import make_url
        from sqlalchemy.exc import ArgumentError
    except ImportError:
        raise _missing("a database", "db", path) from None
    try:
        url = make_url(_expanded(text, path))
        kind = url.get_backend_name()
    except (ArgumentError, ValueError, TypeError):
        # What SQLAlchemy says would repeat a part of it.
        raise ConfigError([Problem(path, "this is no URL of a database that can be understood")]) from None
    for secret in (url.password, url.query.get("password")):
        if isinstance(secret, str) and secret:
            conceal(secret, "***")
    match url.drivername:
        case "postgres" | "postgresql" | "postgresql+psycopg":
            return url.set(drivername="postgresql+psycopg")
        case "sqlite" | "sqlite+pysqlite":
            return url.set(drivername="sqlite+pysqlite")
    if kind in ("postgresql", "sqlite"):
        raise ConfigError([Problem(path, f"the driver is chosen for you: write {kind}://")])
    named = harmless(hide(kind), 40)
    raise ConfigError([Problem(path, f"sqlite and postgresql are known, {named} is not: it might be written to by mistake")])


def _expanded(text: str, path: str) -> str:
    """Put in the values of the environment; those of user and password may hold anything."""
    scheme, there, rest = text.partition("://")
    end = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
    user, sign, host = rest[:end].rpartition("@")
    user = PLACEHOLDER.sub(lambda found: quote(expand(found[0], path), safe=""), user)
    return expand(scheme, path) + there + user + sign + expand(host + rest[end:], path)


def _is_sqlite(url: "URL") -> bool:
    return url.get_backend_name() == "sqlite"


def _file(url: "URL", folder: Path, path: str) -> Path:
    named = url.database or ""
    if named in ("", ":memory:") or named.startswith("file:"):
        raise ConfigError([Problem(path, "expected a file, as in sqlite:///accounts.db")])
    return folder / named


def _sqlite_url(file: Path, mode: str) -> "URL":
    from sqlalchemy import URL

    where = f"file:{quote(str(file.absolute()))}"
    return URL.create("sqlite+pysqlite", database=where, query={"mode": mode, "uri": "true"})


def _missing(what: str, extra: str, path: str) -> ConfigError:
    return ConfigError([Problem(path, f"{what} needs an extra: pip install 'orderbook-tui[{extra}]'")])
