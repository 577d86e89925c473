"""`POST /upload`: both client shapes, every limit, and nothing left behind."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from chassis.errors import DeadlineError
from gateway.app import create_app
from tests.fakes.orchestrator import FakeOrchestrator
from tests.gateway_bench import AVI, MP4, WEBM, Bench, form, videos

pytestmark = pytest.mark.anyio


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def test_the_originals_form_becomes_a_durable_session(bench: Bench) -> None:
    reply = await bench.http.post("/upload", files=videos(MP4, WEBM), data=form("Why?", "How?"))

    body = reply.json()
    draft = bench.orchestrator.drafts[body["session_id"]]
    assert reply.status_code == 200
    assert body["success"] is True
    assert (body["uploaded_videos"], body["status"], body["job_id"]) == (2, "queued", body["session_id"])
    assert body["status_url"] == f"/status/{body['session_id']}"
    assert (draft.candidate_name, draft.language_code) == ("A. Candidate", "en")
    assert [answer.question for answer in draft.answers] == ["Why?", "How?"]
    assert [answer.position for answer in draft.answers] == [1, 2]
    assert draft.answers[0].digest == hashlib.sha256(MP4).hexdigest()
    assert await bench.store.get_bytes(bench.store.key(draft.answers[0].uri)) == MP4
    assert not list(bench.spool_dir.iterdir())


async def test_the_design_documents_form_needs_no_questions_and_defaults_to_indonesian(bench: Bench) -> None:
    reply = await bench.http.post("/upload?jumlah_pertanyaan=3", files=videos(MP4, MP4, field="files"))

    draft = bench.orchestrator.drafts[reply.json()["session_id"]]
    assert reply.status_code == 200
    assert draft.language_code == "id"
    assert [answer.question for answer in draft.answers] == ["", ""]


@pytest.mark.parametrize("place", ["query", "form"])
async def test_a_number_of_questions_that_is_not_the_number_of_files_is_accepted_and_said(
    bench: Bench, place: str
) -> None:
    count = {"jumlah_pertanyaan": "3"}
    files = videos(MP4, MP4, field="files")
    reply = await bench.http.post(
        "/upload",
        files=files,
        params=count if place == "query" else {},
        data=count if place == "form" else {},
    )

    assert reply.status_code == 200
    [warning] = reply.json()["warnings"]
    assert warning.startswith("jumlah_pertanyaan is 3, and the number of videos is 2. All 2 are assessed.")


async def test_a_number_of_questions_that_is_right_or_not_named_is_no_warning(bench: Bench) -> None:
    for query in ("", "?jumlah_pertanyaan=1"):
        reply = await bench.http.post(f"/upload{query}", files=videos(MP4, field="files"))
        assert reply.json()["warnings"] == []


@pytest.mark.parametrize(
    ("sent", "rubric_ids"),
    [([], ["", ""]), (["technical"], ["technical"] * 2), (["technical", " "], ["technical", ""])],
)
async def test_a_rubric_is_for_all_answers_or_for_each(
    bench: Bench, sent: list[str], rubric_ids: list[str]
) -> None:
    data = form("1?", "2?") | {"rubric": sent}
    reply = await bench.http.post("/upload", files=videos(MP4, AVI), data=data)

    draft = bench.orchestrator.drafts[reply.json()["session_id"]]
    assert [answer.rubric_id for answer in draft.answers] == rubric_ids


async def test_rubrics_of_another_number_are_refused(bench: Bench) -> None:
    data = form("1?") | {"rubric": ["technical", "general"]}
    reply = await bench.http.post("/upload", files=videos(MP4), data=data)

    assert (reply.status_code, reply.json()["code"]) == (400, "RUBRIC_COUNT_MISMATCH")
    assert bench.orchestrator.drafts == {}


async def test_both_file_fields_are_taken_together_in_order(bench: Bench) -> None:
    files = videos(MP4, field="files") + videos(AVI, name="b.avi")

    reply = await bench.http.post("/upload", files=files, data=form("1?", "2?"))

    draft = bench.orchestrator.drafts[reply.json()["session_id"]]
    assert [Path(answer.uri).suffix for answer in draft.answers] == [".mp4", ".avi"]


async def test_language_may_come_in_the_query_and_auto_leaves_it_open(bench: Bench) -> None:
    reply = await bench.http.post("/upload?language=auto", files=videos(MP4, field="files"))

    assert bench.orchestrator.drafts[reply.json()["session_id"]].language_code == ""


async def test_a_recording_is_stored_under_the_extension_of_what_it_is(bench: Bench) -> None:
    reply = await bench.http.post("/upload", files=videos(WEBM, name="x.mp4"), data=form("?"))

    draft = bench.orchestrator.drafts[reply.json()["session_id"]]
    assert draft.answers[0].uri.endswith("/media/1.webm")


@pytest.mark.parametrize(
    ("refused", "name"),
    [
        (b"", "answer.mp4"),
        (b"text" * 50, "answer.mp4"),
        (MP4 + b"\x00" * 10_000, "answer.mp4"),
        (MP4, "a.exe"),
    ],
)
async def test_a_refusal_names_its_file(bench: Bench, refused: bytes, name: str) -> None:
    files = [*videos(MP4, MP4), *videos(refused, name=name), *videos(MP4)]

    reply = await bench.http.post("/upload", files=files, data=form(*["?"] * 4))

    assert reply.json()["fields"] == {"videos[2]": reply.json()["message"]}


@pytest.mark.parametrize(
    ("files", "data", "status", "code"),
    [
        (videos(b""), form("?"), 400, "FILE_EMPTY"),
        (videos(b"just some text, not a video at all" * 9), form("?"), 415, "NOT_A_VIDEO"),
        (videos(b"short"), form("?"), 415, "NOT_A_VIDEO"),
        (videos(*[MP4] * 6), form(*["?"] * 6), 400, "TOO_MANY_FILES"),
        (videos(MP4, MP4), form("only one"), 400, "QUESTION_COUNT_MISMATCH"),
        (videos(MP4), form("?", language="klingon"), 400, "LANGUAGE_INVALID"),
        (videos(MP4, name="answer.exe"), form("?"), 400, "FILE_TYPE_INVALID"),
        (videos(MP4, name="noextension"), form("?"), 400, "FILE_TYPE_INVALID"),
        (videos(MP4 + b"\x00" * 10_000), form("?"), 413, "FILE_TOO_LARGE"),
        (videos(MP4), form("?", candidate_name="x" * 20_000), 413, "FIELD_TOO_LARGE"),
        (videos(MP4), form("x" * 3_000), 400, "QUESTION_TOO_LONG"),
        (videos(MP4, field="files"), {"jumlah_pertanyaan": "many"}, 400, "QUESTION_COUNT_INVALID"),
        ([], form("?"), 415, "CONTENT_TYPE_UNSUPPORTED"),
    ],
)
async def test_bad_uploads_are_refused_in_one_shape_and_leave_nothing(
    bench: Bench, files: list[Any], data: dict[str, Any], status: int, code: str
) -> None:
    reply = await bench.http.post("/upload", files=files or None, data=data)

    body = reply.json()
    assert (reply.status_code, body["code"]) == (status, code)
    assert body["success"] is False
    assert body["error"] == body["message"] == body["detail"]
    assert not bench.left_behind()
    assert not bench.orchestrator.drafts


@pytest.mark.parametrize(
    ("files", "missing"), [([("other", ("a.txt", b"x"))], "videos"), (videos(MP4), "questions")]
)
async def test_missing_fields_are_answered_as_fastapi_does(
    bench: Bench, files: list[Any], missing: str
) -> None:
    reply = await bench.http.post("/upload", files=files)

    assert reply.status_code == 422
    assert reply.json()["detail"][0]["loc"] == ["body", missing]
    assert reply.json()["code"] == "REQUEST_INVALID"
    assert not bench.left_behind()


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.mp4", "..\\..\\evil.mp4", "/etc/cron.d/x.mp4", "a\x00b\n.mp4"]
)
async def test_path_tricks_in_file_names_never_reach_the_store(bench: Bench, name: str) -> None:
    boundary = b"b0undary"
    disposition = b'form-data; name="%s"'
    body = b"".join(
        (
            b"--" + boundary + b"\r\nContent-Disposition: " + disposition % b"questions" + b"\r\n\r\n?\r\n",
            b"--" + boundary + b"\r\nContent-Disposition: " + disposition % b"videos",
            b'; filename="' + name.encode().replace(b"\n", b" ") + b'"\r\n\r\n' + MP4 + b"\r\n",
            b"--" + boundary + b"--\r\n",
        )
    )
    headers = {"Content-Type": "multipart/form-data; boundary=b0undary"}

    reply = await bench.http.post("/upload", content=body, headers=headers)

    if reply.status_code == 200:
        session_id = reply.json()["session_id"]
        stored = [item.key for item in await bench.store.list("")]
        assert stored == [f"sessions/{session_id}/media/1.mp4"]
        shown = bench.orchestrator.drafts[session_id].answers[0].file_name
        assert "/" not in shown and "\\" not in shown and "\x00" not in shown
    else:
        assert reply.json()["code"] == "MULTIPART_INVALID"


async def endless(pulled: list[int]) -> AsyncIterator[bytes]:
    yield b'--B\r\nContent-Disposition: form-data; name="videos"; filename="a.mp4"\r\n\r\n' + MP4
    while True:
        pulled.append(65_536)
        yield b"\x00" * 65_536


async def test_a_body_that_never_ends_is_cut(bench: Bench) -> None:
    pulled: list[int] = []
    headers = {"Content-Type": "multipart/form-data; boundary=B"}

    reply = await bench.http.post("/upload", content=endless(pulled), headers=headers)

    assert (reply.status_code, reply.json()["code"]) == (413, "FILE_TOO_LARGE")
    assert sum(pulled) < 40_000_000  # the limit, and what is dropped out of politeness
    assert not bench.left_behind()


async def test_a_body_that_says_it_is_too_large_is_refused_unread(bench: Bench) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=B", "Content-Length": "99999999999"}

    reply = await bench.http.post("/upload", content=b"--B", headers=headers)

    assert (reply.status_code, reply.json()["code"]) == (413, "UPLOAD_TOO_LARGE")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--B\r\n",
        b"no form at all",
        b'--B\r\nContent-Disposition: form-data; name="videos"; filename="a.mp4"\r\n\r\n' + MP4,
    ],
)
async def test_a_form_that_ends_early_is_refused(bench: Bench, body: bytes) -> None:
    reply = await bench.http.post(
        "/upload", content=body, headers={"Content-Type": "multipart/form-data; boundary=B"}
    )

    assert (reply.status_code, reply.json()["code"]) == (400, "MULTIPART_INVALID")
    assert not bench.left_behind()


async def test_with_the_orchestrator_down_the_media_are_removed(bench: Bench) -> None:
    bench.orchestrator.go_down()

    reply = await bench.http.post("/upload", files=videos(MP4), data=form("?"))

    assert (reply.status_code, reply.json()["code"]) == (503, "ORCHESTRATOR_UNAVAILABLE")
    assert reply.headers["Retry-After"] == "30"
    assert not bench.left_behind()


async def test_a_late_answer_of_the_orchestrator_is_not_taken_for_a_failure(tmp_path: Path) -> None:
    bench = Bench(tmp_path)

    class Late(FakeOrchestrator):
        async def create_session(self, draft: Any) -> Any:
            await super().create_session(draft)
            raise DeadlineError("Too late.", reason="DEADLINE_EXCEEDED")

    late = Late()
    app = create_app(bench.settings, late, bench.store)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
        reply = await http.post("/upload", files=videos(MP4), data=form("?"))

    assert reply.status_code == 200
    assert len(bench.left_behind()) == 1


async def test_the_same_idempotency_key_is_the_same_session(bench: Bench) -> None:
    headers = {"Idempotency-Key": "form-7"}

    first = await bench.http.post("/upload", files=videos(MP4), data=form("?"), headers=headers)
    again = await bench.http.post("/upload", files=videos(MP4), data=form("?"), headers=headers)
    other = await bench.http.post("/upload", files=videos(MP4), data=form("?"))

    assert first.json() == again.json()
    assert other.json()["session_id"] != first.json()["session_id"]
    assert len(bench.orchestrator.drafts) == 2


async def test_uploads_beyond_the_rate_are_told_when_to_come_back(tmp_path: Path) -> None:
    bench = Bench(tmp_path, rate_limit_uploads="2/hour")

    replies = [await bench.http.post("/upload", files=videos(MP4), data=form("?")) for _ in range(3)]

    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert replies[2].json()["code"] == "RATE_LIMITED"
    assert 1 <= int(replies[2].headers["Retry-After"]) <= 3600


async def test_a_page_of_an_unknown_origin_may_not_upload(bench: Bench) -> None:
    evil = await bench.http.post(
        "/upload", files=videos(MP4), data=form("?"), headers={"Origin": "https://evil.example"}
    )
    original = await bench.http.post(
        "/upload", files=videos(MP4), data=form("?"), headers={"Origin": "http://localhost:5500"}
    )
    own = await bench.http.post(
        "/upload", files=videos(MP4), data=form("?"), headers={"Origin": "http://127.0.0.1:7860"}
    )

    assert (evil.status_code, evil.json()["code"]) == (403, "ORIGIN_FORBIDDEN")
    assert original.status_code == own.status_code == 200
    assert original.headers["Access-Control-Allow-Origin"] == "http://localhost:5500"


async def test_the_original_pages_preflight_is_allowed(bench: Bench) -> None:
    reply = await bench.http.options(
        "/upload",
        headers={
            "Origin": "http://127.0.0.1:5500",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "ngrok-skip-browser-warning",
        },
    )

    assert reply.status_code == 200
    assert "Access-Control-Allow-Credentials" not in reply.headers
