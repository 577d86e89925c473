"""Fetches a recording from a link: Google Drive's share links, or direct ones.

A link comes from outside, so it may not make us read the inside: every address is resolved by us,
checked, and connected to as checked, for each redirect anew.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx

from chassis.containers import SNIFF_BYTES, sniff_extension
from chassis.errors import ForbiddenError, InvalidInputError, UnavailableError

MAX_REDIRECT_COUNT = 5
CHUNK_BYTES = 1_048_576
CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 30.0
NAT64_NETWORK = ipaddress.ip_network("64:ff9b::/96")
"""Global by the book, but it leads to any IPv4 address, private ones included."""

_DRIVE_FILE = re.compile(r"/file/d/([A-Za-z0-9_-]+)")

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


@dataclass(frozen=True)
class FetchedFile:
    """A recording that was fetched."""

    extension: str
    size_bytes: int
    digest: str
    """SHA-256 in lower-case hex."""


async def resolve_host(host: str, port: int) -> Sequence[str]:
    """Return a host's IP addresses."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class Downloader:
    """Fetches recordings.

    Args:
        max_bytes: Largest recording.
        timeout_s: Time for one recording.
        drive_url: Where Google Drive hands files out.
        allow_private: Whether links may point into private networks.
        resolve: Looks host names up.
    """

    def __init__(
        self,
        *,
        max_bytes: int,
        timeout_s: float,
        drive_url: str,
        allow_private: bool = False,
        resolve: Resolve = resolve_host,
    ) -> None:
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s
        self._drive_url = drive_url
        self._allow_private = allow_private
        self._resolve = resolve

    async def fetch(self, link: str, path: Path) -> FetchedFile:
        """Fetch a recording into a local file.

        Raises:
            InvalidInputError: The link is none, or leads to no video, or to one that is too large.
            ForbiddenError: The link leads into a private network.
            UnavailableError: The other side is away, refuses or is too slow.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._follow(httpx.URL(self._direct(link)), path)
        except (httpx.InvalidURL, ValueError):
            raise _bad_link() from None
        except (httpx.HTTPError, TimeoutError, OSError):
            # No reason of theirs in the message: it may hold the link.
            raise UnavailableError(
                "The recording could not be downloaded: the link's server did not answer in time.",
                reason="DOWNLOAD_FAILED",
            ) from None

    def _direct(self, link: str) -> str:
        parts = urlsplit(link)
        if parts.hostname not in ("drive.google.com", "docs.google.com"):
            return link
        in_path = _DRIVE_FILE.search(parts.path)
        file_id = in_path.group(1) if in_path else parse_qs(parts.query).get("id", [""])[0]
        if not file_id:
            raise _bad_link()
        return f"{self._drive_url}?id={file_id}&export=download&confirm=t"

    async def _follow(self, url: httpx.URL, path: Path) -> FetchedFile:
        timeout = httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
        # No environment: a proxy would resolve names itself, past our check.
        async with httpx.AsyncClient(timeout=timeout, trust_env=False) as client:
            for _ in range(MAX_REDIRECT_COUNT + 1):
                request = await self._pinned_request(client, url)
                response = await client.send(request, stream=True)
                try:
                    if response.is_redirect:
                        url = url.join(response.headers["location"])
                        continue
                    return await self._save(response, path)
                finally:
                    await response.aclose()
        raise UnavailableError("The link redirects too often.", reason="DOWNLOAD_FAILED")

    async def _pinned_request(self, client: httpx.AsyncClient, url: httpx.URL) -> httpx.Request:
        """Build a request to the very address that was checked, so that no second look-up can differ."""
        if url.scheme not in ("http", "https") or not url.host:
            raise _bad_link()
        port = url.port or (443 if url.scheme == "https" else 80)
        addresses = await self._resolve(url.host, port)
        if not addresses or not (self._allow_private or all(_public(address) for address in addresses)):
            raise ForbiddenError(
                "This link leads into a private network. Use a public link, or upload the file.",
                reason="LINK_FORBIDDEN",
            )
        return client.build_request(
            "GET",
            url.copy_with(host=addresses[0], userinfo=b""),
            headers={"Host": url.netloc.decode("ascii")},
            extensions={"sni_hostname": url.host},
        )

    async def _save(self, response: httpx.Response, path: Path) -> FetchedFile:
        if response.status_code != httpx.codes.OK:
            raise UnavailableError(
                f"The recording could not be downloaded: the link's server answered {response.status_code}."
                " Check that the link is shared with everyone.",
                reason="DOWNLOAD_FAILED",
            )
        digest, size_bytes, head = hashlib.sha256(), 0, b""
        with path.open("wb") as out:
            async for chunk in response.aiter_bytes(CHUNK_BYTES):
                size_bytes += len(chunk)
                if size_bytes > self._max_bytes:
                    raise InvalidInputError(
                        f"File too large. Max: {self._max_bytes / 1_000_000:g} MB", reason="FILE_TOO_LARGE"
                    )
                head += chunk[: SNIFF_BYTES - len(head)]
                digest.update(chunk)
                await asyncio.to_thread(out.write, chunk)
        extension = sniff_extension(head)
        if extension is None:
            raise InvalidInputError(
                "The link leads to no video. Check that it is shared with everyone.", reason="NOT_A_VIDEO"
            )
        return FetchedFile(extension, size_bytes, digest.hexdigest())


def _public(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in NAT64_NETWORK:
            return False
        ip = ip.ipv4_mapped or ip
    return ip.is_global and not ip.is_multicast


def _bad_link() -> InvalidInputError:
    return InvalidInputError(
        "This is no link that we can follow. Use a Google Drive share link or a direct http(s) link.",
        reason="LINK_INVALID",
    )
