"""Downloads from links: they are bounded, end in plain words, and leave nothing half."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from chassis.client import is_transient
from chassis.errors import ExhaustedError, InterviewError, InvalidInputError
from tests.gateway_bench import MP4
from tests.link_server import (
    LIMITS,
    VIDEO,
    WHOLE,
    downloader,
    fetch,
    http_reply,
    replying,
    resolving,
    serving,
)

pytestmark = pytest.mark.anyio

BOMB = gzip.compress(bytes(100_000_000))
"""Unpacks to a thousand times its size."""


@pytest.mark.parametrize(
    "link",
    [
        "file:///etc/passwd",
        "ftp://a.example/x",
        "no link",
        "http://",
        "https://drive.google.com/drive/folders",
        "http://[bad",
        "http://a.example:99999/v.mp4",
    ],
)
async def test_what_is_not_a_link_is_refused(tmp_path: Path, link: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        await fetch(downloader("93.184.216.34"), link, tmp_path / "v")

    assert caught.value.reason == "LINK_INVALID"


async def test_a_direct_link_is_fetched_from_the_address_that_was_checked(tmp_path: Path) -> None:
    async with replying(http_reply(MP4)) as files:
        fetched = await fetch(downloader(), f"{files.url}/a.bin?x=1", tmp_path / "v")

    assert (tmp_path / "v").read_bytes() == MP4
    assert (fetched.extension, fetched.size_bytes) == (".mp4", len(MP4))
    assert files.paths == ["/a.bin?x=1"]
    assert f"Host: files.example:{files.port}".encode() in files.requests[0]


async def test_a_host_whose_first_address_does_not_answer_is_asked_at_the_next(tmp_path: Path) -> None:
    async with replying(http_reply(MP4)) as files:
        await fetch(downloader(resolve=resolving("127.0.0.2", "127.0.0.1")), files.url, tmp_path / "v")

    assert (tmp_path / "v").read_bytes() == MP4


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (http_reply(b"<html>Please sign in" + b" " * 100), "NOT_A_VIDEO"),
        (http_reply(b"short"), "NOT_A_VIDEO"),
        (http_reply(b"", b"404 Not Found"), "DOWNLOAD_REFUSED"),
        (http_reply(MP4 + b"\x00" * 9_000), "FILE_TOO_LARGE"),
        (http_reply(b"", b"302 Found", b"Location: file:///etc/passwd\r\n"), "LINK_INVALID"),
        (http_reply(b"", b"302 Found", b"Location: /again\r\n"), "DOWNLOAD_FAILED"),
        (http_reply(b"", b"302 Found", b"Location: http://a.example:99999/\r\n"), "LINK_INVALID"),
        (http_reply(b"", b"302 Found"), "DOWNLOAD_REFUSED"),
        (http_reply(b"", b"304 Not Modified"), "DOWNLOAD_REFUSED"),
        (http_reply(b"", b"416 Range Not Satisfiable"), "DOWNLOAD_REFUSED"),
        (http_reply(b"", b"503 Away", b"Retry-After: 99999\r\n"), "DOWNLOAD_FAILED"),
        (b"nonsense\r\n\r\n", "DOWNLOAD_FAILED"),
        (http_reply(MP4, headers=b"Content-Length: 9000\r\n"), "FILE_TOO_LARGE"),
        (http_reply(MP4, headers=b"Content-Length: " + b"9" * 19 + b"\r\n"), "DOWNLOAD_FAILED"),
        (http_reply(MP4, headers=b"X: " + b"y" * 500_000 + b"\r\n"), "DOWNLOAD_FAILED"),
    ],
)
async def test_downloads_that_end_badly_say_so(tmp_path: Path, reply: bytes, reason: str) -> None:
    async with replying(reply) as files:
        with pytest.raises(InterviewError) as caught:
            await fetch(downloader(), files.url, tmp_path / "v")

    assert caught.value.reason == reason
    assert "example" not in caught.value.message


async def test_what_is_not_a_video_is_noticed_at_its_first_bytes(tmp_path: Path) -> None:
    gone = asyncio.Event()

    async def letter(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(http_reply(b"Dear sirs, " * 100, headers=b"Content-Length: 4000\r\n"))
        await writer.drain()
        await gone.wait()

    async with serving(letter) as files:
        with pytest.raises(InvalidInputError) as caught:
            await fetch(downloader(), files.url, tmp_path / "v")
        gone.set()

    assert caught.value.reason == "NOT_A_VIDEO"
    assert len(files.requests) == 1


@pytest.mark.parametrize(
    "encoding",
    [
        b"gzip",
        b"x-gzip",
        b"GZIP",
        b"deflate",
        b"br",
        b"zstd",
        b"compress",
        b"gzip, gzip",
        b"identity, gzip",
        b"x",
    ],
)
async def test_a_body_that_grows_is_refused_unread(tmp_path: Path, encoding: bytes) -> None:
    tracemalloc.start()
    async with replying(http_reply(BOMB, headers=b"Content-Encoding: " + encoding + b"\r\n")) as files:
        with pytest.raises(InvalidInputError) as caught:
            await fetch(downloader(), files.url, tmp_path / "v")
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert caught.value.reason == "DOWNLOAD_COMPRESSED"
    assert (tmp_path / "v").stat().st_size == 0
    assert peak_bytes < 5_000_000
    assert b"accept-encoding: identity\r\n" in files.requests[0].lower()


@pytest.mark.parametrize("status", [b"404 Gone", b"500 Broken", b"302 Found\r\nLocation: /again"])
async def test_a_body_beside_an_error_or_a_redirect_is_not_read(tmp_path: Path, status: bytes) -> None:
    headers = b"Content-Encoding: gzip\r\nContent-Length: 99999999\r\n"
    async with replying(http_reply(BOMB, status, headers)) as files:
        with pytest.raises(InterviewError) as caught:
            await fetch(downloader(), files.url, tmp_path / "v")

    assert caught.value.reason in ("DOWNLOAD_REFUSED", "DOWNLOAD_FAILED")


async def test_a_body_that_says_it_is_not_encoded_is_taken(tmp_path: Path) -> None:
    async with replying(http_reply(MP4, headers=b"Content-Encoding: Identity\r\n")) as files:
        await fetch(downloader(), files.url, tmp_path / "v")

    assert (tmp_path / "v").read_bytes() == MP4


async def test_a_large_recording_is_received_in_little_memory(tmp_path: Path) -> None:
    size_bytes = 30_000_000

    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        head = http_reply(MP4, headers=f"Content-Length: {len(MP4) + size_bytes}\r\n".encode())
        writer.write(head)
        for _part in range(size_bytes // 100_000):
            writer.write(bytes(100_000))
            await writer.drain()

    tracemalloc.start()
    async with serving(answer) as files:
        fetched = await fetch(
            downloader(limits=replace(LIMITS, max_bytes=40_000_000)), files.url, tmp_path / "v"
        )
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert fetched.size_bytes == size_bytes + len(MP4) == (tmp_path / "v").stat().st_size
    assert peak_bytes < 10_000_000


async def test_bytes_in_tiny_chunks_are_counted_and_written_together(tmp_path: Path) -> None:
    chunks = b"".join(b"1\r\n" + VIDEO[at : at + 1] + b"\r\n" for at in range(len(VIDEO))) + b"0\r\n\r\n"
    async with replying(http_reply(chunks, headers=b"Transfer-Encoding: chunked\r\n")) as files:
        fetched = await fetch(downloader(), files.url, tmp_path / "v")
        with pytest.raises(InvalidInputError) as caught:
            await fetch(downloader(limits=replace(LIMITS, max_bytes=500)), files.url, tmp_path / "w")

    assert (tmp_path / "v").read_bytes() == VIDEO
    assert fetched.size_bytes == len(VIDEO)
    assert caught.value.reason == "FILE_TOO_LARGE"


@pytest.mark.parametrize(
    ("status", "headers", "pause_s"),
    [
        (b"429 Too Many Requests", b"Retry-After: 7\r\n", 7.0),
        (b"503 Service Unavailable", b"Retry-After: 2\r\n", 2.0),
        (b"429 Too Many Requests", b"", 5.0),
        (b"429 Too Many Requests", b"Retry-After: " + b"9" * 5_000 + b"\r\n", 5.0),
    ],
)
async def test_a_server_that_asks_for_a_pause_is_given_it(
    tmp_path: Path, status: bytes, headers: bytes, pause_s: float
) -> None:
    async with replying(http_reply(b"", status, headers)) as files:
        with pytest.raises(ExhaustedError) as caught:
            await fetch(downloader(), files.url, tmp_path / "v")

    assert (caught.value.reason, caught.value.retry_after_s) == ("DOWNLOAD_FAILED", pause_s)


async def test_a_redirect_into_a_private_network_or_to_another_host_is_not_followed(tmp_path: Path) -> None:
    asked: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    async with replying(http_reply(b"", b"302 Found", b"Location: http://inside.example/\r\n")) as files:
        outside_only = downloader(resolve=resolve, is_allowed=lambda _: asked[-1] == "files.example")
        one_host = downloader(resolve=resolve, hosts=("files.example",))
        for fetcher, reason in ((outside_only, "LINK_FORBIDDEN"), (one_host, "LINK_HOST_FORBIDDEN")):
            with pytest.raises(InvalidInputError) as caught:
                await fetch(fetcher, files.url, tmp_path / "v")
            assert caught.value.reason == reason

    assert asked == ["files.example", "inside.example", "files.example"]
    assert len(files.requests) == 2


async def test_a_disk_that_is_full_is_not_the_links_fault(tmp_path: Path) -> None:
    (tmp_path / "full").symlink_to("/dev/full")
    async with replying(http_reply(VIDEO, headers=WHOLE)) as files:
        with pytest.raises(OSError, match="No space left"):
            await fetch(downloader(), files.url, tmp_path / "full")


async def test_a_name_that_is_not_known_is_a_server_that_is_away(tmp_path: Path) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        raise OSError(-2, "Name or service not known")

    with pytest.raises(InterviewError) as caught:
        await fetch(downloader(resolve=resolve), "https://nowhere.example/v.mp4", tmp_path / "v")

    assert caught.value.reason == "DOWNLOAD_FAILED"
    assert is_transient(caught.value)
