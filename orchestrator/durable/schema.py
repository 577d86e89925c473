"""The tables of the state: the engine's own, and ours beside them.

A command makes them, or the start does.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import sqlalchemy
from dbos import DBOS, error
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from chassis.errors import PreconditionError, UnavailableError
from orchestrator.audit import tables as audit_tables
from orchestrator.durable.connections import connect
from orchestrator.durable.sqlite_file import BUSY_TIMEOUT_S, prepare_sqlite, sqlite_file_exists

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


def migrate(database_url: str, *, create: bool = False) -> bool:
    """Make every table that this build needs, or bring it up to date.

    Args:
        database_url: The database.
        create: Whether it is made where there is none.

    Returns:
        Whether something was to do.

    Raises:
        PreconditionError: There is no such database (`DATABASE_MISSING`).
        UnavailableError: The database can't be reached, or refuses (`DATABASE_UNAVAILABLE`).
    """
    on_sqlite = database_url.startswith("sqlite")
    try:
        before = _state(database_url) if database_exists(database_url) else None
        if before is None and not create:
            raise PreconditionError(
                "There is no such database. Correct ORCHESTRATOR_DATABASE_URL, or make the database with"
                " `python -m orchestrator migrate --create`.",
                reason="DATABASE_MISSING",
            )
        if on_sqlite:
            prepare_sqlite(database_url)
        DBOS.migrate(database_url)
        make_tables(database_url)
        return before != _state(database_url)
    except SQLAlchemyError as error:
        raise UnavailableError(
            f"The database can't be migrated ({type(error).__name__}). Check its URL, and that its role may"
            " make tables.",
            reason="DATABASE_UNAVAILABLE",
        ) from error


def database_exists(database_url: str) -> bool:
    """Tell whether there is a database of this name.

    Raises:
        SQLAlchemyError: The server can't be asked.
    """
    if database_url.startswith("sqlite"):
        return sqlite_file_exists(database_url)
    try:
        _scalar(database_url, "SELECT 1")
    except OperationalError:
        # The driver tells a missing database by its words alone, so the server's catalogue is asked. Who may
        # not look there is told what went wrong with its own database.
        name = sqlalchemy.make_url(database_url).database
        catalogue = sqlalchemy.make_url(database_url).set(database="postgres")
        with suppress(OperationalError):
            of_name = "SELECT count(*) FROM pg_database WHERE datname = :name"
            found = _scalar(catalogue.render_as_string(hide_password=False), of_name, name=name)
            if not found:
                return False
        raise
    return True


def _state(database_url: str) -> tuple[object, ...]:
    """Return what tells two states of the tables apart: the engine's own number, and our columns."""
    if database_url.startswith("sqlite"):
        engine, schema = sqlalchemy.create_engine(database_url), None
    else:
        engine, schema = connect(database_url, "migration", connection_count=1), "dbos"
    try:
        found = sqlalchemy.inspect(engine)
        numbered = found.has_table("dbos_migrations", schema=schema)
        ours = [
            (table, column["name"])
            for table in sorted(found.get_table_names())
            if table.startswith("orch_")
            for column in found.get_columns(table)
        ]
        number = None
        if numbered:
            with engine.connect() as connection:
                name = "dbos.dbos_migrations" if schema else "dbos_migrations"
                number = connection.execute(sqlalchemy.text(f"SELECT version FROM {name}")).scalar()  # noqa: S608
        return number, *ours
    finally:
        engine.dispose()


def _scalar(database_url: str, statement: str, **values: object) -> object:
    engine = connect(database_url, "migration", connection_count=1)
    try:
        with engine.connect() as connection:
            return connection.execute(sqlalchemy.text(statement), values).scalar()
    finally:
        engine.dispose()


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
