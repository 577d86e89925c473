"""Downloads a recording from a link: bounded in bytes, time and pace, and resumed where it breaks off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from chassis.client import RetryPolicy
from chassis.full_disk import is_full
from orchestrator.links.download_errors import (
    away,
    check_encoding,
    check_reply,
    not_a_video,
    too_large,
    too_slow,
)
from orchestrator.links.drive_links import (
    MAX_PAGE_BYTES,
    SIGN_IN_HOST,
    confirmed_link,
    direct_link,
    is_drive_link,
    not_shared,
)
from orchestrator.links.link_addresses import bad_link
from orchestrator.links.link_requests import LinkRules, pinned_request
from orchestrator.links.pace import Pace, StalledError, TooSlowError
from orchestrator.links.received_file import ReceivedFile

MAX_REDIRECT_COUNT = 5
MAX_PAGE_COUNT = 2
"""Pages of Google Drive before a file."""
CONNECT_TIMEOUT_S = 10.0
RESUMING = RetryPolicy(attempt_count=5, first_delay_s=0.5, max_delay_s=5.0)
RESUMED_BYTES = 1 << 20
"""A connection that brought so much counts as a success. The next one that breaks is the first again."""
NO_SUCH_RANGE = httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE
ANY_PUBLIC_HOST = LinkRules()
MAX_STALL_COUNT = 2
"""A connection may be dead without anybody's fault. A second one that is silent is the server's."""


@dataclass(frozen=True)
class DownloadLimits:
    """What one download may cost.

    Args:
        max_bytes: Largest recording.
        timeout_s: Longest time of the whole download.
        min_bytes_per_s: Least pace, over each `stall_s`.
        stall_s: How long a server may stay below the least pace, and how long it may take to begin.
    """

    max_bytes: int
    timeout_s: float
    min_bytes_per_s: int = 16_384
    stall_s: float = 20.0


@dataclass
class _Transfer:
    """A recording, and where it comes from next."""

    url: httpx.URL
    file: ReceivedFile
    is_drive: bool
    page_count: int = 0
    stall_count: int = 0


class _BrokenOffError(Exception):
    """The connection broke off in the middle."""


class Downloader:
    """Downloads recordings.

    Args:
        limits: What one may cost.
        drive_url: Where Google Drive hands files out.
        rules: Where links may lead.
        resuming: How a download that breaks off goes on from where it was.
    """

    def __init__(
        self,
        limits: DownloadLimits,
        drive_url: str,
        *,
        rules: LinkRules = ANY_PUBLIC_HOST,
        resuming: RetryPolicy = RESUMING,
    ) -> None:
        self._limits = limits
        self._drive_url = drive_url
        self._rules = rules
        self._resuming = resuming

    async def download(self, link: str, path: Path, on_progress: Callable[[float], None]) -> ReceivedFile:
        """Download a recording into a local file.

        Raises:
            InvalidInputError: The link can't be opened, or leads to something else than a video, or to one
                that is too large or compressed, or to a host that is not allowed, or into a private network
                (`LINK_INVALID`, `NOT_A_VIDEO`, `FILE_TOO_LARGE`, `DOWNLOAD_COMPRESSED`,
                `LINK_HOST_FORBIDDEN`, `LINK_FORBIDDEN`).
            ForbiddenError: Its server refuses (`DOWNLOAD_REFUSED`).
            UnavailableError: Its server is away (`DOWNLOAD_FAILED`).
            DeadlineError: It takes longer than allowed (`DOWNLOAD_TOO_SLOW`).
            ExhaustedError: Its server asks for a pause (`DOWNLOAD_FAILED`), or Google Drive handed it out too
                often (`DOWNLOAD_QUOTA_EXCEEDED`).
            OSError: The file can't be written.
        """
        transfer = _Transfer(direct_link(link, self._drive_url), ReceivedFile(path), is_drive_link(link))
        limit = asyncio.timeout(self._limits.timeout_s)
        try:
            async with limit:
                await self._resumed(transfer, limit, on_progress)
                await transfer.file.flush()
        except httpx.InvalidURL:
            raise bad_link() from None
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            if limit.expired():
                # Not asked again at once: a server that drips would hold the session for as long again.
                seconds = f"{self._limits.timeout_s:g}"
                raise too_slow(f"The recording did not arrive within {seconds} s.") from None
            if is_full(error):
                raise
            # Nothing of theirs in the message: it may hold the link.
            raise away("did not answer in time") from None
        if transfer.file.extension is None:
            raise not_a_video()
        return transfer.file

    async def _resumed(
        self, transfer: _Transfer, limit: asyncio.Timeout, on_progress: Callable[[float], None]
    ) -> None:
        # How long an answer may take is measured by its pace.
        timeout = httpx.Timeout(None, connect=CONNECT_TIMEOUT_S)
        # No environment: a proxy would resolve names itself, past our check. No connection is used twice:
        # two hosts may share an address, and only the first one's certificate would be checked.
        limits = httpx.Limits(max_keepalive_connections=0)
        failure_count = 0
        async with httpx.AsyncClient(timeout=timeout, trust_env=False, limits=limits) as client:
            while True:
                had_bytes = transfer.file.size_bytes
                try:
                    if await self._received(client, transfer, limit, on_progress):
                        return
                except _BrokenOffError:
                    gained_bytes = transfer.file.size_bytes - had_bytes
                    failure_count = 1 if gained_bytes >= RESUMED_BYTES else failure_count + 1
                    if failure_count >= self._resuming.attempt_count:
                        raise away("broke off again and again") from None
                    await asyncio.sleep(self._resuming.delay_s(failure_count, away("broke off")))

    async def _received(
        self,
        client: httpx.AsyncClient,
        transfer: _Transfer,
        limit: asyncio.Timeout,
        on_progress: Callable[[float], None],
    ) -> bool:
        """Receive the file, or what is left of it. False where there was a page that leads on to it."""
        try:
            async with self._reply(client, transfer) as response:
                if transfer.is_drive and _is_page(response):
                    await self._read_page(response, transfer)
                    return False
                if response.status_code == NO_SUCH_RANGE and transfer.file.size_bytes:
                    transfer.file.begin_again()
                    raise _BrokenOffError
                check_reply(response)
                await self._body(response, transfer.file, limit, on_progress)
                return True
        except StalledError:
            transfer.stall_count += 1
            if transfer.stall_count == MAX_STALL_COUNT:
                raise too_slow(f"Nothing came for {self._limits.stall_s:g} s, twice.") from None
            raise _BrokenOffError from None

    @asynccontextmanager
    async def _reply(self, client: httpx.AsyncClient, transfer: _Transfer) -> AsyncIterator[httpx.Response]:
        """Follow redirects to a reply. All of that has the time that a server has to begin."""
        pace = asyncio.timeout(self._limits.stall_s)
        response: httpx.Response | None = None
        try:
            async with pace:
                response = await self._followed(client, transfer)
        except TimeoutError:
            if pace.expired():
                raise StalledError from None
            raise
        try:
            yield response
        finally:
            await response.aclose()

    async def _followed(self, client: httpx.AsyncClient, transfer: _Transfer) -> httpx.Response:
        url = transfer.url
        for _ in range(MAX_REDIRECT_COUNT + 1):
            response = await self._sent(client, url, transfer.file)
            if not response.has_redirect_location:
                return response
            # Its body is not read: it may be of any size.
            await response.aclose()
            url = url.join(response.headers["location"])
            if transfer.is_drive and url.host == SIGN_IN_HOST:
                raise not_shared()
        raise away("redirects too often")

    async def _sent(self, client: httpx.AsyncClient, url: httpx.URL, file: ReceivedFile) -> httpx.Response:
        addresses = await self._rules.addresses(url)
        headers = {"Accept-Encoding": "identity", **file.range_headers}
        for address in addresses[:-1]:
            try:
                return await client.send(pinned_request(url, address, headers), stream=True)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # It may have others that can be reached from here.
        return await client.send(pinned_request(url, addresses[-1], headers), stream=True)

    async def _body(
        self,
        response: httpx.Response,
        file: ReceivedFile,
        limit: asyncio.Timeout,
        on_progress: Callable[[float], None],
    ) -> None:
        if not file.expect(response.headers, is_rest=response.status_code == httpx.codes.PARTIAL_CONTENT):
            raise _BrokenOffError
        self._check_size(file.total_bytes or 0)
        pace = Pace(self._limits.min_bytes_per_s, self._limits.stall_s, limit.when())
        try:
            async with pace:
                # Raw: the limit counts what arrives, and nothing is ever unpacked.
                async for chunk in response.aiter_raw():
                    await self._take(chunk, file)
                    left_bytes = file.total_bytes - file.size_bytes if file.total_bytes is not None else None
                    pace.came(len(chunk), left_bytes)
                    if file.total_bytes:
                        on_progress(min(1.0, file.size_bytes / file.total_bytes))
        except TooSlowError:
            raise too_slow(
                f"It must send {self._limits.min_bytes_per_s:,} bytes a second or more, and all within "
                f"{self._limits.timeout_s:g} s."
            ) from None
        except httpx.HTTPError:
            raise _BrokenOffError from None
        if file.total_bytes is not None and file.size_bytes < file.total_bytes:
            raise _BrokenOffError

    async def _take(self, chunk: bytes, file: ReceivedFile) -> None:
        self._check_size(file.size_bytes + len(chunk))
        await file.add(chunk)
        if file.has_head and file.extension is None:
            raise not_a_video()

    def _check_size(self, size_bytes: int) -> None:
        if size_bytes > self._limits.max_bytes:
            raise too_large(self._limits.max_bytes)

    async def _read_page(self, response: httpx.Response, transfer: _Transfer) -> None:
        if transfer.page_count == MAX_PAGE_COUNT:
            raise not_shared()
        transfer.page_count += 1
        check_encoding(response)
        page = b""
        try:
            async with Pace(self._limits.min_bytes_per_s, self._limits.stall_s):
                async for chunk in response.aiter_raw():
                    page += chunk
                    if len(page) > MAX_PAGE_BYTES:
                        break
        except TooSlowError:
            raise StalledError from None
        except httpx.HTTPError:
            raise _BrokenOffError from None
        transfer.url = confirmed_link(page[:MAX_PAGE_BYTES].decode(errors="replace"), transfer.url)


def _is_page(response: httpx.Response) -> bool:
    """Tell whether a reply is a page for people: an answer of Google Drive in place of the file."""
    shown = response.status_code in (httpx.codes.OK, httpx.codes.FORBIDDEN)
    return shown and response.headers.get("content-type", "").lower().startswith("text/html")
