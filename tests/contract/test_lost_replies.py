"""The orchestrator commits a session and its reply is lost on a real channel: the recording stays."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from chassis.store import MediaStore
from gateway.app import create_app
from gateway.orchestrator_client import OrchestratorClient
from gateway.settings import GatewaySettings
from interview.v1 import orchestrator_pb2 as pb
from interview.v1 import orchestrator_pb2_grpc
from tests.gateway_bench import MP4, form, listening, videos

KEYED = {"Idempotency-Key": "form-7"}
TIMEOUT_S = 2.0


class Forgetful(orchestrator_pb2_grpc.OrchestratorServiceServicer):
    """Keeps sessions, and loses the replies to their creation as long as it is told to."""

    def __init__(self) -> None:
        self.sessions: dict[str, pb.CreateSessionRequest] = {}
        self.losing: grpc.StatusCode | None = None

    def GetCapabilities(self, request: Any, context: Any) -> pb.OrchestratorServiceGetCapabilitiesResponse:
        return pb.OrchestratorServiceGetCapabilitiesResponse(has_room=True)

    def CreateSession(self, request: Any, context: grpc.ServicerContext) -> pb.CreateSessionResponse:
        self.sessions[request.session_id] = request
        if self.losing is grpc.StatusCode.DEADLINE_EXCEEDED:
            time.sleep(TIMEOUT_S + 0.5)
        elif self.losing is not None:
            context.abort(self.losing, "lost")
        return pb.CreateSessionResponse(session=self._session(request))

    def GetSession(self, request: Any, context: grpc.ServicerContext) -> pb.GetSessionResponse:
        if self.losing is not None or request.session_id not in self.sessions:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such session")
        return pb.GetSessionResponse(session=self._session(self.sessions[request.session_id]))

    @staticmethod
    def _session(request: pb.CreateSessionRequest) -> pb.Session:
        answers = [pb.AnswerStatus(position=answer.position) for answer in request.answers]
        return pb.Session(
            session_id=request.session_id, state=pb.SESSION_STATE_QUEUED, create_time_s=5.0, answers=answers
        )


@pytest.fixture
def servicer() -> Forgetful:
    return Forgetful()


@pytest.fixture
def url(servicer: Forgetful, tmp_path: Path) -> Iterator[str]:
    server = grpc.server(futures.ThreadPoolExecutor(4))
    orchestrator_pb2_grpc.add_OrchestratorServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    settings = GatewaySettings(rate_limit_uploads="", spool_dir=tmp_path / "spool")
    store = MediaStore((tmp_path / "store").as_uri())
    app = create_app(settings, OrchestratorClient(f"127.0.0.1:{port}", TIMEOUT_S), store)
    with listening(app) as address:
        yield address
    server.stop(None).wait()


def upload(url: str) -> httpx.Response:
    return httpx.post(f"{url}/upload", files=videos(MP4), data=form("?"), headers=KEYED, timeout=60)


@pytest.mark.parametrize(
    "lost",
    [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.INTERNAL],
    ids=lambda code: code.name,
)
def test_a_session_whose_reply_is_lost_keeps_its_recording_and_is_found_by_the_repeat(
    servicer: Forgetful, url: str, tmp_path: Path, lost: grpc.StatusCode
) -> None:
    servicer.losing = lost
    in_doubt = upload(url)
    servicer.losing = None
    again = upload(url)

    assert (in_doubt.status_code, in_doubt.json()["code"]) == (503, "UPLOAD_UNCERTAIN")
    assert again.status_code == 200
    assert list(servicer.sessions) == [again.json()["session_id"]]
    assert [path.read_bytes() for path in (tmp_path / "store").rglob("*.mp4")] == [MP4]


@pytest.mark.parametrize(
    "refused",
    [grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION],
    ids=lambda code: code.name,
)
def test_a_refused_session_leaves_no_recording(
    servicer: Forgetful, url: str, tmp_path: Path, refused: grpc.StatusCode
) -> None:
    servicer.losing = refused

    upload(url)

    assert not list((tmp_path / "store").rglob("*.mp4"))
