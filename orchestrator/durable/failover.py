"""Signs of life between replicas on Postgres, and taking over what a dead one left.

The engine's free part does not fail over by itself. Two threads with a connection each: a beat in
the reaper's thread would miss its time while the reaper waits for a lock, and be taken for dead.
All times are the database's: replicas may have different clocks.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import sqlalchemy
from sqlalchemy.exc import SQLAlchemyError

from chassis.errors import PreconditionError, UnavailableError
from orchestrator.durable.config import EngineConfig
from orchestrator.durable.connections import connect, disconnect
from orchestrator.durable.schema import check_tables, make_tables

logger = logging.getLogger(__name__)

SILENT_BEAT_COUNT = 3
"""So many beats missing, and a start may have the id of the replica that gave them."""
CLAIM_POLL_S = 0.2

CLAIM = """
    INSERT INTO orch_executor (id, seen, incarnation) VALUES (:me, now(), :incarnation)
    ON CONFLICT (id) DO UPDATE SET seen = now(), incarnation = excluded.incarnation
    WHERE orch_executor.seen < now() - make_interval(secs => :silent_s)
    RETURNING id
"""
LAST_BEAT = "SELECT seen, incarnation FROM orch_executor WHERE id = :me"
BEAT = """
    INSERT INTO orch_executor (id, seen, incarnation) VALUES (:me, now(), :incarnation)
    ON CONFLICT (id) DO UPDATE SET seen = now() WHERE orch_executor.incarnation = excluded.incarnation
    RETURNING id
"""
LEAVE = "DELETE FROM orch_executor WHERE id = :me AND incarnation = :incarnation"
LEAVE_PLACES = "DELETE FROM orch_place WHERE owner = :incarnation"
# Silence counts from the server's start on: one that was away took no beats.
FIND_DEAD = """
    SELECT DISTINCT w.executor_id FROM dbos.workflow_status w
    LEFT JOIN orch_executor e ON e.id = w.executor_id
    WHERE w.status = 'PENDING' AND w.executor_id <> :me AND w.application_version = :flow_version
      AND (e.id IS NULL OR (:judging
        AND greatest(e.seen, pg_postmaster_start_time()) < now() - make_interval(secs => :dead_after_s)))
"""
FREE_PLACES = """
    DELETE FROM orch_place p WHERE p.owner <> :incarnation AND NOT EXISTS (
        SELECT 1 FROM orch_executor e WHERE e.incarnation = p.owner AND NOT (:judging
          AND greatest(e.seen, pg_postmaster_start_time()) < now() - make_interval(secs => :dead_after_s)))
"""
FIND_OWN = """
    SELECT workflow_uuid FROM dbos.workflow_status
    WHERE status = 'PENDING' AND executor_id = :me AND application_version = :flow_version
"""
FIND_OWNED = """
    SELECT 1 FROM dbos.workflow_status WHERE workflow_uuid = :workflow_id AND executor_id = :me
