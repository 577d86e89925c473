"""Replicas on one Postgres share the places of each stage."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg
import pytest

from orchestrator.durable.config import EngineConfig
from orchestrator.durable.failover import Failover
from orchestrator.durable.schema import migrate
from orchestrator.durable.shared_places import SharedPlaces
from orchestrator.early.places import YieldingPlaces
from orchestrator.running.places import own_places
from tests.postgres_server import PostgresServer, own_cluster

pytestmark = pytest.mark.anyio

STAGE = "transcribe"
PATIENCE_S = 60
CONNECTIONS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'interview-orchestrator places'
"""
HELD = "SELECT count(*) FROM orch_place WHERE held"


@pytest.fixture
async def url(postgres_url: str) -> str:
    await asyncio.to_thread(migrate, postgres_url)
    return postgres_url


def replica(url: str, count: int) -> SharedPlaces:
    return SharedPlaces(url, uuid.uuid4().hex, {STAGE: count}, own_places({"extract": 1}))


def counted(url: str, statement: str) -> int:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(statement.encode()).fetchone()
        return int(row[0]) if row else 0


def asked(url: str, count: int) -> bool:
    return counted(url, "SELECT count(*) FROM orch_place") == count


async def until(condition: Callable[[], Any]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < deadline_s
        await asyncio.sleep(0.02)


class Crowd:
    """Work at a stage, by replicas."""

    def __init__(self) -> None:
        self.inside: list[str] = []
        self.order: list[str] = []
        self.most = 0

    async def work(self, places: SharedPlaces, name: str, leave: asyncio.Event | None = None) -> None:
        async with places[STAGE]:
            self.inside.append(name)
            self.order.append(name)
            self.most = max(self.most, len(self.inside))
            await (leave.wait() if leave else asyncio.sleep(0.05))
            self.inside.remove(name)


async def test_two_replicas_never_have_more_at_a_stage_than_it_has_places(url: str) -> None:
    crowd, replicas = Crowd(), [replica(url, 2), replica(url, 2)]
    await asyncio.gather(*(crowd.work(replicas[i % 2], str(i)) for i in range(12)))
    await until(lambda: counted(url, "SELECT count(*) FROM orch_place") == 0)

    assert len(crowd.order) == 12
    assert crowd.most == 2


async def test_places_are_given_in_the_order_of_asking_whichever_replica_asks(url: str) -> None:
    crowd, one, other, leave = Crowd(), replica(url, 1), replica(url, 1), asyncio.Event()
    tasks = []
    for number, places in enumerate([one, one, other, one, other]):
        tasks.append(asyncio.create_task(crowd.work(places, f"{number}", leave)))
        await until(partial(asked, url, number + 1))
    leave.set()
    await asyncio.gather(*tasks)

    assert crowd.order == ["0", "1", "2", "3", "4"]
    assert crowd.most == 1


async def test_waiting_holds_one_connection_for_the_whole_process_and_resting_holds_none(url: str) -> None:
    crowd, places, leave = Crowd(), replica(url, 1), asyncio.Event()
    tasks = [asyncio.create_task(crowd.work(places, str(number), leave)) for number in range(20)]
    await until(lambda: counted(url, "SELECT count(*) FROM orch_place") == 20)
    waiting = await asyncio.to_thread(counted, url, CONNECTIONS)
    leave.set()
    await asyncio.gather(*tasks)
    await until(lambda: counted(url, CONNECTIONS) == 0)

    assert waiting == 1


async def test_who_stops_waiting_takes_no_place(url: str) -> None:
    crowd, places, leave = Crowd(), replica(url, 1), asyncio.Event()
    first = asyncio.create_task(crowd.work(places, "first", leave))
    await until(lambda: counted(url, HELD) == 1)
    gone = asyncio.create_task(crowd.work(places, "gone", leave))
    await until(lambda: counted(url, "SELECT count(*) FROM orch_place") == 2)
    gone.cancel()
    last = asyncio.create_task(crowd.work(places, "last", leave))
    leave.set()
    await asyncio.gather(first, last)

    assert crowd.order == ["first", "last"]
    assert gone.cancelled()


async def test_the_places_of_a_dead_replica_are_free_once_it_is_found_dead(url: str) -> None:
    crowd, leave = Crowd(), asyncio.Event()
    dead, living = replica(url, 1), replica(url, 1)
    held = asyncio.create_task(
        crowd.work(dead, "dead", leave)
    )  # Its process has no sign of life in the table.
    await until(lambda: counted(url, HELD) == 1)
    waiting = asyncio.create_task(crowd.work(living, "living", leave))
    failover = Failover(EngineConfig(url, "c"), take_over=lambda _: None)
    await asyncio.to_thread(failover.claim)
    await until(lambda: counted(url, "SELECT count(*) FROM orch_place") == 2)
    assert crowd.order == ["dead"]
    # The living one puts its ticket in again after it: it has none in the table's signs of life either.
    await asyncio.to_thread(failover.reap)
    await until(lambda: "living" in crowd.order)
    leave.set()
    await asyncio.gather(held, waiting)
    await asyncio.to_thread(failover.stop)


async def test_a_server_that_is_away_costs_nobody_a_place() -> None:
    with own_cluster() as server:
        url = server.create_database()
        await asyncio.to_thread(migrate, url)
        await a_restart_in_mid_work(server, url)


async def a_restart_in_mid_work(server: PostgresServer, url: str) -> None:
    crowd, places, leave = Crowd(), replica(url, 1), asyncio.Event()
    first = asyncio.create_task(crowd.work(places, "first", leave))
    await until(lambda: counted(url, HELD) == 1)
    second = asyncio.create_task(crowd.work(places, "second"))
    await until(lambda: counted(url, "SELECT count(*) FROM orch_place") == 2)
    await asyncio.to_thread(server.stop, "immediate")
    leave.set()  # It gives its place back while nobody can be told.
    await first
    third = asyncio.create_task(crowd.work(places, "third"))
    await asyncio.sleep(1)
    assert crowd.order == ["first"]
    await asyncio.to_thread(server.start)
    await asyncio.gather(second, third)

    assert crowd.order == ["first", "second", "third"]


async def test_places_that_come_with_a_pod_are_given_out_on_all_replicas(url: str) -> None:
    crowd, leave = Crowd(), asyncio.Event()
    counts = [{STAGE: 1}, {STAGE: 1}]
    replicas = [SharedPlaces(url, uuid.uuid4().hex, count, own_places({})) for count in counts]
    tasks = [asyncio.create_task(crowd.work(replicas[i % 2], str(i), leave)) for i in range(6)]
    await until(lambda: counted(url, "SELECT count(*) FROM orch_place") == 6)
    await until(lambda: len(crowd.inside) == 1)
    for count in counts:
        count[STAGE] = 4
    await until(lambda: len(crowd.inside) == 4)
    leave.set()
    await asyncio.gather(*tasks)

    assert crowd.most == 4


async def test_a_stage_that_is_not_shared_has_its_places_in_this_process(url: str) -> None:
    places = replica(url, 1)
    async with places["extract"]:
        assert await asyncio.to_thread(counted, url, "SELECT count(*) FROM orch_place") == 0


async def test_early_work_gives_its_place_to_a_session_of_another_replica(url: str) -> None:
    mine, crowd, told = replica(url, 1), Crowd(), asyncio.Event()
    places = YieldingPlaces(mine, {STAGE: 1}, mine.is_waited_for, look_interval_s=0.05)
    async with places.left_over(STAGE, told.set):
        await asyncio.sleep(0.3)
        assert not told.is_set()
        session = asyncio.create_task(crowd.work(replica(url, 1), "session"))
        async with asyncio.timeout(PATIENCE_S):
            await told.wait()
        assert crowd.inside == []
    await session
    await until(lambda: counted(url, "SELECT count(*) FROM orch_place") == 0)
