"""What the gateway knows of a session, as plain data, and what it needs of the orchestrator.

Session identifiers are 32 lower-case hex digits. Dashed UUIDs are understood as well.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from chassis.errors import InvalidInputError
from gateway.audit_log import AuditLog

_HEX = re.compile(r"[0-9a-fA-F]{32}")
_DASHED = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def parse_session_id(text: str) -> str:
    """Return the 32-digit form of an identifier from a URL.

    Raises:
        InvalidInputError: It is neither 32 hex digits nor a dashed UUID.
    """
    if _HEX.fullmatch(text) or _DASHED.fullmatch(text):
        return text.replace("-", "").lower()
    raise InvalidInputError(
        "Invalid session ID format. Use the session_id that the upload returned.", reason="SESSION_ID_INVALID"
    )


class SessionState(StrEnum):
    """Where a session is. `FETCHING` is at work, with a recording still on its way from a link."""

    QUEUED = "queued"
    FETCHING = "fetching"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL_STATES = frozenset({SessionState.COMPLETED, SessionState.FAILED, SessionState.CANCELLED})


class StageState(StrEnum):
    """Where a stage of one answer is."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    WAITING = "waiting"
    """For the process that does its work, which is away or full. It goes on by itself."""


UNFINISHED_STATES = frozenset({StageState.PENDING, StageState.RUNNING, StageState.WAITING})
"""Of a stage that is still to do something."""


@dataclass(frozen=True)
class StageView:
    """One stage of one answer."""

    stage: str
    state: StageState
    done_ratio: float | None = None
    attempt_count: int = 0
    reason: str = ""
    message: str = ""
    waiting_since_s: float | None = None
    """In seconds since 1970-01-01 UTC. None where it does not wait."""


@dataclass(frozen=True)
class AnswerView:
    """One answer's stages, in their order."""

    position: int
    stages: tuple[StageView, ...] = ()
    assessed: bool | None = None
    """Whether it counts as assessed, as the orchestrator says. None until that is settled."""


@dataclass(frozen=True)
class SessionView:
    """A session's state. Times in seconds since 1970-01-01 UTC."""

    session_id: str
    state: SessionState
    create_time_s: float
    end_time_s: float | None = None
    answers: tuple[AnswerView, ...] = ()
    done_ratio: float = 0.0
    reason: str = ""
    message: str = ""
    candidate_name: str = ""
    remaining_s: float | None = None
    held: bool | None = None
    """Whether it is under a legal hold. None while that is not known."""


@dataclass(frozen=True)
class SessionEvent:
    """A session's state at one moment, numbered."""

    event_id: int
    session: SessionView
    event_time_s: float


@dataclass(frozen=True)
class AnswerDraft:
    """An answer to submit: where its recording lies or is to be fetched from, or why there is none."""

    position: int
    question: str
    uri: str = ""
    link: str = ""
    """Where the orchestrator is to fetch the recording from, instead of `uri`."""
    file_name: str = ""
    digest: str = ""
    media_bytes: int = 0
    unavailable_reason: str = ""
    rubric_id: str = ""
    """Empty: the session's."""


@dataclass(frozen=True)
class SessionDraft:
    """A session to submit. `language_code` is empty where it shall be detected."""

    session_id: str
    candidate_name: str
    language_code: str
    answers: tuple[AnswerDraft, ...]
    rubric_id: str = ""
    """Empty: the default."""


@dataclass(frozen=True)
class SessionPage:
    """A page of sessions, the newest first."""

    sessions: tuple[SessionView, ...]
    next_page_token: str = ""


@dataclass(frozen=True)
class ResultVersion:
    """A version of a session's result. The first is its own. Times in seconds since 1970-01-01 UTC."""

    version_id: int
    rubric_id: str
    state: SessionState
    create_time_s: float
    end_time_s: float | None = None
    reason: str = ""
    message: str = ""


@dataclass(frozen=True)
class Capabilities:
    """What a session may ask for. A list is empty where its stage can't be asked."""

    language_codes: tuple[str, ...] = ()
    """BCP-47."""
    rubric_ids: tuple[str, ...] = ()
    has_room: bool = True
    """Whether there is room for another session."""


@dataclass(frozen=True)
class DeletedArtifact:
    """One thing that a deletion removed. See the contract's message of this name."""

    kind: str
    name: str
    digest: str
    size_bytes: int


@dataclass(frozen=True)
class DeletionReceipt:
    """What a deletion removed, and when it began, in seconds since 1970-01-01 UTC."""

    artifacts: tuple[DeletedArtifact, ...]
    delete_time_s: float


class Orchestrator(Protocol):
    """What the gateway asks of the orchestrator. All methods raise `chassis.errors` types.

    Who asks is `gateway.callers.current_client`: it owns what it creates, and to it the sessions of other
    groups do not exist.
    """

    @property
    def audit(self) -> AuditLog:
        """The audit log."""

    async def create_session(self, draft: SessionDraft) -> SessionView:
        """Make a session durable. The same identifier again returns the existing one."""

    async def follow_recording(self, session_id: str, position: int, language_code: str) -> bool:
        """Say that a recording of a session to come is being written below `arriving/` in the store.

        Returns:
            Whether it is worked on while it arrives.
        """

    async def get_session(self, session_id: str) -> SessionView:
        """Return a session's state."""

    def watch_session(self, session_id: str, after_event_id: int | None) -> AsyncIterator[SessionEvent]:
        """Yield a session's events until it ends."""

    async def list_sessions(
        self, page_size_count: int, page_token: str, state: SessionState | None, owner_group: str = ""
    ) -> SessionPage:
        """Return a page of sessions. `owner_group` leaves out those of other groups."""

    async def cancel_session(self, session_id: str) -> SessionView:
        """Stop a session."""

    async def retry_session(self, session_id: str) -> SessionView:
        """Run what failed again."""

    async def set_legal_hold(self, session_id: str, *, held: bool) -> None:
        """Keep a session from deletion and expiry, or let it go."""

    async def delete_session(self, session_id: str) -> DeletionReceipt:
        """Delete a session with all that belongs to it, and return what was removed."""

    async def reassess_session(self, session_id: str, rubric_id: str) -> tuple[ResultVersion, bool]:
        """Judge a completed session again. Return the version, and whether it was there already."""

    async def list_result_versions(self, session_id: str) -> tuple[ResultVersion, ...]:
        """Return the versions of a session's result, the first one first."""

    async def get_result(self, session_id: str, version_id: int | None = None) -> bytes:
        """Return a version of the result document, or the one finished last: UTF-8 JSON."""

    async def get_capabilities(self) -> Capabilities:
        """Return what a session may ask for."""

    async def ping(self) -> None:
        """Return if the orchestrator can be reached.

        Raises:
            UnavailableError: It can't.
        """
