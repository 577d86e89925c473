"""What an upload may not do: never end, end early, come too often, or come from a foreign page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from chassis.errors import DeadlineError
from gateway.app import create_app
from tests.fakes.orchestrator import FakeOrchestrator
from tests.gateway_bench import MP4, Bench, form, videos

pytestmark = pytest.mark.anyio


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


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


@pytest.mark.parametrize("origin", ["http://[::1", "http://]", "[", "http://[evil"])
async def test_an_origin_that_is_no_address_is_refused(bench: Bench, origin: str) -> None:
    reply = await bench.http.post("/upload", files=videos(MP4), data=form("?"), headers={"Origin": origin})

    assert (reply.status_code, reply.json()["code"]) == (403, "ORIGIN_FORBIDDEN")


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
