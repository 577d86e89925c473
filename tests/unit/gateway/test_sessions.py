"""States, results, events, media and the handling of sessions over HTTP."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chassis.errors import NotFoundError
from gateway.sessions import AnswerView, SessionState, SessionView, StageState, StageView
from gateway.status import LEGACY_HEADER, describe
from tests.gateway_bench import MP4, Bench, form, videos

pytestmark = pytest.mark.anyio
LEGACY = {LEGACY_HEADER: "true"}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def submit(bench: Bench, count: int = 1) -> str:
    reply = await bench.http.post("/upload", files=videos(*[MP4] * count), data=form(*["?"] * count))
    return str(reply.json()["session_id"])


def session(state: SessionState, *stages: StageView, **values: Any) -> SessionView:
    return SessionView("0" * 32, state, 1.0, answers=(AnswerView(1, stages), AnswerView(2, stages)), **values)


@pytest.mark.parametrize(
    ("state", "word", "legacy_word"),
    [
        (SessionState.FETCHING, "uploading", "processing"),
        (SessionState.QUEUED, "queued", "processing"),
        (SessionState.PROCESSING, "processing", "processing"),
        (SessionState.COMPLETED, "completed", "completed"),
        (SessionState.FAILED, "failed", "error"),
        (SessionState.CANCELLED, "failed", "error"),
    ],
)
def test_the_original_pages_get_only_words_that_they_know(
    state: SessionState, word: str, legacy_word: str
) -> None:
    assert describe(session(state))["status"] == word
    assert describe(session(state), legacy=True)["status"] == legacy_word


def test_a_running_stage_is_named_with_its_video() -> None:
    stages = (StageView("extract", StageState.DONE, 1.0), StageView("transcribe", StageState.RUNNING, 0.5))

    body = describe(session(SessionState.PROCESSING, *stages, done_ratio=0.25, remaining_s=12.34))

    assert body["message"] == "Transcribing video 1/2..."
    assert (body["progress"], body["current_video"], body["total_videos"]) == ("1/2", 1, 2)
    assert (body["percent"], body["eta_s"]) == (25.0, 12.3)
    assert body["stages"]["transcribe"] == {
        "state": "running",
        "done": 0,
        "failed": 0,
        "skipped": 0,
        "total": 2,
        "percent": 50.0,
    }


def test_a_stage_that_was_left_out_is_not_counted_as_done() -> None:
    one = AnswerView(1, (StageView("extract", StageState.DONE),))
    two = AnswerView(2, (StageView("extract", StageState.SKIPPED, reason="FETCH_FAILED"),))
    view = SessionView("1" * 32, SessionState.COMPLETED, 1.0, 2.0, (one, two))

    extract = describe(view)["stages"]["extract"]

    assert (extract["state"], extract["done"], extract["skipped"], extract["total"]) == ("done", 1, 1, 2)
    assert extract["percent"] == 100.0


def test_a_failed_session_says_why_in_plain_words() -> None:
    stage = StageView("transcribe", StageState.FAILED, reason="MEDIA_UNDECODABLE", message="No sound in it.")

    body = describe(
        session(SessionState.FAILED, stage, reason="NO_ANSWER", message="No answer could be read.")
    )

    assert (body["code"], body["error"]) == ("NO_ANSWER", "No answer could be read.")
    assert "Video 1: transcribe: No sound in it." in body["error_detail"]
    assert body["results_url"].endswith(".json")


def test_a_completed_session_counts_its_failed_answers() -> None:
    good = AnswerView(1, (StageView("assess", StageState.DONE),), assessed=True)
    bad = AnswerView(2, (StageView("extract", StageState.FAILED, message="No sound."),), assessed=False)

    body = describe(replace(session(SessionState.COMPLETED), answers=(good, bad)))

    assert body["redirect"] == f"halaman_dasboard.html?session={'0' * 32}"
    assert body["result"]["successful_videos"] == body["result"]["failed_videos"] == 1
    assert body["result"]["transcriptions"] == [{"positionId": 2, "error": "No sound."}]


async def test_a_dashed_uuid_is_understood_and_hex_is_given_back(bench: Bench) -> None:
    session_id = await submit(bench)

    reply = await bench.http.get(f"/status/{uuid.UUID(session_id)}")

    assert reply.status_code == 200
    assert reply.json()["session_id"] == session_id
    assert reply.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "session_id", ["abc", "0" * 31, "0" * 33, "..%2f..%2fetc", "g" * 32, "0" * 32 + "%0a"]
)
async def test_malformed_ids_are_refused(bench: Bench, session_id: str) -> None:
    for path in ("/status/", "/results/", "/media/"):
        reply = await bench.http.get(path + session_id + ("/1" if path == "/media/" else ""))
        assert reply.status_code in (400, 404)
        assert reply.json()["code"] in ("SESSION_ID_INVALID", "NOT_FOUND")


async def test_an_unknown_session_is_not_found_in_the_originals_words(bench: Bench) -> None:
    reply = await bench.http.get(f"/status/{'0' * 32}", headers=LEGACY)

    assert reply.status_code == 404
    assert reply.json()["status"] == "not_found"
    assert reply.json()["message"] == "Session not found"


async def test_results_are_an_object_under_both_addresses(bench: Bench) -> None:
    session_id = await submit(bench)
    bench.orchestrator.finish(session_id, {"success": True, "name": "Ä"})

    for path in (f"/results/{session_id}", f"/results/{session_id}.json"):
        reply = await bench.http.get(path)
        assert reply.json() == {"success": True, "name": "Ä"}
        assert reply.headers["Content-Type"] == "application/json"


async def test_results_of_a_running_session_are_a_conflict_and_of_an_expired_one_gone(bench: Bench) -> None:
    session_id = await submit(bench)
    running = await bench.http.get(f"/results/{session_id}")
    bench.orchestrator.failure = NotFoundError("It was deleted by age.", reason="RESULT_EXPIRED")
    expired = await bench.http.get(f"/results/{session_id}.json")

    assert (running.status_code, running.json()["code"]) == (409, "SESSION_NOT_FINISHED")
    assert (expired.status_code, expired.json()["code"]) == (410, "RESULT_EXPIRED")


async def test_a_session_is_judged_anew_and_both_versions_can_be_read(bench: Bench) -> None:
    session_id = await submit(bench)
    bench.orchestrator.finish(session_id, {"provenance": {"rubric_id": "general"}})

    path = f"/sessions/{session_id}/reassess"
    made = await bench.http.post(path, json={"rubric_id": "technical"})
    again = await bench.http.post(path, json={"rubric_id": "technical"})
    listed = (await bench.http.get(f"/sessions/{session_id}/versions")).json()
    rubrics = [
        (await bench.http.get(f"/results/{session_id}{query}")).json()["provenance"]["rubric_id"]
        for query in ("", "?version=1", "?version=2", ".json?version=1")
    ]

    assert made.status_code == 200
    assert (made.json()["version"], made.json()["state"], made.json()["existing"]) == (2, "completed", False)
    assert again.json() == made.json() | {"existing": True}
    assert [version["version"] for version in listed["versions"]] == [1, 2]
    assert listed["versions"][1]["results_url"] == f"/results/{session_id}?version=2"
    assert rubrics == ["technical", "general", "technical", "general"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"rubric_id": "astrology"}', 400, "RUBRIC_UNKNOWN"),
        (b'{"rubric_id": ""}', 422, "REQUEST_INVALID"),
        (b'{"rubric_id": 5}', 422, "REQUEST_INVALID"),
        (b"{}", 422, "REQUEST_INVALID"),
        (b"", 422, "REQUEST_INVALID"),
        (b"{broken", 422, "REQUEST_INVALID"),
        (b"\xff", 422, "REQUEST_INVALID"),
        (b'{"rubric_id": "' + b"x" * 5000 + b'"}', 413, "UPLOAD_TOO_LARGE"),
    ],
)
async def test_a_wrong_reassessment_is_refused_and_makes_no_version(
    bench: Bench, body: bytes, status: int, code: str
) -> None:
    session_id = await submit(bench)
    bench.orchestrator.finish(session_id, {"success": True})

    reply = await bench.http.post(f"/sessions/{session_id}/reassess", content=body)

    assert (reply.status_code, reply.json()["code"], reply.json()["success"]) == (status, code, False)
    assert session_id not in bench.orchestrator.versions


async def test_only_a_finished_session_is_judged_anew(bench: Bench) -> None:
    running = await submit(bench)
    order = {"rubric_id": "technical"}
    early = await bench.http.post(f"/sessions/{running}/reassess", json=order)
    unknown = await bench.http.post(f"/sessions/{'0' * 32}/reassess", json=order)

    assert (early.status_code, early.json()["code"]) == (409, "SESSION_NOT_FINISHED")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "SESSION_NOT_FOUND")


@pytest.mark.parametrize(
    ("version", "status", "code"),
    [
        ("2", 404, "RESULT_VERSION_NOT_FOUND"),
        ("0", 422, "REQUEST_INVALID"),
        ("-1", 422, "REQUEST_INVALID"),
        ("two", 422, "REQUEST_INVALID"),
        ("99999999999", 422, "REQUEST_INVALID"),
    ],
)
async def test_a_version_that_does_not_exist_is_refused(
    bench: Bench, version: str, status: int, code: str
) -> None:
    session_id = await submit(bench)
    bench.orchestrator.finish(session_id, {"success": True})

    reply = await bench.http.get(f"/results/{session_id}?version={version}")

    assert (reply.status_code, reply.json()["code"]) == (status, code)


async def test_sessions_are_listed_by_page_and_state(bench: Bench) -> None:
    ids = [await submit(bench) for _ in range(3)]
    await bench.http.post(f"/sessions/{ids[0]}/cancel")

    first = (await bench.http.get("/sessions?page_size=2")).json()
    second = (await bench.http.get(f"/sessions?page_size=2&page_token={first['next_page_token']}")).json()
    cancelled = (await bench.http.get("/sessions?state=cancelled")).json()

    assert [item["session_id"] for item in first["sessions"] + second["sessions"]] == ids[::-1]
    assert [item["session_id"] for item in cancelled["sessions"]] == ids[:1]


@pytest.mark.parametrize("state", list(SessionState))
async def test_every_state_filters_the_list_and_has_a_word(bench: Bench, state: SessionState) -> None:
    other = SessionState.QUEUED if state is not SessionState.QUEUED else SessionState.PROCESSING
    for number, given in enumerate((state, other)):
        bench.orchestrator.set(replace(session(given), session_id=str(number) * 32))

    listed = (await bench.http.get("/sessions", params={"state": state.value})).json()["sessions"]

    assert [(item["session_id"], item["state"]) for item in listed] == [("0" * 32, state.value)]
    assert listed[0]["status"] in ("uploading", "queued", "processing", "completed", "failed")
    assert listed[0]["message"]


async def test_an_unknown_state_is_refused_with_those_that_there_are(bench: Bench) -> None:
    reply = await bench.http.get("/sessions?state=lost")

    assert (reply.status_code, reply.json()["code"]) == (400, "STATE_UNKNOWN")
    assert all(state.value in reply.json()["message"] for state in SessionState)


def test_times_are_told_in_seconds_and_as_iso_8601_in_utc() -> None:
    body = describe(replace(session(SessionState.FAILED), create_time_s=0.25, end_time_s=86_400.0))

    assert (body["create_time_s"], body["create_time"]) == (0.25, "1970-01-01T00:00:00.250Z")
    assert (body["end_time_s"], body["end_time"]) == (86_400.0, "1970-01-02T00:00:00.000Z")
    assert describe(session(SessionState.QUEUED))["end_time"] is None


async def test_a_session_is_cancelled_retried_and_deleted(bench: Bench) -> None:
    session_id = await submit(bench)

    too_early = await bench.http.post(f"/sessions/{session_id}/retry")
    cancelled = await bench.http.post(f"/sessions/{session_id}/cancel")
    retried = await bench.http.post(f"/sessions/{session_id}/retry")
    deleted = await bench.http.delete(f"/sessions/{session_id}")

    assert (too_early.status_code, too_early.json()["code"]) == (409, "SESSION_NOT_FINISHED")
    assert (cancelled.json()["state"], retried.json()["state"]) == ("cancelled", "queued")
    assert deleted.json()["success"] is True
    assert deleted.json()["receipt"]["artifacts"] == [
        {"kind": "media", "name": "media/1.mp4", "digest": "ab" * 32, "size_bytes": 15}
    ]
    assert (await bench.http.get(f"/status/{session_id}")).status_code == 404
