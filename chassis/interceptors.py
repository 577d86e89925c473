"""Around every RPC of ours: request id, access log, metrics, deadline, error → status."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from chassis.acting import CALLER_KEY, actor_of, current_actor
from chassis.caller_groups import GROUP_KEY, caller_groups, decode_groups
from chassis.callers import Callers
from chassis.ended_calls import refuse, say_begun, time_is_over, why_over
from chassis.errors import InternalError, InterviewError, InvalidInputError
from chassis.full_disk import folder_full, is_full
from chassis.telemetry import RPC_IN_FLIGHT, RPC_SECONDS, request_id, session_id

logger = logging.getLogger(__name__)

OWN_PREFIX = "/interview."
"""Health checks and reflection pass by untouched. They must answer whatever happens here."""
REQUEST_ID_KEY = "x-request-id"
SESSION_ID_KEY = "x-session-id"
BEGUN_KEY = "x-begun"
"""Of the metadata that go out before the work. A caller who loses the connection knows that it had begun."""
MAX_ID_CHARACTERS = 64


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Gives every call an id, a bound, a log line, metrics and a proper status.

    Args:
        max_call_s: Longest time of one call, whatever deadline its caller gave.
        unread_timeout_s: Longest time that a caller leaves a reply unread. Then the call is ended, or it
            would keep its place.
        callers: Says who may call what.
    """

    def __init__(self, max_call_s: float, unread_timeout_s: float, callers: Callers) -> None:
        self._max_call_s = max_call_s
        self._unread_timeout_s = unread_timeout_s
        self._callers = callers

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Wrap the handler of one of our methods."""
        handler = await continuation(handler_call_details)
        method = str(handler_call_details.method)
        if handler is None or not method.startswith(OWN_PREFIX):
            return handler
        metadata = {str(key): value for key, value in handler_call_details.invocation_metadata or ()}
        return self._wrap(handler, method, metadata)

    def _wrap(self, handler: Any, method: str, metadata: dict[str, Any]) -> grpc.RpcMethodHandler:
        decode = _decoder(handler.request_deserializer)
        read = _Messages if handler.request_streaming else _message
        if handler.response_streaming:

            async def stream(request: Any, context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
                async with self._call(method, metadata, context):
                    async for response in behaviour(read(request), context):
                        # It is resumed once gRPC has sent this, which waits for a caller that reads nothing.
                        async with asyncio.timeout(self._unread_timeout_s):
                            yield response

            behaviour = handler.stream_stream if handler.request_streaming else handler.unary_stream
            make = (
                grpc.stream_stream_rpc_method_handler
                if handler.request_streaming
                else grpc.unary_stream_rpc_method_handler
            )
            return make(stream, decode, handler.response_serializer)

        async def single(request: Any, context: grpc.aio.ServicerContext) -> Any:
            async with self._call(method, metadata, context):
                return await behaviour(read(request), context)

        behaviour = handler.stream_unary if handler.request_streaming else handler.unary_unary
        make = (
            grpc.stream_unary_rpc_method_handler
            if handler.request_streaming
            else grpc.unary_unary_rpc_method_handler
        )
        return make(single, decode, handler.response_serializer)

    @asynccontextmanager
    async def _call(
        self, method: str, metadata: dict[str, Any], context: grpc.aio.ServicerContext
    ) -> AsyncIterator[None]:
        _remember(metadata)
        begin_s = time.perf_counter()
        remaining_s = context.time_remaining()
        limit_s = self._max_call_s if remaining_s is None else min(remaining_s, self._max_call_s)
        error: InterviewError | None = None
        caller = self._callers.name_of(metadata, context.auth_context())
        current_actor.set(actor_of(metadata.get(CALLER_KEY), caller))
        RPC_IN_FLIGHT.labels(method).inc()
        try:
            async with asyncio.timeout(limit_s):
                caller = self._callers.check(method, metadata, context.auth_context())
                await say_begun(context, ((BEGUN_KEY, "1"),))
                yield
        except InterviewError as raised:
            error = raised
        except TimeoutError:
            error = time_is_over()
        except (asyncio.CancelledError, GeneratorExit):  # The latter ends a stream between two replies.
            error = why_over(context)
            raise
        except Exception as raised:  # noqa: BLE001 (it is logged there)
            error = _unexpected(method, raised)
        finally:
            RPC_IN_FLIGHT.labels(method).dec()
            _account(method, caller, error, time.perf_counter() - begin_s)
        if error is not None:
            await refuse(context, error)


def _unexpected(method: str, raised: Exception) -> InterviewError:
    """Log what nobody has named, and return what the caller is told."""
    if is_full(raised):
        logger.error("the disk for work on recordings is full", extra={"method": method})
        return folder_full()
    logger.error("a call failed unexpectedly", extra={"method": method}, exc_info=raised)
    return InternalError("Something went wrong on our side. The log has it.", reason="INTERNAL")


def _remember(metadata: dict[str, Any]) -> None:
    """Keep what the metadata says for the whole call."""
    request_id.set(_clean_id(metadata.get(REQUEST_ID_KEY)) or uuid.uuid4().hex)
    session_id.set(_clean_id(metadata.get(SESSION_ID_KEY)))
    caller_groups.set(decode_groups(metadata.get(GROUP_KEY)))


class _Undecodable:
    """Stands for bytes that are not a message. gRPC answers UNKNOWN by itself if a deserializer raises."""


def _decoder(decode: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    def decode_or_tell(data: bytes) -> Any:
        try:
            return decode(data)
        except DecodeError:
            return _Undecodable()

    return decode_or_tell


def _message(message: Any) -> Any:
    if isinstance(message, _Undecodable):
        raise InvalidInputError(
            "The request is not a message of this call. Build it from the contract in `protos/`.",
            reason="REQUEST_INVALID",
        )
    return message


class _Messages:
    """A request stream that raises at what is not a message, and goes on behind it.

    It is not a generator, which would be over. What refuses a stream still reads the rest away.
    """

    def __init__(self, messages: AsyncIterator[Any]) -> None:
        self._messages = messages

    def __aiter__(self) -> _Messages:
        return self

    async def __anext__(self) -> Any:
        return _message(await anext(self._messages))


def _clean_id(value: object) -> str:
    """Keep an id that a client sent only if it can do no harm in a log."""
    text = value if isinstance(value, str) else ""
    return text if len(text) <= MAX_ID_CHARACTERS and text.replace("-", "").isalnum() else ""


def _account(method: str, caller: str, error: InterviewError | None, duration_s: float) -> None:
    code = error.code if error else "OK"
    RPC_SECONDS.labels(method, code).observe(duration_s)
    logger.info(
        "call",
        extra={
            "method": method,
            "code": code,
            "reason": error.reason if error else "",
            "duration_s": round(duration_s, 4),
        }
        | ({"caller": caller} if caller else {}),
    )
