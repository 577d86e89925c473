"""Replicas on one Postgres: whose id is whose, who counts as dead, and when."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from chassis.errors import PreconditionError
from orchestrator.durable.config import EngineConfig
from orchestrator.durable.connections import connect
from orchestrator.durable.failover import Failover
from orchestrator.durable.schema import migrate
from tests.postgres_server import own_cluster

PENDING = """
    INSERT INTO dbos.workflow_status
        (workflow_uuid, status, name, executor_id, application_version, created_at, updated_at, priority)
    VALUES (%s, 'PENDING', 'session', %s, %s, 0, 0, 0)
"""
LONG_AGO = "UPDATE orch_executor SET seen = now() - interval '1 hour' WHERE id = %s"
PATIENCE_S = 60


class Replica:
    """One replica's failover on a database, with what it did."""

    def __init__(self, url: str, name: str, **changes: Any) -> None:
        self.taken: list[str] = []
        self.superseded = threading.Event()
        self.now_s = 1000.0
        fields: dict[str, Any] = {"heartbeat_interval_s": 0.2, "dead_after_s": 10.0}
        self.config = EngineConfig(url, name, **(fields | changes))
        self.failover = Failover(
            self.config,
            take_over=self.taken.extend,
            superseded=self.superseded.set,
            monotonic=lambda: self.now_s,
        )

    def reaped(self) -> list[str]:
        """Reap, and return whom it has ever taken over from."""
        self.failover.reap()
        return self.taken


@contextmanager
def replica(url: str, name: str, **changes: Any) -> Iterator[Replica]:
    one = Replica(url, name, **changes)
    try:
        yield one
    finally:
        one.failover.stop()


@pytest.fixture
def url(postgres_url: str) -> str:
    migrate(postgres_url)
    return postgres_url


def tell(url: str, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(statement.encode(), values)
        return found.fetchall() if found.description else []


def until(condition: Callable[[], Any]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def test_a_start_under_the_id_of_a_living_replica_is_refused_and_disturbs_it_not(url: str) -> None:
    with replica(url, "a") as first:
        first.failover.claim()
        first.failover.start()
        second = Replica(url, "a", heartbeat_interval_s=20)  # It would wait for a minute.
        with pytest.raises(PreconditionError, match="ORCHESTRATOR_EXECUTOR_ID") as refused:
            second.failover.claim()
        second.failover.stop()
        kept = tell(url, "SELECT incarnation FROM orch_executor")

    assert refused.value.reason == "REPLICA_ID_TAKEN"
    assert kept == [(first.config.incarnation,)]
    assert not first.superseded.is_set()


def test_a_start_has_the_id_of_a_replica_that_died_after_three_beats(url: str) -> None:
    dead = Replica(url, "a")
    dead.failover.claim()
    with replica(url, "a") as second:
        second.failover.claim()
        # It was not dead, only frozen: it ends, and takes nothing of its successor along.
        dead.failover.beat()
        dead.failover.stop()

        assert dead.superseded.is_set()
        assert tell(url, "SELECT incarnation FROM orch_executor") == [(second.config.incarnation,)]


def test_a_replica_that_left_is_taken_over_at_once_and_a_silent_one_after_its_time(url: str) -> None:
    with replica(url, "a", dead_after_s=2.0) as one, replica(url, "silent") as other:
        one.failover.claim()
        other.failover.claim()
        for name in ("left", "silent"):
            tell(url, PENDING, name, name, "1")
        one.failover.reap()
        assert one.taken == ["left"]
        tell(url, LONG_AGO, "silent")
        until(lambda: "silent" in one.reaped())  # The server may have just started.


def test_a_replica_that_could_not_beat_itself_takes_nobody_for_dead_until_all_had_their_time(
    url: str,
) -> None:
    with replica(url, "a", dead_after_s=0.5) as one, replica(url, "silent") as other:
        one.failover.claim()
        other.failover.claim()
        tell(url, PENDING, "session", "silent", "1")
        tell(url, LONG_AGO, "silent")
        one.now_s += 30  # Frozen, or without a database.
        one.failover.beat()
        one.failover.reap()
        assert one.taken == []
        one.now_s += 0.2
        one.failover.beat()
        one.now_s += 0.3
        until(one.reaped)

    assert one.taken == ["silent"]


def test_silence_counts_from_the_start_of_the_server_on() -> None:
    with own_cluster() as server:
        url = server.create_database()
        migrate(url)
        with replica(url, "a", dead_after_s=3600.0) as one, replica(url, "silent") as other:
            one.failover.claim()
            other.failover.claim()
            tell(url, PENDING, "session", "silent", "1")
            tell(url, "UPDATE orch_executor SET seen = now() - interval '2 hours' WHERE id = 'silent'")
            one.failover.reap()

            assert one.taken == []


def test_sessions_of_another_flow_version_are_left_to_their_own(url: str) -> None:
    with replica(url, "a", flow_version="2") as one:
        one.failover.claim()
        tell(url, PENDING, "session", "left", "1")
        one.failover.reap()
        assert one.taken == []
    with replica(url, "b", flow_version="1") as one:
        one.failover.claim()
        one.failover.reap()

    assert one.taken == ["left"]


def test_what_is_ours_in_the_database_and_at_work_nowhere_is_resumed_after_its_time(url: str) -> None:
    at_work, resumed = {"running"}, list[str]()
    one = Replica(url, "a")
    failover = Failover(
        one.config,
        take_over=one.taken.extend,
        is_at_work=at_work.__contains__,
        resume=resumed.extend,
        monotonic=lambda: one.now_s,
    )
    failover.claim()
    for name in ("running", "stranded", "just taken up"):
        tell(url, PENDING, name, "a", "1")
    failover.reap()
    at_work.add("just taken up")
    one.now_s += one.config.dead_after_s
    failover.beat()
    failover.reap()
    failover.stop()

    assert resumed == ["stranded"]


def test_a_database_that_can_not_be_found_counts_as_cut_off_so_that_the_engine_tries_again(
    tmp_path: Path,
) -> None:
    pool = connect(f"postgresql://nobody@/none?host={tmp_path}", "test", connection_count=1)
    with pytest.raises(DBAPIError) as failed:
        pool.connect()

    assert failed.value.connection_invalidated
