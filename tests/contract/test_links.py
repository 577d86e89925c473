"""A session whose recordings come from links, over a real socket: fetching is a stage like the others."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chassis.errors import InterviewError
from chassis.scratch import PREFIX
from interview.v1 import orchestrator_pb2
from orchestrator.workflow import STAGES
from tests.linked_sessions import BUSY, GONE, FileServer, create, serving, stages
from tests.world import CANCELLED, COMPLETED, FAILED, PATIENCE_S, World, running

pytestmark = pytest.mark.anyio

FETCHING = orchestrator_pb2.SESSION_STATE_FETCHING


@pytest.fixture
async def files(tmp_path: Path) -> AsyncIterator[FileServer]:
    async with serving(tmp_path) as server:
        yield server


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(tmp_path, allow_private_links=True) as running_world:
        yield running_world


async def listed(world: World, state: Any) -> list[str]:
    request = orchestrator_pb2.ListSessionsRequest(state=state)
    return [s.session_id for s in (await world.call(world.stub.ListSessions, request)).sessions]


async def test_a_linked_recording_is_fetched_and_goes_through_every_stage(
    world: World, files: FileServer
) -> None:
    session_id = await create(world, files.url)
    session = await world.until(session_id, COMPLETED, FAILED)
    document = await world.result(session_id)

    assert session.state == COMPLETED, session
    assert list(stages(session)) == list(STAGES)
    assert (document["results"][0]["video_file"], document["results"][0]["position"]) == ("video_10.mp4", 10)
    assert document["provenance"]["inputs"][0]["bytes"] == len(files.data)
    assert document["results"][0]["stages"]["fetch"]["state"] == "done"
    stored = world.folder / "store" / "sessions" / session_id / "media" / "10.mp4"
    assert stored.read_bytes() == files.data
    assert "http" not in json.dumps(document)


async def test_a_session_that_is_being_fetched_is_listed_and_found_by_its_state(
    world: World, files: FileServer
) -> None:
    files.gate.clear()
    session_id = await create(world, files.url)
    await files.asked()

    session = await world.until(session_id, FETCHING)
    assert stages(session)["fetch"].state == orchestrator_pb2.STAGE_STATE_RUNNING
    assert await listed(world, FETCHING) == [session_id]
    assert await listed(world, orchestrator_pb2.SESSION_STATE_PROCESSING) == []
    files.gate.set()
    await world.until(session_id, COMPLETED)
    assert await listed(world, FETCHING) == []


async def test_its_events_can_be_resumed_from_the_fetch_on(world: World, files: FileServer) -> None:
    session_id = await create(world, files.url)
    events = await world.events(session_id)
    fetched = next(
        event for event in events if stages(event.session)["fetch"].state == orchestrator_pb2.STAGE_STATE_DONE
    )
    again = await world.events(session_id, after=fetched.event_id)

    assert events[0].event_id < fetched.event_id
    # Nothing from before is said again. The end is, also to who has seen it: the session may be that quick.
    assert all(event.event_id > fetched.event_id for event in again[:-1])
    assert again[-1].event_id >= fetched.event_id
    assert again[-1].session.state == COMPLETED


async def test_cancelling_while_it_is_fetched_stops_it_and_retrying_fetches_again(
    world: World, files: FileServer
) -> None:
    files.gate.clear()
    session_id = await create(world, files.url)
    await files.asked()
    await world.do("CancelSession", session_id)
    await world.until(session_id, CANCELLED)
    await asyncio.sleep(
        1.5
    )  # A running step sees the cancellation within a second, and nothing begins after it.
    assert world.stages.calls == {}

    files.gate.set()
    await world.do("RetrySession", session_id)
    await world.until(session_id, COMPLETED)
    assert files.request_count == 2


async def test_a_server_that_is_busy_for_a_moment_is_asked_again(world: World, files: FileServer) -> None:
    files.first = [BUSY, BUSY]
    session_id = await create(world, files.url)
    session = await world.until(session_id, COMPLETED, FAILED)

    assert session.state == COMPLETED
    assert stages(session)["fetch"].attempt_count == 3


async def test_a_link_that_leads_nowhere_costs_its_answer_only_and_a_retry_asks_again(
    world: World, files: FileServer
) -> None:
    async with serving(world.folder) as other:
        other.first = [GONE]
        session_id = await create(world, other.url, files.url)
        session = await world.until(session_id, COMPLETED, FAILED)
        document = await world.result(session_id)
        await world.do("RetrySession", session_id)
        async with asyncio.timeout(PATIENCE_S):
            while "error" in document["results"][0]:
                await world.until(session_id, COMPLETED)
                document = await world.result(session_id)
                await asyncio.sleep(0.1)

    assert session.state == COMPLETED
    assert stages(session, 1)["fetch"].reason == "DOWNLOAD_REFUSED"
    assert stages(session, 1)["extract"].reason == "FETCH_FAILED"
    assert document["results"][0]["stages"]["fetch"]["state"] == "done"
    # What the other answer has is kept: it is neither fetched nor worked on again.
    assert files.request_count == 1


async def test_a_failed_fetch_is_named_in_the_result(world: World, files: FileServer) -> None:
    files.first = [GONE]
    session_id = await create(world, files.url)
    session = await world.until(session_id, COMPLETED, FAILED)
    document = await world.result(session_id)

    assert (session.state, session.reason) == (FAILED, "DOWNLOAD_REFUSED")
    assert document["results"][0]["error"]["stage"] == "fetch"
    assert document["results"][0]["video_file"] == "video_10"


async def test_a_restart_goes_on_with_the_fetch(tmp_path: Path, files: FileServer) -> None:
    files.gate.clear()
    async with running(tmp_path, allow_private_links=True) as first:
        session_id = await create(first, files.url)
        await files.asked()
    files.gate.set()
    async with running(tmp_path, allow_private_links=True) as second:
        await second.until(session_id, COMPLETED)


async def test_a_start_makes_the_spool_folder(tmp_path: Path, files: FileServer) -> None:
    async with running(tmp_path, allow_private_links=True, spool_dir=tmp_path / "new" / "spool") as world:
        session_id = await create(world, files.url)
        await world.until(session_id, COMPLETED)


async def test_a_start_removes_the_recording_that_a_killed_process_left(tmp_path: Path) -> None:
    left = tmp_path / "spool" / f"{PREFIX}left"
    left.mkdir(parents=True)
    (left / "recording").write_bytes(b"a face")

    async with running(tmp_path, spool_dir=tmp_path / "spool"):
        assert list((tmp_path / "spool").iterdir()) == []


async def test_without_leave_a_link_into_the_private_network_is_refused(
    tmp_path: Path, files: FileServer
) -> None:
    async with running(tmp_path) as careful:
        session_id = await create(careful, files.url)
        session = await careful.until(session_id, COMPLETED, FAILED)
        document = await careful.result(session_id)

    assert session.reason == "LINK_FORBIDDEN"
    assert document["results"][0]["stages"]["fetch"]["outcome"] == "INVALID_INPUT"
    assert files.request_count == 0


async def test_an_answer_has_a_recording_or_a_link_and_never_both(world: World, files: FileServer) -> None:
    session_id = "a" * 32
    both = orchestrator_pb2.AnswerInput(uri=world.recording(session_id, 1), link=files.url)
    for answer in (both, orchestrator_pb2.AnswerInput(link="x" * 5_000)):
        with pytest.raises(InterviewError) as refused:
            await world.create(session_id=session_id, answers=[answer])
        assert refused.value.reason == "SESSION_INVALID"
