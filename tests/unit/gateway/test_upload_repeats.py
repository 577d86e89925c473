"""An Idempotency-Key that comes again: the same upload is the same session, and another upload is not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.folders import files_below
from tests.gateway_bench import MP4, Bench, form, videos

pytestmark = pytest.mark.anyio

KEYED = {"Idempotency-Key": "form-7"}
OTHER_MP4 = MP4 + b"another one"
OTHERS = {
    "recording": (videos(OTHER_MP4), form("?")),
    "more recordings": (videos(MP4, OTHER_MP4), form("?", "!")),
    "question": (videos(MP4), form("!")),
    "candidate": (videos(MP4), form("?", candidate_name="B. Candidate")),
    "rubric": (videos(MP4), form("?", rubric="technical")),
    "language": (videos(MP4), form("?", language="id")),
}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def stored(bench: Bench) -> list[bytes]:
    return [path.read_bytes() for path in bench.store_dir.rglob("*.mp4")]


def spooled(bench: Bench) -> list[Path]:
    return files_below(bench.spool_dir)


@pytest.mark.parametrize(("files", "fields"), OTHERS.values(), ids=OTHERS)
async def test_another_upload_under_a_used_key_is_not_taken_for_the_first(
    bench: Bench, files: Any, fields: Any
) -> None:
    first = await bench.http.post("/upload", files=videos(MP4), data=form("?"), headers=KEYED)

    other = await bench.http.post("/upload", files=files, data=fields, headers=KEYED)
    again = await bench.http.post("/upload", files=videos(MP4), data=form("?"), headers=KEYED)

    assert (other.status_code, other.json()["code"]) == (409, "SESSION_DIFFERS")
    assert "Idempotency-Key" in other.json()["message"]
    assert again.json() == first.json()
    assert stored(bench) == [MP4]
    assert spooled(bench) == []


async def test_a_session_without_its_recording_takes_no_other_one(bench: Bench) -> None:
    await bench.http.post("/upload", files=videos(MP4), data=form("?"), headers=KEYED)
    for path in bench.store_dir.rglob("*.mp4"):
        path.unlink()

    other = await bench.http.post("/upload", files=videos(OTHER_MP4), data=form("?"), headers=KEYED)

    assert other.json()["code"] == "SESSION_DIFFERS"
    assert stored(bench) == []


async def test_a_repeat_is_not_counted_and_needs_no_quota(tmp_path: Path) -> None:
    bench = Bench(tmp_path, rate_limit_uploads="1/hour")

    replies = [
        await bench.http.post("/upload", files=videos(MP4), data=form("?"), headers=KEYED) for _ in range(3)
    ]

    assert [reply.status_code for reply in replies] == [200, 200, 200]


async def test_a_repeat_may_be_no_larger_than_an_upload(bench: Bench) -> None:
    await bench.http.post("/upload", files=videos(MP4), data=form("?"), headers=KEYED)

    async def endless() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="videos"; filename="a.mp4"\r\n\r\n' + MP4
        for _ in range(1000):
            yield bytes(bench.settings.max_file_bytes)

    headers = KEYED | {"Content-Type": "multipart/form-data; boundary=x"}
    reply = await bench.http.post("/upload", content=endless(), headers=headers)

    assert (reply.status_code, reply.json()["code"]) == (413, "FILE_TOO_LARGE")
