"""The log in the state's database. Everything here blocks: call it in a thread.

There is one chain, however many replicas write: an append first takes a lock that is the database's, then
reads the newest record, and writes the next one in the same transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import sqlalchemy

from chassis.audit_chain import EMPTY, PRUNED, THROUGH_HASH, THROUGH_SEQ, Head, canonical, hash_of
from orchestrator.durable.connections import connect, disconnect
from orchestrator.durable.sqlite_file import BUSY_TIMEOUT_S, ForgettingConnection
from orchestrator.durable.trouble import DatabaseTrouble

Fields = Mapping[str, Any]
"""A record without its number and without the hash before it."""

SNAPSHOT_SQLITE = "BEGIN"
SNAPSHOT_POSTGRES = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
"""A page and the head that comes with it are of one moment, whatever is written or pruned meanwhile."""
LOCK_SQLITE = "BEGIN IMMEDIATE"
LOCK_POSTGRES = "SELECT pg_advisory_xact_lock(hashtextextended('interview-orchestrator audit', 0))"
HEAD = "SELECT seq, hash FROM orch_audit ORDER BY seq DESC LIMIT 1"
APPEND = "INSERT INTO orch_audit (seq, record, hash, pruned_through) VALUES (:seq, :record, :hash, :through)"
READ = "SELECT seq, record, hash FROM orch_audit WHERE seq > :after ORDER BY seq LIMIT :limit"
PRUNE = "DELETE FROM orch_audit WHERE seq <= :through"
CONNECTION_COUNT = 2
PRUNE_BATCH_COUNT = 1_000
"""Records that one transaction removes."""
MAX_READ_CHARACTERS = 4_000_000
"""Of the records that are read at once. A thousand of the largest ones would fit into no message."""


class AuditTable:
    """The log's rows.

    Args:
        database_url: The state's database.
        trouble: Is told when it takes no writes (SQLite).
        busy_timeout_s: How long another one's write is waited for (SQLite).
    """

    def __init__(
        self,
        database_url: str,
        trouble: DatabaseTrouble | None = None,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
    ) -> None:
        self._on_sqlite = database_url.startswith("sqlite")
        self._engine = (
            sqlalchemy.create_engine(
                database_url,
                poolclass=sqlalchemy.NullPool,
                hide_parameters=True,
                connect_args={
                    "factory": partial(ForgettingConnection, trouble=trouble),
                    "isolation_level": None,  # we begin ourselves, with the lock
                    "timeout": busy_timeout_s,
                },
            )
            if self._on_sqlite
            else connect(database_url, "audit", connection_count=CONNECTION_COUNT)
        )

    def append(self, records: Sequence[Fields]) -> Head:
        """Append records in this order, all of them or none, and return the new head.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: They can't be written.
        """
        with self._locked() as connection:
            return _append(connection, _head_of(connection), records)

    def head(self) -> Head:
        """Return the newest record's number and hash."""
        with self._engine.connect() as connection:
            return _head_of(connection)

    def read(self, after_seq: int, limit_count: int) -> tuple[list[tuple[int, str, str]], Head]:
        """Return numbers, records and hashes behind a number, in their order, and the log's head.

        Those may be fewer than the limit and the log has, but never none where there is one.
        """
        found: list[tuple[int, str, str]] = []
        left = MAX_READ_CHARACTERS
        with self._engine.connect() as connection:
            connection.exec_driver_sql(SNAPSHOT_SQLITE if self._on_sqlite else SNAPSHOT_POSTGRES)
            asked = {"after": after_seq, "limit": limit_count}
            with connection.execute(sqlalchemy.text(READ), asked) as rows:
                for row in rows:
                    left -= len(row.record)
                    if found and left < 0:
                        break
                    found.append((row.seq, row.record, row.hash))
            return found, _head_of(connection)

    def prune(self, before_ms: int, checkpoint: Fields) -> int:
        """Remove the records at the beginning that are older than a moment, and return how many those were.

        The newest one stays. What goes is noted in a new record, by which the rest can still be verified.

        Args:
            before_ms: In milliseconds since 1970-01-01 UTC.
            checkpoint: The new record, without what went.
        """
        with self._locked() as connection:
            asked = {"after": -1, "limit": PRUNE_BATCH_COUNT}
            rows = connection.execute(sqlalchemy.text(READ), asked).all()
            head, old = _head_of(connection), []
            for row in rows:
                if _time_ms(row.record) >= before_ms or row.seq == head.seq:
                    break
                old.append(row)
            if not old:
                return 0
            last = old[-1]
            through = {THROUGH_SEQ: last.seq, THROUGH_HASH: last.hash}
            details = {**checkpoint.get("details", {}), **through}
            pruned = {**checkpoint, "action": PRUNED, "details": details}
            _append(connection, head, [pruned], last.seq)
            connection.execute(sqlalchemy.text(PRUNE), {"through": last.seq})
            return len(old)

    def close(self) -> None:
        """Close all connections."""
        disconnect(self._engine)

    @contextmanager
    def _locked(self) -> Iterator[sqlalchemy.Connection]:
        with self._engine.connect() as connection:
            connection.exec_driver_sql(LOCK_SQLITE if self._on_sqlite else LOCK_POSTGRES)
            yield connection
            connection.commit()


def _head_of(connection: sqlalchemy.Connection) -> Head:
    found = connection.execute(sqlalchemy.text(HEAD)).first()
    return Head(found.seq, found.hash) if found is not None else EMPTY


def _append(
    connection: sqlalchemy.Connection, head: Head, records: Sequence[Fields], through: int | None = None
) -> Head:
    rows = []
    for fields in records:
        record = canonical({**fields, "seq": head.seq + 1, "previous": head.hash})
        head = Head(head.seq + 1, hash_of(record))
        rows.append({"seq": head.seq, "record": record, "hash": head.hash, "through": through})
    if rows:
        connection.execute(sqlalchemy.text(APPEND), rows)
    return head


def _time_ms(record: str) -> float:
    """Return when a record was written. One that can't be read is kept."""
    try:
        return float(json.loads(record)["time_ms"])
    except (ValueError, LookupError, TypeError):
        return float("inf")
