"""The engine's SQLite file: it keeps nothing of what was deleted.

SQLite leaves deleted rows in three places: in free pages of the file, in pages that still hold other rows,
and in the write-ahead log (WAL). `secure_delete` overwrites the first two with zeros. Truncating the log
clears the third.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import sqlalchemy

from chassis.errors import PreconditionError
from chassis.private_files import keep_from_others
from chassis.start_folders import folder_unusable, needed_folder
from orchestrator.durable.trouble import DatabaseTrouble

logger = logging.getLogger(__name__)

VARIABLE = "ORCHESTRATOR_DATABASE_URL"
BUSY_TIMEOUT_S = 5.0
"""How long emptying the log waits for readers and writers. Theirs take milliseconds."""
TURN_S = 0.2
"""Emptying the log keeps writers out while it waits for readers. So it waits in turns with them."""

PROBE_BYTES = 1 << 16
"""More than what a step writes."""
Noted = Callable[[], AbstractContextManager[None]]
LOCK_TIMEOUT_S = 2.0
"""How long a start waits for a predecessor that is about to end."""


class ForgettingConnection(sqlite3.Connection):
    """A connection that overwrites with zeros what it deletes, whatever SQLite was built with.

    Args:
        args: See `sqlite3.Connection`.
        trouble: Is told of errors that may pass. None: they are raised as they are.
        kwargs: See `sqlite3.Connection`.
    """

    def __init__(self, *args: Any, trouble: DatabaseTrouble | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.noted: Noted = trouble.noted if trouble is not None else nullcontext
        self.execute("PRAGMA secure_delete=ON")

    def cursor(self, *args: Any) -> Any:
        """Return a cursor whose errors are noted."""
        return super().cursor(*args or (NotingCursor,))

    def commit(self) -> None:
        """Commit. A full disk is often met here."""
        with self.noted():
            super().commit()


class NotingCursor(sqlite3.Cursor):
    """A cursor of a `ForgettingConnection`."""

    connection: ForgettingConnection

    def execute(self, *args: Any) -> Any:
        """Run a statement."""
        with self.connection.noted():
            return super().execute(*args)

    def executemany(self, *args: Any) -> Any:
        """Run a statement several times."""
        with self.connection.noted():
            return super().executemany(*args)


def prepare_sqlite(database_url: str) -> None:
    """Make the file and set it to WAL, which halves the time of commits (a property of the file).

    A log that a killed process left is taken over into the file and emptied.

    Raises:
        PreconditionError: The file, or its folder, can't be made or written (`FOLDER_UNUSABLE`).
    """
    path = _path_of(database_url)
    if path is None:
        return
    with _usable(path), closing(sqlite3.connect(path, factory=ForgettingConnection)) as connection:
        # First: SQLite gives the files beside it the same mode.
        keep_from_others(path)
        connection.execute("PRAGMA journal_mode=WAL")
    empty_log(database_url)


@contextmanager
def _usable(path: Path) -> Iterator[None]:
    """Make the file's folder. Say which setting to change where either can't be used in the block."""
    with needed_folder(VARIABLE):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
                raise
            raise folder_unusable(path, str(error), VARIABLE) from None


def sqlite_file_exists(database_url: str) -> bool:
    """Tell whether the database's file is there. One in memory always is."""
    path = _path_of(database_url)
    return path is None or path.exists()


class DatabaseLock:
    """Keeps a second orchestrator off the database, for as long as this process lives.

    Two on one file would each take up what the other one is at, and transcribe everything twice.

    Args:
        database_url: The engine's database (SQLite).

    Raises:
        PreconditionError: Another process works on it (`DATABASE_IN_USE`). The file, or its folder, can't be
            made or written (`FOLDER_UNUSABLE`).
    """

    def __init__(self, database_url: str) -> None:
        self._lock: int | None = None
        path = _path_of(database_url)
        if path is None:
            return
        path = path.resolve()
        # A file of its own: SQLite gives up its own locks when anybody closes the database's.
        with _usable(path):
            self._lock = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        deadline_s = time.monotonic() + LOCK_TIMEOUT_S
        while not _locked(self._lock):
            if time.monotonic() > deadline_s:
                self.release()
                raise PreconditionError(
                    f"Another orchestrator works on the database {path.name}. Stop it first, or give this "
                    "one a database of its own (ORCHESTRATOR_DATABASE_URL).",
                    reason="DATABASE_IN_USE",
                )
            time.sleep(LOCK_TIMEOUT_S / 20)

    def release(self) -> None:
        """Let others have the database."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def empty_log(database_url: str) -> None:
    """Take the write-ahead log over into the file and truncate it. It blocks: call it in a thread.

    Where somebody reads for longer than `BUSY_TIMEOUT_S`, the log stays until the next time.
    """
    path = _path_of(database_url)
    if path is None:
        return
    deadline_s = time.monotonic() + BUSY_TIMEOUT_S
    with closing(sqlite3.connect(path, timeout=TURN_S, factory=ForgettingConnection)) as connection:
        while not (emptied := _emptied(connection)) and time.monotonic() < deadline_s:
            time.sleep(TURN_S)
    if not emptied:
        logger.warning("the database's write-ahead log could not be emptied; the next deletion does it")


def _emptied(connection: sqlite3.Connection) -> bool:
    try:
        (busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError:  # Another one is at it, or the disk is full.
        return False
    return not busy


def write_something(database_url: str) -> None:
    """Write as much as a step does, and remove it. It blocks: call it in a thread.

    Raises:
        sqlite3.Error: The database takes no writes.
    """
    path = _path_of(database_url)
    if path is None:
        return
    with closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, factory=ForgettingConnection)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS orch_probe (filler BLOB)")
        connection.execute("INSERT INTO orch_probe VALUES (zeroblob(?))", (PROBE_BYTES,))
        connection.commit()
        connection.execute("DELETE FROM orch_probe")
        connection.commit()


def _path_of(database_url: str) -> Path | None:
    path = sqlalchemy.make_url(database_url).database
    return Path(path) if path and path != ":memory:" else None
