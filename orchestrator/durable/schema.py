"""The tables of the state: the engine's own, and ours beside them on Postgres.

A command makes them, or the start does.
"""

from __future__ import annotations

import sqlalchemy
from dbos import DBOS, error
from sqlalchemy.exc import SQLAlchemyError

from chassis.errors import PreconditionError, UnavailableError
from orchestrator.durable.connections import connect
from orchestrator.durable.sqlite_file import prepare_sqlite

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
)
"""In the order in which they came. A later build adds lines at the end. An earlier one lives with them."""
LOOK = (
    "SELECT id, seen, incarnation FROM orch_executor LIMIT 0",
    "SELECT id, number, stage, owner, held FROM orch_place LIMIT 0",
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
        if not database_url.startswith("sqlite"):
            make_tables(database_url)
    except SQLAlchemyError as error:
        raise UnavailableError(
            f"The database can't be migrated ({type(error).__name__}). Check its URL, and that its role may"
            " make tables.",
            reason="DATABASE_UNAVAILABLE",
        ) from error


def make_tables(database_url: str) -> None:
    """Make our own tables on Postgres."""
    engine = connect(database_url, "migration", connection_count=1)
    try:
        with engine.begin() as connection:
            for statement in (LOCK, *TABLES):
                connection.execute(sqlalchemy.text(statement))
    finally:
        engine.dispose()


def check_tables(engine: sqlalchemy.Engine) -> None:
    """Check that our own tables are there, and change nothing.

    Raises:
        PreconditionError: They are not (`DATABASE_NOT_MIGRATED`).
    """
    try:
        with engine.connect() as connection:
            for statement in LOOK:
                connection.execute(sqlalchemy.text(statement))
    except sqlalchemy.exc.ProgrammingError as error:
        raise not_migrated() from error
