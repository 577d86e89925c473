"""Calls to the stages' services: a deadline always, errors as `chassis.errors`, leaving a call cancels it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis.client import NO_RETRY, open_channel, read_out, stream, unary
from chassis.errors import InterviewError, UnavailableError
from interview.v1 import media_pb2
from orchestrator.stages.troubles import StageAwayError, StageHungError, trouble_of

CAPABILITIES_TIMEOUT_S = 5.0
"""A service knows without looking what it can do, and a caller waits."""
HEALTH_TIMEOUT_S = 5.0
"""An event loop answers at once. On a busy machine it may take seconds."""
PROBE_TIMEOUT_S = 2.0
"""Of one look for a stage that is away."""


@dataclass(frozen=True)
class Limits:
    """How long one attempt may take.

    Args:
        timeout_s: For the whole call.
        stall_s: Between two signs that it gets on, from the first one on.
    """

    timeout_s: float
    stall_s: float


class Channels:
    """Two channels to each address, one for looks at the health. Use it inside the running event loop.

    Calls take turns over the pods of a stage. On the same channel, a look before each call would take every
    other turn, and of two pods one would get all calls and the other all looks.
    """

    def __init__(self) -> None:
        self._open: dict[str, grpc.aio.Channel] = {}
        self._looks: dict[str, grpc.aio.Channel] = {}

    def to(self, address: str) -> grpc.aio.Channel:
        """Return the channel to an address. Pods that do not serve are passed over."""
        return _opened(self._open, address)

    async def check_serving(self, address: str) -> None:
        """Ask a process for its health. See `check_serving`."""
        await check_serving(_opened(self._looks, address))

    @asynccontextmanager
    async def to_pod(self, pod: str, address: str) -> AsyncIterator[grpc.aio.Channel]:
        """Open a channel to one pod of those behind an address, for a moment.

        Args:
            pod: Its `host:port`.
            address: What the stage is called by, and its certificate is for.
        """
        async with open_channel(pod, server_name=address.rpartition("/")[2].rpartition(":")[0]) as channel:
            yield channel

    async def find_again(self, address: str) -> bool:
        """Look for a process that was away. If it serves, later calls take the connection that found it.

        A new channel each time: an old one looks its name up again only after up to two minutes.
        """
        channel = open_channel(address, only_serving=True)
        try:
            await check_serving(channel, PROBE_TIMEOUT_S)
        except StageAwayError:
            await channel.close()
            return False
        except BaseException:
            await channel.close()
            raise
        self._open[address] = channel  # The old ones end with the last calls on them.
        self._looks.pop(address, None)
        return True

    async def close(self) -> None:
        """Close all."""
        for channel in (*self._open.values(), *self._looks.values()):
            await channel.close()


def _opened(channels: dict[str, grpc.aio.Channel], address: str) -> grpc.aio.Channel:
    if address not in channels:
        channels[address] = open_channel(address, only_serving=True)
    return channels[address]


async def check_serving(channel: grpc.aio.Channel, timeout_s: float = HEALTH_TIMEOUT_S) -> None:
    """Ask a process for its health.

    Raises:
        StageAwayError: It can't be reached, or says that it does not serve (`STAGE_AWAY`).
    """
    stub: Any = health_pb2_grpc.HealthStub(channel)
    try:
        reply = await stub.Check(health_pb2.HealthCheckRequest(), timeout=timeout_s)
    except grpc.aio.AioRpcError as failure:
        if failure.code() is grpc.StatusCode.UNIMPLEMENTED:
            return  # It is there, and has no word for its health.
        raise StageAwayError from None
    if reply.status != health_pb2.HealthCheckResponse.SERVING:
        raise StageAwayError


async def ask(method: Any, request: Any, *, timeout_s: float) -> Any:
    """Call a method with one reply, once: the runner tries again.

    Raises:
        InterviewError: As the service raised it, or one of `troubles`.
    """
    try:
        return await unary(method, request, timeout_s=timeout_s, retry=NO_RETRY)
    except InterviewError as error:
        raise trouble_of(error, answered=False) from error


async def follow(
    method: Any,
    requests: AsyncIterator[Any],
    wanted: str,
    on_progress: Callable[[float], None],
    *,
    limits: Limits,
) -> Any:
    """Send requests, and follow the stream of replies to the event that completes it.

    Args:
        method: The stub's method.
        requests: The opening message, which names the recording, or is followed by its bytes.
        wanted: Field of the replies' `event` that holds the complete output.
        on_progress: Is called with the share that is done, 0 to 1.
        limits: Time for the whole call, and for the pauses in it.

    Raises:
        UnavailableError: The stream ended before the output came (`REPLY_INCOMPLETE`).
        InterviewError: As the service raised it, or one of `troubles`.
    """
    replies = _Replies(stream(method, requests, timeout_s=limits.timeout_s))
    try:
        return await _last(replies, wanted, on_progress, limits.stall_s)
    except InterviewError as error:
        raise trouble_of(error, answered=replies.answered) from error


async def once(request: Any) -> AsyncIterator[Any]:
    """Yield one request."""
    yield request


class _Replies:
    """A stream of replies that knows whether one has come."""

    def __init__(self, replies: AsyncIterator[Any]) -> None:
        self._replies = replies
        self.answered = False

    def __aiter__(self) -> _Replies:
        return self

    async def __anext__(self) -> Any:
        reply = await anext(self._replies)
        self.answered = True
        return reply


async def _last(replies: _Replies, wanted: str, on_progress: Callable[[float], None], stall_s: float) -> Any:
    """Follow a stream of replies to the message that completes it."""
    loop = asyncio.get_running_loop()
    stood_at: media_pb2.Progress | None = None
    try:
        # A call may wait in the stage's own room. What it does there can't be told, until it gets on once.
        async with asyncio.timeout(None) as patience:
            async for reply in replies:
                event = reply.WhichOneof("event")
                if event == wanted:
                    break
                if event != "progress" or reply.progress != stood_at:
                    patience.reschedule(loop.time() + stall_s)
                if event == "progress":
                    stood_at = reply.progress
                    if (ratio := done_ratio(reply.progress)) is not None:
                        on_progress(ratio)
            else:
                # A server that goes away in mid-stream may end it without an error.
                raise UnavailableError(
                    "The stage ended its reply before it was complete. Try again.", reason="REPLY_INCOMPLETE"
                )
    except TimeoutError:
        raise StageHungError from None
    await read_out(replies)
    return getattr(reply, wanted)


def done_ratio(progress: media_pb2.Progress) -> float | None:
    """Return the share that is done, 0 to 1, or None where it can't be told."""
    if progress.HasField("done_ratio"):
        ratio = progress.done_ratio
    elif progress.HasField("total_s") and progress.total_s > 0:
        ratio = progress.done_s / progress.total_s
    else:
        return None
    return float(min(1.0, max(0.0, ratio)))
