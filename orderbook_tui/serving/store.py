"""What the served exchange remembers: the commands that changed something, in one SQLite file.

A command is committed before anybody is told what came of it. The ledger is a function of its commands, so that playing them
again gives the same balances, orders, dead ids and sequence numbers; each row says how many events there were after it, and
a ledger that disagrees is refused.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

import apsw
import msgspec

from orderbook_tui.errors import CheckpointDamaged, CheckpointInUse, CheckpointTooNew, StorageError

APPLICATION_ID: Final = 0x6F627478
USER_VERSION: Final = 1

_SCHEMA: Final = """
CREATE TABLE about (universe TEXT NOT NULL) STRICT;
CREATE TABLE commands (
  number INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('place', 'cancel', 'fence')),
  account TEXT NOT NULL, client_order_id TEXT NOT NULL, events INTEGER NOT NULL,
  market TEXT NOT NULL, side INTEGER NOT NULL, price INTEGER NOT NULL, quantity INTEGER NOT NULL,
  time_in_force TEXT NOT NULL, counterparty TEXT, via TEXT NOT NULL, reason TEXT NOT NULL, request_id TEXT NOT NULL
) STRICT;
"""


class Command(msgspec.Struct, frozen=True, gc=False):
    """A row: what was asked for, when, and how many events there were after it."""

    at: int
    kind: str
    account: str
    client_order_id: str
    events: int
    market: str = ""
    side: int = 0
    price: int = 0
    quantity: int = 0
    time_in_force: str = ""
    counterparty: str | None = None
    via: str = ""
    reason: str = ""
    request_id: str = ""


_COLUMNS: Final = Command.__struct_fields__
_INSERT: Final = f"INSERT INTO commands ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
_SELECT: Final = f"SELECT {', '.join(_COLUMNS)} FROM commands ORDER BY number"


class Store:
    """The file of one exchange. One process has it open at a time."""

    def __init__(self, path: Path, universe: str) -> None:
        """Open the file, or make it. `universe` tells the accounts, markets and rules that its commands were given under.

        Raises:
            StorageError, CheckpointInUse, CheckpointTooNew, CheckpointDamaged: it cannot be used; it was left as it is.
        """
        self.path = path
        try:
            self.connection = apsw.Connection(str(path))
        except (apsw.CantOpenError, apsw.IOError) as error:
            raise StorageError(f"{path} cannot be opened: {error}") from None
        try:
            self._prepare(universe)
        except BaseException as error:
            self.connection.close()
            if isinstance(error, apsw.BusyError):
                raise CheckpointInUse(f"{path} is in use by another exchange") from None
            if isinstance(error, apsw.NotADBError | apsw.CorruptError):
                raise CheckpointDamaged(f"{path} is no file of an exchange, or is damaged: it was left as it is") from None
            if isinstance(error, apsw.Error):
                raise StorageError(f"{path} cannot be used: {error}") from None
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def commands(self) -> Iterator[Command]:
        """Yield all that was remembered, in order."""
        for row in self.connection.execute(_SELECT):
            yield Command(*row)

    def append(self, command: Command) -> None:
        """Remember a command: when this returns, it survives the process.

        Raises:
            StorageError: it could not be written.
        """
        try:
            self.connection.execute(_INSERT, msgspec.structs.astuple(command))
        except apsw.Error as error:
            raise StorageError(f"{self.path} cannot be written: {error}") from None

    def _prepare(self, universe: str) -> None:
        db = self.connection
        # Whoever has the file keeps it until the end: two exchanges that play the same commands would part ways.
        db.pragma("locking_mode", "exclusive")
        db.pragma("journal_mode", "wal")
        db.pragma("synchronous", "normal")
        with db:
            application, version = db.pragma("application_id"), db.pragma("user_version")
            is_new = not application and not db.execute("SELECT 1 FROM sqlite_schema").fetchall()
            if is_new:
                db.execute(_SCHEMA)
                db.execute("INSERT INTO about VALUES (?)", (universe,))
                db.pragma("application_id", APPLICATION_ID)
                db.pragma("user_version", USER_VERSION)
                return
            if application != APPLICATION_ID:
                raise CheckpointDamaged(f"{self.path} is no file of an exchange: it was left as it is")
            if version != USER_VERSION:
                raise CheckpointTooNew(f"{self.path} was written by another version of the program: its format is {version}")
            if db.execute("SELECT universe FROM about").fetchall() != [(universe,)]:
                raise CheckpointDamaged(
                    f"{self.path} belongs to an exchange with other accounts, balances, markets, or rules: "
                    "start with the config it was made from, or with another file"
                )
