"""The gateway's client on a real socket: it speaks the orchestrator's contract, and names what goes wrong."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from chassis.errors import NotFoundError, UnavailableError
from chassis.store import MediaStore
from gateway.app import create_app
from gateway.orchestrator_client import OrchestratorClient
from gateway.sessions import AnswerDraft, SessionDraft, SessionState, StageState
from gateway.settings import GatewaySettings
from interview.v1 import orchestrator_pb2 as pb
from interview.v1 import orchestrator_pb2_grpc
from tests.gateway_bench import MP4, form, listening, videos

SESSION_ID = "a" * 32


class FakeServicer(orchestrator_pb2_grpc.OrchestratorServiceServicer):
    """Speaks the orchestrator's contract with one session."""

    def __init__(self) -> None:
        self.created: list[pb.CreateSessionRequest] = []
        self.watched: list[pb.WatchSessionRequest] = []

    def session(self, state: pb.SessionState = pb.SESSION_STATE_PROCESSING) -> pb.Session:
        stages = [
            pb.StageStatus(stage="extract", state=pb.STAGE_STATE_DONE, done_ratio=1.0, attempt_count=1),
            pb.StageStatus(stage="transcribe", state=pb.STAGE_STATE_RUNNING),
        ]
        answers = [pb.AnswerStatus(position=1, stages=stages)]
        return pb.Session(
            session_id=SESSION_ID, state=state, create_time_s=5.0, answers=answers, remaining_s=3.0
        )

    def CreateSession(self, request: Any, context: Any) -> pb.CreateSessionResponse:
        self.created.append(request)
        return pb.CreateSessionResponse(session=self.session(pb.SESSION_STATE_QUEUED))

    def GetCapabilities(self, request: Any, context: Any) -> pb.OrchestratorServiceGetCapabilitiesResponse:
        return pb.OrchestratorServiceGetCapabilitiesResponse()

    def GetSession(self, request: Any, context: grpc.ServicerContext) -> pb.GetSessionResponse:
        if request.session_id != SESSION_ID:
            context.abort(grpc.StatusCode.NOT_FOUND, "Session not found")
        return pb.GetSessionResponse(session=self.session())

    def WatchSession(self, request: Any, context: Any) -> Iterator[pb.WatchSessionResponse]:
        self.watched.append(request)
        after = request.after_event_id if request.HasField("after_event_id") else 0
        states = (pb.SESSION_STATE_QUEUED, pb.SESSION_STATE_PROCESSING, pb.SESSION_STATE_COMPLETED)
        for number, state in enumerate(states, start=1):
            if number > after:
                yield pb.WatchSessionResponse(event_id=number, session=self.session(state), event_time_s=1.0)

    def ListSessions(self, request: Any, context: Any) -> pb.ListSessionsResponse:
        assert request.state == pb.SESSION_STATE_COMPLETED
        return pb.ListSessionsResponse(sessions=[self.session()], next_page_token="2")

    def GetResult(self, request: Any, context: Any) -> pb.GetResultResponse:
        return pb.GetResultResponse(document=b'{"success": true}')


@pytest.fixture
def servicer() -> FakeServicer:
    return FakeServicer()


@pytest.fixture
def address(servicer: FakeServicer) -> Iterator[str]:
    server = grpc.server(futures.ThreadPoolExecutor(4))
    orchestrator_pb2_grpc.add_OrchestratorServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()


@pytest.mark.anyio
async def test_the_client_speaks_the_orchestrators_contract(servicer: FakeServicer, address: str) -> None:
    client = OrchestratorClient(address, timeout_s=5.0)
    answer = AnswerDraft(1, "Why?", uri="file:///x/1.mp4", file_name="a.mp4", digest="d", media_bytes=7)

    created = await client.create_session(SessionDraft(SESSION_ID, "A", "en", (answer,)))
    session = await client.get_session(SESSION_ID)
    page = await client.list_sessions(10, "", SessionState.COMPLETED)
    events = [event async for event in client.watch_session(SESSION_ID, 1)]
    document = await client.get_result(SESSION_ID)
    await client.aclose()

    sent = servicer.created[0]
    assert created.state is SessionState.QUEUED
    assert (sent.session_id, sent.language_code, sent.answers[0].position) == (SESSION_ID, "en", 1)
    assert (sent.answers[0].uri, sent.answers[0].media_bytes) == ("file:///x/1.mp4", 7)
    assert [stage.state for stage in session.answers[0].stages] == [StageState.DONE, StageState.RUNNING]
    assert session.answers[0].stages[1].done_ratio is None
    assert (session.remaining_s, session.end_time_s) == (3.0, None)
    assert page.next_page_token == "2"
    assert [event.event_id for event in events] == [2, 3]
    assert servicer.watched[0].after_event_id == 1
    assert json.loads(document) == {"success": True}


@pytest.mark.anyio
async def test_errors_of_the_orchestrator_come_back_as_ours(address: str) -> None:
    client = OrchestratorClient(address, timeout_s=5.0)
    with pytest.raises(NotFoundError):
        await client.get_session("b" * 32)
    await client.aclose()


@pytest.mark.anyio
async def test_an_orchestrator_that_is_away_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: nobody answers here
        client = OrchestratorClient(f"127.0.0.1:{taken.getsockname()[1]}", timeout_s=1.0)
        with pytest.raises(UnavailableError) as caught:
            await client.get_session(SESSION_ID)
        await client.aclose()

    assert caught.value.reason == "ORCHESTRATOR_UNAVAILABLE"
    assert caught.value.retry_after_s


def test_an_upload_travels_from_http_to_grpc(tmp_path: Path, servicer: FakeServicer, address: str) -> None:
    settings = GatewaySettings(rate_limit_uploads="")
    store = MediaStore((tmp_path / "store").as_uri())
    with listening(create_app(settings, OrchestratorClient(address, 5.0), store)) as url:
        reply = httpx.post(f"{url}/upload", files=videos(MP4), data=form("Why?"))

    sent = servicer.created[0]
    assert reply.status_code == 200
    assert sent.session_id == reply.json()["session_id"]
    assert store.local_path(store.key(sent.answers[0].uri)).read_bytes() == MP4  # type: ignore[union-attr]
