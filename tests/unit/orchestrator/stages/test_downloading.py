"""Downloads from links: they may not look inside, are bounded, and go on where they broke off."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from chassis.client import RetryPolicy, is_transient
from chassis.errors import ExhaustedError, InterviewError, InvalidInputError
from orchestrator.stages.downloading import Download, Downloader, DownloadLimits
from tests.gateway_bench import MP4

pytestmark = pytest.mark.anyio

DRIVE = "https://drive.google.com/file/d/abc_DEF-1/view?usp=sharing"
LIMITS = DownloadLimits(max_bytes=5_000, timeout_s=5.0)
HURRIED = RetryPolicy(3, 0.001, 0.002)


def downloader(
    addresses: Sequence[str], drive_url: str = "https://drive.invalid/d", **values: Any
) -> Downloader:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return Downloader(LIMITS, drive_url, resolve=resolve, resuming=HURRIED, **values)


async def fetch(fetcher: Downloader, link: str, path: Path) -> Download:
    return await fetcher.download(link, path, lambda _: None)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.1",
        "172.16.9.9",
        "169.254.169.254",
        "0.0.0.0",  # noqa: S104
        "::1",
        "fd00::1",
        "fe80::1%eth0",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::7f00:1",
        "2002:7f00:1::",
        "::7f00:1",
        "fec0::1",
        "100.64.0.1",
        "224.0.0.1",
    ],
)
async def test_links_into_private_networks_are_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        await fetch(downloader([address]), "https://innocent.example/v.mp4", tmp_path / "v")

    assert caught.value.reason == "LINK_FORBIDDEN"


async def test_one_private_address_among_public_ones_is_enough_to_refuse(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError):
        await fetch(downloader(["93.184.216.34", "127.0.0.1"]), "https://mixed.example/", tmp_path / "v")


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
async def test_what_is_no_link_is_refused(tmp_path: Path, link: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        await fetch(downloader(["93.184.216.34"]), link, tmp_path / "v")

    assert caught.value.reason == "LINK_INVALID"


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "a..example", ".example"])
async def test_a_host_whose_name_can_not_exist_is_a_bad_link(tmp_path: Path, host: str) -> None:
    fetcher = Downloader(LIMITS, "https://drive.invalid/d", resuming=HURRIED)

    with pytest.raises(InvalidInputError) as caught:
        await fetch(fetcher, f"http://{host}/v.mp4", tmp_path / "v")

    assert caught.value.reason == "LINK_INVALID"


async def serve(*replies: bytes) -> tuple[asyncio.Server, str, list[bytes]]:
    """Serve replies, one a connection, the last one again and again; keep the requests."""
    seen: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(replies[min(len(seen), len(replies)) - 1])
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    return server, f"http://files.example:{server.sockets[0].getsockname()[1]}", seen


def http_reply(content: bytes, status: bytes = b"200 OK", headers: bytes = b"") -> bytes:
    return b"HTTP/1.1 " + status + b"\r\nConnection: close\r\n" + headers + b"\r\n" + content


async def test_a_direct_link_is_fetched_from_the_address_that_was_checked(tmp_path: Path) -> None:
    server, url, seen = await serve(http_reply(MP4))
    async with server:
        fetched = await fetch(
            downloader(["127.0.0.1"], allow_private=True), f"{url}/a.bin?x=1", tmp_path / "v"
        )

    assert (tmp_path / "v").read_bytes() == MP4
    assert (fetched.extension, fetched.size_bytes) == (".mp4", len(MP4))
    assert b"GET /a.bin?x=1" in seen[0]
    assert f"Host: {url[7:]}".encode() in seen[0]


async def test_a_drive_share_link_is_turned_into_its_download(tmp_path: Path) -> None:
    server, url, seen = await serve(http_reply(MP4))
    async with server:
        fetcher = downloader(["127.0.0.1"], allow_private=True, drive_url=f"{url}/download")
        await fetch(fetcher, DRIVE, tmp_path / "v")

    assert b"GET /download?id=abc_DEF-1&export=download&confirm=t" in seen[0]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (http_reply(b"<html>Please sign in" + b" " * 100), "NOT_A_VIDEO"),
        (http_reply(b"", b"404 Not Found"), "DOWNLOAD_REFUSED"),
        (http_reply(MP4 + b"\x00" * 9_000), "FILE_TOO_LARGE"),
        (http_reply(b"", b"302 Found", b"Location: file:///etc/passwd\r\n"), "LINK_INVALID"),
        (http_reply(b"", b"302 Found", b"Location: /again\r\n"), "DOWNLOAD_FAILED"),
        (http_reply(b"", b"302 Found", b"Location: http://a.example:99999/\r\n"), "LINK_INVALID"),
        (http_reply(b"", b"302 Found"), "DOWNLOAD_REFUSED"),
        (http_reply(b"", b"304 Not Modified"), "DOWNLOAD_REFUSED"),
        (b"nonsense\r\n\r\n", "DOWNLOAD_FAILED"),
        (http_reply(MP4, headers=b"Content-Encoding: gzip\r\n"), "NOT_A_VIDEO"),
        (http_reply(MP4, headers=b"Content-Length: 9000\r\n"), "FILE_TOO_LARGE"),
    ],
)
async def test_downloads_that_end_badly_say_so(tmp_path: Path, reply: bytes, reason: str) -> None:
    server, url, _ = await serve(reply)
    async with server:
        with pytest.raises(InterviewError) as caught:
            await fetch(downloader(["127.0.0.1"], allow_private=True), url, tmp_path / "v")

    assert caught.value.reason == reason


VIDEO = MP4 + bytes(range(256)) * 4
WHOLE = f'Content-Length: {len(VIDEO)}\r\nETag: "1"\r\n'.encode()


def rest_from(begin: int) -> bytes:
    headers = f"Content-Range: bytes {begin}-{len(VIDEO) - 1}/{len(VIDEO)}\r\n".encode()
    headers += f'Content-Length: {len(VIDEO) - begin}\r\nETag: "1"\r\n'.encode()
    return http_reply(VIDEO[begin:], b"206 Partial Content", headers)


async def test_a_download_that_breaks_off_goes_on_where_it_was(tmp_path: Path) -> None:
    server, url, seen = await serve(http_reply(VIDEO[:100], headers=WHOLE), rest_from(100))
    shares: list[float] = []
    async with server:
        fetcher = downloader(["127.0.0.1"], allow_private=True)
        fetched = await fetcher.download(url, tmp_path / "v", shares.append)

    assert (tmp_path / "v").read_bytes() == VIDEO
    assert fetched.size_bytes == len(VIDEO)
    assert b"range: bytes=100-" in seen[1].lower() and b'if-range: "1"' in seen[1].lower()
    assert shares == sorted(shares) and shares[-1] == 1.0


@pytest.mark.parametrize("second", [http_reply(VIDEO, headers=WHOLE), rest_from(7)])
async def test_a_server_that_begins_anew_or_elsewhere_gives_the_whole_file(
    tmp_path: Path, second: bytes
) -> None:
    server, url, _ = await serve(
        http_reply(VIDEO[:100], headers=WHOLE), second, http_reply(VIDEO, headers=WHOLE)
    )
    async with server:
        await fetch(downloader(["127.0.0.1"], allow_private=True), url, tmp_path / "v")

    assert (tmp_path / "v").read_bytes() == VIDEO


async def test_one_that_breaks_off_again_and_again_is_given_up(tmp_path: Path) -> None:
    server, url, seen = await serve(http_reply(VIDEO[:100], headers=b"Content-Length: 4000\r\n"))
    async with server:
        with pytest.raises(InterviewError) as caught:
            await fetch(downloader(["127.0.0.1"], allow_private=True), url, tmp_path / "v")

    assert (caught.value.reason, caught.value.code, len(seen)) == ("DOWNLOAD_FAILED", "UNAVAILABLE", 3)


@pytest.mark.parametrize(
    ("status", "headers", "pause_s"),
    [
        (b"429 Too Many Requests", b"Retry-After: 7\r\n", 7.0),
        (b"503 Service Unavailable", b"Retry-After: 2\r\n", 2.0),
        (b"429 Too Many Requests", b"", 5.0),
    ],
)
async def test_a_server_that_asks_for_a_pause_is_given_it(
    tmp_path: Path, status: bytes, headers: bytes, pause_s: float
) -> None:
    server, url, _ = await serve(http_reply(b"", status, headers))
    async with server:
        with pytest.raises(ExhaustedError) as caught:
            await fetch(downloader(["127.0.0.1"], allow_private=True), url, tmp_path / "v")

    assert (caught.value.reason, caught.value.retry_after_s) == ("DOWNLOAD_FAILED", pause_s)


async def test_bytes_are_counted_as_they_arrive_and_nothing_is_unpacked(tmp_path: Path) -> None:
    server, url, seen = await serve(http_reply(MP4))
    async with server:
        await fetch(downloader(["127.0.0.1"], allow_private=True), url, tmp_path / "v")

    assert b"accept-encoding: identity" in seen[0].lower()


async def test_a_server_that_drips_is_given_its_time_once_and_not_asked_again_at_once(tmp_path: Path) -> None:
    release = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(http_reply(VIDEO[:100], headers=b"Content-Length: 4000\r\n"))
        await writer.drain()
        await release.wait()
        writer.close()

    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    limits = DownloadLimits(max_bytes=5_000, timeout_s=0.3)
    fetcher = Downloader(limits, "https://drive.invalid/d", allow_private=True, resolve=resolve)
    async with server:
        with pytest.raises(InterviewError) as caught:
            await fetch(
                fetcher, f"http://files.example:{server.sockets[0].getsockname()[1]}/", tmp_path / "v"
            )
        release.set()

    assert (caught.value.reason, caught.value.code) == ("DOWNLOAD_FAILED", "DEADLINE_EXCEEDED")
    assert not is_transient(caught.value)
