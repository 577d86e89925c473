"""A download that breaks off goes on where it was, and only where it is still the same file."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from chassis.client import RetryPolicy
from chassis.errors import InterviewError
from tests.link_server import (
    LIMITS,
    VIDEO,
    WHOLE,
    downloader,
    fetch,
    http_reply,
    replying,
    rest_from,
    serving,
)

pytestmark = pytest.mark.anyio

BROKEN = http_reply(VIDEO[:100], headers=WHOLE)
ENTIRE = http_reply(VIDEO, headers=WHOLE)
DATE = b"Date: Mon, 30 Nov 2026 10:00:00 GMT\r\n"


async def test_a_download_that_breaks_off_goes_on_where_it_was(tmp_path: Path) -> None:
    shares: list[float] = []
    async with replying(BROKEN, rest_from(100)) as files:
        fetched = await downloader().download(files.url, tmp_path / "v", shares.append)

    assert (tmp_path / "v").read_bytes() == VIDEO
    assert fetched.size_bytes == len(VIDEO)
    assert fetched.digest == hashlib.sha256(VIDEO).hexdigest()
    second = files.requests[1].lower()
    assert b"range: bytes=100-" in second
    assert b'if-range: "1"' in second
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


@pytest.mark.parametrize(
    "second",
    [
        ENTIRE,
        rest_from(7),
        rest_from(100, etag=b'"2"'),
        rest_from(100, total=len(VIDEO) + 9),
        http_reply(VIDEO[100:], b"206 Partial Content"),
        http_reply(VIDEO[100:], b"206 Partial Content", b"Content-Range: bytes */9\r\n"),
        http_reply(b"", b"416 Range Not Satisfiable"),
    ],
)
async def test_a_server_that_begins_again_or_elsewhere_gives_the_whole_file(
    tmp_path: Path, second: bytes
) -> None:
    async with replying(BROKEN, second, ENTIRE) as files:
        fetched = await fetch(downloader(), files.url, tmp_path / "v")

    assert (tmp_path / "v").read_bytes() == VIDEO
    assert fetched.digest == hashlib.sha256(VIDEO).hexdigest()


@pytest.mark.parametrize(
    ("headers", "validator"),
    [
        (b'ETag: W/"1"\r\n', None),
        (b"", None),
        (
            DATE + b"Last-Modified: Sun, 29 Nov 2026 10:00:00 GMT\r\n",
            b"if-range: sun, 29 nov 2026 10:00:00 gmt",
        ),
        (DATE + b"Last-Modified: Mon, 30 Nov 2026 09:59:30 GMT\r\n", None),
        (DATE + b"Last-Modified: yesterday\r\n", None),
        (b"Last-Modified: Sun, 29 Nov 2026 10:00:00 GMT\r\n", None),
    ],
)
async def test_only_a_server_that_can_tell_if_it_is_the_same_file_is_asked_for_the_rest(
    tmp_path: Path, headers: bytes, validator: bytes | None
) -> None:
    length = f"Content-Length: {len(VIDEO)}\r\n".encode()
    async with replying(http_reply(VIDEO[:100], headers=length + headers), ENTIRE) as files:
        await fetch(downloader(), files.url, tmp_path / "v")

    second = files.requests[1].lower()
    assert (b"range: bytes=100-" in second) is (validator is not None)
    assert validator is None or validator in second
    assert (tmp_path / "v").read_bytes() == VIDEO


async def test_a_part_that_was_not_asked_for_is_not_taken_for_the_whole(tmp_path: Path) -> None:
    head = f'Content-Range: bytes 0-99/{len(VIDEO)}\r\nContent-Length: 100\r\nETag: "1"\r\n'.encode()
    first = http_reply(VIDEO[:100], b"206 Partial Content", head)
    async with replying(first, rest_from(100)) as files:
        await fetch(downloader(), files.url, tmp_path / "v")

    assert (tmp_path / "v").read_bytes() == VIDEO


async def test_one_that_breaks_off_again_and_again_is_given_up(tmp_path: Path) -> None:
    async with replying(http_reply(VIDEO[:100], headers=b"Content-Length: 4000\r\n")) as files:
        with pytest.raises(InterviewError) as caught:
            await fetch(downloader(), files.url, tmp_path / "v")

    assert (caught.value.reason, caught.value.code) == ("DOWNLOAD_FAILED", "UNAVAILABLE")
    assert len(files.requests) == 3


async def test_a_large_file_may_break_off_often_as_long_as_it_gets_on(tmp_path: Path) -> None:
    step, count = 1 << 20, 6
    content = VIDEO + bytes(step * count - len(VIDEO))

    async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        begin = int(request.partition(b"bytes=")[2].split(b"-")[0] or 0)
        left = len(content) - begin
        headers = f'ETag: "1"\r\nContent-Length: {left}\r\n'.encode()
        if begin:
            headers += f"Content-Range: bytes {begin}-{len(content) - 1}/{len(content)}\r\n".encode()
        status = b"206 Partial Content" if begin else b"200 OK"
        writer.write(http_reply(content[begin : begin + step], status, headers))
        await writer.drain()

    async with serving(answer) as files:
        fetcher = downloader(
            limits=replace(LIMITS, max_bytes=10_000_000), resuming=RetryPolicy(2, 0.001, 0.002)
        )
        await fetch(fetcher, files.url, tmp_path / "v")

    assert (tmp_path / "v").read_bytes() == content
    assert len(files.requests) == count
