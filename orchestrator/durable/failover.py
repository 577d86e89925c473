"""Signs of life between replicas on Postgres, and taking over what a dead one left.

The engine's free part does not fail over by itself. Two threads with a connection each: a beat in
the reaper's thread would miss its time while the reaper waits for a lock, and be taken for dead.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import sqlalchemy
from sqlalchemy.exc import SQLAlchemyError

logger = logging.getLogger(__name__)

CREATE = "CREATE TABLE IF NOT EXISTS orch_executor (id text PRIMARY KEY, seen timestamptz NOT NULL)"
BEAT = "INSERT INTO orch_executor (id, seen) VALUES (:me, now()) ON CONFLICT (id) DO UPDATE SET seen = now()"
LEAVE = "DELETE FROM orch_executor WHERE id = :me"
FIND_DEAD = """
    SELECT DISTINCT w.executor_id FROM dbos.workflow_status w
    LEFT JOIN orch_executor e ON e.id = w.executor_id
    WHERE w.status = 'PENDING' AND w.executor_id <> :me
      AND (e.seen IS NULL OR e.seen < now() - make_interval(secs => :dead_after_s))
"""


class Failover:
    """Beats for this replica and reaps dead ones.

    Args:
        database_url: The engine's database (Postgres).
        replica: This replica's name.
        interval_s: Between two beats, and between two looks for the dead.
        dead_after_s: Silence after which a replica counts as dead.
        take_over: Hands the sessions of dead replicas to the living. Idempotent.
    """

    def __init__(
        self,
        database_url: str,
        replica: str,
        *,
        interval_s: float,
        dead_after_s: float,
        take_over: Callable[[list[str]], Any],
    ) -> None:
        url = sqlalchemy.make_url(database_url).set(drivername="postgresql+psycopg")
        self._engine = sqlalchemy.create_engine(url, pool_size=2, pool_pre_ping=True)
        self._replica = replica
        self._interval_s = interval_s
        self._dead_after_s = dead_after_s
        self._take_over = take_over
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._every_interval, args=(work,), name=work.__name__, daemon=True)
            for work in (self.beat, self.reap)
        ]

    def first_beat(self) -> None:
        """Make the table and beat once."""
        with self._engine.begin() as connection:
            connection.execute(sqlalchemy.text(CREATE))
        self.beat()

    def start(self) -> None:
        """Begin to beat and to reap."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Leave, so that others take over at once."""
        self._stop.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(self._interval_s * 2)
        try:
            with self._engine.begin() as connection:
                connection.execute(sqlalchemy.text(LEAVE), {"me": self._replica})
        except SQLAlchemyError:
            logger.warning("the database can't be reached; others take over after a while")
        self._engine.dispose()

    def beat(self) -> None:
        """Give one sign of life."""
        with self._engine.begin() as connection:
            connection.execute(sqlalchemy.text(BEAT), {"me": self._replica})

    def reap(self) -> None:
        """Take over what dead replicas left."""
        with self._engine.begin() as connection:
            found = connection.execute(
                sqlalchemy.text(FIND_DEAD), {"me": self._replica, "dead_after_s": self._dead_after_s}
            )
            dead = [str(name) for (name,) in found]
        if dead:
            logger.warning("taking over from dead replicas", extra={"replica_count": len(dead)})
            self._take_over(dead)

    def _every_interval(self, work: Callable[[], None]) -> None:
        while not self._stop.wait(self._interval_s):
            try:
                work()
            except SQLAlchemyError:
                logger.warning("the database can't be reached", extra={"work": work.__name__})
