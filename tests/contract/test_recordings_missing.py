"""A session whose recording is not in the store says so, and goes on once it is given it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from interview.v1 import orchestrator_pb2
from tests.world import COMPLETED, FAILED, World, running

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(tmp_path) as running_world:
        yield running_world


async def create(world: World, request: orchestrator_pb2.CreateSessionRequest) -> tuple[bool, list[int]]:
    reply = await world.call(world.stub.CreateSession, request)
    return reply.existing, list(reply.missing_positions)


def lose(world: World, session_id: str, place: int) -> None:
    (world.folder / "store" / "sessions" / session_id / "media" / f"{place}.mp4").unlink()


async def test_a_session_that_lost_its_recording_is_given_it_and_completes(world: World) -> None:
    request = world.request()
    lose(world, request.session_id, 1)

    assert await create(world, request) == (False, [1])
    session = await world.until(request.session_id, FAILED)
    assert session.reason == "MEDIA_NOT_FOUND"
    assert await create(world, request) == (True, [1])
    assert (await world.get(request.session_id)).state == FAILED

    world.recording(request.session_id, 1)
    assert await create(world, request) == (True, [])
    await world.until(request.session_id, COMPLETED)
    assert world.stages.calls["transcribe"] == 1


async def test_a_session_that_completed_without_one_of_its_answers_is_given_that_one(world: World) -> None:
    request = world.request(2)
    request.answers[1].position = 7
    lose(world, request.session_id, 2)

    assert await create(world, request) == (False, [7])
    await world.until(request.session_id, COMPLETED)
    assert await create(world, request) == (True, [7])

    world.recording(request.session_id, 2)
    assert await create(world, request) == (True, [])
    session = await world.until(request.session_id, COMPLETED)
    while not all(answer.assessed for answer in session.answers):
        session = await world.until(request.session_id, COMPLETED)
    assert world.stages.calls["transcribe"] == 2


async def test_a_completed_session_needs_its_recordings_no_more(world: World) -> None:
    request = world.request()
    await create(world, request)
    await world.until(request.session_id, COMPLETED)
    lose(world, request.session_id, 1)

    assert await create(world, request) == (True, [])
    assert (await world.get(request.session_id)).state == COMPLETED
    assert world.stages.calls["transcribe"] == 1
