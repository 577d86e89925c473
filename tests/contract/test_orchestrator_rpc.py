"""The orchestrator over a real socket, on SQLite and fake stages."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chassis.errors import InterviewError, UnavailableError
from chassis.telemetry import SESSIONS_ENDED
from interview.v1 import orchestrator_pb2
from tests.folders import files_below
from tests.world import CANCELLED, COMPLETED, FAILED, World, running

pytestmark = pytest.mark.anyio
DONE = orchestrator_pb2.STAGE_STATE_DONE


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(tmp_path) as running_world:
        yield running_world


async def test_a_session_goes_through_every_stage_to_a_valid_result(world: World) -> None:
    ended_before = SESSIONS_ENDED.labels("completed")._value.get()
    session_id = await world.create(2)
    session = await world.until(session_id, COMPLETED, FAILED)
    document = await world.result(session_id)
    assert SESSIONS_ENDED.labels("completed")._value.get() == ended_before + 1

    assert session.state == COMPLETED, session
    assert session.done_ratio == 1.0
    assert {stage.state for answer in session.answers for stage in answer.stages} == {DONE}
    assert document["status"] == "completed"
    assert [entry["video_file"] for entry in document["results"]] == ["a1.mp4", "a2.mp4"]
    assert document["results"][0]["transkripsi_id"].startswith("[id] I led")


async def test_creating_a_session_twice_returns_the_first_one(world: World) -> None:
    request = world.request()
    first = await world.call(world.stub.CreateSession, request)
    second = await world.call(world.stub.CreateSession, request)
    await world.until(request.session_id, COMPLETED)
    third = await world.call(world.stub.CreateSession, request)

    assert (first.existing, second.existing, third.existing) == (False, True, True)
    assert world.stages.calls["transcribe"] == 1
    assert third.session.state == COMPLETED


@pytest.mark.parametrize(
    "name", ["GetSession", "CancelSession", "DeleteSession", "RetrySession", "GetResult"]
)
async def test_unknown_and_malformed_ids_are_told_apart(world: World, name: str) -> None:
    with pytest.raises(InterviewError) as unknown:
        await world.do(name, "0" * 32)
    with pytest.raises(InterviewError) as malformed:
        await world.do(name, "../etc/passwd")

    assert (unknown.value.code, unknown.value.reason) == ("NOT_FOUND", "SESSION_NOT_FOUND")
    assert (malformed.value.code, malformed.value.reason) == ("INVALID_ARGUMENT", "SESSION_ID_INVALID")


async def test_a_session_that_cannot_be_worked_on_is_refused_with_its_fields(world: World) -> None:
    outside = orchestrator_pb2.AnswerInput(uri="file:///etc/passwd")
    for request, reason in (
        (world.request(session_id="X" * 32), "SESSION_ID_INVALID"),
        (world.request(answers=[]), "SESSION_INVALID"),
        (world.request(answers=[outside] * 21), "SESSION_INVALID"),
        (world.request(answers=[orchestrator_pb2.AnswerInput()]), "SESSION_INVALID"),
        (world.request(language_code="klingon!"), "SESSION_INVALID"),
        (world.request(answers=[outside]), "MEDIA_URI_FORBIDDEN"),
    ):
        with pytest.raises(InterviewError) as refused:
            await world.call(world.stub.CreateSession, request)
        assert (refused.value.code, refused.value.reason) == ("INVALID_ARGUMENT", reason)
        assert refused.value.fields


async def test_watching_shows_progress_and_ends_with_the_session(world: World) -> None:
    world.stages.seconds = 0.8
    session_id = await world.create()
    events = await world.events(session_id)
    ids = [event.event_id for event in events]
    ratios = [event.session.done_ratio for event in events]
    running = [stage.done_ratio for e in events for stage in e.session.answers[0].stages if stage.state == 2]

    assert ids == sorted(ids) and len(set(ids)) == len(ids)
    assert ratios == sorted(ratios)
    assert any(0 < ratio < 1 for ratio in running)
    assert events[-1].session.state == COMPLETED
    assert any(event.session.HasField("remaining_s") for event in events)


async def test_watching_resumes_after_the_last_event_seen(world: World) -> None:
    session_id = await world.create()
    await world.until(session_id, COMPLETED)
    all_events = await world.events(session_id)
    middle = all_events[len(all_events) // 2].event_id
    rest = await world.events(session_id, middle)
    nothing_new = await world.events(session_id, all_events[-1].event_id)

    assert [e.event_id for e in rest] == [e.event_id for e in all_events if e.event_id > middle]
    assert [e.session.state for e in nothing_new] == [COMPLETED]


async def test_cancelling_stops_running_stages_and_keeps_no_result(world: World) -> None:
    world.stages.seconds = 30
    session_id = await world.create()
    await world.until_running(session_id, "transcribe")
    begin_s = time.monotonic()
    first = await world.do("CancelSession", session_id)
    again = await world.do("CancelSession", session_id)
    while set(world.stages.cancelled) != {"transcribe", "vision", "speaker"}:
        assert time.monotonic() - begin_s < 3
        await asyncio.sleep(0.05)
    with pytest.raises(InterviewError) as unfinished:
        await world.result(session_id)

    assert first.session.state == again.session.state == CANCELLED
    assert {s.reason for s in first.session.answers[0].stages if s.state != DONE} == {"CANCELLED"}
    assert unfinished.value.reason == "SESSION_NOT_FINISHED"


async def test_retrying_a_cancelled_session_finishes_it_without_repeating_stages(world: World) -> None:
    world.stages.seconds = 0.2
    session_id = await world.create()
    await world.until_running(session_id, "assess")
    world.stages.seconds = 0
    await world.do("CancelSession", session_id)
    await world.do("RetrySession", session_id)
    session = await world.until(session_id, COMPLETED, FAILED)

    assert session.state == COMPLETED
    assert world.stages.calls["transcribe"] == world.stages.calls["translate"] == 1
    assert world.stages.calls["vision"] == world.stages.calls["speaker"] == 1


async def test_retrying_runs_only_what_failed(world: World) -> None:
    down = [UnavailableError("The assessor is down.", reason="UNAVAILABLE") for _ in range(3)]
    world.stages.failures["assess"] = list(down)
    session_id = await world.create()
    await world.until(session_id, COMPLETED)
    before = await world.result(session_id)
    await world.do("RetrySession", session_id)
    await world.until(session_id, COMPLETED)
    after = await world.result(session_id)

    assert before["results"][0]["stages"]["assess"]["outcome"] == "SERVICE_UNAVAILABLE"
    assert before["results"][0]["stages"]["assess"]["attempts"] == 3
    assert before["results"][0]["kualitas_jawaban"] is None
    assert after["results"][0]["kualitas_jawaban"] == 6
    assert after["results"][0]["stages"]["transcribe"]["reused"] is True
    assert world.stages.calls == {"transcribe": 1, "translate": 1, "assess": 4, "vision": 1, "speaker": 1}


async def test_retries_at_the_same_moment_run_a_session_once(world: World) -> None:
    world.stages.failures["assess"] = [UnavailableError("It is down.", reason="UNAVAILABLE")] * 3
    session_id = await world.create()
    await world.until(session_id, COMPLETED)

    retries = (world.do("RetrySession", session_id) for _ in range(8))
    ends = await asyncio.gather(*retries, return_exceptions=True)
    await world.until(session_id, COMPLETED)

    assert {getattr(end, "reason", "") for end in ends} <= {"", "SESSION_NOT_FINISHED"}
    assert world.stages.calls["assess"] == 4


async def test_a_running_session_can_be_neither_retried_nor_read(world: World) -> None:
    world.stages.seconds = 5
    session_id = await world.create()
    for name in ("RetrySession", "GetResult"):
        with pytest.raises(InterviewError) as early:
            await world.do(name, session_id)
        assert (early.value.code, early.value.reason) == ("FAILED_PRECONDITION", "SESSION_NOT_FINISHED")


async def test_deleting_leaves_nothing_behind(world: World) -> None:
    finished = await world.create()
    await world.until(finished, COMPLETED)
    world.stages.seconds = 30
    at_work = await world.create()
    await world.until_running(at_work, "vision")
    for session_id in (finished, at_work):
        await world.do("DeleteSession", session_id)
        with pytest.raises(InterviewError, match="no session"):
            await world.get(session_id)

    assert files_below(world.folder / "store" / "sessions") == []


async def test_listing_pages_from_the_newest_and_filters_by_state(world: World) -> None:
    ids = [await world.create() for _ in range(5)]
    for session_id in ids:
        await world.until(session_id, COMPLETED)
    found: list[str] = []
    token = ""
    while True:
        request = orchestrator_pb2.ListSessionsRequest(page_size_count=2, page_token=token, state=COMPLETED)
        page = await world.call(world.stub.ListSessions, request)
        found += [session.session_id for session in page.sessions]
        token = page.next_page_token
        if not token:
            break
    failed = await world.call(world.stub.ListSessions, orchestrator_pb2.ListSessionsRequest(state=FAILED))

    assert found == ids[::-1]
    assert list(failed.sessions) == []


async def test_the_last_page_of_all_is_one(world: World) -> None:
    session_id = await world.create()
    request = orchestrator_pb2.ListSessionsRequest(page_token="253402300799000-0")

    page = await world.call(world.stub.ListSessions, request)

    assert [session.session_id for session in page.sessions] == [session_id]


async def test_the_largest_number_of_an_event_is_one_to_come_back_after(world: World) -> None:
    session_id = await world.create()
    await world.until(session_id, COMPLETED)

    for after in (2**63 - 1, -(2**63)):
        assert (await world.events(session_id, after))[-1].session.state == COMPLETED


async def test_a_session_that_failed_on_our_side_says_why_it_has_no_result(world: World) -> None:
    session_id = await world.create()
    await world.until(session_id, COMPLETED)
    await asyncio.to_thread(fail, world.folder / "state.sqlite")

    assert (await world.get(session_id)).state == FAILED
    with pytest.raises(InterviewError) as absent:
        await world.result(session_id)
    assert (absent.value.code, absent.value.reason) == ("FAILED_PRECONDITION", "RESULT_NOT_MADE")
    assert "Retry it" in absent.value.message


def fail(database: Path) -> None:
    """Make every session one that the engine gave up."""
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE workflow_status SET status = 'MAX_RECOVERY_ATTEMPTS_EXCEEDED'")


async def test_a_page_that_makes_no_sense_is_refused(world: World) -> None:
    for request in (
        orchestrator_pb2.ListSessionsRequest(page_size_count=201),
        orchestrator_pb2.ListSessionsRequest(page_token="'; drop table"),
        orchestrator_pb2.ListSessionsRequest(page_token="999999999999999-0"),
        orchestrator_pb2.ListSessionsRequest(page_token="253402300799001-0"),
    ):
        with pytest.raises(InterviewError) as refused:
            await world.call(world.stub.ListSessions, request)
        assert refused.value.reason == "PAGE_INVALID"


async def test_more_sessions_than_may_wait_are_refused_at_once(tmp_path: Path) -> None:
    async with running(tmp_path, waiting_session_count=0, session_count=1) as world:
        world.stages.seconds = 30
        first = await world.create()
        await world.until_running(first, "transcribe")
        await world.create()
        with pytest.raises(InterviewError) as full:
            await world.create()
        await world.do("DeleteSession", first)

    assert (full.value.code, full.value.reason) == ("RESOURCE_EXHAUSTED", "SESSIONS_FULL")
    assert full.value.retry_after_s


async def test_work_goes_on_after_a_restart_without_repeating_finished_stages(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        world.stages.seconds = 0.2
        session_id = await world.create()
        await world.until_running(session_id, "assess")
        first = world.stages
    async with running(tmp_path) as world:
        await world.until(session_id, COMPLETED)
        await world.result(session_id)

    assert first.calls["transcribe"] == 1
    assert set(world.stages.calls) <= {"assess", "vision", "speaker"}
