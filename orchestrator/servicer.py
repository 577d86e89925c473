"""`OrchestratorService` on the engine: unpack, call, pack."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

import grpc

from chassis.errors import NotFoundError, PreconditionError
from chassis.limits import MAX_PAGE_SESSION_COUNT
from interview.v1 import orchestrator_pb2, orchestrator_pb2_grpc
from orchestrator.accepting import Accepting
from orchestrator.admission import check_page_size, check_session_id, page_token, read_page_token
from orchestrator.audit.log import Audit
from orchestrator.audit.records import Action
from orchestrator.capabilities import Capabilities
from orchestrator.durable.engine import Engine
from orchestrator.early.following import Following
from orchestrator.erasing import SETTLE_TIMEOUT_S, Erasure, receipt_message
from orchestrator.ownership import is_listed, may_see
from orchestrator.progress import ProgressTracker
from orchestrator.reassessing import Reassessments
from orchestrator.recording_servicer import RecordingServicer
from orchestrator.recordings import Recordings
from orchestrator.retention import LegalHolds
from orchestrator.sessions import STATES, SessionRow, replay, statuses_of, to_message
from orchestrator.stages.outputs import SessionStore
from orchestrator.watching import Seen, SessionWatches

SERVICE_NAME = "interview.v1.OrchestratorService"
MAX_LOOKED_AT_COUNT = 10_000
"""Sessions that one call looks at. Then its page ends, however few of them are wanted."""
STATE_NAMES = {value: name for name, value in STATES.items()}
KEPT_STATES = {"fetching": "processing"}
"""States that are told apart by the stages only, with what the engine keeps."""


class OrchestratorServicer(RecordingServicer):
    """Serves sessions.

    Args:
        engine: Keeps and works on them.
        tracker: Their live progress.
        outputs: Their results and stage outputs.
        accepting: Accepts them.
        reassessments: The versions of their results.
        capabilities: What they may ask for.
        recordings: Takes in the recordings of sessions to come.
        following: Has those that are on their way worked on.
        erasure: Deletes them.
        holds: Those that may not be deleted.
        audit: Writes down what is done and read.
    """

    def __init__(
        self,
        engine: Engine,
        tracker: ProgressTracker,
        outputs: SessionStore,
        accepting: Accepting,
        reassessments: Reassessments,
        capabilities: Capabilities,
        recordings: Recordings,
        following: Following,
        erasure: Erasure,
        holds: LegalHolds,
        audit: Audit,
    ) -> None:
        super().__init__(recordings, following)
        self._engine = engine
        self._tracker = tracker
        self._watches = SessionWatches(self._look, tracker.wait)
        self._outputs = outputs
        self._accepting = accepting
        self._reassessments = reassessments
        self._capabilities = capabilities
        self._erasure = erasure
        self._holds = holds
        self._audit = audit

    def add_to(self, server: grpc.aio.Server) -> None:
        """Register with a server."""
        orchestrator_pb2_grpc.add_OrchestratorServiceServicer_to_server(self, server)

    async def CreateSession(
        self, request: orchestrator_pb2.CreateSessionRequest, _context: grpc.aio.ServicerContext
    ) -> orchestrator_pb2.CreateSessionResponse:
        """See `protos/interview/v1/orchestrator.proto`."""
        accepted = await self._accepting.create(request)
        return orchestrator_pb2.CreateSessionResponse(
            session=(await self._snapshot(accepted.row))[1],
            existing=accepted.existing,
            missing_positions=accepted.missing_positions,
        )

    async def GetSession(
        self, request: orchestrator_pb2.GetSessionRequest, _context: grpc.aio.ServicerContext
    ) -> orchestrator_pb2.GetSessionResponse:
        """See `protos/interview/v1/orchestrator.proto`."""
        return orchestrator_pb2.GetSessionResponse(session=await self._session(request.session_id))

    async def WatchSession(
        self, request: orchestrator_pb2.WatchSessionRequest, _context: grpc.aio.ServicerContext
    ) -> AsyncIterator[orchestrator_pb2.WatchSessionResponse]:
        """See `protos/interview/v1/orchestrator.proto`."""
        seen_id = request.after_event_id if request.HasField("after_event_id") else 0
        row = await self._row(request.session_id)
        for milestone, statuses in replay(row, seen_id):
            session = await self._marked(to_message(row, statuses, state="processing"))
            seen_id = milestone.event_id
            yield _event(seen_id, session, milestone.time_s)
        now = await self._seen(row)
        seen_id = max(seen_id, now.event_id)
        yield _event(seen_id, now.session, now.end_time_s)
        if now.ended:
            return
        async with aclosing(self._watches.follow(request.session_id)) as following:
            async for seen in following:
                if seen.ended or seen.event_id > seen_id:
                    seen_id = max(seen_id, seen.event_id)
                    yield _event(seen_id, seen.session, seen.end_time_s)

    async def ListSessions(
        self, request: orchestrator_pb2.ListSessionsRequest, _context: grpc.aio.ServicerContext
    ) -> orchestrator_pb2.ListSessionsResponse:
        """See `protos/interview/v1/orchestrator.proto`."""
        size_count = check_page_size(request.page_size_count)
        wanted = STATE_NAMES.get(request.state)
        time_ms, seen_count = read_page_token(request.page_token)
        response = orchestrator_pb2.ListSessionsResponse()
        batch_count, looked_at_count = size_count, 0
        while True:
            # One more than fits tells whether there is another page.
            rows = await self._engine.page(time_ms, seen_count, batch_count + 1)
            for created_ms, row in rows[:batch_count]:
                if len(response.sessions) == size_count:
                    response.next_page_token = page_token(time_ms or created_ms, seen_count)
                    return response
                seen_count = seen_count + 1 if created_ms == time_ms else 1
                time_ms = created_ms
                if not is_listed(row.request.owner_group, request.owner_group):
                    continue
                if wanted is None or row.state == KEPT_STATES.get(wanted, wanted):
                    session = await self._listed(row)
                    if wanted is None or session.state == request.state:
                        response.sessions.append(session)
            if len(rows) <= batch_count:
                return response
            looked_at_count += batch_count
            if len(response.sessions) == size_count or looked_at_count >= MAX_LOOKED_AT_COUNT:
                response.next_page_token = page_token(time_ms or 0, seen_count)
                return response
            batch_count = MAX_PAGE_SESSION_COUNT  # Few of them are wanted.

    async def CancelSession(
        self, request: orchestrator_pb2.CancelSessionRequest, _context: grpc.aio.ServicerContext
    ) -> orchestrator_pb2.CancelSessionResponse:
        """See `protos/interview/v1/orchestrator.proto`."""
        row = await self._row(request.session_id)
        if not row.ended:
            async with self._audit.change(Action.CANCEL, request.session_id):
                await self._engine.cancel(request.session_id)
        return orchestrator_pb2.CancelSessionResponse(session=await self._session(request.session_id))

    async def DeleteSession(
        self, request: orchestrator_pb2.DeleteSessionRequest, _context: grpc.aio.ServicerContext
    ) -> orchestrator_pb2.DeleteSessionResponse:
        """See `protos/interview/v1/orchestrator.proto`."""
        row = await self._row(request.session_id)
        await self._holds.check_free(request.session_id, self._audit)
        receipt = await self._erasure.delete(row)
        return orchestrator_pb2.DeleteSessionResponse(receipt=receipt_message(request.session_id, receipt))

    async def SetLegalHold(
        self, request: orchestrator_pb2.SetLegalHoldRequest, _context: grpc.aio.ServicerContext
    ) -> orchestrator_pb2.SetLegalHoldResponse:
        """See `protos/interview/v1/orchestrator.proto`."""
        await self._row(request.session_id)
        async with self._audit.change(Action.HOLD if request.held else Action.RELEASE, request.session_id):
            await self._holds.set(request.session_id, held=request.held)
            await self._erasure.check_none(request.session_id)
        return orchestrator_pb2.SetLegalHoldResponse(held=request.held)

    async def RetrySession(
        self, request: orchestrator_pb2.RetrySessionRequest, _context: grpc.aio.ServicerContext
    ) -> orchestrator_pb2.RetrySessionResponse:
        """See `protos/interview/v1/orchestrator.proto`."""
        row = await self._row(request.session_id)
        if not row.ended:
            raise _not_finished("Wait until it ends, or cancel it, before you retry it")
        await self._reassessments.check_idle(request.session_id)
        await self._erasure.check_none(request.session_id)
        async with self._audit.change(Action.RETRY, request.session_id):
            await self._engine.settled(request.session_id, SETTLE_TIMEOUT_S)
            if not await self._engine.rerun(request.session_id):
                raise _not_finished("It is being retried already: wait until it ends")
        return orchestrator_pb2.RetrySessionResponse(session=await self._session(request.session_id))

    async def ReassessSession(
        self, request: orchestrator_pb2.ReassessSessionRequest, _context: grpc.aio.ServicerContext
    ) -> orchestrator_pb2.ReassessSessionResponse:
        """See `protos/interview/v1/orchestrator.proto`."""
        row = await self._row(request.session_id)
        version, existing = await self._reassessments.begin(row, request.rubric_id)
        return orchestrator_pb2.ReassessSessionResponse(version=version.to_message(), existing=existing)

    async def ListResultVersions(
        self, request: orchestrator_pb2.ListResultVersionsRequest, _context: grpc.aio.ServicerContext
    ) -> orchestrator_pb2.ListResultVersionsResponse:
        """See `protos/interview/v1/orchestrator.proto`."""
        versions = await self._reassessments.versions(await self._row(request.session_id))
        return orchestrator_pb2.ListResultVersionsResponse(
            versions=[version.to_message() for version in versions]
        )

    async def GetResult(
        self, request: orchestrator_pb2.GetResultRequest, _context: grpc.aio.ServicerContext
    ) -> orchestrator_pb2.GetResultResponse:
        """See `protos/interview/v1/orchestrator.proto`."""
        row = await self._row(request.session_id)
        if row.state == "failed" and not row.records:
            raise PreconditionError(
                f"The session failed before there was a result ({row.reason}). Retry it.",
                reason="RESULT_NOT_MADE",
            )
        if row.state not in ("completed", "failed") or not row.records:
            raise _not_finished("Wait until it ends. If it was stopped, retry it")
        wanted = request.version_id if request.HasField("version_id") else None
        version_id = (await self._reassessments.readable(row, wanted)).version_id
        document = await self._outputs.load_result(request.session_id, version_id)
        self._audit.note(Action.READ_RESULT, request.session_id, version=version_id)
        return orchestrator_pb2.GetResultResponse(document=document, version_id=version_id)

    async def GetCapabilities(
        self,
        _request: orchestrator_pb2.OrchestratorServiceGetCapabilitiesRequest,
        _context: grpc.aio.ServicerContext,
    ) -> orchestrator_pb2.OrchestratorServiceGetCapabilitiesResponse:
        """See `protos/interview/v1/orchestrator.proto`."""
        return await self._capabilities.ask()

    async def _row(self, session_id: str) -> SessionRow:
        check_session_id(session_id)
        row = await self._engine.get(session_id)
        if row is None or not may_see(row.request.owner_group):
            raise NotFoundError(
                "There is no session with this id. It was deleted, has expired or never existed.",
                reason="SESSION_NOT_FOUND",
            )
        return row

    async def _listed(self, row: SessionRow) -> orchestrator_pb2.Session:
        session_id = row.request.session_id
        if not row.records and row.state != "queued" and self._tracker.snapshot(session_id) is None:
            row = await self._engine.get(session_id) or row  # Only the milestones know its stages.
        return (await self._snapshot(row))[1]

    async def _session(self, session_id: str) -> orchestrator_pb2.Session:
        return (await self._snapshot(await self._row(session_id)))[1]

    async def _look(self, session_id: str) -> Seen:
        return await self._seen(await self._row(session_id))

    async def _seen(self, row: SessionRow) -> Seen:
        event_id, session, ended = await self._snapshot(row)
        return Seen(event_id, session, ended, row.end_time_s if ended else None)

    async def _marked(self, session: orchestrator_pb2.Session) -> orchestrator_pb2.Session:
        """Return a session with the mark of a legal hold."""
        if (held := await self._holds.shown(session.session_id)) is not None:
            session.held = held
        return session

    async def _snapshot(self, row: SessionRow) -> tuple[int, orchestrator_pb2.Session, bool]:
        """Return the newest event's number, the session, and whether it has ended."""
        session_id = row.request.session_id
        live = self._tracker.snapshot(session_id)
        if live is None or row.state != "processing":
            return row.last_event_id, await self._marked(to_message(row, statuses_of(row))), row.ended
        return live.event_id, await self._marked(to_message(row, live.statuses, live=live)), False


def _event(
    event_id: int, session: orchestrator_pb2.Session, time_s: float | None
) -> orchestrator_pb2.WatchSessionResponse:
    response = orchestrator_pb2.WatchSessionResponse(event_id=event_id, session=session)
    response.event_time_s = time_s if time_s is not None else session.create_time_s + event_id / 1000
    return response


def _not_finished(advice: str) -> PreconditionError:
    return PreconditionError(f"The session has not finished. {advice}.", reason="SESSION_NOT_FINISHED")
