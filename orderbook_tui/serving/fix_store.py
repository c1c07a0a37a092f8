"""What a FIX session must not forget: its sequence numbers, what it sent, and which events those messages told of.

A message is remembered in one transaction with its sequence number, the event that it reports, and how far the other side was
read: so after a crash every event is reported once, and what was sent and never arrived is sent again when asked for.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import apsw
from fixcore.store.base import MessageStore

from orderbook_tui.errors import StorageError

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS sessions (
  name TEXT PRIMARY KEY, next_sender INTEGER NOT NULL, next_target INTEGER NOT NULL, reported INTEGER NOT NULL,
  created TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS messages (
  session TEXT NOT NULL, number INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (session, number)
) STRICT, WITHOUT ROWID;
"""


class SessionStore(MessageStore):
    """The memory of one session, in tables of the exchange's file."""

    def __init__(self, db: apsw.Connection, name: str, on_fatal: Callable[[Exception], None]) -> None:
        """Take up the session `name` where `db` says. `on_fatal` is told when it cannot be written any more."""
        self._db, self._name, self._on_fatal = db, name, on_fatal
        self.reported = 0
        """The sequence number of the last event of the exchange that a message told of."""
        self._next_sender = self._next_target = 1
        self._created = datetime.now(UTC)
        db.execute(_SCHEMA)
        for row in db.execute("SELECT next_sender, next_target, reported, created FROM sessions WHERE name = ?", (name,)):
            self._next_sender, self._next_target, self.reported = (int(str(number)) for number in row[:3])
            self._created = datetime.fromisoformat(str(row[3]))

    def get(self, begin_seq: int, end_seq: int) -> list[bytes]:
        """Return what was sent under these numbers."""
        query = "SELECT body FROM messages WHERE session = ? AND number BETWEEN ? AND ? ORDER BY number"
        return [body for (body,) in self._db.execute(query, (self._name, begin_seq, end_seq)) if isinstance(body, bytes)]

    def set(self, seq_num: int, message: bytes) -> None:
        """Remember what is about to be sent, and that its number is taken."""
        try:
            with self._db:
                self._db.execute("INSERT OR REPLACE INTO messages VALUES (?, ?, ?)", (self._name, seq_num, message))
                self._remember(max(self._next_sender, seq_num + 1))
        except apsw.Error as error:
            raise self._fatal(error) from None

    def next_sender_msg_seq_num(self) -> int:
        return self._next_sender

    def next_target_msg_seq_num(self) -> int:
        return self._next_target

    def incr_next_sender_msg_seq_num(self) -> None:
        self._next_sender += 1  # `set` has remembered it

    def incr_next_target_msg_seq_num(self) -> None:
        # Remembered with the next message sent. Before that, what came in may not have been acted upon: if the exchange
        # dies now it asks for it again, and knows by its ClOrdID whether it was.
        self._next_target += 1

    def set_next_sender_msg_seq_num(self, seq_num: int) -> None:
        self._next_sender = seq_num
        self.save()

    def set_next_target_msg_seq_num(self, seq_num: int) -> None:
        self._next_target = seq_num
        self.save()

    def get_creation_time(self) -> datetime:
        return self._created

    def set_creation_time(self, when: datetime) -> None:
        self._created = when
        self.save()

    def reset(self) -> None:
        """Begin a new session with the number 1; what was reported stays reported."""
        self._next_sender = self._next_target = 1
        self._created = datetime.now(UTC)
        try:
            with self._db:
                self._db.execute("DELETE FROM messages WHERE session = ?", (self._name,))
                self._remember(1)
        except apsw.Error as error:
            raise self._fatal(error) from None

    def refresh(self) -> None:
        """Nobody else writes it."""

    def save(self) -> None:
        """Remember the numbers as they are."""
        try:
            self._remember(self._next_sender)
        except apsw.Error as error:
            raise self._fatal(error) from None

    def _remember(self, next_sender: int) -> None:
        row = self._name, next_sender, self._next_target, self.reported, self._created.isoformat()
        self._db.execute("INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?, ?)", row)

    def _fatal(self, error: apsw.Error) -> StorageError:
        fatal = StorageError(f"the state of FIX session {self._name} cannot be written: {error}")
        self._on_fatal(fatal)
        return fatal
