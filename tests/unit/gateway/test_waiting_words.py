"""What HTTP clients are told of a session whose stage is away."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.schemas import StageStatus
from gateway.sessions import AnswerView, SessionState, SessionView, StageState, StageView
from gateway.status import describe

SINCE_S = 1_796_133_720.0
"""2026-12-01 14:02 UTC."""


def waiting(stage: str, since_s: float = SINCE_S) -> StageView:
    message = "Waiting for a service. It goes on by itself."
    return StageView(stage, StageState.WAITING, None, 0, "STAGE_AWAY", message, since_s)


def told(*stages: StageView) -> dict[str, Any]:
    return describe(SessionView("0" * 32, SessionState.PROCESSING, 1.0, answers=(AnswerView(1, stages),)))


@pytest.mark.parametrize(
    ("stage", "service"), [("transcribe", "transcriber"), ("assess", "assessor"), ("vision", "vision")]
)
def test_a_session_whose_stage_is_away_says_for_what_it_waits_and_since_when(
    stage: str, service: str
) -> None:
    body = told(waiting(stage))

    assert body["message"] == (
        f"Waiting for the {service} service since 2026-12-01 14:02 UTC. It goes on by itself."
    )
    assert (body["status"], body["state"]) == ("processing", "processing")


@pytest.mark.parametrize(
    ("reason", "awaited"),
    [
        ("STORE_UNAVAILABLE", "the media store"),
        ("STORE_FULL", "the media store"),
        ("WORK_FOLDER_FULL", "room on the disk"),
        ("QUEUE_FULL", "the extract service"),
    ],
)
def test_a_session_that_waits_for_something_else_says_so(reason: str, awaited: str) -> None:
    stage = StageView("extract", StageState.WAITING, None, 0, reason, "", SINCE_S)

    assert told(stage)["message"].startswith(f"Waiting for {awaited} since 2026-12-01 14:02 UTC.")


def test_a_session_that_waits_to_be_tried_once_more_does_not_say_that_its_service_is_away() -> None:
    stage = StageView("transcribe", StageState.WAITING, None, 1, "STAGE_DIED_ONCE", "", SINCE_S)

    assert told(stage)["message"] == (
        "Waiting since 2026-12-01 14:02 UTC to try an answer once more, because the transcriber service broke"
        " off. It goes on by itself."
    )


def test_a_waiting_stage_shows_its_time_and_no_other_one_does() -> None:
    done, waits = told(StageView("extract", StageState.DONE, 1.0), waiting("vision"))["answers"][0]["stages"]

    assert (waits["state"], waits["reason"]) == ("waiting", "STAGE_AWAY")
    assert (waits["waiting_since_s"], waits["waiting_since"]) == (SINCE_S, "2026-12-01T14:02:00.000Z")
    assert (done["waiting_since_s"], done["waiting_since"]) == (None, None)
    StageStatus.model_validate(waits)


def test_the_longest_wait_is_told_and_work_before_any_wait() -> None:
    both = told(waiting("vision", SINCE_S + 60), waiting("transcribe"))
    one_works = told(waiting("vision"), StageView("transcribe", StageState.RUNNING, 0.5))

    assert both["message"].startswith("Waiting for the transcriber service since 2026-12-01 14:02")
    assert one_works["message"] == "Transcribing video 1/1..."


def test_a_stage_over_all_answers_waits_unless_one_of_them_is_at_work() -> None:
    def over_all(*views: StageView) -> Any:
        answers = tuple(AnswerView(place, (view,)) for place, view in enumerate(views, start=1))
        session = SessionView("0" * 32, SessionState.PROCESSING, 1.0, answers=answers)
        return describe(session)["stages"]["vision"]["state"]

    done, works = StageView("vision", StageState.DONE, 1.0), StageView("vision", StageState.RUNNING)
    assert over_all(done, waiting("vision")) == "waiting"
    assert over_all(waiting("vision"), StageView("vision", StageState.PENDING)) == "waiting"
    assert over_all(works, waiting("vision")) == "running"
