"""The tables of the state: the engine's own, and ours beside them.

A command makes them, or the start does.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy
from dbos import DBOS, error
from sqlalchemy.exc import SQLAlchemyError

from chassis.errors import PreconditionError, UnavailableError
from orchestrator.audit import tables as audit_tables
from orchestrator.durable.connections import connect
from orchestrator.durable.sqlite_file import BUSY_TIMEOUT_S, prepare_sqlite

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('interview-orchestrator tables', 0))"
"""Two replicas that make a table at the same moment meet an error, also with IF NOT EXISTS."""
TABLES = (
    """CREATE TABLE IF NOT EXISTS orch_executor (
        id text PRIMARY KEY, seen timestamptz NOT NULL)""",
    "ALTER TABLE orch_executor ADD COLUMN IF NOT EXISTS incarnation text NOT NULL DEFAULT ''",
    """CREATE TABLE IF NOT EXISTS orch_place (
        id text PRIMARY KEY, number bigserial NOT NULL, stage text NOT NULL, owner text NOT NULL,
        held boolean NOT NULL DEFAULT false)""",
    "CREATE INDEX IF NOT EXISTS orch_place_by_stage ON orch_place (stage, held, number)",
    *audit_tables.POSTGRES,
)
"""On Postgres, in the order in which they came. A later build adds lines at the end. An earlier one lives
with them."""
LOOK = (
    "SELECT id, seen, incarnation FROM orch_executor LIMIT 0",
    "SELECT id, number, stage, owner, held FROM orch_place LIMIT 0",
    audit_tables.LOOK,
)


def not_migrated() -> PreconditionError:
    """Return the error of a database whose tables are missing or older than this build."""
    return PreconditionError(
        "The database has not the tables of this version. Run `python -m orchestrator migrate` on it first.",
        reason="DATABASE_NOT_MIGRATED",
    )


def launch() -> None:
    """Launch the engine.

    Raises:
        PreconditionError: Its tables are missing or older than this build (`DATABASE_NOT_MIGRATED`).
    """
    try:
        DBOS.launch()
    except error.DBOSInitializationError as behind:
        raise not_migrated() from behind


def migrate(database_url: str) -> None:
    """Make every table that this build needs, or bring it up to date. Nothing happens where all is there.

    Raises:
        UnavailableError: The database can't be reached, or refuses (`DATABASE_UNAVAILABLE`).
    """
    if database_url.startswith("sqlite"):
        prepare_sqlite(database_url)
    try:
        DBOS.migrate(database_url)
        make_tables(database_url)
    except SQLAlchemyError as error:
        raise UnavailableError(
            f"The database can't be migrated ({type(error).__name__}). Check its URL, and that its role may"
            " make tables.",
            reason="DATABASE_UNAVAILABLE",
        ) from error


def make_tables(database_url: str) -> None:
    """Make our own tables."""
    on_sqlite = database_url.startswith("sqlite")
    engine = _sqlite(database_url) if on_sqlite else connect(database_url, "migration", connection_count=1)
    try:
        with engine.begin() as connection:
            for statement in audit_tables.SQLITE if on_sqlite else (LOCK, *TABLES):
                connection.execute(sqlalchemy.text(statement))
    finally:
        engine.dispose()


def prepare_tables_of_file(database_url: str, *, may_migrate: bool) -> None:
    """Make our own tables in an SQLite file, or only check that they are there.

    Raises:
        PreconditionError: They are not (`DATABASE_NOT_MIGRATED`).
    """
    if may_migrate:
        make_tables(database_url)
        return
    engine = _sqlite(database_url)
    try:
        _look(engine, (audit_tables.LOOK,))
    finally:
        engine.dispose()


def check_tables(engine: sqlalchemy.Engine) -> None:
    """Check that our own tables are there on Postgres, and change nothing.

    Raises:
        PreconditionError: They are not (`DATABASE_NOT_MIGRATED`).
    """
    _look(engine, LOOK)


def _look(engine: sqlalchemy.Engine, statements: Sequence[str]) -> None:
    try:
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(sqlalchemy.text(statement))
    except (sqlalchemy.exc.ProgrammingError, sqlalchemy.exc.OperationalError) as error:
        if engine.dialect.name != "sqlite" and isinstance(error, sqlalchemy.exc.OperationalError):
            raise  # On SQLite a missing table is one, elsewhere it is a server that is away.
        raise not_migrated() from error


def _sqlite(database_url: str) -> sqlalchemy.Engine:
    return sqlalchemy.create_engine(
        database_url, poolclass=sqlalchemy.NullPool, connect_args={"timeout": BUSY_TIMEOUT_S}
    )
