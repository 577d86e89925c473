"""Live progress: numbers of events and estimates hang on no clock that somebody can set."""

from __future__ import annotations

import pytest

from interview.v1 import orchestrator_pb2
from orchestrator.progress import STAGE_STATES, Milestone, ProgressTracker, StageStatus, standing_at
from orchestrator.running.attempts import Standing
from orchestrator.sessions import SessionRow, to_message
from orchestrator.stages.catalogue import stage_classes
from orchestrator.stages.stage import Task
from orchestrator.workflow import STAGES, stages_of

SESSION_ID = "0123456789abcdef0123456789abcdef"
TWO_HOURS_S = 7200.0
ACCEPTED_S = 1_700_000_000.0


def done(stage: str) -> StageStatus:
    return StageStatus(stage=stage, state=STAGE_STATES["done"], done_ratio=1.0)


def at_work(stage: str) -> StageStatus:
    return StageStatus(stage=stage, state=STAGE_STATES["running"])


class Clocks:
    """A clock that only goes on, and the date, which the test sets."""

    def __init__(self) -> None:
        self.passed_s, self.set_by_s = 5_000.0, 0.0

    def monotonic(self) -> float:
        return self.passed_s

    def now(self) -> float:
        return ACCEPTED_S + self.passed_s - 5_000.0 + self.set_by_s

    def tracker(self) -> ProgressTracker:
        return ProgressTracker(monotonic=self.monotonic, now=self.now)


def remaining_s(tracker: ProgressTracker, answer_count: int = 1) -> float | None:
    live = tracker.snapshot(SESSION_ID)
    assert live is not None
    request = orchestrator_pb2.CreateSessionRequest(
        session_id=SESSION_ID, answers=[orchestrator_pb2.AnswerInput()] * answer_count
    )
    message = to_message(SessionRow(request, "processing", ACCEPTED_S), live.statuses, live=live)
    return message.remaining_s if message.HasField("remaining_s") else None


def run(set_by_s: float) -> tuple[list[int], float | None]:
    """A session whose date is changed in the middle: the numbers of its events, and what remains."""
    clocks = Clocks()
    tracker = clocks.tracker()
    tracker.begin(SESSION_ID, ACCEPTED_S)
    clocks.passed_s += 10
    ids = [tracker.note(SESSION_ID, 1, done("extract")).event_id]
    clocks.set_by_s = set_by_s
    clocks.passed_s += 20
    ids.append(tracker.note(SESSION_ID, 1, done("transcribe")).event_id)
    clocks.passed_s += 10
    return ids, remaining_s(tracker)


@pytest.mark.parametrize("set_by_s", [TWO_HOURS_S, -TWO_HOURS_S])
def test_a_clock_set_by_two_hours_changes_neither_numbers_nor_estimates(set_by_s: float) -> None:
    assert run(set_by_s) == run(0.0)
    assert run(set_by_s)[0] == [10_000, 30_000]
    work = sum(stage_classes()[name].weight for name in stages_of(linked=False))
    assert run(set_by_s)[1] == pytest.approx(40 * (work - 0.4) / 0.4)


def test_the_date_of_an_event_is_the_one_that_the_clock_shows() -> None:
    clocks = Clocks()
    tracker = clocks.tracker()
    tracker.begin(SESSION_ID, ACCEPTED_S)
    clocks.set_by_s = TWO_HOURS_S

    assert tracker.note(SESSION_ID, 1, done("extract")).time_s == ACCEPTED_S + TWO_HOURS_S


@pytest.mark.parametrize("set_by_s", [0.0, TWO_HOURS_S, -TWO_HOURS_S])
def test_numbers_go_on_after_a_restart_wherever_the_clock_was_set_meanwhile(set_by_s: float) -> None:
    kept = [Milestone(9_000, ACCEPTED_S + 9, 1, done("extract"))]
    clocks = Clocks()
    clocks.set_by_s = set_by_s
    tracker = clocks.tracker()
    tracker.begin(SESSION_ID, ACCEPTED_S, kept)

    assert tracker.note(SESSION_ID, 1, at_work("transcribe")).event_id > 9_000


