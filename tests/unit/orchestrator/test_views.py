"""A session as it is sent: its stages, how much is done, and how it ended."""

from __future__ import annotations

from typing import Any

import pytest

from interview.v1 import orchestrator_pb2
from orchestrator.progress import STAGE_STATES, Milestone, ProgressTracker, Snapshot, StageStatus
from orchestrator.sessions import SessionRow, end_of, replay, statuses_of, to_message
from orchestrator.stages.catalogue import stage_classes
from orchestrator.workflow import StageRecord, stages_of

pytestmark = pytest.mark.anyio
SESSION_ID = "0123456789abcdef0123456789abcdef"


def at(stage: str, state: str, **fields: Any) -> StageStatus:
    return StageStatus(stage=stage, state=STAGE_STATES[state], **fields)


def row(**changes: Any) -> SessionRow:
    answers = [orchestrator_pb2.AnswerInput(position=7)]
    request = orchestrator_pb2.CreateSessionRequest(session_id=SESSION_ID, answers=answers)
    fields: dict[str, Any] = {"request": request, "state": "processing", "create_time_s": 1000.0}
    return SessionRow(**(fields | changes))


def test_a_session_shows_its_stages_and_how_much_is_done() -> None:
    views = {
        (1, "extract"): at("extract", "done", done_ratio=1.0),
        (1, "transcribe"): at("transcribe", "running", done_ratio=0.5),
    }
    message = to_message(row(), views, live=Snapshot(1, views, {}, elapsed_s=10.0))

    assert message.answers[0].position == 7
    work = sum(stage_classes()[name].weight for name in stages_of(linked=False))
    assert message.done_ratio == pytest.approx((0.05 + 0.35 / 2) / work)
    assert message.HasField("remaining_s")
    assert not to_message(row(state="queued"), {}).HasField("remaining_s")


@pytest.mark.parametrize(
    ("extract", "transcribe", "assessed"),
    [
        ("pending", "pending", None),
        ("done", "running", None),
        ("done", "done", True),
        ("done", "skipped", True),
        ("failed", "skipped", False),
        ("done", "failed", False),
    ],
)
def test_an_answer_says_whether_it_counts_as_assessed_once_that_is_settled(
    extract: Any, transcribe: Any, assessed: bool | None
) -> None:
    statuses = {(1, "extract"): at("extract", extract), (1, "transcribe"): at("transcribe", transcribe)}
    answer = to_message(row(), statuses).answers[0]

    assert (answer.assessed if answer.HasField("assessed") else None) is assessed


def test_a_session_that_ended_under_an_older_plan_shows_no_stage_that_came_later() -> None:
    done = {stage: StageRecord(stage, "done") for stage in ("extract", "transcribe", "vision")}
    older = row(state="completed", end_time_s=1002.0, records={1: done})
    shown = to_message(older, statuses_of(older)).answers[0].stages

    assert [stage.stage for stage in shown] == list(done)
    assert {stage.state for stage in shown} == {orchestrator_pb2.STAGE_STATE_DONE}


def test_a_cancelled_session_shows_no_stage_at_work() -> None:
    milestones = (
        Milestone(5, 1.0, 1, at("extract", "done", done_ratio=1.0)),
        Milestone(9, 2.0, 1, at("vision", "running")),
    )
    cancelled = row(state="cancelled", end_time_s=1002.0, milestones=milestones)
    stages = {stage.stage: stage for stage in to_message(cancelled, statuses_of(cancelled)).answers[0].stages}

    assert stages["extract"].state == orchestrator_pb2.STAGE_STATE_DONE
    assert stages["vision"].reason == stages["assess"].reason == "CANCELLED"
    assert [milestone.event_id for milestone, _ in replay(cancelled, 5)] == [9]
    assert cancelled.last_event_id > 9


def test_a_milestone_survives_the_journal() -> None:
    milestone = Milestone(
        5, 1.0, 1, at("extract", "failed", attempt_count=2, reason="DOWN", message="It is down.")
    )

    assert Milestone.from_json(milestone.to_json()) == milestone


def test_a_session_fails_only_without_any_good_answer() -> None:
    done = {stage: StageRecord(stage, "done") for stage in stages_of(linked=False)}
    broken = done | {"extract": StageRecord("extract", "failed", reason="MEDIA_EMPTY", message="Empty.")}

    assert end_of({1: broken, 2: done})["state"] == "completed"
    assert (end_of({1: broken})["state"], end_of({1: broken})["reason"]) == ("failed", "MEDIA_EMPTY")


async def test_event_numbers_rise_even_within_a_millisecond() -> None:
    board = ProgressTracker()
    board.begin(SESSION_ID, 0.0)
    ids = [board.note(SESSION_ID, 1, at("vision", "running")).event_id for _ in range(50)]

    assert ids == sorted(set(ids))
