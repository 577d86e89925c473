"""Connections to Postgres with a bound on everything: a database that falls silent must not hold a thread."""

from __future__ import annotations

from typing import Any

import psycopg
import sqlalchemy
from sqlalchemy import event

CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_MS = 5_000
IDLE_TRANSACTION_TIMEOUT_MS = 10_000
"""A frozen replica must not hold locks for the default minute."""

SOCKET: dict[str, Any] = {
    "connect_timeout": CONNECT_TIMEOUT_S,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""libpq's options, in seconds but for the last one (ms). Without them a peer that is gone without a word
holds a call for a quarter of an hour. A lost node is such a peer."""


def postgres_url(database_url: str) -> sqlalchemy.URL:
    """Return the URL with the driver that is installed."""
    return sqlalchemy.make_url(database_url).set(drivername="postgresql+psycopg")


def connect(
    database_url: str,
    purpose: str,
    *,
    connection_count: int,
    statement_timeout_ms: int = STATEMENT_TIMEOUT_MS,
) -> sqlalchemy.Engine:
    """Return a pool of connections. It connects when it is first used.

    Args:
        database_url: A Postgres database.
        purpose: What the connections are for. The server shows it.
        connection_count: The largest number of connections.
        statement_timeout_ms: Time of one statement. 0: no limit.
    """
    engine = sqlalchemy.create_engine(
        postgres_url(database_url),
        pool_size=connection_count,
        max_overflow=0,
        pool_timeout=CONNECT_TIMEOUT_S,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={**SOCKET, "application_name": f"interview-orchestrator {purpose}"},
    )

    # By statements, not as an option of the connection: poolers refuse those.
    @event.listens_for(engine, "connect")
    def bound(connection: Any, _record: Any) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"SET statement_timeout = {statement_timeout_ms}")
                cursor.execute(f"SET idle_in_transaction_session_timeout = {IDLE_TRANSACTION_TIMEOUT_MS}")
            connection.commit()  # Or the pool's rollback would undo it.
        except BaseException:
            connection.close()  # The pool does not know it yet, and would leave it open.
            raise

    event.listen(engine, "do_executemany", _one_by_one)
    event.listen(engine, "handle_error", _mark_as_cut_off)
    return engine


def _mark_as_cut_off(context: Any) -> None:
    """Mark what was no fault of the statement.

    The workflow engine tries again what was cut off. A connection that could not be made has no such mark,
    and the driver's words, by which it goes then, differ. If the socket or the host's name was missing for
    a moment, it gave up the session. A server that has become a standby takes no writes: another connection
    leads to its successor.
    """
    failed = context.original_exception
    unmade = context.connection is None and isinstance(failed, psycopg.OperationalError)
    if unmade or isinstance(failed, psycopg.errors.ReadOnlySqlTransaction):
        context.is_disconnect = True


def _one_by_one(cursor: Any, statement: str, rows: Any, _context: Any) -> bool:
    """Send rows, each when the one before is answered.

    The driver would send them as a pipeline. Whoever is frozen within one is waited for without an end: the
    server's limit of idle transactions does not count there, and all locks stay.
    """
    for row in rows:
        cursor.execute(statement, row)
    return True


def disconnect(engine: sqlalchemy.Engine) -> None:
    """Close all connections. One that a thread still uses is closed when it is given back."""
    event.listen(engine, "checkin", lambda _connection, record: record.invalidate())
    engine.dispose()
