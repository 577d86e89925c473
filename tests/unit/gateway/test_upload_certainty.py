"""An upload whose acceptance is in doubt keeps its recording, and one that was refused leaves nothing."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from chassis.errors import (
    CancelledCallError,
    DeadlineError,
    ExhaustedError,
    InternalError,
    InterviewError,
    InvalidInputError,
    PreconditionError,
    UnavailableError,
)
from chassis.store import MediaStore
from gateway.app import create_app
from gateway.sessions import SessionDraft, SessionState, SessionView, parse_session_id
from gateway.uploads.submission import new_session_id
from tests.fakes.orchestrator import FakeOrchestrator
from tests.gateway_bench import MP4, Bench, form, videos

pytestmark = pytest.mark.anyio

KEYED = {"Idempotency-Key": "form-7"}
DOUBTS = [
    UnavailableError("Away.", reason="UNAVAILABLE"),
    UnavailableError("The database is away.", reason="DATABASE_UNAVAILABLE"),
    DeadlineError("Too late.", reason="DEADLINE_EXCEEDED"),
    CancelledCallError("Cancelled.", reason="CANCELLED"),
    InternalError("SQLite is locked.", reason="INTERNAL"),
    ExhaustedError("gRPC's own.", reason="RESOURCE_EXHAUSTED"),
]
REFUSALS = [
    InvalidInputError("Wrong.", reason="SESSION_INVALID"),
    PreconditionError("It was deleted.", reason="SESSION_DELETED"),
    ExhaustedError("Full.", reason="SESSIONS_FULL", retry_after_s=30.0),
]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def upload(bench: Bench, **headers: str) -> Any:
    return await bench.http.post("/upload", files=videos(MP4), data=form("?"), headers=headers)


def stored(bench: Bench) -> list[bytes]:
    return [path.read_bytes() for path in bench.store_dir.rglob("*.mp4")]


@pytest.mark.parametrize("doubt", DOUBTS, ids=lambda error: error.reason)
async def test_a_session_whose_reply_is_lost_keeps_its_recording(bench: Bench, doubt: InterviewError) -> None:
    bench.orchestrator.lost_reply = doubt

    reply = await upload(bench, **KEYED)

    assert (reply.status_code, reply.json()["code"]) == (503, "UPLOAD_UNCERTAIN")
    assert reply.headers["Retry-After"] == "30"
    assert "Idempotency-Key" in reply.json()["message"]
    assert "Nothing was accepted" not in reply.json()["message"]
    assert stored(bench) == [MP4]


async def test_the_repeat_of_an_upload_in_doubt_is_the_same_session(bench: Bench) -> None:
    bench.orchestrator.lost_reply = DOUBTS[0]
    await upload(bench, **KEYED)
    bench.orchestrator.failure = None

    again = await upload(bench, **KEYED)

    assert again.status_code == 200
    assert list(bench.orchestrator.drafts) == [again.json()["session_id"]]
    assert stored(bench) == [MP4]


async def test_without_a_key_the_client_is_told_where_to_look(bench: Bench) -> None:
    bench.orchestrator.lost_reply = DOUBTS[0]

    reply = await upload(bench)

    (session_id,) = bench.orchestrator.drafts
    assert f"/status/{session_id}" in reply.json()["message"]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda error: error.reason)
async def test_a_refused_session_leaves_nothing(bench: Bench, refusal: InterviewError) -> None:
    bench.orchestrator.refusal = refusal

    reply = await upload(bench, **KEYED)

    assert reply.json()["code"] == refusal.reason
    assert not bench.left_behind()


async def test_a_session_that_lost_its_recording_takes_it_from_the_repeat(bench: Bench) -> None:
    first = await upload(bench, **KEYED)
    for path in bench.store_dir.rglob("*.mp4"):
        path.unlink()

    again = await upload(bench, **KEYED)

    assert first.json() == again.json()
    assert stored(bench) == [MP4]


async def test_a_session_that_failed_without_its_recording_goes_on_with_it(bench: Bench) -> None:
    session_id = (await upload(bench, **KEYED)).json()["session_id"]
    for path in bench.store_dir.rglob("*.mp4"):
        path.unlink()
    failed = await bench.orchestrator.get_session(session_id)
    bench.orchestrator.set(replace(failed, state=SessionState.FAILED, reason="MEDIA_NOT_FOUND"))

    again = await upload(bench, **KEYED)

    assert again.status_code == 200
    assert stored(bench) == [MP4]
    assert (await bench.orchestrator.get_session(session_id)).state == SessionState.QUEUED


async def test_a_completed_session_whose_recording_expired_takes_nothing(bench: Bench) -> None:
    session_id = (await upload(bench, **KEYED)).json()["session_id"]
    bench.orchestrator.finish(session_id, {})
    for path in bench.store_dir.rglob("*.mp4"):
        path.unlink()

    again = await upload(bench, **KEYED)

    assert again.status_code == 200
    assert stored(bench) == []


async def test_a_refused_repeat_takes_no_recording_from_its_session(bench: Bench) -> None:
    await upload(bench, **KEYED)
    for path in bench.store_dir.rglob("*.mp4"):
        path.unlink()
    create = bench.orchestrator.create_session
    calls = 0

    class Refusing(FakeOrchestrator):
        """Finds nothing wrong with the repeat, and refuses it once its recording is in the store."""

        async def get_session(self, session_id: str) -> SessionView:
            return await bench.orchestrator.get_session(session_id)

        async def create_session(self, draft: SessionDraft) -> SessionView:
            nonlocal calls
            calls += 1
            if calls > 1:
                raise REFUSALS[0]
            return await create(draft)

    app = create_app(bench.settings, Refusing(), bench.store)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
        reply = await http.post("/upload", files=videos(MP4), data=form("?"), headers=KEYED)

    assert reply.json()["code"] == REFUSALS[0].reason
    assert stored(bench) == [MP4]


class StoreThatGoesAway(MediaStore):
    """Takes recordings, and can't be asked for them afterwards."""

    async def exists(self, key: str) -> bool:
        raise UnavailableError("Away.", reason="STORE_UNAVAILABLE")