def test_after_a_restart_what_had_ended_is_shown_and_what_was_at_work_waits() -> None:
    kept = [
        Milestone(1_000, ACCEPTED_S + 1, 1, at_work("extract")),
        Milestone(2_000, ACCEPTED_S + 2, 1, done("extract")),
        Milestone(2_500, ACCEPTED_S + 2.5, 1, at_work("transcribe")),
    ]
    tracker = Clocks().tracker()
    tracker.begin(SESSION_ID, ACCEPTED_S, kept)
    live = tracker.snapshot(SESSION_ID)

    assert live is not None
    assert live.statuses == {(1, "extract"): done("extract")}


def test_what_was_done_before_a_restart_makes_nobody_faster() -> None:
    kept = [
        Milestone(number, ACCEPTED_S, 1, done(stage))
        for number, stage in enumerate(STAGES, start=1)
        if stage not in ("transcribe", "translate", "assess")
    ]
    clocks = Clocks()
    tracker = clocks.tracker()
    tracker.begin(SESSION_ID, ACCEPTED_S, kept)
    assert remaining_s(tracker) is None
    clocks.passed_s += 70
    tracker.note(SESSION_ID, 1, done("transcribe"))

    assert remaining_s(tracker) == pytest.approx(70 / 0.35 * 0.2)


def test_an_answer_that_failed_makes_nobody_faster() -> None:
    clocks = Clocks()
    tracker = clocks.tracker()
    tracker.begin(SESSION_ID, ACCEPTED_S)
    clocks.passed_s += 70
    tracker.note(SESSION_ID, 1, StageStatus(stage="extract", state=STAGE_STATES["failed"]))
    for stage in stages_of(linked=False)[1:]:
        tracker.note(SESSION_ID, 1, StageStatus(stage=stage, state=STAGE_STATES["skipped"]))
    nothing_done = remaining_s(tracker, answer_count=2)
    tracker.note(SESSION_ID, 2, done("transcribe"))

    assert nothing_done is None
    work = sum(stage_classes()[name].weight for name in stages_of(linked=False))
    assert remaining_s(tracker, answer_count=2) == pytest.approx(70 * (work - 0.35) / 0.35)


def test_while_a_stage_waits_nobody_knows_how_long_it_takes() -> None:
    clocks = Clocks()
    tracker = clocks.tracker()
    tracker.begin(SESSION_ID, ACCEPTED_S)
    clocks.passed_s += 70
    tracker.note(SESSION_ID, 1, done("transcribe"))
    assert remaining_s(tracker) is not None
    tracker.note(SESSION_ID, 1, standing_at("vision", Standing(waiting_since_s=ACCEPTED_S + 70)))

    assert remaining_s(tracker) is None


def test_a_stage_that_waited_waits_after_a_restart_since_the_same_time() -> None:
    waits = standing_at("vision", Standing(waiting_since_s=ACCEPTED_S + 5, reason="STAGE_AWAY"))
    kept = Milestone(6_000, ACCEPTED_S + 6, 1, waits, kill_count=1)
    tracker = Clocks().tracker()
    tracker.begin(SESSION_ID, ACCEPTED_S, [Milestone.from_json(kept.to_json())])
    live = tracker.snapshot(SESSION_ID)
    session = orchestrator_pb2.CreateSessionRequest(session_id=SESSION_ID)
    standing = tracker.standing(Task(session, 1, "vision"))

    assert live is not None
    assert live.statuses == {(1, "vision"): waits}
    assert (standing.waiting_since_s, standing.kill_count) == (ACCEPTED_S + 5, 1)


def test_a_build_that_knows_no_waiting_reads_a_stage_at_work() -> None:
    waits = standing_at("vision", Standing(waiting_since_s=ACCEPTED_S, reason="STAGE_AWAY", kill_count=1))
    kept = Milestone(6_000, ACCEPTED_S + 6, 1, waits, kill_count=1).to_json()

    # What such a build reads, as it reads it.
    view = kept["view"]
    StageStatus(**{**view, "stage": kept["stage"], "state": STAGE_STATES[view["state"]]})
    assert view["state"] == "running"
