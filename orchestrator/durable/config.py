"""How the workflow engine runs."""

from __future__ import annotations

import logging
import re
import socket
import uuid
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from dbos import DBOSConfig, DBOSPortableJSONSerializer

from orchestrator.durable.connections import connect
from orchestrator.durable.sqlite_file import ForgettingConnection
from orchestrator.durable.trouble import TOLD, DatabaseTrouble

MAX_THREADS = 64
"""DBOS makes its pool the loop's default one, which our own blocking work shares."""
ENGINE_CONNECTION_COUNT = 20
SHOWN_DATA = re.compile(r"functools\.partial\(|Error serializing object:")
"""What stands before data in the engine's messages."""
UNHANDLED = logging.NullHandler()


@dataclass(frozen=True)
class EngineConfig:
    """How the engine runs."""

    database_url: str
    executor_id: str = ""
    flow_version: str = "1"
    session_count: int = 2
    queue_poll_s: float = 0.5
    heartbeat_interval_s: float = 2.0
    dead_after_s: float = 15.0
    migrate_at_start: bool = True
    """Whether the start makes and changes tables. If not, it only checks them."""
    incarnation: str = field(default_factory=lambda: uuid.uuid4().hex)
    """Tells this process from another one that has, or had, the same name."""

    @property
    def on_sqlite(self) -> bool:
        """Whether one machine holds it all."""
        return self.database_url.startswith("sqlite")

    @property
    def replica(self) -> str:
        """This replica's name. On SQLite there is one, and it takes up its own work after a restart."""
        return self.executor_id or ("local" if self.on_sqlite else socket.gethostname())


def dbos_config(config: EngineConfig, trouble: DatabaseTrouble) -> DBOSConfig:
    """Return what DBOS itself is told, on a database whose trouble is noted."""
    told: DBOSConfig = {
        "name": "interview-orchestrator",
        "system_database_url": config.database_url,
        # Constant: by default it is a hash of the source, and any edit strands sessions in flight.
        "application_version": config.flow_version,
        "executor_id": config.replica,
        # The default is pickle: whoever can write the database could run code here.
        "serializer": DBOSPortableJSONSerializer(),
        "max_executor_threads": MAX_THREADS,
        "run_migrations": config.migrate_at_start,
        "log_level": "WARNING",
        "enable_otlp": False,
        # On SQLite a thread looks for messages, which we send none of, and the engine's end waits for it.
        "notification_listener_polling_interval_sec": config.queue_poll_s,
    }
    # What a failed statement was to write, names and questions, is nothing for a log.
    database: dict[str, Any] = {"hide_parameters": True}
    if config.on_sqlite:
        database["connect_args"] = {"factory": partial(ForgettingConnection, trouble=trouble)}
        return {**told, "db_engine_kwargs": database}
    pool = connect(
        config.database_url, "engine", connection_count=ENGINE_CONNECTION_COUNT, statement_timeout_ms=0
    )
    return {**told, "system_database_engine": pool}


def tame_log() -> None:
    """Have what the engine says go into the process's own log, without what is no error and without data.

    It stays so for the life of the process: steps that end late speak after their engine is closed.
    """
    log = logging.getLogger("dbos")
    # With a handler of ours it makes none of its own, which would write plain text beside our log.
    log.addHandler(UNHANDLED)
    log.addFilter(is_news)
    log.addFilter(without_data)


def is_news(record: logging.LogRecord) -> bool:
    """Drop what is not an error, and what we say ourselves.

    The session was cancelled, or another replica has taken it over. Or the database takes no writes for a
    while: the engine says so at every try.
    """
    error = record.exc_info[1] if record.exc_info else None
    text = f"{record.getMessage()} {error or ''}"
    return not ("cancelled" in text or "no longer owned" in text or TOLD in text)


def without_data(record: logging.LogRecord) -> bool:
    """Cut off what the engine shows of a step's arguments and results: names and questions are among them."""
    text = record.getMessage()
    if (shown := SHOWN_DATA.search(text)) is not None:
        record.msg, record.args = f"{text[: shown.end()]} …", ()
    return True
