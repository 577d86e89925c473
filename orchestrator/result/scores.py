"""Pure: what an assessment says of an answer in numbers, and what they are worth."""

from __future__ import annotations

from orchestrator.outcomes import outcome_name
from orchestrator.result.answer_outputs import AnswerOutputs
from orchestrator.result.values import absent
from orchestrator.workflow import ASSESS, NOT_CONFIGURED, OK, SKIPPED

BASELINE = "baseline"
"""The assessor's method without a language model."""

QUALITY, RELEVANCE, COHERENCE = "answer_quality", "relevance", "coherence"
"""The default rubric's criteria. Another rubric has other ones, and these are absent then."""


def criterion_score(outputs: AnswerOutputs, criterion_id: str) -> float | None:
    """Return a criterion's score, 0 to 100, or None."""
    for criterion in outputs.assessment.criteria if outputs.assessment else []:
        if criterion.id == criterion_id and criterion.HasField("score"):
            return float(criterion.score)
    return None


def criterion_outcome(outputs: AnswerOutputs, criterion_id: str) -> str:
    """Return what a criterion's score is worth. SKIPPED where the answer's rubric has no such criterion."""
    outcome = assess_outcome(outputs)
    if outputs.assessment is None:
        return absent(outcome)
    for criterion in outputs.assessment.criteria:
        if criterion.id == criterion_id:
            return OK if criterion.HasField("score") else absent(outcome_name(criterion.outcome))
    return SKIPPED if outcome == OK else outcome


def total_score(outputs: AnswerOutputs) -> float | None:
    """Return an answer's total, 0 to 100, or None."""
    assessment = outputs.assessment
    return assessment.total_score if assessment is not None and assessment.HasField("total_score") else None


def assess_outcome(outputs: AnswerOutputs) -> str:
    """Return what an answer's scores are worth: the stage's, or what the assessor says of the answer."""
    if outputs.assessment is not None:
        return outcome_name(outputs.assessment.outcome)
    return outputs.outcome(ASSESS)


def criterion_counts(outputs: AnswerOutputs) -> tuple[int, int]:
    """Return how many criteria have a score, and how many the rubric has. 0 and 0 without an assessment."""
    criteria = outputs.assessment.criteria if outputs.assessment is not None else ()
    return sum(criterion.HasField("score") for criterion in criteria), len(criteria)


def conclusion_of(outputs: AnswerOutputs) -> str | None:
    """Return the conclusion on an answer, or None."""
    assessment = outputs.assessment
    return (
        str(assessment.conclusion) if assessment is not None and assessment.HasField("conclusion") else None
    )


def conclusion_outcome(outputs: AnswerOutputs) -> str:
    """Return what the conclusion is worth. NOT_CONFIGURED where no language model judged the answer."""
    if conclusion_of(outputs) is not None:
        return OK
    if outputs.assessment is not None and outputs.assessment.method == BASELINE:
        return NOT_CONFIGURED
    return absent(assess_outcome(outputs))
