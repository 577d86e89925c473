"""Figures by part of the answers say what they are about."""

from __future__ import annotations

import pytest

from benchmarks.assessor.authors import figures_by_part, scale_figures, trick_lifts
from benchmarks.assessor.corpus import Case, LabelledSentence
from benchmarks.assessor.figures import Pair
from benchmarks.assessor.judges import Verdict
from services.assessor.tags import Tag


def _pair(number: int, given: float, **fields: str | None) -> Pair:
    level = 1 + number % 5
    sentences = (LabelledSentence(Tag.ACTION, "I took the pump apart."),)
    case = Case(
        f"q-{number}",
        "q",
        "What?",
        fields.get("language") or "en",
        "test",
        level,
        fields.get("trick"),
        sentences,
        fields.get("author") or "first",
        fields.get("voice") or "tidy",
    )
    return case, Verdict(given)


FOLLOWED = [_pair(number, 1.0 + number % 5) for number in range(5)]
REVERSED = [
    _pair(number, 5.0 - number % 5, voice="terse", author="terse", language="id") for number in range(5)
]
TRICKED = [_pair(number, 4.0 + number % 5, trick="numbers") for number in range(5)]


def test_a_voice_that_is_judged_backwards_is_not_hidden_by_one_that_is_judged_right() -> None:
    figures = figures_by_part([*FOLLOWED, *REVERSED])
    assert figures["spearman_tidy"] == figures["spearman_english"] == figures["spearman_author_first"] == 1
    assert (
        figures["spearman_voices"] == figures["spearman_indonesian"] == figures["spearman_author_terse"] == -1
    )
    assert figures["spearman_ordinary"] == pytest.approx(0)


def test_tricks_are_a_part_of_their_own() -> None:
    figures = figures_by_part([*REVERSED, *TRICKED])
    assert figures["spearman_adversarial"] == 1
    assert figures["spearman_ordinary"] == -1
    assert trick_lifts([*FOLLOWED, *TRICKED]) == {"numbers": 3.0}


def test_a_part_that_nobody_wrote_has_no_figure() -> None:
    assert "spearman_adversarial" not in figures_by_part(FOLLOWED)


def test_the_scale_is_told_by_the_mean_level_at_each_planned_one() -> None:
    figures = scale_figures([*FOLLOWED, *REVERSED])
    assert (figures["mean_at_1"], figures["mean_at_5"]) == (3.0, 3.0)
    assert figures["mean_error"] == pytest.approx(1.2)
    assert "key_evidence" not in figures
