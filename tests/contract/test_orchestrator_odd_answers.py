"""Answers without sound, picture, translator or any sense, through the orchestrator over a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from interview.v1 import orchestrator_pb2
from tests.fakes.recording import make_tone
from tests.fakes.stages import NO_TRANSLATOR
from tests.world import COMPLETED, FAILED, World, running

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(tmp_path) as running_world:
        yield running_world


async def test_a_session_without_a_good_answer_fails_with_a_result_that_says_why(world: World) -> None:
    request = world.request(2)
    path = world.folder / "store" / "sessions" / request.session_id / "media" / "1.mp4"
    path.write_text("this is a letter, not a recording")
    request.answers[1].uri = ""
    request.answers[1].unavailable_reason = "DOWNLOAD_FAILED"
    await world.call(world.stub.CreateSession, request)
    session = await world.until(request.session_id, COMPLETED, FAILED)
    document = await world.result(request.session_id)

    assert (session.state, session.reason) == (FAILED, "MEDIA_UNDECODABLE")
    assert document["status"] == "failed" and document["success"] is False
    assert [entry["error"]["reason"] for entry in document["results"]] == [
        "MEDIA_UNDECODABLE",
        "DOWNLOAD_FAILED",
    ]
    # Whoever sees SERVICE_UNAVAILABLE tries again, which here would never end.
    assert document["results"][0]["stages"]["extract"]["outcome"] == "INVALID_INPUT"
    assert not world.stages.calls


async def test_one_bad_answer_does_not_spoil_the_others(world: World) -> None:
    request = world.request(2)
    path = world.folder / "store" / "sessions" / request.session_id / "media" / "2.mp4"
    path.write_bytes(path.read_bytes()[:200])
    await world.call(world.stub.CreateSession, request)
    await world.until(request.session_id, COMPLETED)
    document = await world.result(request.session_id)

    assert "error" not in document["results"][0]
    assert document["results"][1]["error"]["stage"] == "extract"
    assert len(document["content"]) == 1


async def test_a_recording_without_sound_is_still_looked_at(world: World) -> None:
    request = world.request()
    world.recording(request.session_id, 1, audio=False)
    await world.call(world.stub.CreateSession, request)
    await world.until(request.session_id, COMPLETED)
    entry = (await world.result(request.session_id))["results"][0]

    assert world.stages.calls == {"vision": 1}
    assert entry["outcomes"]["transkripsi_en"] == "NO_AUDIO"
    assert entry["stages"]["assess"]["outcome"] == "NO_AUDIO"
    assert entry["kualitas_jawaban"] is None
    assert (entry["verdict"]["value"], entry["verdict"]["outcome"]) == (None, "NO_AUDIO")
    assert entry["cheating_detection"]["final_verdict"] == "No Data"


async def test_a_recording_without_picture_is_still_listened_to(world: World) -> None:
    request = world.request()
    make_tone(world.folder / "store" / "sessions" / request.session_id / "media" / "1.mp4")
    await world.call(world.stub.CreateSession, request)
    await world.until(request.session_id, COMPLETED)
    entry = (await world.result(request.session_id))["results"][0]

    assert "vision" not in world.stages.calls
    assert entry["stages"]["vision"]["outcome"] == "NO_VIDEO"
    assert entry["kualitas_jawaban"] == 6
    assert (entry["verdict"]["value"], entry["verdict"]["outcome"]) == (None, "NO_VIDEO")
    assert entry["verdict"]["sound"]["value"] == "Safe"
    assert entry["cheating_detection"]["final_avg_confidence"] == 0.0


async def test_a_missing_translator_is_not_configured_and_nothing_is_invented(world: World) -> None:
    world.stages.failures["translate"] = [NO_TRANSLATOR]
    session_id = await world.create()
    session = await world.until(session_id, COMPLETED)
    entry = (await world.result(session_id))["results"][0]

    assert entry["transkripsi_en"] and entry["transkripsi_id"] is None
    assert entry["outcomes"]["transkripsi_id"] == "NOT_CONFIGURED"
    assert session.answers[0].stages[2].state == orchestrator_pb2.STAGE_STATE_SKIPPED
