"""Writes the chunks of one call into a file, within limits of size, pace and order."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import anyio.to_thread

from chassis.containers import SNIFF_BYTES
from chassis.errors import DeadlineError, InvalidInputError
from chassis.growing import GrowingFile

MAX_CHUNK_BYTES = 1 << 20
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

Check = Callable[[Any], Awaitable[None]]
"""Raises what is wrong with an opening message, or with a recording's first bytes."""


async def anything(_: Any) -> None:
    """Find nothing wrong."""


@dataclass(frozen=True)
class SpoolLimits:
    """What a recording may be, and how slowly it may come."""

    max_media_bytes: int
    stall_timeout_s: float = STALL_TIMEOUT_S
    """Longest wait for a client's next message."""
    first_message_timeout_s: float = FIRST_MESSAGE_TIMEOUT_S
    """Longest wait for the first one."""
    min_bytes_per_s: float = MIN_BYTES_PER_S
    rate_grace_s: float = RATE_GRACE_S

    def check_size(self, size_bytes: int) -> None:
        """Refuse an empty recording and one that is too large.

        Raises:
            InvalidInputError: `MEDIA_EMPTY`, `MEDIA_TOO_LARGE`.
        """
        if size_bytes == 0:
            raise InvalidInputError("The recording is empty. Send its bytes.", reason="MEDIA_EMPTY")
        if size_bytes > self.max_media_bytes:
            raise InvalidInputError(
                f"The recording has more than {self.max_media_bytes:,} bytes. Send a smaller one.",
                reason="MEDIA_TOO_LARGE",
            )


class Spooling:
    """Takes one call's chunks into a file.

    Args:
        requests: The messages behind the opening one.
        file: Where the chunks go.
        limits: What may come.
        check_head: Raises what is wrong with the first `SNIFF_BYTES` bytes, as soon as they are there.
    """

    def __init__(
        self,
        requests: AsyncIterator[Any],
        file: GrowingFile,
        limits: SpoolLimits,
        check_head: Check = anything,
    ) -> None:
        self._requests = requests
        self._file = file
        self._limits = limits
        self._check_head = check_head
        self._discards = False
        self.begun = asyncio.Event()
        """Set once something has come."""

    async def run(self) -> None:
        """Take chunks until the last one, and say that the file is whole.

        Raises:
            InvalidInputError: `REQUEST_OUT_OF_ORDER`, `MEDIA_EMPTY`, `MEDIA_TOO_LARGE`, `CHUNK_TOO_LARGE`.
            DeadlineError: Nothing arrived for too long, or too little (`UPLOAD_STALLED`).
        """
        head, size_bytes, waited_s = b"", 0, 0.0
        while True:
            # Only the time that the sender takes counts. Ours, on a slow disk, does not.
            left_s = self._limits.rate_grace_s + size_bytes / self._limits.min_bytes_per_s - waited_s
            begin_s = time.monotonic()
            request = await next_message(self._requests, max(0.0, min(self._limits.stall_timeout_s, left_s)))
            if self._discards:
                await discard(self._requests)
                return
            if request is None:
                break
            waited_s += time.monotonic() - begin_s
            size_bytes += len(chunk_of(request))
            self._limits.check_size(size_bytes)
            if len(head) < SNIFF_BYTES:
                head += request.chunk[:SNIFF_BYTES]
                if len(head) >= SNIFF_BYTES:
                    await self._check_head(head)
            await anyio.to_thread.run_sync(self._file.write, request.chunk)
            self.begun.set()
        self._limits.check_size(size_bytes)
        if len(head) < SNIFF_BYTES:
            await self._check_head(head)
        self._file.finish()

    def discard(self) -> None:
        """Throw away what still comes: the recording was refused."""
        self._discards = True


def chunk_of(request: Any) -> bytes:
    """Return the chunk of a message.

    Raises:
        InvalidInputError: It has none (`REQUEST_OUT_OF_ORDER`), or too large a one (`CHUNK_TOO_LARGE`).
    """
    if request.WhichOneof("payload") != "chunk":
        raise InvalidInputError(
            "A message after the opening one has no chunk. Send one in each.", reason="REQUEST_OUT_OF_ORDER"
        )
    if len(request.chunk) > MAX_CHUNK_BYTES:
        raise InvalidInputError(
            f"A chunk holds at most {MAX_CHUNK_BYTES:,} bytes. Send smaller ones.", reason="CHUNK_TOO_LARGE"
        )
    return bytes(request.chunk)


async def next_message(requests: AsyncIterator[Any], timeout_s: float) -> Any:
    """Return the next message, or None at the end.

    Raises:
        DeadlineError: It did not come in time (`UPLOAD_STALLED`).
    """
    try:
        async with asyncio.timeout(timeout_s):
            return await anext(requests, None)
    except TimeoutError:
        raise DeadlineError(
            f"Nothing, or too little, arrived for {timeout_s:.0f} s. "
            "Send the recording again without a pause.",
            reason="UPLOAD_STALLED",
        ) from None


async def discard(requests: AsyncIterator[Any]) -> None:
    """Read messages and throw them away, so many and for so long."""
    discarded_bytes = 0
    with contextlib.suppress(TimeoutError, StopAsyncIteration):
        async with asyncio.timeout(DISCARD_TIMEOUT_S):
            while discarded_bytes <= DISCARD_BYTES:
                with contextlib.suppress(InvalidInputError):  # No message either: it is thrown away as well.
                    discarded_bytes += len((await anext(requests)).chunk)
