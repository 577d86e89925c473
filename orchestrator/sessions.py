"""Pure: sessions as the engine knows them → `Session` messages."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from interview.v1 import orchestrator_pb2
from orchestrator.progress import MS_PER_S, Milestone, StageView, Views
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
STAGE_STATES = {
    "pending": orchestrator_pb2.STAGE_STATE_PENDING,
    "running": orchestrator_pb2.STAGE_STATE_RUNNING,
    "done": orchestrator_pb2.STAGE_STATE_DONE,
    "failed": orchestrator_pb2.STAGE_STATE_FAILED,
    "skipped": orchestrator_pb2.STAGE_STATE_SKIPPED,
}
MIN_RATIO_TO_ESTIMATE = 0.03
"""Before that an estimate of what remains is noise."""
CANCELLED_VIEW = StageView("skipped", reason="CANCELLED", message="The session was cancelled before.")


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
        """Number of the event that tells of the end; larger than every other."""
        end_ms = int(((self.end_time_s or self.create_time_s) - self.create_time_s) * MS_PER_S)
        newest = self.milestones[-1].event_id if self.milestones else 0
        return max(1, end_ms, newest) + (1 if self.ended else 0)


def views_of(row: SessionRow) -> Views:
    """Return where the stages of a session are by what is kept of it."""
    views: Views = {}
    for milestone in row.milestones:
        views[milestone.place, milestone.stage] = milestone.view
    for place, records in row.records.items():
        for stage, record in records.items():
            views[place, stage] = StageView.ended(record)
    return views


def replay(row: SessionRow, after_event_id: int) -> Iterable[tuple[Milestone, Views]]:
    """Yield the kept events after a number, each with the stages' views at that time."""
    views: Views = {}
    for milestone in row.milestones:
        views[milestone.place, milestone.stage] = milestone.view
        if milestone.event_id > after_event_id:
            yield milestone, dict(views)


def to_message(
    row: SessionRow, views: Views, *, state: str | None = None, begin_time_s: float | None = None
) -> orchestrator_pb2.Session:
    """Return a session's state as it is sent.

    Args:
        row: The session.
        views: Where its stages are.
        state: Its state; None: the row's.
        begin_time_s: Since when it is at work; None where nobody here knows.
    """
    state = state_by(row, views, state or row.state)
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
        status = message.answers.add(position=answer.position if answer.HasField("position") else place)
        names = stages_of(linked=bool(answer.link))
        shown = {stage: views.get((place, stage), StageView()) for stage in names}
        if (assessed := _assessed(shown)) is not None:
            status.assessed = assessed
        for stage, view in shown.items():
            ended_with_it = state == "cancelled" and view.state in ("pending", "running")
            status.stages.append(_stage_message(stage, CANCELLED_VIEW if ended_with_it else view))
    message.done_ratio = 1.0 if state in ("completed", "failed") else _done_ratio(row, views)
    if begin_time_s is not None and state in AT_WORK and message.done_ratio > MIN_RATIO_TO_ESTIMATE:
        elapsed_s = max(0.0, time.time() - begin_time_s)
        message.remaining_s = elapsed_s * (1 - message.done_ratio) / message.done_ratio
    return message


def _assessed(views: Mapping[str, StageView]) -> bool | None:
    """Return whether an answer counts as assessed, or None until that is settled."""
    if not is_assessed(views):
        return False
    deciding = [view for stage, view in views.items() if stage in RECORDING_STAGES]
    return None if any(view.state in ("pending", "running") for view in deciding) else True


def _stage_message(stage: str, view: StageView) -> orchestrator_pb2.StageStatus:
    fields: dict[str, Any] = {} if view.done_ratio is None else {"done_ratio": view.done_ratio}
    return orchestrator_pb2.StageStatus(
        stage=stage,
        state=STAGE_STATES[view.state],
        attempt_count=view.attempt_count,
        reason=view.reason,
        message=view.message,
        **fields,
    )


def state_by(row: SessionRow, views: Views, state: str) -> str:
    """Return a session's state: one at work is `fetching` while a recording is still on its way."""
    if state != "processing":
        return state
    linked = [place for place, answer in enumerate(row.request.answers, start=1) if answer.link]
    fetches = [views.get((place, FETCH), StageView()) for place in linked]
    return "fetching" if any(view.state in ("pending", "running") for view in fetches) else state


def _done_ratio(row: SessionRow, views: Views) -> float:
    if not row.request.answers:
        return 0.0
    ratios = [
        _answer_ratio(place, views, stages_of(linked=bool(answer.link)))
        for place, answer in enumerate(row.request.answers, start=1)
    ]
    return sum(ratios) / len(ratios)


def _answer_ratio(place: int, views: Views, stages: Sequence[str]) -> float:
    weights = {stage: stage_classes()[stage].weight for stage in stages}
    done = 0.0
    for stage, weight in weights.items():
        view = views.get((place, stage), StageView())
        ended = view.state in ("done", "failed", "skipped")
        done += weight * (1.0 if ended else (view.done_ratio or 0.0))
    return done / sum(weights.values())


def end_of(records: Mapping[int, Mapping[str, StageRecord]]) -> dict[str, Any]:
    """Return how a session ended, as the engine keeps it: completed with at least one assessed answer."""
    kept = {str(place): {name: r.to_json() for name, r in of.items()} for place, of in records.items()}
    if any(is_assessed(of_answer) for of_answer in records.values()):
        return {"state": "completed", "reason": "", "message": "", "records": kept}
    first = next(r for of_answer in records.values() for r in of_answer.values() if r.state == "failed")
    message = f"No answer could be assessed; the first one failed at {first.stage}: {first.message}"
    return {"state": "failed", "reason": first.reason, "message": message, "records": kept}
