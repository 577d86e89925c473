"""Calls to other processes: a deadline always, retries by the rules, typed errors.

Only `UNAVAILABLE` and `RESOURCE_EXHAUSTED` are tried again, a limited number of times, with jitter,
and never past the deadline.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc

from chassis.errors import ExhaustedError, InterviewError, UnavailableError
from chassis.identity import CALL_TOKEN_KEY, Identity, of_this_process
from chassis.interceptors import BEGUN_KEY, REQUEST_ID_KEY, SESSION_ID_KEY
from chassis.status import DETAILS_KEY, MESSAGE_BY_CODE, REASON_KEY, from_rpc_error
from chassis.telemetry import request_id, session_id, tracing_configured

T = TypeVar("T")
Metadata = tuple[tuple[str, str], ...]

MAX_MESSAGE_BYTES = 64 << 20
"""Transcripts of an hour have a few MB. Recordings travel as chunks or by URI."""
DNS_REFRESH_MS = 2_000
"""The default of 30 s left callers without a server for 12-21 s after a rolling restart."""
KEEPALIVE_MS = 30_000
FIRST_RECONNECT_MS = 500
MAX_RECONNECT_MS = 2_000
"""By default a channel waits for up to two minutes before it looks for a server that was away."""
CONNECT_TIMEOUT_MS = 5_000
"""The default of 20 s is how long one address that answers nothing holds up all others."""
CHANNEL_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.dns_min_time_between_resolutions_ms", DNS_REFRESH_MS),
    ("grpc.keepalive_time_ms", KEEPALIVE_MS),
    ("grpc.initial_reconnect_backoff_ms", FIRST_RECONNECT_MS),
    ("grpc.max_reconnect_backoff_ms", MAX_RECONNECT_MS),
    ("grpc.min_reconnect_backoff_ms", CONNECT_TIMEOUT_MS),
    # gRPC sends a call again that no server has seen, such as one that crosses the end of an old connection.
    # Other repeats are `RetryPolicy`'s.
    ("grpc.enable_retries", 1),
    # Else a new channel inherits the failed connection of another one to the same address, and its
    # first call fails though a server is there by now.
    ("grpc.use_local_subchannel_pool", 1),
)
ROUND_ROBIN: dict[str, Any] = {"loadBalancingConfig": [{"round_robin": {}}]}
WATCHED: dict[str, Any] = ROUND_ROBIN | {"healthCheckConfig": {"serviceName": ""}}
"""The channel watches the health of each process, and calls none that says NOT_SERVING."""
END_TIMEOUT_S = 2.0
"""How long a server may take to end a stream after its result."""


@dataclass(frozen=True)
class RetryPolicy:
    """How often, and how long apart."""

    attempt_count: int = 3
    first_delay_s: float = 0.5
    max_delay_s: float = 8.0

    def delay_s(self, attempt: int, error: InterviewError) -> float:
        """Return the pause after a failed attempt (from 1 on), with full jitter."""
        ceiling_s = min(self.max_delay_s, self.first_delay_s * 2.0 ** (attempt - 1))
        jittered_s = ceiling_s * (0.5 + random.random() / 2)  # noqa: S311 - spreads callers, guards nothing
        return max(jittered_s, error.retry_after_s or 0.0)


NO_RETRY = RetryPolicy(attempt_count=1)


def is_transient(error: BaseException) -> bool:
    """Tell whether another attempt may help."""
    if isinstance(error, ExhaustedError):
        return error.retry_after_s is not None  # a spent quota has no delay after which it helps
    return isinstance(error, UnavailableError)


def open_channel(
    address: str, identity: Identity | None = None, *, only_serving: bool = False, server_name: str = ""
) -> grpc.aio.Channel:
    """Open the one channel of this process to another one.

    Args:
        address: `host:port`, or `dns:///name:port` for all pods behind a headless service. Calls take turns.
        identity: Who calls. None: this process, as its environment has it.
        only_serving: Whether processes that say NOT_SERVING are passed over. Without one that serves, calls
            fail as where nobody is.
        server_name: What the server's certificate is for, where that is not the address. Empty: the address.

    Raises:
        PreconditionError: TLS is set and its files can't be used (`TLS_INCOMPLETE`, `TLS_FILES_UNREADABLE`).
    """
    interceptors = []
    if tracing_configured():
        from opentelemetry.instrumentation.grpc import aio_client_interceptors

        interceptors = aio_client_interceptors()
    how = ("grpc.service_config", json.dumps(WATCHED if only_serving else ROUND_ROBIN))
    options: tuple[tuple[str, str | int], ...] = (*CHANNEL_OPTIONS, how)
    credentials = (identity or of_this_process()).channel_credentials()
    if credentials is None:
        return grpc.aio.insecure_channel(address, options=options, interceptors=interceptors)
    if server_name:
        options = (*options, ("grpc.ssl_target_name_override", server_name))
    return grpc.aio.secure_channel(address, credentials, options=options, interceptors=interceptors)


async def unary(
    method: Callable[..., Awaitable[T]],
    request: Any,
    *,
    timeout_s: float,
    retry: RetryPolicy = RetryPolicy(),
    metadata: Metadata = (),
) -> T:
    """Call a method with one reply.

    Args:
        method: The stub's method.
        request: Its request message.
        timeout_s: Time for all attempts together.
        retry: How transient failures are tried again.
        metadata: What is sent beside the identifiers of the request and the session.

    Raises:
        InterviewError: The error that the server raised, of the same class, reason and message.
    """

    async def attempt(remaining_s: float) -> T:
        try:
            return await method(request, timeout=remaining_s, metadata=(*_metadata(), *metadata))
        except grpc.aio.AioRpcError as failure:
            raise _error_of(failure) from failure

    return await retrying(attempt, timeout_s=timeout_s, retry=retry)


async def stream(
    method: Callable[..., Any],
    requests: AsyncIterable[Any],
    *,
    timeout_s: float,
    metadata: Metadata = (),
) -> AsyncIterator[Any]:
    """Call a method with a stream of replies, once. Leaving the iteration cancels the call.

    Raises:
        InterviewError: The error that the server raised, of the same class, reason and message.
    """
    call = method(requests, timeout=timeout_s, metadata=(*_metadata(), *metadata))
    try:
        async for response in call:
            yield response
    except grpc.aio.AioRpcError as failure:
        raise _error_of(failure) from failure
    finally:
        call.cancel()


async def read_out(replies: AsyncIterator[Any], *, timeout_s: float = END_TIMEOUT_S) -> None:
    """Read a stream to its end once its result has come. A server counts a call that is left as cancelled.

    The result stands, whatever comes after it. A server that doesn't end the stream in time is left.
    """
    with contextlib.suppress(TimeoutError, InterviewError):
        async with asyncio.timeout(timeout_s):
            async for _ in replies:
                pass


async def retrying(
    attempt: Callable[[float], Awaitable[T]], *, timeout_s: float, retry: RetryPolicy = RetryPolicy()
) -> T:
    """Call `attempt(remaining_s)` until it succeeds, fails for good, or attempts or time run out."""
    deadline_s = time.monotonic() + timeout_s
    for number in range(1, retry.attempt_count + 1):
        try:
            return await attempt(max(0.001, deadline_s - time.monotonic()))
        except InterviewError as error:
            delay_s = retry.delay_s(number, error)
            if (
                number == retry.attempt_count
                or not is_transient(error)
                or time.monotonic() + delay_s >= deadline_s
            ):
                raise
        await asyncio.sleep(delay_s)
    raise AssertionError("unreachable: the last attempt returns or raises")


def was_dropped(failure: grpc.aio.AioRpcError) -> bool:
    """Tell whether a server that was stopping dropped a call before anything was done.

    gRPC cancels what arrives in that moment. A call that we leave ourselves raises no error of gRPC's.
    """
    said = {key for key, _ in (*(failure.initial_metadata() or ()), *(failure.trailing_metadata() or ()))}
    return failure.code() is grpc.StatusCode.CANCELLED and not said & {BEGUN_KEY, DETAILS_KEY, REASON_KEY}


def _error_of(failure: grpc.aio.AioRpcError) -> InterviewError:
    if was_dropped(failure):
        return UnavailableError(MESSAGE_BY_CODE["UNAVAILABLE"], reason="UNAVAILABLE")
    return from_rpc_error(failure)


def _metadata() -> Metadata:
    ids = (
        (REQUEST_ID_KEY, request_id.get()),
        (SESSION_ID_KEY, session_id.get()),
        (CALL_TOKEN_KEY, of_this_process().token),
    )
    return tuple((key, value) for key, value in ids if value)
