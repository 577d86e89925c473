"""A database that can't be written for a while: its disk is full, or does not take writes.

A session whose checkpoint fails stays "at work" until a restart, with nobody at it. There is one error of
SQLite's after which the engine tries again: "database is locked". So every error that may pass by itself is
told to it as that one. It tries again for as long as it takes (the pause doubles up to a minute), and the
session goes on where it was.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from chassis.errors import UnavailableError
from chassis.readiness import READINESS, Readiness

logger = logging.getLogger(__name__)

T = TypeVar("T")

REASON = "DATABASE_UNAVAILABLE"
RETRY_AFTER_S = 30.0
PROBE_PAUSE_S = 2.0
"""Between two looks whether the database takes writes again."""
MAY_PASS = frozenset(
    {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}
)
PRIMARY = 0xFF
"""SQLite's extended codes hold the plain one in their lowest byte."""
TOLD = "database is locked, in a way: it takes no writes"
"""What the engine is told. It knows such an error by its first words."""


class DatabaseTrouble:
    """Whether the database takes writes.

    Args:
        readiness: Is told.
        call_timeout_s: How long a caller waits for the database.
    """

    def __init__(self, readiness: Readiness = READINESS, *, call_timeout_s: float = 10.0) -> None:
        self._readiness = readiness
        self._call_timeout_s = call_timeout_s

    @property
    def there(self) -> bool:
        """Whether it takes no writes at the moment."""
        return REASON in self._readiness.lacking

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Tell the engine of errors that may pass, as of one that it waits for."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & PRIMARY not in MAY_PASS:
                raise
            self._readiness.lose(
                REASON,
                f"The database can't be written ({error}). Free space on its disk, or make it writable. "
                "Sessions wait, and go on by themselves.",
            )
            raise sqlite3.OperationalError(TOLD) from error

    async def bounded(self, call: Awaitable[T], *, writes: bool = False) -> T:
        """Await a call to the database for a caller who waits.

        Args:
            call: The call.
            writes: Whether it needs a database that takes writes.

        Raises:
            UnavailableError: The database is away, or takes no writes (`DATABASE_UNAVAILABLE`). A call that
                writes may have been heard all the same.
        """
        if writes and self.there:
            if asyncio.iscoroutine(call):
                call.close()
            raise _unavailable()
        try:
            async with asyncio.timeout(self._call_timeout_s):
                return await call
        except TimeoutError as late:
            raise _unavailable() from late

    async def watch(self, write: Callable[[], None]) -> None:
        """Look whether the database takes writes again, while it does not, until cancelled.

        Args:
            write: Writes something and removes it. Blocking.
        """
        while True:
            await asyncio.sleep(PROBE_PAUSE_S)
            if not self.there:
                continue
            try:
                await asyncio.to_thread(write)
            except sqlite3.Error:
                continue
            self._readiness.regain(REASON)


def _unavailable() -> UnavailableError:
    return UnavailableError(
        "The database can't be reached, or takes no writes. Try again in half a minute.",
        reason=REASON,
        retry_after_s=RETRY_AFTER_S,
    )