async def test_an_accepted_upload_is_not_refused_because_the_store_went_away_behind_it(bench: Bench) -> None:
    app = create_app(bench.settings, bench.orchestrator, StoreThatGoesAway(bench.store_dir.as_uri()))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
        reply = await http.post("/upload", files=videos(MP4), data=form("?"))

    assert reply.status_code == 200
    assert stored(bench) == [MP4]


async def test_what_another_replica_removed_meanwhile_is_put_back(bench: Bench) -> None:
    create = bench.orchestrator.create_session
    calls = 0

    class Racing(FakeOrchestrator):
        async def create_session(self, draft: SessionDraft) -> SessionView:
            nonlocal calls
            calls += 1
            if calls == 1:
                for path in bench.store_dir.rglob("*.mp4"):
                    path.unlink()
            return await create(draft)

    app = create_app(bench.settings, Racing(), bench.store)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
        reply = await http.post("/upload", files=videos(MP4), data=form("?"))

    assert (reply.status_code, calls) == (200, 2)
    assert stored(bench) == [MP4]


async def test_equal_keys_of_two_clients_are_two_sessions(bench: Bench) -> None:
    one = await upload(bench, **KEYED)
    bench.http._transport.client = ("10.0.0.2", 123)  # type: ignore[attr-defined]
    other = await upload(bench, **KEYED)

    assert one.json()["session_id"] != other.json()["session_id"]
    assert len(bench.orchestrator.drafts) == 2


async def test_a_session_id_can_be_worked_out_by_nobody_outside(bench: Bench) -> None:
    session_id = (await upload(bench, **KEYED)).json()["session_id"]

    assert session_id != hashlib.sha256(b"127.0.0.1\0form-7").hexdigest()[:32]


async def test_replicas_agree_on_a_secret_that_the_store_keeps(tmp_path: Path) -> None:
    one, two = (Bench(tmp_path, session_id_secret="") for _ in range(2))
    first = await upload(one, **KEYED)
    second = await upload(two, **KEYED)
    elsewhere = await upload(Bench(tmp_path / "other", session_id_secret=""), **KEYED)

    assert first.json()["session_id"] == second.json()["session_id"]
    assert elsewhere.json()["session_id"] != first.json()["session_id"]


async def test_a_new_session_id_has_128_random_bits() -> None:
    ids = [new_session_id() for _ in range(100)]

    assert {parse_session_id(session_id) for session_id in ids} == set(ids)
    for place in range(32):  # A UUID has the same digit at one place in all of them.
        assert len({session_id[place] for session_id in ids}) > 4
