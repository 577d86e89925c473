"""A request's body as it arrives: never waits for a silent client, and lets go of it politely."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect, Request

from chassis.errors import InvalidInputError

CLOSE_CONNECTION = "close_connection"
"""Mark on a request's state: its body was not read to its end."""
DRAIN_BYTES = 32_000_000
DRAIN_S = 3.0
"""After a refusal this much more is read and dropped: a browser that is cut off in the middle of
sending shows "network error" in place of our answer. No more than this, or a client could go on forever."""


class RequestBody:
    """The chunks of one request's body.

    Args:
        request: The request.
        idle_timeout_s: Longest wait for the next chunk.
    """

    def __init__(self, request: Request, idle_timeout_s: float) -> None:
        self._request = request
        self._chunks = request.stream()
        self._idle_timeout_s = idle_timeout_s
        self._ended = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield chunks until the body ends.

        Raises:
            InvalidInputError: Nothing came for too long.
            ClientDisconnect: The client left.
        """
        while not self._ended:
            try:
                async with asyncio.timeout(self._idle_timeout_s):
                    chunk = await anext(self._chunks, None)
            except TimeoutError:
                raise InvalidInputError(
                    f"Nothing arrived for {self._idle_timeout_s:g} s. Send the upload again.",
                    reason="UPLOAD_STALLED",
                ) from None
            if chunk is None:
                self._ended = True
            else:
                yield chunk

    async def read(self, max_bytes: int) -> bytes:
        """Return the whole body.

        Raises:
            InvalidInputError: It has more than `max_bytes`.
        """
        data = bytearray()
        async for chunk in self:
            data += chunk
            if len(data) > max_bytes:
                raise InvalidInputError(
                    f"The body is too large. Max: {max_bytes} bytes. Send less at once.",
                    reason="UPLOAD_TOO_LARGE",
                )
        return bytes(data)

    async def drain(self, max_bytes: int = DRAIN_BYTES, max_s: float = DRAIN_S) -> None:
        """Read and drop what still comes, up to a point. Beyond it the connection ends with the answer."""
        dropped_bytes = 0
        try:
            async with asyncio.timeout(max_s):
                while dropped_bytes <= max_bytes:
                    chunk = await anext(self._chunks, None)
                    if chunk is None:
                        return
                    dropped_bytes += len(chunk)
        except (TimeoutError, ClientDisconnect):
            pass
        # uvicorn would go on reading (and dropping) for as long as a client sends.
        setattr(self._request.state, CLOSE_CONNECTION, True)
