"""The audit log over gRPC."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import grpc

from chassis.audit_chain import as_line
from chassis.client import NO_RETRY
from gateway.audit_log import AuditNote, AuditPage
from gateway.orchestrator_calls import call
from interview.v1 import audit_pb2, audit_pb2_grpc


class AuditClient:
    """`gateway.audit_log.AuditLog` over the orchestrator's channel.

    Its calls name no groups: the gateway asks for the whole log, or for itself.

    Args:
        channel: To the orchestrator.
        timeout_s: Time for one call with its retries.
    """

    def __init__(self, channel: grpc.aio.Channel, timeout_s: float) -> None:
        self._stub: Any = audit_pb2_grpc.AuditServiceStub(channel)
        self._timeout_s = timeout_s

    async def read(self, after_seq: int, limit_count: int) -> AuditPage:
        """See `AuditLog`."""
        request = audit_pb2.ReadAuditRequest(after_seq=after_seq, limit_count=limit_count)
        reply = await call(self._stub.ReadAudit, request, self._timeout_s)
        return AuditPage(
            lines=tuple(as_line(entry.record, entry.hash) for entry in reply.entries),
            last_seq=reply.entries[-1].seq if reply.entries else None,
            head_seq=reply.head_seq,
            head_hash=reply.head_hash,
        )

    async def note(self, notes: Sequence[tuple[AuditNote, int]]) -> None:
        """See `AuditLog`. It is tried once: a note that is sent twice would stand there twice."""
        request = audit_pb2.NoteAuditRequest(
            notes=[
                audit_pb2.AuditNote(
                    action=note.action,
                    outcome=note.outcome,
                    who=note.who,
                    group=note.group,
                    session_id=note.session_id,
                    details=dict(note.details),
                    occurrence_count=count,
                )
                for note, count in notes
            ]
        )
        await call(self._stub.NoteAudit, request, self._timeout_s, retry=NO_RETRY)
