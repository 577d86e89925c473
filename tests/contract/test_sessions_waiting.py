"""Sessions whose stage is away: they say since when they wait, and go on by themselves."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from interview.v1 import orchestrator_pb2
from tests.fakes.stage_process import stage_process
from tests.free_ports import free_port
from tests.world import CANCELLED, COMPLETED, PATIENCE_S, World, running

pytestmark = pytest.mark.anyio
SESSION_COUNT = 8
PROCESSING = orchestrator_pb2.SESSION_STATE_PROCESSING
WAITING, DONE = orchestrator_pb2.STAGE_STATE_WAITING, orchestrator_pb2.STAGE_STATE_DONE


def stage_of(session: Any, name: str) -> Any:
    return next(stage for stage in session.answers[0].stages if stage.stage == name)


async def until_waiting(world: World, session_ids: Sequence[str], stage: str = "vision") -> list[Any]:
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        sessions = [await world.get(session_id) for session_id in session_ids]
        if all(stage_of(session, stage).state == WAITING for session in sessions):
            return sessions
        assert time.monotonic() < deadline_s, sessions
        await asyncio.sleep(0.05)


def settings(port: int) -> dict[str, Any]:
    return {"real": ("vision",), "vision_address": f"127.0.0.1:{port}", "probe_interval_s": 0.1}


async def test_sessions_whose_stage_is_away_wait_for_it_and_all_finish(tmp_path: Path) -> None:
    port, counts = free_port(), tmp_path / "counts"
    async with running(tmp_path, session_count=SESSION_COUNT, **settings(port)) as world:
        ids = [await world.create() for _ in range(SESSION_COUNT)]
        waiting = await until_waiting(world, ids)
        async with stage_process(counts, 0.0, port):
            ended = [await world.until(session_id, COMPLETED) for session_id in ids]

    assert {session.state for session in waiting} == {PROCESSING}
    stages = [stage_of(session, "vision") for session in ended]
    assert {(stage.state, stage.attempt_count) for stage in stages} == {(DONE, 1)}
    assert Counter(counts.read_text().split("\n"))["-vision 1"] == SESSION_COUNT  # Each was looked at once.


async def test_a_session_says_since_when_it_waits_also_after_a_restart(tmp_path: Path) -> None:
    port, begin_s = free_port(), time.time()
    async with running(tmp_path, **settings(port)) as world:
        session_id = await world.create()
        (first,) = await until_waiting(world, [session_id])
    async with running(tmp_path, **settings(port)) as world:
        (again,) = await until_waiting(world, [session_id])
        async with stage_process(tmp_path / "counts", 0.0, port):
            await world.until(session_id, COMPLETED)
            events = await world.events(session_id)
    before, after = stage_of(first, "vision"), stage_of(again, "vision")

    assert begin_s <= before.waiting_since_s <= time.time()
    assert after.waiting_since_s == before.waiting_since_s
    assert (before.reason, before.message) == (
        "STAGE_AWAY",
        "Waiting for the vision service. It goes on by itself.",
    )
    ended = stage_of(events[-1].session, "vision")
    assert (ended.state, ended.HasField("waiting_since_s"), ended.reason) == (DONE, False, "")


async def test_a_waiting_stage_is_an_event_and_gives_no_estimate(tmp_path: Path) -> None:
    port = free_port()
    async with running(tmp_path, **settings(port)) as world:
        session_id = await world.create()
        await until_waiting(world, [session_id])
        watching = asyncio.create_task(world.events(session_id))
        async with stage_process(tmp_path / "counts", 0.0, port):
            events = await watching
    waiting = [event.session for event in events if stage_of(event.session, "vision").state == WAITING]

    assert waiting
    assert not any(session.HasField("remaining_s") for session in waiting)


async def test_a_session_that_waits_is_cancelled_and_deleted_at_once(tmp_path: Path) -> None:
    async with running(tmp_path, **settings(free_port())) as world:
        cancelled, deleted = await world.create(), await world.create()
        await until_waiting(world, [cancelled, deleted])
        await world.do("CancelSession", cancelled)
        await world.do("DeleteSession", deleted)
        session = await world.until(cancelled, CANCELLED)

        assert stage_of(session, "vision").reason == "CANCELLED"
        assert not (tmp_path / "store" / "sessions" / deleted).exists()


async def test_a_session_that_was_retried_begins_its_wait_again(tmp_path: Path) -> None:
    async with running(tmp_path, **settings(free_port())) as world:
        session_id = await world.create()
        (first,) = await until_waiting(world, [session_id])
        await world.do("CancelSession", session_id)
        await world.until(session_id, CANCELLED)
        await world.do("RetrySession", session_id)
        (again,) = await until_waiting(world, [session_id])

    assert stage_of(again, "vision").waiting_since_s > stage_of(first, "vision").waiting_since_s
