"""A link's server for tests: it hands out what a test tells it, at the pace that a test tells it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from chassis.client import RetryPolicy
from orchestrator.links.downloading import Downloader, DownloadLimits
from orchestrator.links.link_addresses import AddressRule, Resolve, any_address
from orchestrator.links.link_requests import LinkRules
from orchestrator.links.received_file import ReceivedFile
from tests.gateway_bench import MP4

LIMITS = DownloadLimits(max_bytes=5_000, timeout_s=30.0)
HURRIED = RetryPolicy(3, 0.001, 0.002)
LOOPBACK = "127.0.0.1"
VIDEO = MP4 + bytes(range(256)) * 4
WHOLE = f'Content-Length: {len(VIDEO)}\r\nETag: "1"\r\n'.encode()

Answer = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


def http_reply(content: bytes, status: bytes = b"200 OK", headers: bytes = b"") -> bytes:
    """Return a reply after which the connection ends."""
    return b"HTTP/1.1 " + status + b"\r\nConnection: close\r\n" + headers + b"\r\n" + content


def rest_from(begin: int, etag: bytes = b'"1"', total: int = len(VIDEO)) -> bytes:
    """Return the reply to a request for the rest of `VIDEO`."""
    headers = f"Content-Range: bytes {begin}-{len(VIDEO) - 1}/{total}\r\n".encode()
    headers += f"Content-Length: {len(VIDEO) - begin}\r\n".encode() + b"ETag: " + etag + b"\r\n"
    return http_reply(VIDEO[begin:], b"206 Partial Content", headers)


def page(html: str, status: bytes = b"200 OK") -> bytes:
    """Return a reply with a page for people."""
    return http_reply(html.encode(), status, b"Content-Type: text/html; charset=utf-8\r\n")


@dataclass
class LinkServer:
    """Answers requests and keeps them."""

    answer: Answer
    requests: list[bytes] = field(default_factory=list)
    connections: set[asyncio.Task[None]] = field(default_factory=set)
    port: int = 0

    @property
    def url(self) -> str:
        """Its address, by a name that only a test's resolver knows."""
        return f"http://files.example:{self.port}"

    @property
    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [request.split(b" ")[1].decode() for request in self.requests]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection."""
        connection = asyncio.current_task()
        assert connection is not None
        self.connections.add(connection)
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            self.requests.append(request)
            await self.answer(request, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            with suppress(ConnectionError):
                writer.close()
                await writer.wait_closed()
            self.connections.discard(connection)


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[LinkServer]:
    """Serve until the block ends."""
    files = LinkServer(answer)
    server = await asyncio.start_server(files.serve, LOOPBACK, 0)
    files.port = server.sockets[0].getsockname()[1]
    try:
        yield files
    finally:
        server.close()
        for connection in files.connections:
            connection.cancel()
        await asyncio.gather(*files.connections, return_exceptions=True)


@asynccontextmanager
async def replying(*replies: bytes) -> AsyncIterator[LinkServer]:
    """Serve replies, one a connection, the last one again and again."""
    left = list(replies)

    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(left.pop(0) if len(left) > 1 else left[0])
        await writer.drain()

    async with serving(answer) as files:
        yield files


def resolving(*addresses: str) -> Callable[[str, int], Awaitable[Sequence[str]]]:
    """Return a resolver that gives every name these addresses."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return resolve


def downloader(
    *addresses: str,
    limits: DownloadLimits = LIMITS,
    drive_url: str = "https://drive.invalid/d",
    hosts: Sequence[str] = (),
    resuming: RetryPolicy = HURRIED,
    is_allowed: AddressRule = any_address,
    resolve: Resolve | None = None,
) -> Downloader:
    """Return a downloader for which every name has these addresses. None: loopback, which it may ask."""
    if addresses:
        rules = LinkRules(hosts, resolve=resolving(*addresses))
    else:
        rules = LinkRules(hosts, is_allowed=is_allowed, resolve=resolve or resolving(LOOPBACK))
    return Downloader(limits, drive_url, rules=rules, resuming=resuming)


async def fetch(fetcher: Downloader, link: str, path: Path) -> ReceivedFile:
    """Download without looking at the progress."""
    return await fetcher.download(link, path, lambda _: None)
