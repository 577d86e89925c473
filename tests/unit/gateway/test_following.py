"""A session's events and its recordings, as a page reads them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.sessions import AnswerView, SessionState, SessionView, StageView
from tests.gateway_bench import MP4, Bench, form, videos

pytestmark = pytest.mark.anyio


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def submit(bench: Bench, count: int = 1) -> str:
    reply = await bench.http.post("/upload", files=videos(*[MP4] * count), data=form(*["?"] * count))
    return str(reply.json()["session_id"])


def session(state: SessionState, *stages: StageView, **values: Any) -> SessionView:
    return SessionView("0" * 32, state, 1.0, answers=(AnswerView(1, stages), AnswerView(2, stages)), **values)


def read_events(text: str) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for block in text.strip().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
        found.append((lines.get("id", ""), json.loads(lines["data"])))
    return found


async def test_events_come_in_order_and_the_stream_ends_with_the_session(bench: Bench) -> None:
    session_id = await submit(bench)
    bench.orchestrator.finish(session_id, {"success": True})

    reply = await bench.http.get(f"/sessions/{session_id}/events")

    events = read_events(reply.text)
    assert reply.headers["Content-Type"].startswith("text/event-stream")
    assert [number for number, _ in events] == ["1", "2"]
    assert [data["status"] for _, data in events] == ["queued", "completed"]


async def test_a_name_can_not_end_a_line_of_an_event(bench: Bench) -> None:
    name = "Zo\u2028\u2029\u0085ë"
    bench.orchestrator.set(replace(session(SessionState.COMPLETED), candidate_name=name))

    text = (await bench.http.get(f"/sessions/{'0' * 32}/events")).text

    assert text.isascii()
    assert [data["candidate_name"] for _, data in read_events(text)] == [name]


async def test_events_resume_after_the_last_one_seen(bench: Bench) -> None:
    session_id = await submit(bench)
    bench.orchestrator.finish(session_id, {"success": True})

    reply = await bench.http.get(f"/sessions/{session_id}/events", headers={"Last-Event-ID": "1"})
    over = await bench.http.get(f"/sessions/{session_id}/events", headers={"Last-Event-ID": "2"})

    assert [number for number, _ in read_events(reply.text)] == ["2"]
    assert over.status_code == 204  # stops a browser from reconnecting without end


async def test_events_of_an_unknown_session_are_not_found(bench: Bench) -> None:
    assert (await bench.http.get(f"/sessions/{'0' * 32}/events")).status_code == 404


@pytest.mark.parametrize(
    ("header", "status", "first", "last"),
    [
        (None, 200, 0, len(MP4) - 1),
        ("bytes=0-3", 206, 0, 3),
        ("bytes=8-", 206, 8, len(MP4) - 1),
        ("bytes=-4", 206, len(MP4) - 4, len(MP4) - 1),
        ("bytes=0-999999", 206, 0, len(MP4) - 1),
        ("bytes=0-1,4-5", 200, 0, len(MP4) - 1),
        ("bytes=9-2", 200, 0, len(MP4) - 1),
        ("lines=1-2", 200, 0, len(MP4) - 1),
    ],
)
async def test_a_recording_is_sent_in_ranges(
    bench: Bench, header: str | None, status: int, first: int, last: int
) -> None:
    session_id = await submit(bench)

    reply = await bench.http.get(f"/media/{session_id}/1", headers={"Range": header} if header else {})

    assert reply.status_code == status
    assert reply.content == MP4[first : last + 1]
    assert reply.headers["Content-Type"] == "video/mp4"
    assert reply.headers["Content-Length"] == str(last - first + 1)
    if status == 206:
        assert reply.headers["Content-Range"] == f"bytes {first}-{last}/{len(MP4)}"


async def test_a_recording_has_a_name_of_ours_and_a_type_that_no_browser_may_doubt(bench: Bench) -> None:
    upload = await bench.http.post(
        "/upload", files=videos(MP4, name='x";.html.mp4'), data=form("?", candidate_name="<script>")
    )

    reply = await bench.http.get(f"/media/{upload.json()['session_id']}/1")

    assert reply.headers["Content-Disposition"] == 'inline; filename="answer-1.mp4"'
    assert reply.headers["Content-Type"] == "video/mp4"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_range_beyond_the_recording_is_unsatisfiable(bench: Bench) -> None:
    session_id = await submit(bench)

    reply = await bench.http.get(f"/media/{session_id}/1", headers={"Range": "bytes=99999-"})

    assert (reply.status_code, reply.headers["Content-Range"]) == (416, f"bytes */{len(MP4)}")


async def test_an_unknown_recording_is_not_found(bench: Bench) -> None:
    session_id = await submit(bench)

    assert (await bench.http.get(f"/media/{session_id}/2")).json()["code"] == "MEDIA_NOT_FOUND"
    assert (await bench.http.get(f"/media/{session_id}/one")).status_code == 422
