"""The baseline ranks answers whose order is plain, cites only what carries something, and says what it is."""

from __future__ import annotations

import pytest

from services.assessor.assessment import Assessment, Method, Outcome
from services.assessor.baseline import HIGHEST_LEVEL
from tests.fakes.assessor import (
    CONCRETE,
    CONCRETE_ID,
    QUESTION,
    QUESTION_ID,
    VAGUE,
    VAGUE_ID,
    deadline,
    make_assessor,
    written,
)

IN_ORDER_OF_QUALITY = [
    "I like problems and I am always motivated. Everything is possible with a good attitude.",
    "Last year our server was down every Friday. It was a hard time for everybody in the team.",
    "Last year our server was down every Friday. I checked the logs and replaced the broken disk.",
    (
        "Last year our server was down every Friday. I checked the logs and replaced the broken disk. "
        "After that the failures stopped and we saved 3 hours a week."
    ),
]


def assess(text: str, question: str = QUESTION, language: str = "en") -> Assessment:
    return make_assessor().assess(written(text, question, language), deadline())


@pytest.mark.parametrize(
    ("question", "concrete", "vague", "language"),
    [(QUESTION, CONCRETE, VAGUE, "en"), (QUESTION_ID, CONCRETE_ID, VAGUE_ID, "id")],
)
def test_a_concrete_answer_ranks_clearly_above_a_vague_one(
    question: str, concrete: str, vague: str, language: str
) -> None:
    better, worse = assess(concrete, question, language), assess(vague, question, language)

    assert better.total_score is not None
    assert worse.total_score is not None
    assert better.total_score >= worse.total_score + 30


def test_answers_rank_in_the_order_of_what_they_hold() -> None:
    levels = [assess(text).criteria[0].level or 0.0 for text in IN_ORDER_OF_QUALITY]

    assert levels == sorted(levels)
    assert len(set(levels)) == len(levels)


def test_it_is_labelled_and_its_levels_are_capped() -> None:
    assessment = assess(CONCRETE)

    assert assessment.method is Method.BASELINE
    assert assessment.provenance.model_name == ""
    assert assessment.provenance.prompt_version == ""
    assert assessment.conclusion is None
    assert assessment.conclusion_absent_reason
    assert all(c.level is None or c.level <= HIGHEST_LEVEL for c in assessment.criteria)
    assert all(c.spread_levels is None for c in assessment.criteria)


def test_a_sentence_that_carries_nothing_is_never_cited() -> None:
    assessment = assess(f"Yes. Blue tables stood there. {CONCRETE}")

    cited = {i for c in assessment.criteria for i in c.evidence_sentence_ids}
    untagged = {item.sentence.id for item in assessment.sentences if item.tag is None}
    assert {"s1", "s2"} <= untagged
    assert not cited & untagged


def test_it_never_claims_that_something_is_off_the_topic() -> None:
    assessment = assess(
        "My favourite team played at home. There were 60 thousand people. The train took hours."
    )

    assert all(item.tag != "offtopic" for item in assessment.sentences)
    assert assessment.outcome is Outcome.INSUFFICIENT_EVIDENCE
    assert assessment.total_score is None


def test_relevance_rests_on_the_questions_words_alone_and_says_so() -> None:
    _, relevance, _ = assess(f"{CONCRETE} That was how I solved this difficult problem.").criteria

    assert relevance.level == HIGHEST_LEVEL
    assert "Word lists can't tell" in relevance.strengths[0].text
    assert assess(CONCRETE).criteria[1].outcome is Outcome.INSUFFICIENT_EVIDENCE
