"""Pure: sessions as the engine knows them → `Session` messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from interview.v1 import orchestrator_pb2
from orchestrator.progress import (
    AT_REST,
    MS_PER_S,
    STAGE_STATES,
    Milestone,
    Snapshot,
    StageStatus,
    Statuses,
    status_of,
)
from orchestrator.stages.catalogue import stage_classes
from orchestrator.workflow import FETCH, RECORDING_STAGES, StageRecord, is_assessed, stages_of

STATES = {
    "queued": orchestrator_pb2.SESSION_STATE_QUEUED,
    "processing": orchestrator_pb2.SESSION_STATE_PROCESSING,
    "completed": orchestrator_pb2.SESSION_STATE_COMPLETED,
    "failed": orchestrator_pb2.SESSION_STATE_FAILED,
    "cancelled": orchestrator_pb2.SESSION_STATE_CANCELLED,
    "fetching": orchestrator_pb2.SESSION_STATE_FETCHING,
}
ENDED = ("completed", "failed", "cancelled")
AT_WORK = ("fetching", "processing")
MIN_RATIO_TO_ESTIMATE = 0.03
"""Before that an estimate of what remains is noise."""


@dataclass(frozen=True)
class SessionRow:
    """A session as the engine keeps it."""

    request: orchestrator_pb2.CreateSessionRequest
    state: str
    create_time_s: float
    end_time_s: float | None = None
    reason: str = ""
    message: str = ""
    records: Mapping[int, Mapping[str, StageRecord]] = field(default_factory=dict)
    """How the stages ended, by place and stage. Empty until the session has."""
    milestones: tuple[Milestone, ...] = ()
    """In the order of their numbers. Empty where they were not asked for."""

    @property
    def ended(self) -> bool:
        """Whether the session has ended."""
        return self.state in ENDED

    @property
    def last_event_id(self) -> int:
        """Number of the event that tells of the end. Larger than every other."""
        end_ms = int(((self.end_time_s or self.create_time_s) - self.create_time_s) * MS_PER_S)
        newest = self.milestones[-1].event_id if self.milestones else 0
        return max(1, end_ms, newest) + (1 if self.ended else 0)


def statuses_of(row: SessionRow) -> Statuses:
    """Return where the stages of a session are by what is kept of it."""
    statuses: Statuses = {}
    for milestone in row.milestones:
        statuses[milestone.place, milestone.status.stage] = milestone.status
    for place, records in row.records.items():
        for stage, record in records.items():
            statuses[place, stage] = status_of(record)
    return statuses


def replay(row: SessionRow, after_event_id: int) -> Iterable[tuple[Milestone, Statuses]]:
    """Yield the kept events after a number, each with the stages' statuses at that time."""
    statuses: Statuses = {}
    for milestone in row.milestones:
        statuses[milestone.place, milestone.status.stage] = milestone.status
        if milestone.event_id > after_event_id:
            yield milestone, dict(statuses)


def to_message(
    row: SessionRow, statuses: Statuses, *, state: str | None = None, live: Snapshot | None = None
) -> orchestrator_pb2.Session:
    """Return a session's state as it is sent.

    Args:
        row: The session.
        statuses: Where its stages are.
        state: Its state. None: the row's.
        live: How it gets on in this process. None where it is not at work here.
    """
    state = state_by(row, statuses, state or row.state)
    message = orchestrator_pb2.Session(
        session_id=row.request.session_id,
        state=STATES[state],
        create_time_s=row.create_time_s,
        candidate_name=row.request.candidate_name,
        reason=row.reason,
        message=row.message,
    )
    if row.end_time_s is not None and state in ENDED:
        message.end_time_s = row.end_time_s
    for place, answer in enumerate(row.request.answers, start=1):
        # An answer is shown under the position that its caller gave it.
        status = message.answers.add(position=position_of(place, answer))
        at = [_status(statuses, place, stage) for stage in _shown(row, place, answer)]
        if (assessed := _assessed(at)) is not None:
            status.assessed = assessed
        status.stages.extend(
            _cancelled(one.stage) if state == "cancelled" and not _rests(one) else one for one in at
        )
    message.done_ratio = 1.0 if state in ("completed", "failed") else _done_ratio(row, statuses)
    if live is not None and state in AT_WORK:
        remaining_s = _remaining_s(row, statuses, live)
        if remaining_s is not None:
            message.remaining_s = remaining_s
    return message


