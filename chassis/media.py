"""A recording on its way into a process: a URI or chunks become one bounded local file.

The engine never knows which it was. A spooled file is gone when the call ends, however it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
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
FIRST_MESSAGE_TIMEOUT_S = 10.0
"""A caller that opens a stream has its first message ready."""
MIN_BYTES_PER_S = 8_000.0
"""Least mean rate of a recording that is sent, the same as at the gateway's door."""
RATE_GRACE_S = 30.0
"""What a sender may be late, over the whole recording."""
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
        max_open_count: Recordings on this machine's disk at once, those that just arrive included. One more
            raises `ExhaustedError` (`QUEUE_FULL`). What is read in place, in a store on this machine, and a
            stream that has sent nothing yet, take no place.
        stall_timeout_s: Longest wait for a client's next message.
        first_message_timeout_s: Longest wait for the first one.
        min_bytes_per_s: Least mean rate of a recording that is sent.
        rate_grace_s: What a sender may be late, over the whole recording.
    """

    def __init__(
        self,
        *,
        max_media_bytes: int,
        uri_prefixes: Sequence[str],
        spool_dir: Path | None = None,
        max_open_count: int = 64,
        stall_timeout_s: float = STALL_TIMEOUT_S,
        first_message_timeout_s: float = FIRST_MESSAGE_TIMEOUT_S,
        min_bytes_per_s: float = MIN_BYTES_PER_S,
        rate_grace_s: float = RATE_GRACE_S,
    ) -> None:
        self._max_media_bytes = max_media_bytes
        self._stores = [MediaStore(prefix) for prefix in uri_prefixes]
        self._spool_dir = spool_dir
        self._max_open_count = max_open_count
        self._open_count = 0
        self._stall_timeout_s = stall_timeout_s
        self._first_message_timeout_s = first_message_timeout_s
        self._min_bytes_per_s = min_bytes_per_s
        self._rate_grace_s = rate_grace_s
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
            DeadlineError: Nothing arrived for too long, or too little (`UPLOAD_STALLED`).
        """
        async with self._opened(requests, check) as (config, spooled):
            if config.recording.uri:
                async with self._fetched(config.recording.uri, spooled) as recording:
                    yield config, recording
            else:
                with self._place():
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
            with self._place():
                await self._spool(requests, spooled, check_head)
                yield config, spooled

    @asynccontextmanager
    async def _opened(self, requests: AsyncIterator[Any], check: Check) -> AsyncIterator[tuple[Any, Path]]:
        try:
            config = await self._opening(requests)
            await check(config)
            with scratch_folder(self._spool_dir) as folder:
                yield config, folder / "recording"
        except REFUSALS:
            await _discard(requests)
            raise

    @contextlib.contextmanager
    def _place(self) -> Iterator[None]:
        if self._open_count >= self._max_open_count:
            raise ExhaustedError(
                "The service is busy and its queue is full. Try again in a moment.",
                reason="QUEUE_FULL",
                retry_after_s=RETRY_AFTER_S,
            )
        self._open_count += 1
        try:
            yield
        finally:
            self._open_count -= 1

    async def _opening(self, requests: AsyncIterator[Any]) -> Any:
        first = await self._next(requests, self._first_message_timeout_s)
        if first is None or first.WhichOneof("payload") != "config":
            raise InvalidInputError(
                "The first message must hold `config`. Send it before any chunk.",
                reason="REQUEST_OUT_OF_ORDER",
            )
        return first.config

    async def _next(self, requests: AsyncIterator[Any], timeout_s: float) -> Any:
        """Return the next message, or None at the end."""
        try:
            async with asyncio.timeout(timeout_s):
                return await anext(requests, None)
        except TimeoutError:
            raise DeadlineError(
                f"Nothing, or too little, arrived for {timeout_s:.0f} s. "
                "Send the recording again without a pause.",
                reason="UPLOAD_STALLED",
            ) from None

    @asynccontextmanager
    async def _fetched(self, uri: str, spooled: Path) -> AsyncIterator[Path]:
        for store in self._stores:
            try:
                key = store.key(uri)
            except ForbiddenError:
                continue
            async with self._fetched_from(store, key, spooled) as recording:
                yield recording
            return
        raise ForbiddenError(URI_FORBIDDEN, reason="MEDIA_URI_FORBIDDEN")

    @asynccontextmanager
    async def _fetched_from(self, store: MediaStore, key: str, spooled: Path) -> AsyncIterator[Path]:
        size_bytes = await store.size_bytes(key)
        if size_bytes is None:
            raise NotFoundError(
                "Nothing lies at the recording's URI. Store the recording again.", reason="MEDIA_NOT_FOUND"
            )
        self._check_size(size_bytes)
        if (local := store.local_path(key)) is not None:
            yield local
            return
        with self._place():
            await store.get_file(key, spooled, max_bytes=self._max_media_bytes)
            yield spooled

    async def _spool(self, requests: AsyncIterator[Any], spooled: Path, check_head: Check = anything) -> None:
        head, size_bytes, waited_s = b"", 0, 0.0
        with spooled.open("wb") as out:
            while True:
                # Only the time that the sender takes counts. Ours, on a slow disk, does not.
                left_s = self._rate_grace_s + size_bytes / self._min_bytes_per_s - waited_s
                begin_s = time.monotonic()
                request = await self._next(requests, max(0.0, min(self._stall_timeout_s, left_s)))
                if request is None:
                    break
                waited_s += time.monotonic() - begin_s
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
