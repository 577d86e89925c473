"""Every call of the orchestrator with requests as nobody should send them: refused by name, never harmed."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2
from hypothesis import given
from hypothesis import strategies as st

from chassis.audit_chain import Verification, as_line
from chassis.server import start_server
from interview.v1 import audit_pb2, audit_pb2_grpc, orchestrator_pb2, orchestrator_pb2_grpc
from orchestrator.composition import compose
from orchestrator.servicer import SERVICE_NAME
from orchestrator.settings import OrchestratorSettings
from orchestrator.stages.catalogue import settings_class
from tests.fakes.recording import make_recording
from tests.fakes.stages import FakeStages
from tests.fuzz_calls import HANG_S, Ending, check, health, send
from tests.fuzzing import ODD_KEYS, SERVER_BESIDE, streams, thoroughly, wires

EXAMPLES = 30
"""A call; all calls of this module together take some seconds."""
SERVICES = (
    orchestrator_pb2.DESCRIPTOR.services_by_name["OrchestratorService"],
    audit_pb2.DESCRIPTOR.services_by_name["AuditService"],
)
METHODS = {method.name: method for service in SERVICES for method in service.methods}
IN_ORDER = sorted(METHODS, key=lambda name: name == "DeleteSession")
"""The finished session that they share goes last."""
ENDED = (orchestrator_pb2.SESSION_STATE_COMPLETED, orchestrator_pb2.SESSION_STATE_FAILED)
UNKNOWN_ID = "0123456789abcdef" * 2


def settings_in(folder: Path) -> OrchestratorSettings:
    return settings_class()(
        port=0,
        store_url=(folder / "store").as_uri(),
        database_url=f"sqlite:///{folder / 'state.sqlite'}",
        queue_poll_s=0.05,
        stage_first_delay_s=0.01,
        stage_max_delay_s=0.02,
        session_count=4,
    )


def plain_request(folder: Path) -> orchestrator_pb2.CreateSessionRequest:
    session_id = uuid.uuid4().hex
    path = folder / "store" / "sessions" / session_id / "media" / "1.mp4"
    path.parent.mkdir(parents=True)
    answer = orchestrator_pb2.AnswerInput(uri=make_recording(path, seconds=1.0).as_uri(), question="Q?")
    return orchestrator_pb2.CreateSessionRequest(session_id=session_id, answers=[answer])


async def finished(channel: grpc.aio.Channel, request: orchestrator_pb2.CreateSessionRequest) -> str:
    """Submit a session and wait for its end."""
    stub = orchestrator_pb2_grpc.OrchestratorServiceStub(channel)
    await stub.CreateSession(request, timeout=HANG_S)
    asked = orchestrator_pb2.GetSessionRequest(session_id=request.session_id)
    deadline_s = time.monotonic() + HANG_S
    while (await stub.GetSession(asked, timeout=HANG_S)).session.state not in ENDED:
        assert time.monotonic() < deadline_s, "an ordinary session hangs"
        await asyncio.sleep(0.1)
    reply = await stub.GetResult(
        orchestrator_pb2.GetResultRequest(session_id=request.session_id), timeout=HANG_S
    )
    assert reply.document
    return str(request.session_id)


async def check_audit_log(channel: grpc.aio.Channel) -> None:
    """Check that the chain holds, whatever was brought to it."""
    stub: Any = audit_pb2_grpc.AuditServiceStub(channel)
    verification, after_seq = Verification(), 0
    while entries := (
        await stub.ReadAudit(audit_pb2.ReadAuditRequest(after_seq=after_seq), timeout=HANG_S)
    ).entries:
        for entry in entries:
            verification.add_line(as_line(entry.record, entry.hash))
        after_seq = entries[-1].seq
    assert verification.finish() == []
    assert verification.record_count == after_seq > 0


@contextlib.asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[grpc.aio.Channel, str]]:
    """An orchestrator with a finished session. However it was treated, it is healthy and works in the end."""
    settings = settings_in(folder)
    servicer, engine = compose(settings, services=FakeStages().services())
    engine.start()
    server, _, port = await start_server(settings, SERVICE_NAME, servicer.add_to)
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel, await finished(channel, plain_request(folder))
            assert await health(channel, SERVICE_NAME) == health_pb2.HealthCheckResponse.SERVING
            await finished(channel, plain_request(folder))
            await check_audit_log(channel)
    finally:
        await server.stop(0)
        await asyncio.to_thread(engine.close)


class Running:
    """An orchestrator in the thread of its event loop."""

    def __init__(
        self, portal: BlockingPortal, channel: grpc.aio.Channel, known: dict[str, list[Any]], media: bytes
    ) -> None:
        self.portal, self.channel, self.known = portal, channel, known
        self.media = media

    def send(self, method: Any, requests: list[bytes]) -> Ending:
        ending: Ending = self.portal.call(send, self.channel, method, requests)
        return ending


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("orchestrator")
    store = (folder / "store").as_uri()
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(served(folder)) as (channel, session_id),
    ):
        known = {
            "session_id": [session_id, session_id, UNKNOWN_ID, "f" * 32, "e" * 32],
            "uri": [store + "/missing", *(store + end for end in ODD_KEYS)],
            "language_code": ["", "en", "id"],
            "rubric_id": ["", "general"],
            "unavailable_reason": ["", "DOWNLOAD_FAILED"],
            "digest": ["", "ab" * 32],
            "page_token": ["", "1700000000000-1", "999999999999999-999999", "1-0", "0-0", "000-000"],
        }
        yield Running(portal, channel, known, next(folder.rglob("1.mp4")).read_bytes())


@pytest.mark.parametrize("method_name", IN_ORDER)
@SERVER_BESIDE
@thoroughly(EXAMPLES)
@given(data=st.data())
def test_every_call_ends_well_or_says_by_name_why_not(
    running: Running, method_name: str, data: st.DataObject
) -> None:
    method = METHODS[method_name]
    good: Any = GetMessageClass(method.input_type)()
    if method.client_streaming:
        good.config.session_id, good.config.position = data.draw(st.uuids()).hex, 1
        uploads = data.draw(streams(good, running.known, running.media))
        check(running.send(method, uploads), method, uploads)
        return
    if method_name == "CreateSession":
        session_id = data.draw(st.uuids()).hex
        uri = running.known["uri"][0].replace("/missing", f"/sessions/{session_id}/media/1.mp4")
        answer = orchestrator_pb2.AnswerInput(uri=uri, question="Q?")
        good = orchestrator_pb2.CreateSessionRequest(session_id=session_id, answers=[answer])
    elif method_name == "NoteAudit":
        good.notes.add(action="media.read", outcome="ok", session_id=running.known["session_id"][0])
    elif "session_id" in good.DESCRIPTOR.fields_by_name:
        good = type(good)(session_id=running.known["session_id"][0])
    requests = [data.draw(wires(good, running.known))]
    check(running.send(method, requests), method, requests)


def test_a_session_with_everything_wrong_is_refused_in_a_status_that_arrives(
    running: Running,
) -> None:
    wrong = orchestrator_pb2.AnswerInput(
        question="x" * 3_000, file_name="x" * 300, digest="no", unavailable_reason="no", media_bytes=-1
    )
    for answer_count in (20, 4_000):  # More is more than a message may have.
        request = orchestrator_pb2.CreateSessionRequest(
            session_id=UNKNOWN_ID,
            candidate_name="x" * 300,
            language_code="?",
            rubric_id="?",
            answers=[wrong] * answer_count,
        )
        ending = running.send(METHODS["CreateSession"], [request.SerializeToString()])

        assert (ending.code, ending.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "SESSION_INVALID")
