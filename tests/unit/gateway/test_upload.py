"""`POST /upload`: both client shapes, every limit, and nothing left behind."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

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
