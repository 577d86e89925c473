"""Downloads a recording from a link: bounded in bytes and time, and resumed where it breaks off."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from chassis.client import RetryPolicy
from chassis.containers import SNIFF_BYTES, sniff_extension
from chassis.errors import (
    DeadlineError,
    ExhaustedError,
    ForbiddenError,
    InterviewError,
    InvalidInputError,
    UnavailableError,
)
from orchestrator.stages.link_addresses import Resolve, bad_link, checked_request, direct_link, resolve_host

MAX_REDIRECT_COUNT = 5
CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 30.0
RESUMING = RetryPolicy(attempt_count=5, first_delay_s=0.5, max_delay_s=5.0)
MAX_RETRY_AFTER_S = 600.0
"""A server that asks for a longer pause is not waited for."""
BEGUN_ANEW, GONE_ON = httpx.codes.OK, httpx.codes.PARTIAL_CONTENT


@dataclass(frozen=True)
class DownloadLimits:
    """What one download may cost."""

    max_bytes: int
    timeout_s: float


@dataclass
class Download:
    """A recording on its way into a local file."""

    path: Path
    size_bytes: int = 0
    total_bytes: int | None = None
    """None where the server does not say."""
    etag: str = ""
    head: bytes = b""
    digest: Any = field(default_factory=hashlib.sha256)

    @property
    def extension(self) -> str | None:
        """The file extension that the first bytes call for, or None where they are not a video's."""
        return sniff_extension(self.head)

    def begin_anew(self) -> None:
        """Forget what came so far."""
        self.size_bytes, self.total_bytes, self.head, self.digest = 0, None, b"", hashlib.sha256()
        self.path.write_bytes(b"")

    def add(self, chunk: bytes) -> None:
        """Append bytes."""
        with self.path.open("ab") as out:
            out.write(chunk)
        self.size_bytes += len(chunk)
        self.digest.update(chunk)
        self.head += chunk[: SNIFF_BYTES - len(self.head)]


class _BrokenOffError(Exception):
    """The connection broke off in the middle."""


class Downloader:
    """Downloads recordings.

    Args:
        limits: What one may cost.
        drive_url: Where Google Drive hands files out.
        allow_private: Whether links may lead into private networks.
        resolve: Looks host names up.
        resuming: How a download that breaks off goes on from where it was.
    """

    def __init__(
        self,
        limits: DownloadLimits,
        drive_url: str,
        *,
        allow_private: bool = False,
        resolve: Resolve = resolve_host,
        resuming: RetryPolicy = RESUMING,
    ) -> None:
        self._limits = limits
        self._drive_url = drive_url
        self._allow_private = allow_private
        self._resolve = resolve
        self._resuming = resuming

    async def download(self, link: str, path: Path, on_progress: Callable[[float], None]) -> Download:
        """Download a recording into a local file.

        Raises:
            InvalidInputError: The link can't be opened, or leads to something else than a video, or to one
                that is too large, or into a private network (`LINK_INVALID`, `NOT_A_VIDEO`,
                `FILE_TOO_LARGE`, `LINK_FORBIDDEN`).
            ForbiddenError: Its server refuses (`DOWNLOAD_REFUSED`).
            UnavailableError: Its server is away (`DOWNLOAD_FAILED`).
            DeadlineError: It takes longer than allowed (`DOWNLOAD_FAILED`).
            ExhaustedError: Its server asks for a pause (`DOWNLOAD_FAILED`).
        """
        url = direct_link(link, self._drive_url)
        limit = asyncio.timeout(self._limits.timeout_s)
        try:
            async with limit:
                download = await self._resumed(url, Download(path), on_progress)
        except httpx.InvalidURL:
            raise bad_link() from None
        except (httpx.HTTPError, TimeoutError, OSError):
            if limit.expired():
                # Not asked again at once: a server that drips would hold the session for as long again.
                raise DeadlineError(
                    f"The recording did not arrive within {self._limits.timeout_s:g} s. "
                    "Retry the session later, or upload the file.",
                    reason="DOWNLOAD_FAILED",
                ) from None
            # Nothing of theirs in the message: it may hold the link.
            raise _away("did not answer in time") from None
        if download.extension is None:
            raise InvalidInputError(
                "The link does not lead to a video. Check that it is shared with everyone.",
                reason="NOT_A_VIDEO",
            )
        return download

    async def _resumed(
        self, url: httpx.URL, download: Download, on_progress: Callable[[float], None]
    ) -> Download:
        timeout = httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
        # No environment: a proxy would resolve names itself, past our check.
        async with httpx.AsyncClient(timeout=timeout, trust_env=False) as client:
            for attempt in range(1, self._resuming.attempt_count + 1):
                try:
                    await self._follow(client, url, download, on_progress)
                except _BrokenOffError:
                    await asyncio.sleep(self._resuming.delay_s(attempt, _away("broke off")))
                else:
                    return download
        raise _away("broke off again and again")

    async def _follow(
        self,
        client: httpx.AsyncClient,
        url: httpx.URL,
        download: Download,
        on_progress: Callable[[float], None],
    ) -> None:
        for _ in range(MAX_REDIRECT_COUNT + 1):
            request = await checked_request(
                url, resolve=self._resolve, allow_private=self._allow_private, headers=_headers(download)
            )
            response = await client.send(request, stream=True)
            try:
                if response.has_redirect_location:
                    url = url.join(response.headers["location"])
                    continue
                await self._receive(response, download, on_progress)
                return
            finally:
                await response.aclose()
        raise _away("redirects too often")

    async def _receive(
        self, response: httpx.Response, download: Download, on_progress: Callable[[float], None]
    ) -> None:
        _check(response)
        if not _goes_on(response, download):
            download.begin_anew()
        download.etag = response.headers.get("etag", "")
        length = response.headers.get("content-length", "")
        download.total_bytes = download.size_bytes + int(length) if length.isdecimal() else None
        self._check_size(download.total_bytes or 0)
        try:
            # Raw: the limit counts what arrives, and nothing is ever unpacked.
            async for chunk in response.aiter_raw():
                self._check_size(download.size_bytes + len(chunk))
                await asyncio.to_thread(download.add, chunk)
                if download.total_bytes:
                    on_progress(min(1.0, download.size_bytes / download.total_bytes))
        except httpx.HTTPError:
            raise _BrokenOffError from None
        if download.total_bytes is not None and download.size_bytes < download.total_bytes:
            raise _BrokenOffError

    def _check_size(self, size_bytes: int) -> None:
        if size_bytes > self._limits.max_bytes:
            raise InvalidInputError(
                f"File too large. Max: {self._limits.max_bytes / 1_000_000:g} MB. Export it smaller.",
                reason="FILE_TOO_LARGE",
            )


