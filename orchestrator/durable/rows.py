"""Pure: what the engine keeps of a workflow → sessions and versions."""

from __future__ import annotations

from typing import Any, Protocol

from google.protobuf.json_format import ParseDict

from interview.v1 import orchestrator_pb2
from orchestrator.progress import MS_PER_S, Milestone
from orchestrator.sessions import ENDED, SessionRow
from orchestrator.versions import Reassessment, VersionRow
from orchestrator.workflow import StageRecord

_STATES = {
    "DELAYED": "queued",
    "ENQUEUED": "queued",
    "PENDING": "processing",
    "CANCELLED": "cancelled",
}


class KeptWorkflow(Protocol):
    """What the engine keeps. Times in milliseconds since 1970-01-01 UTC."""

    input: Any
    output: Any
    created_at: int | None
    updated_at: int | None
    completed_at: int | None

    @property
    def status(self) -> str:
        """The engine's word for where it is."""


def session_row(kept: KeptWorkflow, milestones: tuple[Milestone, ...]) -> SessionRow:
    """Read a session."""
    job: dict[str, Any] = kept.input["args"][0] if kept.input else {}
    state, reason, message = _end(kept, "The session could not be finished on our side. Retry it.")
    output = kept.output if kept.status == "SUCCESS" else None
    return SessionRow(
        request=ParseDict(job["request"], orchestrator_pb2.CreateSessionRequest()),
        state=state,
        create_time_s=job["create_time_s"],
        end_time_s=_end_time_s(kept) if state in ENDED else None,
        reason=reason,
        message=message,
        records={
            int(place): {name: StageRecord.from_json(record) for name, record in of.items()}
            for place, of in (output["records"] if output else {}).items()
        },
        milestones=milestones,
    )


def version_row(kept: KeptWorkflow) -> VersionRow:
    """Read a version of a result."""
    job = Reassessment.from_json(kept.input["args"][0])
    state, reason, message = _end(kept, "The answers could not be judged on our side. Ask for it again.")
    return VersionRow(
        job.version_id,
        job.request.rubric_id,
        state,
        job.create_time_s,
        _end_time_s(kept) if state in ENDED else None,
        reason,
        message,
    )


def _end(kept: KeptWorkflow, broken: str) -> tuple[str, str, str]:
    """Return state, reason and message."""
    if kept.status == "SUCCESS" and kept.output is not None:
        return kept.output["state"], kept.output["reason"], kept.output["message"]
    state = _STATES.get(kept.status, "failed")
    return (state, "INTERNAL", broken) if state == "failed" else (state, "", "")


def _end_time_s(kept: KeptWorkflow) -> float:
    """Return when it ended. The engine's own times are whole seconds on SQLite."""
    if kept.status == "SUCCESS" and kept.output and "end_time_s" in kept.output:
        return float(kept.output["end_time_s"])
    return (kept.completed_at or kept.updated_at or kept.created_at or 0) / MS_PER_S
