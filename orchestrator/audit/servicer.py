"""`AuditService` on the log: unpack, call, pack."""

from __future__ import annotations

import re
from collections.abc import Mapping

import grpc

from chassis.acting import MAX_WHO_CHARACTERS, UNKNOWN, Actor, current_actor
from chassis.caller_groups import caller_groups
from chassis.errors import ForbiddenError, InvalidInputError
from chassis.limits import MAX_GROUP_CHARACTERS
from interview.v1 import audit_pb2, audit_pb2_grpc
from orchestrator.admission import check_session_id
from orchestrator.audit.log import AuditLog
from orchestrator.audit.records import NOTED_BY_CALLERS, Detail, Event, event

DEFAULT_LIMIT_COUNT = 200
MAX_LIMIT_COUNT = 1_000
MAX_NOTE_COUNT = 1_000
MAX_DETAIL_COUNT = 16
MAX_OCCURRENCE_COUNT = 10**9
MAX_DETAIL_CHARACTERS = 2_000
OUTCOME = re.compile(r"ok|[A-Z][A-Z0-9_]{0,63}")
NUMBER = re.compile(r"0|[1-9][0-9]{0,15}")


class AuditServicer(audit_pb2_grpc.AuditServiceServicer):
    """Serves the log.

    Args:
        log: The log.
    """

    def __init__(self, log: AuditLog) -> None:
        self._log = log

    def add_to(self, server: grpc.aio.Server) -> None:
        """Register with a server."""
        audit_pb2_grpc.add_AuditServiceServicer_to_server(self, server)

    async def ReadAudit(
        self, request: audit_pb2.ReadAuditRequest, _context: grpc.aio.ServicerContext
    ) -> audit_pb2.ReadAuditResponse:
        """See `protos/interview/v1/audit.proto`."""
        _check_sees_all()
        limit_count = request.limit_count or DEFAULT_LIMIT_COUNT
        if request.after_seq < 0 or not 1 <= limit_count <= MAX_LIMIT_COUNT:
            raise InvalidInputError(
                f"There is no such page. Ask for 1 to {MAX_LIMIT_COUNT} records behind a number from 0 on.",
                reason="PAGE_INVALID",
            )
        entries, head = await self._log.read(request.after_seq, limit_count)
        return audit_pb2.ReadAuditResponse(
            entries=[
                audit_pb2.AuditEntry(seq=seq, record=record, hash=hash_) for seq, record, hash_ in entries
            ],
            head_seq=head.seq,
            head_hash=head.hash,
        )

    async def NoteAudit(
        self, request: audit_pb2.NoteAuditRequest, _context: grpc.aio.ServicerContext
    ) -> audit_pb2.NoteAuditResponse:
        """See `protos/interview/v1/audit.proto`."""
        _check_sees_all()
        if len(request.notes) > MAX_NOTE_COUNT:
            raise _invalid(f"at most {MAX_NOTE_COUNT} notes at once")
        await self._log.take_notes([(_event(note), _count(note)) for note in request.notes])
        return audit_pb2.NoteAuditResponse()


def _check_sees_all() -> None:
    """Refuse whoever may see some sessions only.

    Raises:
        ForbiddenError: `AUDIT_FORBIDDEN`.
    """
    if caller_groups.get() is not None:
        raise ForbiddenError(
            "The audit log is about the sessions of all groups. Ask as a caller who may see all of them.",
            reason="AUDIT_FORBIDDEN",
        )


def _event(note: audit_pb2.AuditNote) -> Event:
    """Return what a note says, by whoever the note names, through the process that brings it."""
    if note.session_id:
        check_session_id(note.session_id)
    if note.action not in NOTED_BY_CALLERS:
        raise _invalid(f"action: one of {', '.join(sorted(NOTED_BY_CALLERS))}")
    if OUTCOME.fullmatch(note.outcome) is None:
        raise _invalid("outcome: ok or UPPER_SNAKE")
    if len(note.who) > MAX_WHO_CHARACTERS or len(note.group) > MAX_GROUP_CHARACTERS:
        raise _invalid("who, group: shorter")
    actor = Actor(note.who or UNKNOWN, note.group, current_actor.get().via)
    return event(note.action, actor, note.outcome, note.session_id, _details(note.details))


def _count(note: audit_pb2.AuditNote) -> int:
    return min(max(1, note.occurrence_count), MAX_OCCURRENCE_COUNT)


def _details(given: Mapping[str, str]) -> dict[str, Detail]:
    if len(given) > MAX_DETAIL_COUNT or any(
        len(name) > MAX_GROUP_CHARACTERS or len(value) > MAX_DETAIL_CHARACTERS
        for name, value in given.items()
    ):
        raise _invalid(
            f"details: at most {MAX_DETAIL_COUNT}, values up to {MAX_DETAIL_CHARACTERS} characters"
        )
    return {name: int(value) if NUMBER.fullmatch(value) else value for name, value in given.items()}


def _invalid(rule: str) -> InvalidInputError:
    return InvalidInputError(
        f"The notes can't be taken into the audit log. Correct {rule}.", reason="AUDIT_NOTE_INVALID"
    )
