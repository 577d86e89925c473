"""A recording on its way into a process: a URI or chunks become one bounded local file.

The engine never knows which it was. A spooled file is gone when the call ends, however it ends.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chassis.arriving import Arriving, arriving
from chassis.errors import (
    ExhaustedError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    PreconditionError,
)
from chassis.growing import GrowingFile
from chassis.scratch import remove_left_folders, scratch_folder
from chassis.spooling import (
    DISCARD_BYTES,
    FIRST_MESSAGE_TIMEOUT_S,
    MAX_CHUNK_BYTES,
    MIN_BYTES_PER_S,
    RATE_GRACE_S,
    STALL_TIMEOUT_S,
    Check,
    Spooling,
    SpoolLimits,
    anything,
    discard,
    next_message,
)
from chassis.store import URI_FORBIDDEN, MediaStore

__all__ = ["DISCARD_BYTES", "MAX_CHUNK_BYTES", "Arriving", "Check", "MediaInbox", "anything"]

RETRY_AFTER_S = 2.0

REFUSALS = (InvalidInputError, ForbiddenError, NotFoundError, PreconditionError)
"""What a client may be told while it is still writing, by the stream itself or by the stage."""


@dataclass
class _Opened:
    """One call whose first message is there."""

    config: Any
    spooled: Path
    """Where its recording goes."""
    is_discarded: bool = False
    """Whether what a refused client still sends was read already."""


class MediaInbox:
    """Receives the recordings of a process's calls.

    Args:
        max_media_bytes: Largest recording.
        uri_prefixes: URI prefixes that may be read. None allows chunks only.
        spool_dir: Where chunks are spooled. None: the system's temporary folder.
        max_open_count: Recordings on this machine's disk at once, those that just arrive included. One more
            raises `ExhaustedError` (`QUEUE_FULL`). What is read in place, in a store on this machine, and a
            stream that has sent nothing yet, take no place.
        max_growing_count: Of these, recordings that are worked on while they arrive. The work of one more
            begins when it is there. A slow sender holds its worker for as long as it sends: keep some free.
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
        max_growing_count: int = 0,
        stall_timeout_s: float = STALL_TIMEOUT_S,
        first_message_timeout_s: float = FIRST_MESSAGE_TIMEOUT_S,
        min_bytes_per_s: float = MIN_BYTES_PER_S,
        rate_grace_s: float = RATE_GRACE_S,
    ) -> None:
        self._limits = SpoolLimits(
            max_media_bytes, stall_timeout_s, first_message_timeout_s, min_bytes_per_s, rate_grace_s
        )
        self._stores = [MediaStore(prefix) for prefix in uri_prefixes]
        self._spool_dir = spool_dir
        self._max_open_count = max_open_count
        self._open_count = 0
        self._max_growing_count = max_growing_count
        self._growing_count = 0
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
        async with self._opened(requests, check) as call:
            if call.config.recording.uri:
                async with self._fetched(call.config.recording.uri, call.spooled) as recording:
                    yield call.config, recording
            else:
                with self._place():
                    await self._spool(requests, call.spooled)
                    yield call.config, call.spooled

    @asynccontextmanager
    async def receive_growing(
        self, requests: AsyncIterator[Any], *, check: Check = anything
    ) -> AsyncIterator[tuple[Any, Arriving]]:
        """Yield the same, and chunks as soon as the first one is there: the file may still grow.

        The block takes what comes of the work through `Arriving.events`.

        Args:
            requests: As above.
            check: As above.

        Raises:
            InterviewError: As above.
        """
        async with self._opened(requests, check) as call:
            if call.config.recording.uri:
                async with self._fetched(call.config.recording.uri, call.spooled) as recording:
                    yield call.config, Arriving(recording)
                return
            with self._place():
                if self._growing_count >= self._max_growing_count:
                    await self._spool(requests, call.spooled)
                    yield call.config, Arriving(call.spooled)
                    return
                async with self._arriving(requests, call) as recording_so_far:
                    yield call.config, recording_so_far

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
        async with self._opened(requests, check) as call:
            with self._place():
                await self._spool(requests, call.spooled, check_head)
                yield call.config, call.spooled

    @asynccontextmanager
    async def _opened(self, requests: AsyncIterator[Any], check: Check) -> AsyncIterator[_Opened]:
        call: _Opened | None = None
        try:
            config = await self._opening(requests)
            await check(config)
            with scratch_folder(self._spool_dir) as folder:
                call = _Opened(config, folder / "recording")
                yield call
        except REFUSALS:
            if call is None or not call.is_discarded:
                await discard(requests)
            raise

    @asynccontextmanager
    async def _arriving(self, requests: AsyncIterator[Any], call: _Opened) -> AsyncIterator[Arriving]:
        def note() -> None:
            call.is_discarded = True

        self._growing_count += 1
        try:
            async with arriving(requests, call.spooled, self._limits, REFUSALS, note) as recording:
                yield recording
        finally:
            self._growing_count -= 1

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
        first = await next_message(requests, self._limits.first_message_timeout_s)
        if first is None or first.WhichOneof("payload") != "config":
            raise InvalidInputError(
                "The first message must hold `config`. Send it before any chunk.",
                reason="REQUEST_OUT_OF_ORDER",
            )
        return first.config

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
        self._limits.check_size(size_bytes)
        if (local := store.local_path(key)) is not None:
            yield local
            return
        with self._place():
            await store.get_file(key, spooled, max_bytes=self._limits.max_media_bytes)
            yield spooled

    async def _spool(self, requests: AsyncIterator[Any], spooled: Path, check_head: Check = anything) -> None:
        file = GrowingFile(spooled)
        with contextlib.closing(file):
            await Spooling(requests, file, self._limits, check_head).run()
