"""Which version of a result counts, and what survives the journal."""

from __future__ import annotations

import json
from typing import Any

import pytest

from interview.v1 import orchestrator_pb2
from orchestrator.sessions import SessionRow
from orchestrator.versions import (
    Reassessment,
    VersionRow,
    end_of_reassessment,
    first_version,
    newest,
    reusable,
)
from orchestrator.workflow import StageRecord, stages_of

SESSION_ID = "0123456789abcdef0123456789abcdef"
DONE = {stage: StageRecord(stage, "done", output_key=f"{stage}.pb") for stage in stages_of(linked=False)}
UNJUDGED = DONE | {"assess": StageRecord("assess", "failed", reason="UNAVAILABLE", message="It is down.")}


def a_session(**changes: Any) -> SessionRow:
    request = orchestrator_pb2.CreateSessionRequest(
        session_id=SESSION_ID, rubric_id="general", answers=[orchestrator_pb2.AnswerInput(question="Why?")]
    )
    fields: dict[str, Any] = {"request": request, "state": "completed", "records": {1: DONE}}
    return SessionRow(**(fields | {"create_time_s": 1.0, "end_time_s": 10.0} | changes))


def version(number: int, state: str = "completed", end_time_s: float | None = 20.0) -> VersionRow:
    return VersionRow(number, "technical", state, 11.0, end_time_s)


def test_a_reassessment_survives_the_journal_and_changes_only_the_rubric() -> None:
    row = a_session()
    job = Reassessment.of(row, "technical", 2, 11.5)
    read = Reassessment.from_json(json.loads(json.dumps(job.to_json())))

    assert read == job
    assert (read.request.rubric_id, row.request.rubric_id) == ("technical", "general")
    assert read.request.answers[0].question == "Why?"
    assert read.records == {1: DONE}


def test_only_answers_with_words_get_a_step() -> None:
    silent = DONE | {"transcribe": StageRecord("transcribe", "done", "NO_SPEECH")}
    unread = DONE | {"transcribe": StageRecord("transcribe", "skipped", "SKIPPED", "EXTRACT_FAILED")}
    row = a_session(records={3: DONE, 1: DONE, 2: silent, 4: unread})

    assert Reassessment.of(row, "technical", 2, 1.0).places == [1, 3]


@pytest.mark.parametrize(
    ("later", "found"),
    [
        ([], None),
        ([version(2)], 2),
        ([version(2, "queued", None)], 2),
        ([version(2, "processing", None)], 2),
        ([version(2, "failed")], None),
        ([version(2, "cancelled")], None),
        ([version(2, end_time_s=5.0)], None),
        ([version(2), version(3, "failed")], 2),
        ([version(2, "failed"), version(3)], 3),
    ],
)
def test_a_version_is_reused_unless_it_failed_or_is_older_than_a_retry(
    later: list[VersionRow], found: int | None
) -> None:
    reused = reusable(a_session(), later, "technical")

    assert (reused.version_id if reused else None) == found


def test_the_sessions_own_rubric_is_its_first_version_if_it_was_judged() -> None:
    assert reusable(a_session(), [], "general") == first_version(a_session())
    assert reusable(a_session(records={1: UNJUDGED}), [], "general") is None


def test_the_newest_version_is_the_one_that_was_finished_last() -> None:
    own = first_version(a_session())

    assert newest([own]) == own
    assert newest([own, version(2), version(3, "failed", 30.0)]).version_id == 2
    assert newest([own, version(2, "processing", None)]) == own
    assert newest([own, version(2, end_time_s=9.0)]) == own


def test_a_judgement_that_failed_fails_the_version_and_says_why() -> None:
    assert end_of_reassessment({1: DONE})["state"] == "completed"
    end = end_of_reassessment({2: DONE, 1: UNJUDGED})
    assert (end["state"], end["reason"], end["message"]) == ("failed", "UNAVAILABLE", "It is down.")
