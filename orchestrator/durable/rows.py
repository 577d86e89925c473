"""Pure: what the engine keeps of a workflow → sessions and versions."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Protocol

from google.protobuf.json_format import ParseError

from orchestrator.progress import MS_PER_S, Milestone
from orchestrator.sessions import ENDED, SessionRow
from orchestrator.versions import Reassessment, VersionRow, read_request
from orchestrator.workflow import StageRecord

logger = logging.getLogger(__name__)

_STATES = {
    "DELAYED": "queued",
    "ENQUEUED": "queued",
    "PENDING": "processing",
    "CANCELLED": "cancelled",
}


NOT_READABLE = (LookupError, TypeError, ValueError, AttributeError, ParseError)
"""What reading ends with where another version wrote it, or it is damaged."""
UNREADABLE = "SESSION_UNREADABLE"
UNREADABLE_MESSAGE = (
    "This version can't read what another one wrote of the session. Update to the newer one, or delete it."
)


class KeptWorkflow(Protocol):
    """What the engine keeps. Times in milliseconds since 1970-01-01 UTC."""

    workflow_id: str
    input: Any
    output: Any
    created_at: int | None
    updated_at: int | None
    completed_at: int | None

    @property
    def status(self) -> str:
        """The engine's word for where it is."""


def session_row(kept: KeptWorkflow, milestones: tuple[Milestone, ...]) -> SessionRow:
    """Read a session. One that can't be read says so, and stands in nobody's way."""
    try:
        return _session_row(kept, milestones)
    except NOT_READABLE:
        logger.warning("a session can't be read", extra={"session_id": kept.workflow_id})
        state = _STATES.get(kept.status) or ("completed" if kept.status == "SUCCESS" else "failed")
        return SessionRow(
            request=read_request({"sessionId": kept.workflow_id, "ownerGroup": _owner_group(kept)}),
            state=state,
            create_time_s=(kept.created_at or 0) / MS_PER_S,
            end_time_s=last_change_s(kept) if state in ENDED else None,
            reason=UNREADABLE,
            message=UNREADABLE_MESSAGE,
        )


def _owner_group(kept: KeptWorkflow) -> str:
    """Return whose session it is. What can't be read must not become everybody's."""
    try:
        return str(kept.input["args"][0]["request"].get("ownerGroup", ""))
    except NOT_READABLE:
        return ""


def _session_row(kept: KeptWorkflow, milestones: tuple[Milestone, ...]) -> SessionRow:
    job: dict[str, Any] = kept.input["args"][0]
    state, reason, message = _end(kept, "The session could not be finished on our side. Retry it.")
    output = kept.output if kept.status == "SUCCESS" else None
    return SessionRow(
        request=read_request(job["request"]),
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


def milestones_of(kept: Mapping[str, Any]) -> tuple[Milestone, ...]:
    """Read milestones, in the order of their numbers. Those that can't be read are left out."""
    found = []
    for entries in kept.values():
        for entry in entries:
            try:
                found.append(Milestone.from_json(entry))
            except NOT_READABLE:
                logger.warning("a milestone can't be read")
    return tuple(sorted(found, key=lambda milestone: milestone.event_id))


def version_row(kept: KeptWorkflow) -> VersionRow:
    """Read a version of a result. One that can't be read counts as failed."""
    try:
        return _version_row(kept)
    except NOT_READABLE:
        logger.warning("a version can't be read", extra={"session_id": kept.workflow_id})
        version_id, created_s = int(kept.workflow_id.rpartition("-")[2]), (kept.created_at or 0) / MS_PER_S
        ended_s = last_change_s(kept)
        return VersionRow(version_id, "", "failed", created_s, ended_s, UNREADABLE, UNREADABLE_MESSAGE)


def _version_row(kept: KeptWorkflow) -> VersionRow:
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
    return last_change_s(kept)


def has_ended(kept: KeptWorkflow) -> bool:
    """Tell whether a session has ended, well or not."""
    return _STATES.get(kept.status, "ended") not in ("queued", "processing")


def last_change_s(kept: KeptWorkflow) -> float:
    """Return when the engine changed it last, in seconds since 1970-01-01 UTC."""
    return (kept.completed_at or kept.updated_at or kept.created_at or 0) / MS_PER_S
