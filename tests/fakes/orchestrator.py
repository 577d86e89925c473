"""An orchestrator that lives in the test: sessions move when the test says so."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from chassis.audit_chain import GENESIS
from chassis.errors import (
    InterviewError,
    InvalidInputError,
    NotFoundError,
    PreconditionError,
    UnavailableError,
)
from gateway.audit_log import AuditNote, AuditPage
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

LANGUAGE_CODES = ("en", "id", "he", "jv", "no", "tl", "zh")
RUBRIC_IDS = ("behavioural", "general", "technical")
STAGES = ("extract", "transcribe", "translate", "assess", "vision", "speaker")


class FakeAuditLog:
    """Implements `gateway.audit_log.AuditLog` in memory."""

    def __init__(self) -> None:
        self.lines = list[str]()
        self.notes: list[tuple[AuditNote, int]] = []
        self.failure: InterviewError | None = None

    async def read(self, after_seq: int, limit_count: int) -> AuditPage:
        self._check()
        lines = self.lines[after_seq : after_seq + limit_count]
        last_seq = after_seq + len(lines) if lines else None
        head_hash = json.loads(self.lines[-1])["hash"] if self.lines else GENESIS
        return AuditPage(tuple(lines), last_seq, len(self.lines), head_hash)

    async def note(self, notes: Sequence[tuple[AuditNote, int]]) -> None:
        self._check()
        self.notes += notes

    def _check(self) -> None:
        if self.failure is not None:
            raise self.failure


class FakeOrchestrator:
    """Implements `gateway.sessions.Orchestrator` in memory."""

    def __init__(self) -> None:
        self.audit = FakeAuditLog()
        self.drafts: dict[str, SessionDraft] = {}
        self.held: set[str] = set()
        self.events: dict[str, list[SessionEvent]] = {}
        self.results: dict[str, bytes] = {}
        self.versions: dict[str, list[ResultVersion]] = {}
        self.failure: InterviewError | None = None
        """Raised by every call while it is set."""
        self.refusal: InterviewError | None = None
        """Raised by `create_session` alone."""
        self.lost_reply: InterviewError | None = None
        """Raised by `create_session` once it has done its work. Then it is away for a moment."""
        self.watch_calls: list[int | None] = []
        self.capabilities = Capabilities(LANGUAGE_CODES, RUBRIC_IDS)
        self.capability_calls = 0
        self.follow_calls: list[tuple[str, int, str]] = []
        self.follows = True
        """What `follow_recording` answers."""
        self._changed = asyncio.Event()

    def go_down(self) -> None:
        self.failure = UnavailableError("It is away.", reason="ORCHESTRATOR_UNAVAILABLE", retry_after_s=30.0)

    def set(self, session: SessionView) -> None:
        """Put a session into a state, which is one event."""
        log = self.events.setdefault(session.session_id, [])
        log.append(SessionEvent(len(log) + 1, session, float(len(log))))
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def finish(self, session_id: str, result: dict[str, object]) -> None:
        """Complete a session with a result."""
        self.results[session_id] = json.dumps(result).encode()
        session = self._find(session_id)
        done = tuple(
            AnswerView(
                answer.position, tuple(StageView(stage, StageState.DONE, 1.0, 1) for stage in STAGES), True
            )
            for answer in session.answers
        )
        self.set(replace(session, state=SessionState.COMPLETED, done_ratio=1.0, answers=done, end_time_s=9.0))

    async def follow_recording(self, session_id: str, position: int, language_code: str) -> bool:
        self._check()
        self.follow_calls.append((session_id, position, language_code))
        return self.follows

    async def create_session(self, draft: SessionDraft) -> SessionView:
        self._check()
        if self.refusal is not None:
            raise self.refusal
        known = self.drafts.get(draft.session_id, draft)
        if _said(known) != _said(draft):
            raise PreconditionError("Use another Idempotency-Key.", reason="SESSION_DIFFERS")
        if draft.session_id not in self.drafts:
            self.drafts[draft.session_id] = draft
            answers = tuple(
                AnswerView(answer.position, tuple(StageView(stage, StageState.PENDING) for stage in STAGES))
                for answer in draft.answers
            )
            self.set(SessionView(draft.session_id, SessionState.QUEUED, 1.0, answers=answers))
        if self.lost_reply is not None:
            self.failure, self.lost_reply = self.lost_reply, None
            raise self.failure
        return self._find(draft.session_id)

    async def get_session(self, session_id: str) -> SessionView:
        self._check()
        return self._find(session_id)

    async def watch_session(self, session_id: str, after_event_id: int | None) -> AsyncIterator[SessionEvent]:
        self._check()
        self._find(session_id)
        self.watch_calls.append(after_event_id)
        seen = after_event_id or 0
        while True:
            changed = self._changed
            for event in self.events[session_id][seen:]:
                seen = event.event_id
                yield replace(event, session=replace(event.session, held=session_id in self.held))
            if self._find(session_id).state in FINAL_STATES:
                return
            await changed.wait()

    async def list_sessions(
        self, page_size_count: int, page_token: str, state: SessionState | None, owner_group: str = ""
    ) -> SessionPage:
        self._check()
        if page_token and not (page_token.isascii() and page_token.isdecimal()):
            raise InvalidInputError("Ask for the first page.", reason="PAGE_INVALID")
        begin = int(page_token or 0)
        found = [self._find(session_id) for session_id in reversed(self.events)]
        found = [session for session in found if state in (None, session.state)]
        rest = str(begin + page_size_count) if len(found) > begin + page_size_count else ""
        return SessionPage(tuple(found[begin : begin + page_size_count]), rest)

    async def cancel_session(self, session_id: str) -> SessionView:
        self._check()
        self.set(replace(self._find(session_id), state=SessionState.CANCELLED))
        return self._find(session_id)

    async def retry_session(self, session_id: str) -> SessionView:
        self._check()
        if self._find(session_id).state not in FINAL_STATES:
            raise PreconditionError("It still runs.", reason="SESSION_NOT_FINISHED")
        self.set(replace(self._find(session_id), state=SessionState.QUEUED))
        return self._find(session_id)

    async def set_legal_hold(self, session_id: str, *, held: bool) -> None:
        self._check()
        self._find(session_id)
        (self.held.add if held else self.held.discard)(session_id)

    async def delete_session(self, session_id: str) -> DeletionReceipt:
        self._check()
        self._find(session_id)
        if session_id in self.held:
            raise PreconditionError("It is under a legal hold.", reason="SESSION_HELD")
        del self.events[session_id], self.drafts[session_id]
        return DeletionReceipt((DeletedArtifact("media", "media/1.mp4", "ab" * 32, 15),), 1_700_000_000.0)

    async def reassess_session(self, session_id: str, rubric_id: str) -> tuple[ResultVersion, bool]:
        kept = list(await self.list_result_versions(session_id))
        await self.get_result(session_id)
        if rubric_id not in ("general", "technical"):
            fields = {"rubric_id": "one of general, technical"}
            raise InvalidInputError("Ask for another.", reason="RUBRIC_UNKNOWN", fields=fields)
        for version in kept:
            if version.rubric_id == rubric_id:
                return version, True
        made = ResultVersion(len(kept) + 1, rubric_id, SessionState.COMPLETED, 10.0, 12.0)
        self.versions[session_id] = [*kept, made]
        return made, False

    async def list_result_versions(self, session_id: str) -> tuple[ResultVersion, ...]:
        self._check()
        own = ResultVersion(1, "", self._find(session_id).state, 1.0, 9.0)
        return tuple(self.versions.get(session_id, [own]))

    async def get_result(self, session_id: str, version_id: int | None = None) -> bytes:
        self._check()
        self._find(session_id)
        if session_id not in self.results:
            raise PreconditionError("It is not finished.", reason="SESSION_NOT_FINISHED")
        versions = await self.list_result_versions(session_id)
        if version_id is not None and version_id > len(versions):
            raise NotFoundError("There is no such version.", reason="RESULT_VERSION_NOT_FOUND")
        newest = versions[(version_id or len(versions)) - 1]
        document = json.loads(self.results[session_id])
        if newest.version_id == 1:
            return self.results[session_id]
        return json.dumps(document | {"provenance": {"rubric_id": newest.rubric_id}}).encode()

    async def get_capabilities(self) -> Capabilities:
        self.capability_calls += 1
        self._check()
        return self.capabilities

    async def ping(self) -> None:
        self._check()

    def _check(self) -> None:
        if self.failure is not None:
            raise self.failure

    def _find(self, session_id: str) -> SessionView:
        if not self.events.get(session_id):
            raise NotFoundError("Session not found", reason="SESSION_NOT_FOUND")
        return replace(self.events[session_id][-1].session, held=session_id in self.held)


def _said(draft: SessionDraft) -> SessionDraft:
    return replace(draft, answers=tuple(replace(answer, uri="") for answer in draft.answers))