def _headers(download: Download) -> dict[str, str]:
    headers = {"Accept-Encoding": "identity"}
    if download.size_bytes and download.etag and not download.etag.startswith("W/"):
        # Only where the server can tell whether it is still the same file.
        headers |= {"Range": f"bytes={download.size_bytes}-", "If-Range": download.etag}
    return headers


def _goes_on(response: httpx.Response, download: Download) -> bool:
    """Tell whether a reply goes on where the file ends. One that begins again has it all."""
    if response.status_code == BEGUN_ANEW:
        return False
    if response.headers.get("content-range", "").startswith(f"bytes {download.size_bytes}-"):
        return True
    download.begin_anew()
    raise _BrokenOffError


def _check(response: httpx.Response) -> None:
    status = response.status_code
    if status in (BEGUN_ANEW, GONE_ON):
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise InvalidInputError(
                "The link's server sends the file compressed. Use another link, or upload the file.",
                reason="NOT_A_VIDEO",
            )
        return
    pause_s = _pause_s(response.headers.get("retry-after", ""))
    if status == httpx.codes.TOO_MANY_REQUESTS or (
        status == httpx.codes.SERVICE_UNAVAILABLE and pause_s is not None
    ):
        raise ExhaustedError(
            "The link's server asks for a pause. Retry the session later.",
            reason="DOWNLOAD_FAILED",
            retry_after_s=pause_s if pause_s is not None else RESUMING.max_delay_s,
        )
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.REQUEST_TIMEOUT:
        raise _away(f"answered {status}")
    raise ForbiddenError(
        f"The recording could not be downloaded. The link's server answered {status}."
        " Check that the link is right and shared with everyone.",
        reason="DOWNLOAD_REFUSED",
    )


def _pause_s(retry_after: str) -> float | None:
    """Read Retry-After in seconds. A date, a longer pause than we wait, or nothing is None."""
    pause_s = float(retry_after) if retry_after.isdecimal() else None
    return pause_s if pause_s is not None and pause_s <= MAX_RETRY_AFTER_S else None


def _away(what: str) -> InterviewError:
    return UnavailableError(
        f"The recording could not be downloaded. The link's server {what}. Retry the session later.",
        reason="DOWNLOAD_FAILED",
    )
