"""A link that only keeps its connection open gives its place up: least pace, total time, time to begin."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chassis.client import is_transient
from chassis.errors import InterviewError
from orchestrator.links.pace import Pace, StalledError, TooSlowError
from tests.link_server import LIMITS, VIDEO, WHOLE, Answer, downloader, fetch, http_reply, rest_from, serving

pytestmark = pytest.mark.anyio

SHORT_S = 0.3


def dripping(first: int, *, every_s: float = 0.05, claimed_bytes: int = 4_000) -> Answer:
    """Send the beginning of a video, then a byte at a time."""

    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        headers = f'ETag: "1"\r\nContent-Length: {claimed_bytes}\r\n'.encode()
        writer.write(http_reply(VIDEO[:first], headers=headers))
        while not writer.is_closing():
            await writer.drain()
            await asyncio.sleep(every_s)
            writer.write(b"x")

    return answer


async def failure(answer: Answer, path: Path, **limits: Any) -> tuple[InterviewError, int]:
    """Return how a download ends, and how often its server was asked."""
    async with serving(answer) as files:
        fetcher = downloader(limits=replace(LIMITS, **limits))
        with pytest.raises(InterviewError) as caught:
            await fetch(fetcher, files.url, path)
        return caught.value, len(files.requests)


async def test_a_server_that_drips_loses_its_place_and_is_not_asked_again_at_once(tmp_path: Path) -> None:
    error, request_count = await failure(
        dripping(100), tmp_path / "v", stall_s=SHORT_S, min_bytes_per_s=10_000
    )

    assert (error.reason, error.code) == ("DOWNLOAD_TOO_SLOW", "DEADLINE_EXCEEDED")
    assert request_count <= 2  # A busy machine may drip so slowly that it counts as silent.
    assert not is_transient(error)
    assert "10,000 bytes a second" in error.message


async def test_a_server_that_falls_silent_is_asked_for_the_rest_once(tmp_path: Path) -> None:
    silence = asyncio.Event()
    replies = [http_reply(VIDEO[:100], headers=WHOLE), rest_from(100)]

    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(replies.pop(0))
        await writer.drain()
        if replies:
            await silence.wait()

    async with serving(answer) as files:
        await fetch(downloader(limits=replace(LIMITS, stall_s=SHORT_S)), files.url, tmp_path / "v")
        silence.set()

    assert (tmp_path / "v").read_bytes() == VIDEO
    assert b"Range: bytes=100-" in files.requests[1]


async def test_a_server_that_falls_silent_twice_loses_its_place(tmp_path: Path) -> None:
    error, request_count = await failure(dripping(100, every_s=60), tmp_path / "v", stall_s=SHORT_S)

    assert (error.reason, request_count) == ("DOWNLOAD_TOO_SLOW", 2)
    assert not is_transient(error)


@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 200 OK\r\nX: "])
async def test_a_server_that_does_not_begin_is_asked_twice(tmp_path: Path, beginning: bytes) -> None:
    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(beginning)
        while beginning and not writer.is_closing():  # A header that never ends.
            await writer.drain()
            await asyncio.sleep(0.05)
            writer.write(b"x")
        await asyncio.sleep(60 if not beginning else 0)

    error, request_count = await failure(answer, tmp_path / "v", stall_s=SHORT_S)

    assert (error.reason, request_count) == ("DOWNLOAD_TOO_SLOW", 2)
    assert not is_transient(error)


async def test_the_whole_download_has_its_time(tmp_path: Path) -> None:
    error, request_count = await failure(
        dripping(1_000), tmp_path / "v", timeout_s=SHORT_S, min_bytes_per_s=1
    )

    assert (error.reason, error.code, request_count) == ("DOWNLOAD_TOO_SLOW", "DEADLINE_EXCEEDED", 1)
    assert not is_transient(error)


async def test_a_page_of_google_drive_that_drips_has_its_time_too(tmp_path: Path) -> None:
    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(http_reply(b"<html>", headers=b"Content-Type: text/html\r\n"))
        while not writer.is_closing():
            await writer.drain()
            await asyncio.sleep(0.05)
            writer.write(b" ")

    async with serving(answer) as files:
        fetcher = downloader(limits=replace(LIMITS, stall_s=SHORT_S), drive_url=f"{files.url}/download")
        with pytest.raises(InterviewError) as caught:
            await fetch(fetcher, "https://drive.google.com/file/d/abc/view", tmp_path / "v")

    assert caught.value.reason == "DOWNLOAD_TOO_SLOW"


async def received(pace: Pace, pieces: list[int], *, every_s: float, left_bytes: int | None = None) -> None:
    async with pace:
        for piece in pieces:
            pace.came(piece, left_bytes)
            await asyncio.sleep(every_s)
        await asyncio.sleep(60)


async def test_the_pace_is_measured_over_a_while_and_not_by_the_moment() -> None:
    async with Pace(100, 60.0) as pace:
        for _ in range(10):
            pace.came(1, None)
            await asyncio.sleep(0.001)
        pace.came(6_000, None)


async def test_one_that_can_not_make_it_in_time_is_given_up_before_its_time_is_over() -> None:
    now_s = asyncio.get_running_loop().time()
    # Needs 100,000 bytes in 100 s. It brings what the least pace wants, and far less than that.
    pace = Pace(10, SHORT_S, ends_at_s=now_s + 100.0)
    with pytest.raises(TooSlowError):
        await received(pace, [1] * 10_000, every_s=0.01, left_bytes=100_000)


async def test_one_that_brings_half_of_what_it_must_is_waited_for() -> None:
    now_s = asyncio.get_running_loop().time()
    async with Pace(10, 60.0, ends_at_s=now_s + 100.0) as pace:
        pace.came(600, 100_000)
        first_needed = pace._needed_bytes
        pace.came(math.ceil(first_needed), 99_000)
        assert 25_000 < first_needed < 35_000
        assert pace._came_bytes == 0


async def test_silence_is_told_from_slowness() -> None:
    with pytest.raises(StalledError):
        await received(Pace(10, SHORT_S), [1], every_s=0.0)
    with pytest.raises(TooSlowError):
        await received(Pace(1_000, SHORT_S), [1] * 10_000, every_s=0.01)
