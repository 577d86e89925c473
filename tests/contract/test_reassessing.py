"""Judging finished sessions again, over a real socket, on SQLite and fake stages."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chassis.errors import InterviewError, PreconditionError, UnavailableError
from interview.v1 import orchestrator_pb2
from tests.folders import files_below
from tests.waiting import until
from tests.world import COMPLETED, FAILED, PATIENCE_S, VALIDATOR, World, ended, running, versions

pytestmark = pytest.mark.anyio

DOWN = UnavailableError("The assessor is down.", reason="UNAVAILABLE")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(tmp_path) as running_world:
        yield running_world


async def reassess(world: World, session_id: str, rubric_id: str = "technical") -> Any:
    request = orchestrator_pb2.ReassessSessionRequest(session_id=session_id, rubric_id=rubric_id)
    return await world.call(world.stub.ReassessSession, request)


async def until_judging(world: World, call_count: int) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while world.stages.calls["assess"] < call_count:
        assert time.monotonic() < deadline_s
        await asyncio.sleep(0.02)


def kept_outputs(world: World, session_id: str) -> set[Path]:
    return set((world.folder / "store" / "sessions" / session_id / "outputs").rglob("assess-*.pb"))


async def read(world: World, session_id: str, version_id: int | None = None) -> tuple[int, Any]:
    request = orchestrator_pb2.GetResultRequest(session_id=session_id, version_id=version_id)
    reply = await world.call(world.stub.GetResult, request)
    document = json.loads(reply.document)
    VALIDATOR.validate(document)
    return reply.version_id, document


async def finished(world: World, answer_count: int = 1, **changes: Any) -> str:
    session_id = await world.create(answer_count, **changes)
    await world.until(session_id, COMPLETED)
    return session_id


async def test_another_rubric_runs_only_the_assessor_and_keeps_the_old_version(world: World) -> None:
    session_id = await finished(world, 2)
    _, before = await read(world, session_id)
    world.stages.calls.clear()
    reply = await reassess(world, session_id)
    version = await ended(world, session_id, 2)
    number, after = await read(world, session_id)

    assert (reply.existing, reply.version.version_id, version.state) == (False, 2, COMPLETED)
    assert world.stages.calls == {"assess": 2}
    assert {request.rubric_id for request in world.stages.requests["assess"][2:]} == {"technical"}
    assert (number, after["provenance"]["rubric_id"]) == (2, "technical")
    assert after["provenance"]["config_sha256"] != before["provenance"]["config_sha256"]
    assert after["results"][0]["transcript"] == before["results"][0]["transcript"]
    assert after["results"][0]["observations"] == before["results"][0]["observations"]
    assert after["results"][0]["stages"]["transcribe"]["reused"] is True
    assert after["results"][0]["stages"]["assess"]["reused"] is False
    assert await read(world, session_id, 1) == (1, before)


async def test_the_same_rubric_again_is_the_same_version(world: World) -> None:
    session_id = await finished(world, rubric_id="general")
    first = await reassess(world, session_id)
    at_once = await reassess(world, session_id)
    await ended(world, session_id, 2)
    later = await reassess(world, session_id)
    own = await reassess(world, session_id, "general")
    page = await world.call(world.stub.ListSessions, orchestrator_pb2.ListSessionsRequest())

    assert [reply.version.version_id for reply in (first, at_once, later, own)] == [2, 2, 2, 1]
    assert [reply.existing for reply in (first, at_once, later, own)] == [False, True, True, True]
    assert world.stages.calls["assess"] == 2
    assert len(await versions(world, session_id)) == 2
    assert [session.session_id for session in page.sessions] == [session_id]  # versions are no sessions


async def test_callers_at_the_same_moment_get_one_version_a_rubric(world: World) -> None:
    session_id = await finished(world)
    rubrics = ["technical", "behavioural", "technical", "behavioural"]
    replies = await asyncio.gather(*(reassess(world, session_id, rubric) for rubric in rubrics))
    for number in (2, 3):
        assert (await ended(world, session_id, number)).state == COMPLETED
    kept = await versions(world, session_id)

    assert [reply.version.rubric_id for reply in replies] == rubrics
    assert [version.version_id for version in kept] == [1, 2, 3]
    assert {version.rubric_id for version in kept[1:]} == {"technical", "behavioural"}
    assert world.stages.calls["assess"] == 3


async def test_an_unknown_rubric_is_refused_and_changes_nothing(world: World) -> None:
    session_id = await finished(world)
    before = files_below(world.folder / "store")
    for rubric_id in ("astrology", "", "../general", "x" * 500):
        with pytest.raises(InterviewError) as refused:
            await reassess(world, session_id, rubric_id)
        assert (refused.value.code, refused.value.reason) == ("INVALID_ARGUMENT", "RUBRIC_UNKNOWN")
        assert "technical" in refused.value.fields["rubric_id"]

    assert len(await versions(world, session_id)) == 1
    assert files_below(world.folder / "store") == before

    world.stages.failures["rubrics"] = [DOWN]
    with pytest.raises(UnavailableError):
        await reassess(world, session_id)

    assert len(await versions(world, session_id)) == 1
    for version_id in (0, -1, 2, 2_000_000_000):
        with pytest.raises(InterviewError) as missing:
            await read(world, session_id, version_id)
        assert (missing.value.code, missing.value.reason) == ("NOT_FOUND", "RESULT_VERSION_NOT_FOUND")


async def test_only_a_completed_session_is_judged_anew(world: World) -> None:
    world.stages.seconds = 30
    session_id = await world.create()
    await world.until_running(session_id, "transcribe")
    for _ in ("running", "cancelled"):
        with pytest.raises(PreconditionError) as early:
            await reassess(world, session_id)
        assert early.value.reason == "SESSION_NOT_FINISHED"
        await world.do("CancelSession", session_id)


async def test_unknown_and_malformed_ids_are_told_apart(world: World) -> None:
    for name in ("ReassessSession", "ListResultVersions"):
        for session_id, reason in (("0" * 32, "SESSION_NOT_FOUND"), ("../etc", "SESSION_ID_INVALID")):
            with pytest.raises(InterviewError) as refused:
                await world.do(name, session_id)
            assert refused.value.reason == reason


async def test_an_answer_without_words_is_kept_as_it_is(world: World) -> None:
    request = world.request(2)
    world.recording(request.session_id, 2, audio=False)
    await world.call(world.stub.CreateSession, request)
    await world.until(request.session_id, COMPLETED)
    world.stages.calls.clear()
    await reassess(world, request.session_id)
    await ended(world, request.session_id, 2)
    _, document = await read(world, request.session_id, 2)

    assert world.stages.calls == {"assess": 1}
    assert document["results"][1]["stages"]["assess"]["outcome"] == "NO_AUDIO"


async def test_a_failed_reassessment_leaves_the_old_result_and_is_made_again_when_asked(world: World) -> None:
    session_id = await finished(world)
    world.stages.failures["assess"] = [DOWN] * 3
    await reassess(world, session_id)
    failed = await ended(world, session_id, 2)
    number, _ = await read(world, session_id)
    with pytest.raises(InterviewError) as missing:
        await read(world, session_id, 2)
    again = await reassess(world, session_id)
    await ended(world, session_id, 3)

    assert (failed.state, failed.reason, number) == (FAILED, "UNAVAILABLE", 1)
    assert missing.value.reason == "RESULT_VERSION_NOT_FOUND"
    assert (again.existing, again.version.version_id) == (False, 3)
    assert (await read(world, session_id))[0] == 3


async def test_while_it_is_made_the_old_result_stands_and_the_session_is_not_retried(world: World) -> None:
    session_id = await finished(world)
    world.stages.seconds = 2
    await reassess(world, session_id)
    with pytest.raises(PreconditionError) as unfinished:
        await read(world, session_id, 2)
    with pytest.raises(PreconditionError) as busy:
        await world.do("RetrySession", session_id)

    assert (unfinished.value.reason, busy.value.reason) == ("SESSION_NOT_FINISHED",) * 2
    assert (await read(world, session_id))[0] == 1
    session = await world.get(session_id)
    assert (session.state, session.done_ratio) == (COMPLETED, 1.0)


async def test_a_retried_session_is_newer_than_what_was_judged_before(world: World) -> None:
    world.stages.failures["vision"] = [DOWN] * 3
    session_id = await finished(world)
    await reassess(world, session_id)
    await ended(world, session_id, 2)
    await world.do("RetrySession", session_id)
    await world.until(session_id, COMPLETED)
    number, document = await read(world, session_id)
    again = await reassess(world, session_id)
    await ended(world, session_id, 3)
    _, newest = await read(world, session_id)

    assert (number, document["results"][0]["stages"]["vision"]["state"]) == (1, "done")
    assert (again.version.version_id, again.existing) == (3, False)
    assert newest["results"][0]["stages"]["vision"]["state"] == "done"
    assert newest["provenance"]["rubric_id"] == "technical"
    assert world.stages.calls["assess"] == 2  # the judgement itself was there already


async def test_deleting_a_session_stops_and_removes_its_versions(world: World) -> None:
    session_id = await finished(world)
    await reassess(world, session_id, "behavioural")
    await ended(world, session_id, 2)
    world.stages.seconds = 30
    await reassess(world, session_id)
    await until_judging(world, 3)
    await world.do("DeleteSession", session_id)
    with pytest.raises(InterviewError, match="no session"):
        await versions(world, session_id)

    assert world.stages.cancelled == ["assess"]
    assert files_below(world.folder / "store" / "sessions") == []


async def test_reassessing_goes_on_after_a_restart_without_repeating_what_is_judged(tmp_path: Path) -> None:
    async with running(tmp_path, assess_count=1) as world:
        session_id = await finished(world, 3)
        world.stages.seconds = 0.4
        world.stages.calls.clear()
        kept = kept_outputs(world, session_id)
        await reassess(world, session_id)
        await until_judging(world, 2)
        world.stages.seconds = PATIENCE_S  # however long the end takes, the third is left for the restart
        # One at a time: the second is begun when the first is judged, and the first is kept a moment later.
        await until(lambda: kept_outputs(world, session_id) > kept)
        first = world.stages
    async with running(tmp_path) as world:
        assert (await ended(world, session_id, 2)).state == COMPLETED
        number, document = await read(world, session_id)

    assert (number, document["provenance"]["rubric_id"]) == (2, "technical")
    judged = first.requests["assess"][-first.calls["assess"]].question
    assert judged not in {request.question for request in world.stages.requests["assess"]}
    assert set(world.stages.calls) <= {"assess"}
    assert all(entry["kualitas_jawaban"] == 6 for entry in document["results"])
