"""The summary of a session: what the assessments say, in the reader's language, and nothing more."""

from __future__ import annotations

from typing import Any

from interview.v1 import assessor_pb2, media_pb2
from orchestrator.result.answer_outputs import AnswerOutputs
from orchestrator.result.session_summary import summarise
from tests.fakes.answer import an_answer
from tests.fakes.stages import a_transcript, a_vision_report, an_assessment, observed


def judged(place: int, quality: float, relevance: float, **changes: Any) -> AnswerOutputs:
    assessment = an_assessment()
    del assessment.criteria[2:]
    for criterion, name, score in zip(
        assessment.criteria, ("Answer quality", "Relevance"), (quality, relevance), strict=True
    ):
        criterion.name, criterion.score = name, score
    assessment.total_score = (quality + relevance) / 2
    return an_answer(place=place, assessment=assessment, **changes)


def unjudged(place: int, reason: str = "The answer is too short to be judged.") -> AnswerOutputs:
    assessment = assessor_pb2.Assessment(outcome=media_pb2.OUTCOME_INSUFFICIENT_EVIDENCE, reason=reason)
    return an_answer(place=place, assessment=assessment)


def test_it_names_the_mean_and_what_is_strongest_and_weakest_with_the_answers() -> None:
    text = summarise([judged(1, 80, 50), judged(2, 90, 40)], "en")

    assert text == (
        "Answers that could be read: 2 of 2. Answers with a total score: 2. "
        "The mean of the 2 totals over all criteria is 65 of 100. "
        "Strongest: Answer quality, 85 of 100 on average (answer 1, answer 2). "
        "Weakest: Relevance, 45 of 100 on average (answer 1, answer 2)."
    )


def test_an_answer_without_a_score_is_named_with_its_reason_and_lowers_nothing() -> None:
    text = summarise([judged(1, 80, 50), unjudged(2)], "en")

    assert text.startswith("Answers that could be read: 2 of 2. Answers with a total score: 1. ")
    assert "The total of answer 1 is 65 of 100." in text
    assert "Answer 2 has no score: The answer is too short to be judged." in text


def test_criteria_that_are_alike_have_no_strongest() -> None:
    assert "Strongest" not in summarise([judged(1, 60, 60.2)], "en")


def test_a_total_over_some_criteria_is_named_and_compared_with_nothing() -> None:
    partly = judged(2, 90, 10)
    assert partly.assessment is not None
    partly.assessment.criteria[1].ClearField("score")
    english, indonesian = (summarise([judged(1, 80, 50), partly], language) for language in ("en", "id"))

    assert "The total of answer 1 is 65 of 100." in english
    assert "Answer 2 has scores for 1 of 2 criteria." in english
    assert "Jawaban 2 memiliki nilai untuk 1 dari 2 kriteria." in indonesian
    assert "(answer 1)" in english
    assert "answer 2)" not in english


def test_without_any_score_there_is_no_number() -> None:
    text = summarise([unjudged(1), an_answer(place=2, assessment=None)], "en")

    assert text.startswith("Answers that could be read: 2 of 2. Answers with a total score: 0. ")
    assert "mean" not in text
    assert "Answer 2 has no score: it could not be judged." in text


def test_it_is_written_in_the_readers_language_or_in_that_of_the_answers() -> None:
    indonesian = a_transcript()
    indonesian.language_code = "id"
    answers = [judged(1, 80, 50, transcript=indonesian)]

    assert summarise(answers, "").startswith("Jawaban yang dapat dibaca: 1 dari 1.")
    assert summarise(answers, "en-GB").startswith("Answers that could be read: 1 of 1.")
    assert summarise(answers, "fr").startswith("Answers that could be read: 1 of 1.")


def test_conclusions_are_quoted_with_their_answer() -> None:
    one = judged(1, 80, 50)
    assert one.assessment is not None
    one.assessment.conclusion = "The candidate tells of a migration."

    assert summarise([one], "en").endswith("Answer 1: The candidate tells of a migration.")


def test_what_was_seen_and_heard_changes_no_word() -> None:
    seen = a_vision_report(observations=[observed("no_face", 0.0, 5.0)])

    assert summarise([judged(1, 80, 50, vision=seen)], "en") == summarise(
        [judged(1, 80, 50, vision=None, diarization=None)], "en"
    )
