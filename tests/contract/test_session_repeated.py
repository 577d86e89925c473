"""A session's id that comes again with something else in it."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from chassis.errors import PreconditionError
from interview.v1 import orchestrator_pb2 as pb
from tests.world import COMPLETED, World, running

pytestmark = pytest.mark.anyio

CHANGES: dict[str, Callable[[pb.CreateSessionRequest], None]] = {
    "name": lambda request: request.MergeFrom(pb.CreateSessionRequest(candidate_name="Budi")),
    "language": lambda request: request.MergeFrom(pb.CreateSessionRequest(language_code="id")),
    "rubric": lambda request: request.MergeFrom(pb.CreateSessionRequest(rubric_id="technical")),
    "question": lambda request: request.answers[0].MergeFrom(pb.AnswerInput(question="Another?")),
    "recording": lambda request: request.answers[0].MergeFrom(pb.AnswerInput(digest="b" * 64)),
    "one answer more": lambda request: request.answers.append(request.answers[0]),
}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(tmp_path) as running_world:
        yield running_world


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_another_session_under_a_taken_id_is_refused(
    world: World, change: Callable[[pb.CreateSessionRequest], None]
) -> None:
    request = world.request()
    other = pb.CreateSessionRequest()
    other.CopyFrom(request)
    other.answers[0].digest = request.answers[0].digest = _digest(world, request)
    await world.call(world.stub.CreateSession, request)
    change(other)

    with pytest.raises(PreconditionError) as refused:
        await world.call(world.stub.CreateSession, other)

    assert refused.value.reason == "SESSION_DIFFERS"
    await world.until(request.session_id, COMPLETED)


async def test_a_repeat_that_does_not_know_its_recordings_digest_is_the_same_session(world: World) -> None:
    request = world.request()
    await world.call(world.stub.CreateSession, request)
    request.answers[0].digest = _digest(world, request)

    assert (await world.call(world.stub.CreateSession, request)).existing


def _digest(world: World, request: pb.CreateSessionRequest) -> str:
    path = world.folder / "store" / "sessions" / request.session_id / "media" / "1.mp4"
    return hashlib.sha256(path.read_bytes()).hexdigest()
