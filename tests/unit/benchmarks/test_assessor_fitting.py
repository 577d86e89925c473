"""A fit keeps its signs, learns what labels say, and never judges an author by their own answers."""

from __future__ import annotations

import random

import numpy as np
import pytest

from benchmarks.assessor.corpus import Case, LabelledSentence, read_pairs
from benchmarks.assessor.described import TAGS, Described, describe_case
from benchmarks.assessor.disturbed import measure_pairs, misheard, resegmented, unpunctuated
from benchmarks.assessor.fit import cross_validate, described
from benchmarks.assessor.fitting import FIGURES, LOWERING, fit_kinds, fit_levels
from services.assessor.cues import read_cue_words
from services.assessor.fitted import BASELINE
from services.assessor.prompts import read_prompts
from services.assessor.tags import Tag

WORDS = read_cue_words()
TEXTS = {
    Tag.OFFTOPIC: "By the way the weather at the beach is lovely.",
    Tag.GENERAL: "I am always a very reliable team player.",
    Tag.SITUATION: "Last March the big press in the hall was broken.",
    Tag.ACTION: "I took the roller out and cleaned it.",
    Tag.RESULT: "In the end it ran again on the Monday.",
    Tag.LESSON: "Since then I check it every Friday.",
}
LADDER = {
    1: (Tag.OFFTOPIC,),
    2: (Tag.GENERAL,),
    3: (Tag.SITUATION,),
    4: (Tag.SITUATION, Tag.ACTION, Tag.RESULT),
    5: (Tag.SITUATION, Tag.ACTION, Tag.RESULT, Tag.LESSON),
}


def _answer(author: str, level: int) -> Described:
    sentences = tuple(LabelledSentence(tag, TEXTS[tag]) for tag in LADDER[level])
    case = Case(
        f"{author}-{level}", f"{author}_q", "What?", "en", "test", level, None, sentences, author=author
    )
    return describe_case(WORDS, case, [None] * len(sentences), None, read_prompts())


ANSWERS = [_answer(author, level) for author in ("one", "two", "three") for level in LADDER]


def test_word_lists_are_not_fitted_to_say_what_is_off_the_topic() -> None:
    talk = described(BASELINE, WORDS, [answer.case for answer in ANSWERS if answer.case.level == 1])

    assert talk
    assert all(TAGS[label] is Tag.GENERAL for answer in talk for label in answer.labels)


def test_kinds_learn_what_the_labels_say() -> None:
    kinds = fit_kinds(ANSWERS)
    for answer in ANSWERS:
        assert list(kinds.of(answer).argmax(axis=1)) == list(answer.labels)


@pytest.mark.parametrize("seed", range(3))
def test_weights_keep_their_signs_whatever_the_data_says(seed: int) -> None:
    draw = np.random.default_rng(seed)
    figures, levels = draw.random((40, len(FIGURES))), draw.integers(1, 6, size=40)

    fitted = fit_levels(figures, levels)

    assert np.all(np.diff(fitted.thresholds) > 0)
    for name, weight in zip(FIGURES, fitted.weights, strict=True):
        assert weight <= 0 if name in LOWERING else weight >= 0


def test_an_author_is_judged_by_what_was_fitted_to_the_others() -> None:
    pairs = cross_validate(ANSWERS, {answer.case.id: 0.0 for answer in ANSWERS})
    assert sorted(case.id for case, _ in pairs) == sorted(answer.case.id for answer in ANSWERS)
    levels = {case.level: verdict.level for case, verdict in pairs if case.author == "two"}
    assert levels[1] <= levels[2] < levels[4] <= levels[5]

    strange = [answer for answer in ANSWERS if answer.case.author != "two"]
    pairs = cross_validate([*strange, _answer("two", 5)], {a.case.id: 0.0 for a in ANSWERS})
    again = {case.id: verdict.level for case, verdict in pairs}
    assert again["two-5"] == pytest.approx(levels[5])


def test_a_disturbed_transcript_says_nearly_the_same() -> None:
    texts = [TEXTS[Tag.ACTION], TEXTS[Tag.RESULT]]
    draw = random.Random(1)
    assert " ".join(resegmented(texts, draw)) == " ".join(texts)
    assert unpunctuated(texts, draw) == [
        "i took the roller out and cleaned it in the end it ran again on the monday"
    ]
    changed = sum(
        before != after for _ in range(50) for before, after in zip(texts, misheard(texts, draw), strict=True)
    )
    assert 0 < changed < 100


def test_an_answer_in_two_languages_has_one_plan_and_says_the_same_kinds_of_things() -> None:
    pairs = read_pairs()

    assert pairs
    for english, indonesian in pairs:
        assert (english.language_code, indonesian.language_code) == ("en", "id")
        assert english.level == indonesian.level
        assert [item.tag for item in english.sentences] == [item.tag for item in indonesian.sentences]
        assert english.text != indonesian.text


def test_an_answer_beside_itself_lies_no_level_apart() -> None:
    english = read_pairs()[0][0]

    figures = measure_pairs([(english, english)])

    assert figures == {"move_translated": 0.0, "steady_translated": 1.0}
