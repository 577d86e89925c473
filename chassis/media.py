"""A recording on its way into a process: a URI or chunks become one bounded local file.

The engine never knows which it was. A spooled file is gone when the call ends, however it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio.to_thread

from chassis.containers import SNIFF_BYTES
from chassis.errors import (
    DeadlineError,
    ExhaustedError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    PreconditionError,
)
from chassis.scratch import remove_left_folders, scratch_folder
from chassis.store import URI_FORBIDDEN, MediaStore

MAX_CHUNK_BYTES = 1 << 20
RETRY_AFTER_S = 2.0
STALL_TIMEOUT_S = 60.0
DISCARD_BYTES = 64 << 20
DISCARD_TIMEOUT_S = 5.0
"""How much of a refused upload is read and thrown away, and for how long. A client that is still writing
when the status comes sees its write fail (INTERNAL) instead of the reason."""

REFUSALS = (InvalidInputError, ForbiddenError, NotFoundError, PreconditionError)
"""What a client may be told while it is still writing, by the stream itself or by the stage."""


Check = Callable[[Any], Awaitable[None]]
"""Raises what is wrong with an opening message."""


async def anything(_: Any) -> None:
    """Find nothing wrong."""


class MediaInbox:
    """Receives the recordings of a process's calls.

    Args:
        max_media_bytes: Largest recording.
        uri_prefixes: URI prefixes that may be read. None allows chunks only.
        spool_dir: Where chunks are spooled. None: the system's temporary folder.
        max_open_count: Recordings at once. One more raises `ExhaustedError` (`QUEUE_FULL`).
        stall_timeout_s: Longest wait for a client's next message.
    """

    def __init__(
        self,
        *,
        max_media_bytes: int,
        uri_prefixes: Sequence[str],
        spool_dir: Path | None = None,
        max_open_count: int = 64,
        stall_timeout_s: float = STALL_TIMEOUT_S,
    ) -> None:
        self._max_media_bytes = max_media_bytes
        self._stores = [MediaStore(prefix) for prefix in uri_prefixes]
        self._spool_dir = spool_dir
        self._max_open_count = max_open_count
        self._open_count = 0
        self._stall_timeout_s = stall_timeout_s
        remove_left_folders(spool_dir)

    @asynccontextmanager
    async def receive(
        self, requests: AsyncIterator[Any], *, check: Check = anything
    ) -> AsyncIterator[tuple[Any, Path]]:
        """Yield the opening message's `config` and a local file that lives as long as the block.

        Args:
            requests: The request stream: an opening message with `config`, then messages with `chunk`.
            check: Raises what is wrong with the `config`. It is asked before the first byte is received.

        Raises:
            InvalidInputError: `REQUEST_OUT_OF_ORDER`, `MEDIA_EMPTY`, `MEDIA_TOO_LARGE`, `CHUNK_TOO_LARGE`.
            ForbiddenError: The URI is outside the allowed prefixes (`MEDIA_URI_FORBIDDEN`).
            NotFoundError: Nothing lies at the URI (`MEDIA_NOT_FOUND`).
            ExhaustedError: Too many recordings are open (`QUEUE_FULL`).
            DeadlineError: Nothing arrived for too long (`UPLOAD_STALLED`).
        """
        async with self._opened(requests, check) as (config, spooled):
            if config.recording.uri:
                yield config, await self._fetch(config.recording.uri, spooled)
            else:
                await self._spool(requests, spooled)
                yield config, spooled

    @asynccontextmanager
    async def receive_chunks(
        self, requests: AsyncIterator[Any], *, check: Check = anything, check_head: Check = anything
    ) -> AsyncIterator[tuple[Any, Path]]:
        """Yield the same for a call that takes chunks only.

        Args:
            requests: As above.
            check: As above.
            check_head: Raises what is wrong with the first `SNIFF_BYTES` bytes, as soon as they are there.

        Raises:
            InterviewError: As above.
        """
        async with self._opened(requests, check) as (config, spooled):
            await self._spool(requests, spooled, check_head)
            yield config, spooled

    @asynccontextmanager
    async def _opened(self, requests: AsyncIterator[Any], check: Check) -> AsyncIterator[tuple[Any, Path]]:
        if self._open_count >= self._max_open_count:
            raise ExhaustedError(
                "The service is busy and its queue is full. Try again in a moment.",
                reason="QUEUE_FULL",
                retry_after_s=RETRY_AFTER_S,
            )
        self._open_count += 1
        try:
            config = await self._opening(requests)
            await check(config)
            with scratch_folder(self._spool_dir) as folder:
                yield config, folder / "recording"
        except REFUSALS:
            await _discard(requests)
            raise
        finally:
            self._open_count -= 1

    async def _opening(self, requests: AsyncIterator[Any]) -> Any:
        first = await self._next(requests)
        if first is None or first.WhichOneof("payload") != "config":
            raise InvalidInputError(
                "The first message must hold `config`. Send it before any chunk.",
                reason="REQUEST_OUT_OF_ORDER",
            )
        return first.config

    async def _next(self, requests: AsyncIterator[Any]) -> Any:
        """Return the next message, or None at the end."""
        try:
            async with asyncio.timeout(self._stall_timeout_s):
                return await anext(requests, None)
        except TimeoutError:
            raise DeadlineError(
                f"Nothing arrived for {self._stall_timeout_s:g} s. Send the recording again without a pause.",
                reason="UPLOAD_STALLED",
            ) from None

    async def _fetch(self, uri: str, spooled: Path) -> Path:
        for store in self._stores:
            try:
                key = store.key(uri)
            except ForbiddenError:
                continue
            return await self._fetch_from(store, key, spooled)
        raise ForbiddenError(URI_FORBIDDEN, reason="MEDIA_URI_FORBIDDEN")

    async def _fetch_from(self, store: MediaStore, key: str, spooled: Path) -> Path:
        size_bytes = await store.size_bytes(key)
        if size_bytes is None:
            raise NotFoundError(
                "Nothing lies at the recording's URI. Store the recording again.", reason="MEDIA_NOT_FOUND"
            )
        self._check_size(size_bytes)
        if (local := store.local_path(key)) is not None:
            return local
        await store.get_file(key, spooled, max_bytes=self._max_media_bytes)
        return spooled

    async def _spool(self, requests: AsyncIterator[Any], spooled: Path, check_head: Check = anything) -> None:
        head, size_bytes = b"", 0
        with spooled.open("wb") as out:
            while (request := await self._next(requests)) is not None:
                if request.WhichOneof("payload") != "chunk":
                    raise InvalidInputError(
                        "A message after the opening one has no chunk. Send one in each.",
                        reason="REQUEST_OUT_OF_ORDER",
                    )
                if len(request.chunk) > MAX_CHUNK_BYTES:
                    raise InvalidInputError(
                        f"A chunk holds at most {MAX_CHUNK_BYTES:,} bytes. Send smaller ones.",
                        reason="CHUNK_TOO_LARGE",
                    )
                size_bytes += len(request.chunk)
                self._check_size(size_bytes)
                if len(head) < SNIFF_BYTES:
                    head += request.chunk[:SNIFF_BYTES]
                    if len(head) >= SNIFF_BYTES:
                        await check_head(head)
                await anyio.to_thread.run_sync(out.write, request.chunk)
        self._check_size(size_bytes)
        if len(head) < SNIFF_BYTES:
            await check_head(head)

    def _check_size(self, size_bytes: int) -> None:
        if size_bytes == 0:
            raise InvalidInputError("The recording is empty. Send its bytes.", reason="MEDIA_EMPTY")
        if size_bytes > self._max_media_bytes:
            raise InvalidInputError(
                f"The recording has more than {self._max_media_bytes:,} bytes. Send a smaller one.",
                reason="MEDIA_TOO_LARGE",
            )


async def _discard(requests: AsyncIterator[Any]) -> None:
    discarded_bytes = 0
    with contextlib.suppress(TimeoutError, StopAsyncIteration):
        async with asyncio.timeout(DISCARD_TIMEOUT_S):
            while discarded_bytes <= DISCARD_BYTES:
                with contextlib.suppress(InvalidInputError):  # No message either: it is thrown away as well.
                    discarded_bytes += len((await anext(requests)).chunk)
