"""A stage's stream is read to its end: what succeeded is counted as a success by the server too."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from prometheus_client import REGISTRY

from chassis.client import END_TIMEOUT_S
from chassis.errors import UnavailableError
from chassis.server import start_server
from chassis.settings import ServiceSettings
from gateway.orchestrator_client import OrchestratorClient
from interview.v1 import (
    media_pb2,
    orchestrator_pb2,
    orchestrator_pb2_grpc,
    transcriber_pb2,
    transcriber_pb2_grpc,
)
from orchestrator.stages.remote import Channels, Limits, follow, once

pytestmark = pytest.mark.anyio

SERVICE = "interview.v1.TranscriberService"
TRANSCRIPT = transcriber_pb2.Transcript(language_code="en")


class Transcriber(transcriber_pb2_grpc.TranscriberServiceServicer):
    """Sends a result, and then does what the test wants."""

    def __init__(self, *, end_s: float = 0.0, failure: Exception | None = None) -> None:
        self.end_s, self.failure = end_s, failure
        self.left_count = 0

    async def Transcribe(self, requests: Any, context: Any) -> AsyncIterator[Any]:
        yield transcriber_pb2.TranscribeResponse(progress=media_pb2.Progress(done_ratio=1.0))
        yield transcriber_pb2.TranscribeResponse(transcript=TRANSCRIPT)
        try:
            await asyncio.sleep(self.end_s)
        except asyncio.CancelledError:
            self.left_count += 1
            raise
        if self.failure is not None:
            raise self.failure


@asynccontextmanager
async def serving(servicer: Transcriber) -> AsyncIterator[Callable[[], Awaitable[Any]]]:
    """A transcriber, and the orchestrator's way of calling it."""
    server, _, port = await start_server(
        ServiceSettings(port=0),
        SERVICE,
        lambda s: transcriber_pb2_grpc.add_TranscriberServiceServicer_to_server(servicer, s),
    )
    channels = Channels()
    stub = transcriber_pb2_grpc.TranscriberServiceStub(channels.to(f"127.0.0.1:{port}"))

    async def transcribe() -> Any:
        request = transcriber_pb2.TranscribeRequest(config=transcriber_pb2.TranscribeConfig())
        return await follow(
            stub.Transcribe, once(request), "transcript", lambda _: None, limits=Limits(30, 30)
        )

    try:
        yield transcribe
    finally:
        await channels.close()
        await server.stop(None)


class Orchestrator(orchestrator_pb2_grpc.OrchestratorServiceServicer):
    """Tells of a session's end, and ends the stream a little later."""

    async def WatchSession(self, request: Any, context: Any) -> AsyncIterator[Any]:
        session = orchestrator_pb2.Session(state=orchestrator_pb2.SESSION_STATE_COMPLETED)
        yield orchestrator_pb2.WatchSessionResponse(event_id=1, session=session)
        await asyncio.sleep(0.01)


def served(code: str, method: str = f"/{SERVICE}/Transcribe") -> float:
    """How many calls of a method this process has served with a code."""
    labels = {"method": method, "code": code}
    return REGISTRY.get_sample_value("interview_rpc_seconds_count", labels) or 0.0


async def test_twenty_successful_calls_are_twenty_ok_and_none_is_cancelled() -> None:
    ok, cancelled = served("OK"), served("CANCELLED")
    async with serving(Transcriber(end_s=0.01)) as transcribe:
        for _ in range(20):
            await transcribe()

    assert (served("OK") - ok, served("CANCELLED") - cancelled) == (20, 0)


async def test_a_server_that_never_ends_after_its_result_is_left() -> None:
    servicer = Transcriber(end_s=60)
    begin_s = time.monotonic()
    async with serving(servicer) as transcribe:
        transcript = await transcribe()
        took_s = time.monotonic() - begin_s
        await asyncio.sleep(0.2)

    assert transcript == TRANSCRIPT
    assert took_s < END_TIMEOUT_S + 3
    assert servicer.left_count == 1, "the call goes on at the server"


async def test_a_result_stands_whatever_happens_after_it() -> None:
    failure = UnavailableError("Going down.", reason="UNAVAILABLE")
    async with serving(Transcriber(failure=failure)) as transcribe:
        assert await transcribe() == TRANSCRIPT


async def test_a_watcher_who_leaves_at_the_sessions_end_cancels_nothing() -> None:
    method = "/interview.v1.OrchestratorService/WatchSession"
    ok, cancelled = served("OK", method), served("CANCELLED", method)
    server, _, port = await start_server(
        ServiceSettings(port=0),
        "interview.v1.OrchestratorService",
        lambda s: orchestrator_pb2_grpc.add_OrchestratorServiceServicer_to_server(Orchestrator(), s),
    )
    client: Any = OrchestratorClient(f"127.0.0.1:{port}", 10)
    for _ in range(10):
        async with aclosing(client.watch_session("0" * 32, None)) as events:
            await anext(events)
    await client.aclose()
    await server.stop(1)

    assert (served("OK", method) - ok, served("CANCELLED", method) - cancelled) == (10, 0)