"""
FORGET = "DELETE FROM orch_executor WHERE seen < now() - interval '1 day'"


def end_this_process() -> None:
    """Have this process end as by SIGTERM."""
    os.kill(os.getpid(), signal.SIGTERM)


class Failover:
    """Beats for this replica and reaps dead ones.

    Args:
        config: The engine's. It names the replica, its times, and the database (Postgres).
        take_over: Hands the sessions of dead replicas to the living. Idempotent.
        is_at_work: Tells whether this process works on a session, by its id.
        resume: Puts sessions that nobody works on back into the queue, by their ids.
        superseded: Called once another process has this replica's id. This one must end.
        monotonic: A clock that nobody sets, in seconds.
    """

    def __init__(
        self,
        config: EngineConfig,
        *,
        take_over: Callable[[list[str]], Any],
        is_at_work: Callable[[str], bool] = lambda _: True,
        resume: Callable[[list[str]], Any] = lambda _: None,
        superseded: Callable[[], None] = end_this_process,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = connect(config.database_url, "failover", connection_count=2)
        self._config = config
        self._take_over = take_over
        self._is_at_work = is_at_work
        self._resume = resume
        self._superseded = superseded
        self._monotonic = monotonic
        self._last_beat_s: float | None = None
        self._judging_from_s = -float("inf")
        self._idle_since_s: dict[str, float] = {}
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._every_interval, args=(work,), name=work.__name__, daemon=True)
            for work in (self.beat, self.reap)
        ]

    def claim(self) -> None:
        """Take this replica's id, and give its first sign of life.

        A predecessor that died a moment ago is waited for: three beats.

        Raises:
            PreconditionError: A living replica has the id (`REPLICA_ID_TAKEN`), or the tables are missing
                (`DATABASE_NOT_MIGRATED`).
            UnavailableError: The database can't be reached (`DATABASE_UNAVAILABLE`).
        """
        try:
            self._claim()
        except SQLAlchemyError as error:
            raise UnavailableError(
                f"The database can't be reached or used ({type(error).__name__}). Check"
                " ORCHESTRATOR_DATABASE_URL, and start again.",
                reason="DATABASE_UNAVAILABLE",
            ) from error

    def _claim(self) -> None:
        if self._config.migrate_at_start:
            make_tables(self._config.database_url)
        else:
            check_tables(self._engine)
        silent_s = SILENT_BEAT_COUNT * self._config.heartbeat_interval_s
        first = None
        while not self._told(CLAIM, silent_s=silent_s):
            last = self._told(LAST_BEAT)
            if first is not None and last and last != first:
                raise PreconditionError(
                    f"Another replica runs under the id {self._config.replica}. Give each its own"
                    " ORCHESTRATOR_EXECUTOR_ID.",
                    reason="REPLICA_ID_TAKEN",
                )
            first = last or first
            time.sleep(CLAIM_POLL_S)
        self._last_beat_s = self._monotonic()

    def start(self) -> None:
        """Begin to beat and to reap."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Leave, so that others take over at once."""
        self._stop.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(self._config.heartbeat_interval_s * 2)
        try:
            self._told(LEAVE_PLACES)
            self._told(LEAVE)
        except SQLAlchemyError:
            logger.warning("the database can't be reached; others take over after a while")
        disconnect(self._engine)

    def beat(self) -> None:
        """Give one sign of life. Where another process has the id by now, this one is told to end."""
        try:
            ours = self._told(BEAT)
        except SQLAlchemyError:
            self._last_beat_s = None
            raise
        if not ours:
            logger.error("another process runs under this replica's id, so this one ends")
            self._stop.set()
            self._superseded()
            return
        now_s, last_s = self._monotonic(), self._last_beat_s
        if last_s is None or now_s - last_s > self._config.dead_after_s / 2:
            # What kept us from beating may have kept the others: they get the time to be heard again.
            self._judging_from_s = now_s + self._config.dead_after_s
        self._last_beat_s = now_s

    def reap(self) -> None:
        """Take over what dead replicas left: those that fell silent, and those that left in good order."""
        begin_s = self._monotonic()
        judging = self._last_beat_s is not None and begin_s >= self._judging_from_s
        told = {"judging": judging, "dead_after_s": self._config.dead_after_s}
        dead = [name for (name,) in self._told(FIND_DEAD, **told)]
        self._told(FREE_PLACES, **told)
        self._told(FORGET)
        if self._monotonic() - begin_s > self._config.dead_after_s / 2:
            return  # We were frozen ourselves: what was found then need not hold now.
        self._resume_stranded()
        if dead:
            logger.warning("taking over from replicas that are gone", extra={"replica_count": len(dead)})
            self._take_over(dead)

    def owns(self, workflow_id: str) -> bool:
        """Tell whether a session is this replica's still. Where the database can't be asked, it may be."""
        try:
            return bool(self._told(FIND_OWNED, workflow_id=workflow_id))
        except SQLAlchemyError:
            return True

    def _resume_stranded(self) -> None:
        """Resume what the database calls ours, though nobody here works on it.

        A connection that is lost in the middle of taking a session up, or of noting its end, leaves it so.
        """
        now_s = self._monotonic()
        idle = [str(name) for (name,) in self._told(FIND_OWN) if not self._is_at_work(name)]
        self._idle_since_s = {name: self._idle_since_s.get(name, now_s) for name in idle}
        stranded = [name for name in idle if now_s - self._idle_since_s[name] >= self._config.dead_after_s]
        if stranded:
            logger.warning("resuming what nobody works on", extra={"session_count": len(stranded)})
            self._resume(stranded)

    def _told(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        """Run a statement in a transaction of its own and return its rows."""
        ours = {
            "me": self._config.replica,
            "incarnation": self._config.incarnation,
            "flow_version": self._config.flow_version,
        }
        with self._engine.begin() as connection:
            found = connection.execute(sqlalchemy.text(statement), ours | values)
            return [tuple(row) for row in found] if found.returns_rows else []

    def _every_interval(self, work: Callable[[], None]) -> None:
        while not self._stop.wait(self._config.heartbeat_interval_s):
            try:
                work()
            except SQLAlchemyError:
                logger.warning("the database can't be reached", extra={"work": work.__name__})
            except Exception:  # A thread that ends here would end failover without a word.
                logger.exception("a sign of life or a takeover failed", extra={"work": work.__name__})
