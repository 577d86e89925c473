"""Pure: what the answers' totals come to, without comparing what can't be compared.

A total is the weighted mean of the criteria that could be scored: their weights share what the others would
have had. So two totals can be compared only where both have all criteria of the same rubric.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.result.answer_outputs import AnswerOutputs
from orchestrator.result.scores import assess_outcome, criterion_counts, total_score
from orchestrator.result.values import Json, absent, mean, number_or_null
from orchestrator.workflow import OK, SKIPPED

NOBODY_SCORED = "No answer has a total score."
PARTLY_SCORED = "No answer has a score for every criterion of its rubric."
SEVERAL_RUBRICS = "The answers were judged by different rubrics."


@dataclass(frozen=True)
class Totals:
    """What the answers' totals come to."""

    answer_count: int
    assessed: Sequence[AnswerOutputs]
    """Those whose recording and words could be read."""
    scored: Sequence[AnswerOutputs]
    """Those of them with a total, over all criteria or some."""
    averaged: Sequence[AnswerOutputs]
    """Those of them that can be compared: every criterion of the one rubric has a score."""
    several_rubrics: bool
    """Whether those with every criterion scored have different rubrics, so that none can be averaged."""
    outcome: str
    reason: str

    @property
    def mean_total_score(self) -> float | None:
        """Mean of the totals that can be compared, 0 to 100, or None where there are none."""
        return mean(total_score(one) for one in self.averaged)

    def to_json(self) -> Json:
        """Return what the document says."""
        return {
            "answer_count": self.answer_count,
            "assessed_count": len(self.assessed),
            "scored_count": len(self.scored),
            "averaged_count": len(self.averaged),
            "mean_total_score": number_or_null(self.mean_total_score),
            "outcome": self.outcome,
            "reason": self.reason or None,
        }


def totals_of(answers: Sequence[AnswerOutputs]) -> Totals:
    """Work out what the totals of a session's answers come to."""
    assessed = [one for one in answers if one.is_assessed]
    scored = [one for one in assessed if total_score(one) is not None]
    complete = [one for one in scored if is_complete(one)]
    several = len({_rubric(one) for one in complete}) > 1
    outcome, reason = OK, ""
    if several:
        outcome, reason = SKIPPED, SEVERAL_RUBRICS
    elif not complete:
        reason = PARTLY_SCORED if scored else NOBODY_SCORED
        outcome = next((worth for worth in map(assess_outcome, assessed) if worth != OK), SKIPPED)
        outcome = absent(OK) if scored else outcome
    return Totals(len(answers), assessed, scored, [] if several else complete, several, outcome, reason)


def is_complete(outputs: AnswerOutputs) -> bool:
    """Tell whether every criterion of the rubric has a score."""
    scored_count, count = criterion_counts(outputs)
    return scored_count == count > 0


def _rubric(outputs: AnswerOutputs) -> tuple[object, ...]:
    assessment = outputs.assessment
    if assessment is None:
        return ()
    source = assessment.provenance
    return source.rubric_id, source.rubric_digest, *sorted(one.id for one in assessment.criteria)
