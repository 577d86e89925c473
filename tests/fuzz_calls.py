"""Sends bytes to any call as they are, and tells what every call must come to."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.descriptor import Descriptor, MethodDescriptor
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis.status import DETAILS_KEY

HANG_S = 30.0
"""A call on a fake model takes milliseconds; one that runs into this hangs."""
REFUSALS = {
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
}
ROW = re.compile(r"^\| `([A-Z][A-Z0-9_]+)` \|", re.MULTILINE)
ERRORS_PAGE = Path(__file__).resolve().parents[1] / "docs" / "errors.md"


@dataclass(frozen=True)
class Ending:
    """How a call ended."""

    code: grpc.StatusCode
    text: str = ""
    reason: str | None = None
    responses: list[bytes] = field(default_factory=list)


async def _in_turn(wires: Sequence[bytes]) -> AsyncIterator[bytes]:
    for wire in wires:
        yield wire


async def send(channel: Any, method: MethodDescriptor, requests: Sequence[bytes]) -> Ending:
    """Send bytes as they are, and tell how the call ended."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    try:
        if method.client_streaming:
            stream = channel.stream_stream(path)(_in_turn(requests), timeout=HANG_S)
            return Ending(grpc.StatusCode.OK, responses=[response async for response in stream])
        if method.server_streaming:
            single = channel.unary_stream(path)(requests[0], timeout=HANG_S)
            return Ending(grpc.StatusCode.OK, responses=[response async for response in single])
        return Ending(
            grpc.StatusCode.OK, responses=[await channel.unary_unary(path)(requests[0], timeout=HANG_S)]
        )
    except grpc.aio.AioRpcError as failure:
        return Ending(failure.code(), failure.details() or "", _reason(failure))


def _reason(failure: grpc.aio.AioRpcError) -> str | None:
    for key, value in failure.trailing_metadata() or ():
        if key == DETAILS_KEY:
            for detail in Status.FromString(value).details:
                info = ErrorInfo()
                if detail.Unpack(info):
                    return str(info.reason)
    return None


def check(ending: Ending, method: MethodDescriptor, requests: Sequence[bytes]) -> None:
    """A call ends well, or with a status with a documented reason; garbage never ends well."""
    if ending.code is grpc.StatusCode.OK:
        for response in ending.responses:
            GetMessageClass(method.output_type).FromString(response)
    else:
        assert ending.code in REFUSALS, ending
        assert ending.reason in documented_reasons(), ending
        assert ending.text, "a refusal says in a sentence what to do"
    if not method.client_streaming and not readable(method.input_type, requests[0]):
        assert (ending.code, ending.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_INVALID"), ending


def readable(descriptor: Descriptor, wire: bytes) -> bool:
    """Whether bytes are a message of a type."""
    try:
        GetMessageClass(descriptor).FromString(wire)
    except DecodeError:
        return False
    return True


def documented_reasons() -> set[str]:
    """Every reason that `docs/errors.md` explains."""
    return set(ROW.findall(ERRORS_PAGE.read_text(encoding="utf-8")))


async def health(channel: grpc.aio.Channel, service_name: str) -> int:
    """What the server says about itself."""
    request = health_pb2.HealthCheckRequest(service=service_name)
    stub: Any = health_pb2_grpc.HealthStub(channel)
    reply = await stub.Check(request, timeout=HANG_S)
    return int(reply.status)
