"""The assessor on a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from chassis import client
from chassis.client import RetryPolicy
from chassis.errors import (
    InterviewError,
)
from chassis.server import start_server
from interview.v1 import assessor_pb2, assessor_pb2_grpc
from services.assessor.__main__ import compose
from services.assessor.servicer import SERVICE_NAME
from services.assessor.settings import AssessorSettings
from tests.fakes.assessor import CONCRETE, QUESTION, FakeChatServer

ONCE = RetryPolicy(attempt_count=1)


@asynccontextmanager
async def assessor(**settings: Any) -> AsyncIterator[assessor_pb2_grpc.AssessorServiceStub]:
    # The servers of most tests tag whole answers, wherever they are.
    given = {"llm_model": "fake-model", "tags_one_by_one": False, **settings}
    configured = AssessorSettings(port=0, **given)
    server, _, port = await start_server(configured, SERVICE_NAME, compose(configured))
    try:
        async with client.open_channel(f"127.0.0.1:{port}") as channel:
            yield assessor_pb2_grpc.AssessorServiceStub(channel)
    finally:
        await server.stop(None)


async def assess(
    stub: assessor_pb2_grpc.AssessorServiceStub, asked: assessor_pb2.AssessRequest, timeout_s: float = 20.0
) -> assessor_pb2.Assessment:
    reply: assessor_pb2.AssessResponse = await client.unary(
        stub.Assess, asked, timeout_s=timeout_s, retry=ONCE
    )
    assessment: assessor_pb2.Assessment = reply.assessment
    return assessment


def request(text: str = CONCRETE, **fields: Any) -> assessor_pb2.AssessRequest:
    segments = [assessor_pb2.AnswerSegment(text=text)]
    return assessor_pb2.AssessRequest(
        **{"question": QUESTION, "segments": segments, "language_code": "en", **fields}
    )


async def failure(server: FakeChatServer, timeout_s: float = 20.0, **settings: Any) -> InterviewError:
    """Assess over a server that fails, and give the error that a caller gets."""
    with server.running():
        async with assessor(llm_base_url=server.url, **settings) as stub:
            with pytest.raises(InterviewError) as caught:
                await assess(stub, request(), timeout_s)
    return caught.value
