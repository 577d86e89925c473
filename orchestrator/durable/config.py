"""How the workflow engine runs, and its SQLite file."""

from __future__ import annotations

import logging
import socket
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy


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

    @property
    def on_sqlite(self) -> bool:
        """Whether one machine holds it all."""
        return self.database_url.startswith("sqlite")

    @property
    def replica(self) -> str:
        """This replica's name. On SQLite there is one, and it takes up its own work after a restart."""
        return self.executor_id or ("local" if self.on_sqlite else socket.gethostname())


def prepare_sqlite(database_url: str) -> None:
    """Make the file and set it to WAL, which halves the time of commits (a property of the file)."""
    path = sqlalchemy.make_url(database_url).database
    if path and path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = sqlalchemy.create_engine(database_url)
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("PRAGMA journal_mode=WAL"))
    engine.dispose()


def quiet(record: logging.LogRecord) -> bool:
    """Drop what is no error: a session that was cancelled, or that another replica has taken over."""
    text = record.getMessage()
    return not ("cancelled" in text or "no longer owned" in text)
