"""Only totals over all criteria of one rubric are averaged, and the document says how many they are."""

from __future__ import annotations

from typing import Any

from interview.v1 import assessor_pb2, media_pb2
from orchestrator.result.answer_outputs import AnswerOutputs
from orchestrator.result.scores import conclusion_outcome
from orchestrator.result.totals import totals_of
from orchestrator.workflow import StageRecord, stages_of
from tests.fakes.answer import an_answer
from tests.fakes.stages import an_assessment


def scored(place: int, total: float, *, missing: int = 0, rubric: str = "general") -> AnswerOutputs:
    assessment = an_assessment()
    assessment.total_score = total
    assessment.provenance.rubric_id = rubric
    for criterion in assessment.criteria[:missing]:
        criterion.ClearField("score")
        criterion.ClearField("level")
        criterion.outcome = media_pb2.OUTCOME_INSUFFICIENT_EVIDENCE
    return an_answer(place=place, assessment=assessment)


def unread(place: int) -> AnswerOutputs:
    records = {name: StageRecord(name, "skipped", "SKIPPED") for name in stages_of(linked=False)}
    records["extract"] = StageRecord("extract", "failed", "INVALID_INPUT", "MEDIA_UNDECODABLE", "Bad.")
    absent: dict[str, Any] = dict.fromkeys(
        ("extraction", "transcript", "assessment", "vision", "diarization")
    )
    return an_answer(place=place, records=records, **absent)


def test_a_total_over_some_criteria_is_counted_and_not_averaged() -> None:
    totals = totals_of([scored(1, 80), scored(2, 40, missing=1), unread(3)]).to_json()

    assert totals == {
        "answer_count": 3,
        "assessed_count": 2,
        "scored_count": 2,
        "averaged_count": 1,
        "mean_total_score": 80.0,
        "outcome": "OK",
        "reason": None,
    }


def test_totals_of_several_rubrics_have_no_mean() -> None:
    totals = totals_of([scored(1, 80), scored(2, 40, rubric="technical")])

    assert (totals.mean_total_score, totals.outcome) == (None, "SKIPPED")
    assert totals.reason == "The answers were judged by different rubrics."


def test_only_totals_over_some_criteria_have_no_mean() -> None:
    totals = totals_of([scored(1, 80, missing=2)])

    assert (totals.mean_total_score, totals.outcome) == (None, "INSUFFICIENT_EVIDENCE")
    assert totals.reason == "No answer has a score for every criterion of its rubric."


def test_without_a_total_the_outcome_is_that_of_the_assessment() -> None:
    silent = assessor_pb2.Assessment(outcome=media_pb2.OUTCOME_INSUFFICIENT_EVIDENCE)

    assert totals_of([an_answer(assessment=silent)]).outcome == "INSUFFICIENT_EVIDENCE"
    assert totals_of([unread(1)]).outcome == "SKIPPED"


def test_a_conclusion_that_no_model_was_there_to_write_is_not_configured() -> None:
    by_model = an_assessment()
    by_model.method = "llm"

    assert conclusion_outcome(an_answer()) == "NOT_CONFIGURED"
    assert conclusion_outcome(an_answer(assessment=by_model)) == "INSUFFICIENT_EVIDENCE"
    assert conclusion_outcome(unread(1)) == "SKIPPED"