def _remaining_s(row: SessionRow, statuses: Statuses, live: Snapshot) -> float | None:
    """Estimate what is left by the work done since this process took the session up.

    The time before a restart is nobody's measure, and a stage that failed or was left out did no work. None
    where a stage waits, or too little is done to tell.
    """
    worked_ratio, left_ratio = 0.0, 0.0
    for place, answer in enumerate(row.request.answers, start=1):
        for stage, share in _shares(stages_of(linked=bool(answer.link))).items():
            status = _status(statuses, place, stage)
            if status.state == STAGE_STATES["waiting"]:
                return None
            if not _rests(status):
                worked_ratio += share * status.done_ratio
                left_ratio += share * (1 - status.done_ratio)
            elif status.state == STAGE_STATES["done"] and (place, stage) not in live.ended_before:
                worked_ratio += share
    if worked_ratio <= MIN_RATIO_TO_ESTIMATE * len(row.request.answers):
        return None
    return live.elapsed_s * left_ratio / worked_ratio


def position_of(place: int, answer: orchestrator_pb2.AnswerInput) -> int:
    """Return the position that the caller gave to an answer, or its place in the list."""
    return answer.position if answer.HasField("position") else place


def _assessed(statuses: Iterable[StageStatus]) -> bool | None:
    """Return whether an answer counts as assessed, or None until that is settled. See `is_assessed`."""
    deciding = [status for status in statuses if status.stage in RECORDING_STAGES]
    if any(status.state == STAGE_STATES["failed"] for status in deciding):
        return False
    return True if all(map(_rests, deciding)) else None


def _shown(row: SessionRow, place: int, answer: orchestrator_pb2.AnswerInput) -> Sequence[str]:
    """Return an answer's stages. A session that ended under an older plan has not those that came later."""
    planned, kept = stages_of(linked=bool(answer.link)), row.records.get(place)
    return [stage for stage in planned if stage in kept] if kept else planned


def _status(statuses: Statuses, place: int, stage: str) -> StageStatus:
    return statuses.get((place, stage)) or StageStatus(stage=stage, state=STAGE_STATES["pending"])


def _rests(status: StageStatus) -> bool:
    return status.state in AT_REST


def _cancelled(stage: str) -> StageStatus:
    message = "The session was cancelled before."
    return StageStatus(stage=stage, state=STAGE_STATES["skipped"], reason="CANCELLED", message=message)


def state_by(row: SessionRow, statuses: Statuses, state: str) -> str:
    """Return a session's state: one at work is `fetching` while a recording is still on its way."""
    if state != "processing":
        return state
    linked = [place for place, answer in enumerate(row.request.answers, start=1) if answer.link]
    arrived = all(_rests(_status(statuses, place, FETCH)) for place in linked)
    return state if arrived else "fetching"


def _done_ratio(row: SessionRow, statuses: Statuses) -> float:
    if not row.request.answers:
        return 0.0
    ratios = [
        _answer_ratio(place, statuses, stages_of(linked=bool(answer.link)))
        for place, answer in enumerate(row.request.answers, start=1)
    ]
    return sum(ratios) / len(ratios)


def _answer_ratio(place: int, statuses: Statuses, stages: Sequence[str]) -> float:
    done, total = 0.0, 0.0
    for stage in stages:
        status, weight = _status(statuses, place, stage), stage_classes()[stage].weight
        done += weight * (1.0 if _rests(status) else status.done_ratio)
        total += weight
    return done / total


def _shares(stages: Sequence[str]) -> dict[str, float]:
    """Return each stage's share of an answer's work. They add up to 1."""
    weights = {stage: stage_classes()[stage].weight for stage in stages}
    total = sum(weights.values())
    return {stage: weight / total for stage, weight in weights.items()}


def end_of(records: Mapping[int, Mapping[str, StageRecord]]) -> dict[str, Any]:
    """Return how a session ended, as the engine keeps it: completed with at least one assessed answer."""
    kept = {str(place): {name: r.to_json() for name, r in of.items()} for place, of in records.items()}
    if any(is_assessed(of_answer) for of_answer in records.values()):
        return {"state": "completed", "reason": "", "message": "", "records": kept}
    first = next(r for of_answer in records.values() for r in of_answer.values() if r.state == "failed")
    message = f"No answer could be assessed. The first one failed at {first.stage}: {first.message}"
    return {"state": "failed", "reason": first.reason, "message": message, "records": kept}
