"""The database's disk is full for a while: it is seen, callers are told, and the work goes on by itself."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import sqlalchemy
from grpc_health.v1 import health_pb2, health_pb2_grpc
from sqlalchemy import event

from chassis.errors import UnavailableError
from chassis.readiness import READINESS, Readiness
from orchestrator.durable.trouble import REASON, DatabaseTrouble
from tests.waiting import until
from tests.world import COMPLETED, running

pytestmark = pytest.mark.anyio
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
ENOUGH_PAGES_COUNT = 1_000_000


class Disk:
    """A disk that the test fills and clears: SQLite itself says that there is no room for another page."""

    def __init__(self) -> None:
        self.full = False

    def bound(self, connection: sqlalchemy.Connection) -> None:
        raw = connection.connection.dbapi_connection
        assert raw is not None
        (used,) = sqlite3.Connection.execute(raw, "PRAGMA page_count").fetchone()  # type: ignore[arg-type]
        limit = used if self.full else ENOUGH_PAGES_COUNT
        sqlite3.Connection.execute(raw, f"PRAGMA max_page_count={limit}")  # type: ignore[arg-type]


@pytest.fixture
def disk() -> Iterator[Disk]:
    made = Disk()
    event.listen(sqlalchemy.Engine, "begin", made.bound)
    yield made
    event.remove(sqlalchemy.Engine, "begin", made.bound)


async def until_health_is(watch: Any, status: Any) -> None:
    """Read what health says of itself until it is so. A state that passes is seen too."""
    async with asyncio.timeout(60):
        while (await watch.read()).status != status:
            pass


async def test_sessions_outlast_a_database_without_room(tmp_path: Path, disk: Disk) -> None:
    async with running(tmp_path) as world, grpc.aio.insecure_channel(world.address) as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)
        watch = health.Watch(health_pb2.HealthCheckRequest(), timeout=600)
        await until_health_is(watch, SERVING)
        world.stages.seconds = 0.3
        at_work = await world.create(3)
        await world.until_running(at_work, "transcribe")
        disk.full = True
        await until(lambda: REASON in READINESS.lacking)
        await until_health_is(watch, NOT_SERVING)
        with pytest.raises(UnavailableError) as refused:
            await world.create()
        assert refused.value.reason == REASON and refused.value.retry_after_s
        assert (await world.get(at_work)).state != COMPLETED  # Who only asks is answered.

        disk.full = False

        await world.until(at_work, COMPLETED, timeout_s=180)
        await world.until(await world.create(), COMPLETED)
        await until_health_is(watch, SERVING)
    assert set(world.stages.calls.values()) == {4}, "a stage was run again"


@pytest.mark.parametrize("name", ["SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_READONLY", "SQLITE_CANTOPEN"])
def test_an_error_that_may_pass_is_one_that_the_engine_waits_for(name: str) -> None:
    readiness = Readiness()
    trouble = DatabaseTrouble(readiness)

    with pytest.raises(sqlite3.OperationalError, match="database is locked"), trouble.noted():
        raise error_of(name)

    assert trouble.there and readiness.lacking == {REASON}


def test_an_error_that_does_not_pass_is_raised_as_it_is() -> None:
    readiness = Readiness()

    with pytest.raises(sqlite3.OperationalError, match="no such table"), DatabaseTrouble(readiness).noted():
        raise error_of("SQLITE_ERROR", "no such table")

    assert readiness.lacking == frozenset()


async def test_a_database_that_does_not_answer_holds_no_caller() -> None:
    trouble = DatabaseTrouble(Readiness(), call_timeout_s=0.05)

    with pytest.raises(UnavailableError) as late:
        await trouble.bounded(asyncio.sleep(60))

    assert late.value.reason == REASON


def error_of(name: str, message: str = "it is full") -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(message)
    error.sqlite_errorcode, error.sqlite_errorname = getattr(sqlite3, name), name
    return error
