"""Calls that are over before we have said all we wanted to: one line in the log each, and no traceback."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest

from chassis.callers import Callers
from chassis.errors import InvalidInputError
from chassis.interceptors import CallInterceptor

pytestmark = pytest.mark.anyio

METHOD = "/interview.v1.SpeakerService/Diarize"


@dataclass
class Details:
    method: str = METHOD
    invocation_metadata: tuple[tuple[str, str], ...] = ()


class AbortedError(Exception):
    """What gRPC raises where it has sent the status."""


@dataclass
class Context:
    """A call as gRPC shows it. Only one thing can be on its way out at a time, as in gRPC."""

    remaining_s: float | None = None
    beginning: asyncio.Future[None] | None = None
    begin_error: Exception | None = None
    abort_error: Exception | None = None
    sending: bool = False
    aborted: list[grpc.StatusCode] = field(default_factory=list)

    def time_remaining(self) -> float | None:
        return self.remaining_s

    def auth_context(self) -> dict[str, Any]:
        return {}

    async def send_initial_metadata(self, _: object) -> None:
        if self.begin_error:
            raise self.begin_error
        if self.beginning:
            self.sending = True
            await self.beginning
            self.sending = False

    async def abort(self, code: grpc.StatusCode, *_: object) -> None:
        if self.sending:
            raise grpc.aio.InternalError(
                "Failed grpc_call_start_batch: 8: GRPC_CALL_ERROR_TOO_MANY_OPERATIONS"
            )
        if self.abort_error:
            raise self.abort_error
        self.aborted.append(code)
        raise AbortedError


async def refuse(_: Any, __: Any) -> None:
    raise InvalidInputError("It is not so.", reason="REQUEST_INVALID")


async def wait_long(_: Any, __: Any) -> None:
    await asyncio.sleep(600)


async def wrapped(behaviour: Any, make: Any = grpc.unary_unary_rpc_method_handler) -> Any:
    async def continuation(_: Any) -> Any:
        return make(behaviour, bytes, bytes)

    interceptor = CallInterceptor(600, 600, Callers({}, {}))
    return await interceptor.intercept_service(continuation, Details())  # type: ignore[arg-type]


async def called(behaviour: Any, context: Context) -> type[BaseException] | None:
    """Make a call. Returns what reached gRPC."""
    handler = await wrapped(behaviour)
    try:
        await handler.unary_unary(b"", context)
    except BaseException as error:  # noqa: BLE001
        return type(error)
    return None


@pytest.fixture(autouse=True)
def heard(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "chassis.interceptors")
    return caplog


def codes(heard: pytest.LogCaptureFixture) -> list[str]:
    assert not [record for record in heard.records if record.exc_info], heard.text
    return [record.code for record in heard.records if record.message == "call"]  # type: ignore[attr-defined]


async def test_a_deadline_that_passes_while_the_beginning_is_told_is_told_once_that_is_out(
    heard: pytest.LogCaptureFixture,
) -> None:
    context = Context(remaining_s=0.05, beginning=asyncio.get_running_loop().create_future())
    calling = asyncio.create_task(called(wait_long, context))
    await asyncio.sleep(0.2)
    assert not calling.done()
    context.beginning.set_result(None)  # type: ignore[union-attr]

    assert await calling is AbortedError
    assert context.aborted == [grpc.StatusCode.DEADLINE_EXCEEDED]
    assert codes(heard) == ["DEADLINE_EXCEEDED"]


@pytest.mark.parametrize(
    ("remaining_s", "code"), [(0.0, "DEADLINE_EXCEEDED"), (60.0, "CANCELLED"), (None, "CANCELLED")]
)
async def test_a_call_that_is_gone_before_its_beginning_is_told_counts_as_what_ended_it(
    heard: pytest.LogCaptureFixture, remaining_s: float | None, code: str
) -> None:
    gone = grpc.aio.UsageError("RPC already finished.")
    context = Context(remaining_s, begin_error=gone, abort_error=gone)

    assert await called(wait_long, context) is asyncio.CancelledError  # which gRPC passes over in silence
    assert codes(heard) == [code]


@pytest.mark.parametrize("raised", [grpc.aio.UsageError, grpc.aio.InternalError, grpc.aio.BaseError])
async def test_a_refusal_that_nobody_hears_any_more_is_one_line(
    heard: pytest.LogCaptureFixture, raised: type[Exception]
) -> None:
    context = Context(60.0, abort_error=raised("over"))

    assert await called(refuse, context) is asyncio.CancelledError
    assert codes(heard) == ["INVALID_ARGUMENT"]


async def test_grpc_is_told_of_what_it_aborted_itself() -> None:
    context = Context(60.0, abort_error=grpc.aio.AbortError("Locally aborted."))

    assert await called(refuse, context) is grpc.aio.AbortError


async def test_a_caller_that_gives_up_as_its_time_is_over_has_met_its_deadline(
    heard: pytest.LogCaptureFixture,
) -> None:
    context = Context(60.0)
    calling = asyncio.create_task(called(wait_long, context))
    await asyncio.sleep(0.05)
    context.remaining_s = 0.0
    calling.cancel()

    assert await calling is asyncio.CancelledError
    assert codes(heard) == ["DEADLINE_EXCEEDED"]


async def test_a_stream_that_is_left_in_the_middle_does_not_count_as_done(
    heard: pytest.LogCaptureFixture,
) -> None:
    async def replies(_: Any, __: Any) -> AsyncIterator[bytes]:
        while True:
            yield b"a"

    handler = await wrapped(replies, grpc.unary_stream_rpc_method_handler)
    stream = handler.unary_stream(b"", Context(60.0))
    assert await anext(stream) == b"a"
    await stream.aclose()

    assert codes(heard) == ["CANCELLED"]


async def test_a_fault_of_ours_still_has_its_traceback(heard: pytest.LogCaptureFixture) -> None:
    async def fail(_: Any, __: Any) -> None:
        raise grpc.aio.UsageError("Channel is closed.")

    assert await called(fail, Context(60.0)) is AbortedError
    assert [record for record in heard.records if record.exc_info]
