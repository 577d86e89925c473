"""The orchestrator over gRPC. With `audit_client`, the only module of the gateway that sees protobuf."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeVar, cast

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis.client import NO_RETRY, open_channel, read_out, stream, unary
from chassis.errors import UnavailableError
from gateway.audit_client import AuditClient
from gateway.callers import current_client
from gateway.orchestrator_calls import CHANGING, READING, SUBMITTING, away, call, metadata_of_caller
from gateway.sessions import (
    FINAL_STATES,
    AnswerView,
    Capabilities,
    DeletedArtifact,
    DeletionReceipt,
    ResultVersion,
    SessionDraft,
    SessionEvent,
    SessionPage,
    SessionState,
    SessionView,
    StageState,
    StageView,
)
from interview.v1 import orchestrator_pb2 as pb
from interview.v1 import orchestrator_pb2_grpc

T = TypeVar("T")

SERVICE_NAME = "interview.v1.OrchestratorService"
WATCH_TIMEOUT_S = 3600.0
"""One event stream lasts at most this long. Browsers resume it by themselves."""
PING_TIMEOUT_S = 2.0
CAPABILITIES_TIMEOUT_S = 6.0
"""Above the 5 s after which the orchestrator goes without a stage that does not answer."""

_STATES: dict[int, SessionState] = {
    pb.SESSION_STATE_UNSPECIFIED: SessionState.QUEUED,
    pb.SESSION_STATE_QUEUED: SessionState.QUEUED,
    pb.SESSION_STATE_FETCHING: SessionState.FETCHING,
    pb.SESSION_STATE_PROCESSING: SessionState.PROCESSING,
    pb.SESSION_STATE_COMPLETED: SessionState.COMPLETED,
    pb.SESSION_STATE_FAILED: SessionState.FAILED,
    pb.SESSION_STATE_CANCELLED: SessionState.CANCELLED,
}
_STATE_NAMES = {state: pb.SessionState.Name(number) for number, state in _STATES.items() if number}
_STAGE_STATES: dict[int, StageState] = {
    pb.STAGE_STATE_UNSPECIFIED: StageState.PENDING,
    pb.STAGE_STATE_PENDING: StageState.PENDING,
    pb.STAGE_STATE_RUNNING: StageState.RUNNING,
    pb.STAGE_STATE_DONE: StageState.DONE,
    pb.STAGE_STATE_FAILED: StageState.FAILED,
    pb.STAGE_STATE_WAITING: StageState.WAITING,
    pb.STAGE_STATE_SKIPPED: StageState.SKIPPED,
}


class OrchestratorClient:
    """`gateway.sessions.Orchestrator` over one gRPC channel.

    Args:
        address: Where the orchestrator listens.
        timeout_s: Time for one call with its retries.
    """

    def __init__(self, address: str, timeout_s: float) -> None:
        self._address = address
        self._timeout_s = timeout_s
        self._opened: grpc.aio.Channel | None = None

    @property
    def _channel(self) -> grpc.aio.Channel:
        # Opened on first use: a channel belongs to the event loop that runs when it is made.
        if self._opened is None:
            self._opened = open_channel(self._address)
        return self._opened

    @property
    def _stub(self) -> Any:
        return orchestrator_pb2_grpc.OrchestratorServiceStub(self._channel)

    @property
    def audit(self) -> AuditClient:
        """See `Orchestrator`."""
        return AuditClient(self._channel, self._timeout_s)

    async def aclose(self) -> None:
        """Close the channel."""
        if self._opened is not None:
            await self._opened.close()

    async def create_session(self, draft: SessionDraft) -> SessionView:
        """See `Orchestrator`."""
        request = pb.CreateSessionRequest(
            session_id=draft.session_id,
            candidate_name=draft.candidate_name,
            language_code=draft.language_code,
            rubric_id=draft.rubric_id,
            owner_group=current_client.get().group,
            answers=[
                pb.AnswerInput(
                    uri=answer.uri,
                    link=answer.link,
                    question=answer.question,
                    file_name=answer.file_name,
                    digest=answer.digest,
                    media_bytes=answer.media_bytes,
                    position=answer.position,
                    unavailable_reason=answer.unavailable_reason,
                    rubric_id=answer.rubric_id,
                )
                for answer in draft.answers
            ],
        )
        response = await self._call(self._stub.CreateSession, request, SUBMITTING)
        return _session(response.session)

    async def follow_recording(self, session_id: str, position: int, language_code: str) -> bool:
        """See `Orchestrator`."""
        request = pb.FollowRecordingRequest(
            session_id=session_id,
            position=position,
            language_code=language_code,
            owner_group=current_client.get().group,
        )
        return bool((await self._call(self._stub.FollowRecording, request)).followed)

    async def get_session(self, session_id: str) -> SessionView:
        """See `Orchestrator`."""
        response = await self._call(self._stub.GetSession, pb.GetSessionRequest(session_id=session_id))
        return _session(response.session)

    async def watch_session(self, session_id: str, after_event_id: int | None) -> AsyncIterator[SessionEvent]:
        """See `Orchestrator`."""
        request = pb.WatchSessionRequest(session_id=session_id, after_event_id=after_event_id)
        # `stream` passes its second argument on, and this method takes one message, not a stream of them.
        method = self._stub.WatchSession
        events = stream(
            method, cast("Any", request), timeout_s=WATCH_TIMEOUT_S, metadata=metadata_of_caller()
        )
        try:
            async with aclosing(cast("Any", events)):
                async for event in events:
                    session = _session(event.session)
                    if session.state in FINAL_STATES:
                        await read_out(events)  # Before its readers see the end, and leave.
                    yield SessionEvent(event.event_id, session, event.event_time_s)
        except UnavailableError as error:
            raise away(error) from error

    async def list_sessions(
        self, page_size_count: int, page_token: str, state: SessionState | None, owner_group: str = ""
    ) -> SessionPage:
        """See `Orchestrator`."""
        request = pb.ListSessionsRequest(
            page_size_count=page_size_count,
            page_token=page_token,
            state=_STATE_NAMES[state] if state else None,
            owner_group=owner_group,
        )
        response = await self._call(self._stub.ListSessions, request)
        return SessionPage(tuple(_session(item) for item in response.sessions), response.next_page_token)

    async def cancel_session(self, session_id: str) -> SessionView:
        """See `Orchestrator`."""
        request = pb.CancelSessionRequest(session_id=session_id)
        response = await self._call(self._stub.CancelSession, request, CHANGING)
        return _session(response.session)

    async def retry_session(self, session_id: str) -> SessionView:
        """See `Orchestrator`."""
        request = pb.RetrySessionRequest(session_id=session_id)
        response = await self._call(self._stub.RetrySession, request, CHANGING)
        return _session(response.session)

    async def set_legal_hold(self, session_id: str, *, held: bool) -> None:
        """See `Orchestrator`."""
        request = pb.SetLegalHoldRequest(session_id=session_id, held=held)
        await self._call(self._stub.SetLegalHold, request, CHANGING)

    async def delete_session(self, session_id: str) -> DeletionReceipt:
        """See `Orchestrator`."""
        request = pb.DeleteSessionRequest(session_id=session_id)
        receipt = (await self._call(self._stub.DeleteSession, request, CHANGING)).receipt
        artifacts = (
            DeletedArtifact(one.kind, one.name, one.digest, one.size_bytes) for one in receipt.artifacts
        )
        return DeletionReceipt(tuple(artifacts), receipt.delete_time_s)

    async def reassess_session(self, session_id: str, rubric_id: str) -> tuple[ResultVersion, bool]:
        """See `Orchestrator`."""
        request = pb.ReassessSessionRequest(session_id=session_id, rubric_id=rubric_id)
        response = await self._call(self._stub.ReassessSession, request, CHANGING)
        return _version(response.version), response.existing

    async def list_result_versions(self, session_id: str) -> tuple[ResultVersion, ...]:
        """See `Orchestrator`."""
        request = pb.ListResultVersionsRequest(session_id=session_id)
        response = await self._call(self._stub.ListResultVersions, request)
        return tuple(_version(version) for version in response.versions)

    async def get_result(self, session_id: str, version_id: int | None = None) -> bytes:
        """See `Orchestrator`."""
        request = pb.GetResultRequest(session_id=session_id, version_id=version_id)
        response = await self._call(self._stub.GetResult, request)
        return bytes(response.document)

    async def get_capabilities(self) -> Capabilities:
        """See `Orchestrator`."""
        request = pb.OrchestratorServiceGetCapabilitiesRequest()
        method = self._stub.GetCapabilities
        response = await unary(method, request, timeout_s=CAPABILITIES_TIMEOUT_S, retry=NO_RETRY)
        # An orchestrator that does not say it yet refuses the session itself.
        has_room = response.has_room if response.HasField("has_room") else True
        return Capabilities(tuple(response.language_codes), tuple(response.rubric_ids), has_room)

    async def ping(self) -> None:
        """See `Orchestrator`."""
        health: Any = health_pb2_grpc.HealthStub(self._channel)
        request = health_pb2.HealthCheckRequest(service=SERVICE_NAME)
        try:
            response = await unary(health.Check, request, timeout_s=PING_TIMEOUT_S, retry=NO_RETRY)
        except UnavailableError as error:
            raise away(error) from error
        if response.status != health_pb2.HealthCheckResponse.SERVING:
            raise away(None)

    async def _call(self, method: Callable[..., Awaitable[T]], request: Any, advice: str = READING) -> T:
        return await call(method, request, self._timeout_s, advice=advice, metadata=metadata_of_caller())


def _state(number: int) -> SessionState:
    # A state that a newer orchestrator has and we don't is some kind of work.
    return _STATES.get(number, SessionState.PROCESSING)


def _session(session: pb.Session) -> SessionView:
    return SessionView(
        session_id=session.session_id,
        state=_state(session.state),
        create_time_s=session.create_time_s,
        end_time_s=session.end_time_s if session.HasField("end_time_s") else None,
        answers=tuple(_answer(answer) for answer in session.answers),
        done_ratio=session.done_ratio,
        reason=session.reason,
        message=session.message,
        candidate_name=session.candidate_name,
        remaining_s=session.remaining_s if session.HasField("remaining_s") else None,
        held=session.held if session.HasField("held") else None,
    )


def _version(version: pb.ResultVersion) -> ResultVersion:
    return ResultVersion(
        version_id=version.version_id,
        rubric_id=version.rubric_id,
        state=_state(version.state),
        create_time_s=version.create_time_s,
        end_time_s=version.end_time_s if version.HasField("end_time_s") else None,
        reason=version.reason,
        message=version.message,
    )


def _answer(answer: pb.AnswerStatus) -> AnswerView:
    return AnswerView(
        position=answer.position,
        stages=tuple(_stage(stage) for stage in answer.stages),
        assessed=answer.assessed if answer.HasField("assessed") else None,
    )


def _stage(stage: pb.StageStatus) -> StageView:
    return StageView(
        stage=stage.stage,
        state=_STAGE_STATES.get(stage.state, StageState.RUNNING),
        done_ratio=stage.done_ratio if stage.HasField("done_ratio") else None,
        attempt_count=stage.attempt_count,
        reason=stage.reason,
        message=stage.message,
        waiting_since_s=stage.waiting_since_s if stage.HasField("waiting_since_s") else None,
    )
