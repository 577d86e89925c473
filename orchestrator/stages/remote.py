"""Calls to the stages' services: a deadline always, errors as `chassis.errors`, leaving a call cancels it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc

from chassis.client import NO_RETRY, open_channel, read_out, stream, unary
from chassis.errors import UnavailableError
from interview.v1 import media_pb2

CAPABILITIES_TIMEOUT_S = 5.0
"""A service knows without looking what it can do, and a caller waits."""


class Channels:
    """One channel to each address. Use it inside the running event loop."""

    def __init__(self) -> None:
        self._open: dict[str, grpc.aio.Channel] = {}

    def to(self, address: str) -> grpc.aio.Channel:
        """Return the channel to an address."""
        if address not in self._open:
            self._open[address] = open_channel(address)
        return self._open[address]

    async def close(self) -> None:
        """Close all."""
        for channel in self._open.values():
            await channel.close()


async def ask(method: Any, request: Any, *, timeout_s: float) -> Any:
    """Call a method with one reply, once: the runner tries again.

    Raises:
        InterviewError: As the service raised it.
    """
    return await unary(method, request, timeout_s=timeout_s, retry=NO_RETRY)


async def follow(
    method: Any, request: Any, wanted: str, on_progress: Callable[[float], None], *, timeout_s: float
) -> Any:
    """Send one request, and follow the stream of replies to the event that completes it.

    Args:
        method: The stub's method.
        request: The opening message, which names the recording.
        wanted: Field of the replies' `event` that holds the complete output.
        on_progress: Is called with the share that is done, 0 to 1.
        timeout_s: Time for the whole call.

    Raises:
        UnavailableError: The stream ended before the output came (`REPLY_INCOMPLETE`).
        InterviewError: As the service raised it.
    """
    return await _last(stream(method, _once(request), timeout_s=timeout_s), wanted, on_progress)


async def _once(request: Any) -> AsyncIterator[Any]:
    yield request


async def _last(replies: AsyncIterator[Any], wanted: str, on_progress: Callable[[float], None]) -> Any:
    """Follow a stream of replies to the message that completes it."""
    async for reply in replies:
        event = reply.WhichOneof("event")
        if event == wanted:
            await read_out(replies)
            return getattr(reply, wanted)
        if event == "progress" and (ratio := done_ratio(reply.progress)) is not None:
            on_progress(ratio)
    # A server that goes away in mid-stream may end it without an error.
    raise UnavailableError(
        "The stage ended its reply before it was complete. Try again.", reason="REPLY_INCOMPLETE"
    )


def done_ratio(progress: media_pb2.Progress) -> float | None:
    """Return the share that is done, 0 to 1, or None where it can't be told."""
    if progress.HasField("done_ratio"):
        ratio = progress.done_ratio
    elif progress.HasField("total_s") and progress.total_s > 0:
        ratio = progress.done_s / progress.total_s
    else:
        return None
    return float(min(1.0, max(0.0, ratio)))
