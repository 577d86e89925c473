"""Deleting over a real socket: what a stage brings too late is not kept, and what was deleted stays away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chassis.errors import InterviewError, PreconditionError
from interview.v1 import orchestrator_pb2
from orchestrator.stages.stage import OnProgress
from tests.fakes.stages import a_transcript
from tests.folders import files_below
from tests.waiting import until
from tests.world import COMPLETED, World, running

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(tmp_path) as running_world:
        yield running_world


def left(world: World) -> list[Path]:
    return files_below(world.folder / "store" / "sessions")


async def refused(call: Any) -> InterviewError:
    with pytest.raises(PreconditionError) as error:
        await call
    return error.value


async def answering_late(request: Any, on_progress: OnProgress) -> Any:
    """A stage that is told to stop, and brings its transcript all the same."""
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        await asyncio.sleep(1)
    return a_transcript()


async def test_a_transcript_that_comes_while_its_session_is_deleted_is_not_kept(world: World) -> None:
    world.stages.instead["transcribe"] = answering_late
    session_id = await world.create()
    await world.until_running(session_id, "vision")

    reply = await world.do("DeleteSession", session_id)

    assert "transcript" not in {artifact.kind for artifact in reply.receipt.artifacts}
    assert left(world) == []


async def test_a_deletion_answers_with_what_it_removed(world: World) -> None:
    request = world.request()
    request.answers[0].digest = "ab" * 32
    await world.call(world.stub.CreateSession, request)
    session = await world.until(request.session_id, COMPLETED, orchestrator_pb2.SESSION_STATE_FAILED)

    receipt = (await world.do("DeleteSession", request.session_id)).receipt

    assert receipt.session_id == request.session_id
    assert receipt.delete_time_s > session.create_time_s
    found = {artifact.name: artifact for artifact in receipt.artifacts}
    assert found["media/1.mp4"].digest == "ab" * 32
    assert all(len(one.digest) == 64 and one.size_bytes for one in receipt.artifacts if one.kind != "state")
    assert found["session"].kind == "state"


async def test_a_deleted_session_is_never_accepted_again(world: World) -> None:
    request = world.request()
    await world.call(world.stub.CreateSession, request)
    await world.until(request.session_id, COMPLETED)
    await world.do("DeleteSession", request.session_id)
    config = orchestrator_pb2.UploadRecordingConfig(session_id=request.session_id, position=1)

    created = await refused(world.call(world.stub.CreateSession, request))
    uploaded = await refused(
        world.call(world.stub.UploadRecording, iter([orchestrator_pb2.UploadRecordingRequest(config=config)]))
    )

    assert created.reason == uploaded.reason == "SESSION_DELETED"
    with pytest.raises(InterviewError, match="no session"):
        await world.get(request.session_id)
    assert left(world) == []


async def test_a_deletion_that_was_begun_is_finished_at_the_next_start(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        session_id = await world.create()
        await world.until(session_id, COMPLETED)
    begun = tmp_path / "store" / "deleting" / session_id
    begun.parent.mkdir()
    begun.touch()

    async with running(tmp_path) as world:
        await until(lambda: not begun.exists())
        assert left(world) == []
        with pytest.raises(InterviewError, match="no session"):
            await world.get(session_id)


async def test_two_who_delete_at_the_same_moment_leave_nothing(world: World) -> None:
    session_id = await world.create()
    await world.until(session_id, COMPLETED)

    ends = await asyncio.gather(
        *(world.do("DeleteSession", session_id) for _ in range(4)), return_exceptions=True
    )

    assert {getattr(end, "reason", "") for end in ends} <= {"", "SESSION_NOT_FOUND"}
    assert left(world) == []


async def test_a_session_under_a_legal_hold_is_not_deleted(world: World) -> None:
    session_id = await world.create()
    await world.until(session_id, COMPLETED)
    hold = orchestrator_pb2.SetLegalHoldRequest(session_id=session_id, held=True)
    assert (await world.call(world.stub.SetLegalHold, hold)).held

    assert (await refused(world.do("DeleteSession", session_id))).reason == "SESSION_HELD"
    shown = await world.get(session_id)
    assert (shown.state, shown.held) == (COMPLETED, True)
    listed = await world.call(world.stub.ListSessions, orchestrator_pb2.ListSessionsRequest())
    assert [session.held for session in listed.sessions] == [True]

    hold.held = False
    await world.call(world.stub.SetLegalHold, hold)
    shown = await world.get(session_id)
    assert shown.HasField("held")
    assert not shown.held
    await world.do("DeleteSession", session_id)
    assert left(world) == []


async def test_recordings_expire_by_themselves_and_the_session_stays(tmp_path: Path) -> None:
    second_days = 1 / 86_400
    async with running(tmp_path, sweep_interval_s=0.2, media_retention_days=second_days) as world:
        session_id = await world.create()
        await world.until(session_id, COMPLETED)
        recordings = world.folder / "store" / "sessions" / session_id / "media"

        await until(lambda: files_below(recordings) == [])

        assert (await world.result(session_id))["status"] == "completed"
        receipt = (await world.do("DeleteSession", session_id)).receipt
        assert "media/1.mp4" in {artifact.name for artifact in receipt.artifacts}
