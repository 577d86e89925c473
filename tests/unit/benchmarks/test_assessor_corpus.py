"""The answers that the assessor is measured on keep to their plan."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable

import pytest
from scipy import stats

from benchmarks.assessor.corpus import (
    ANSWERS_DIR,
    PUNCTUATED_DIR,
    Case,
    LabelledSentence,
    mixed,
    read_all_cases,
    read_cases,
)
from services.assessor.answer import Segment
from services.assessor.sentences import split_sentences
from services.assessor.tags import Tag

CASES = read_cases()
ORDINARY = [case for case in CASES if case.adversarial is None]
ADVERSARIAL = [case for case in CASES if case.adversarial is not None]
LARGEST_LENGTH_CORRELATION = 0.2
"""Between length and plan, in any half and language: word counts must not be able to guess levels."""
TAGS_OF_LEVEL = {
    1: {Tag.OFFTOPIC, Tag.GENERAL},
    2: {Tag.GENERAL},
    3: {Tag.SITUATION, Tag.GENERAL},
    4: {Tag.SITUATION, Tag.ACTION, Tag.RESULT},
    5: {Tag.SITUATION, Tag.ACTION, Tag.RESULT, Tag.LESSON},
}


def test_ten_questions_have_sixty_ordinary_answers_at_five_levels_in_two_languages() -> None:
    assert len({case.question_id for case in CASES}) == 10
    assert len(ORDINARY) >= 60
    assert {case.language_code for case in CASES} == {"en", "id"}
    for question_id in {case.question_id for case in ORDINARY}:
        assert {case.level for case in ORDINARY if case.question_id == question_id} == {1, 2, 3, 4, 5}


def test_levels_and_languages_are_evenly_spread() -> None:
    assert set(Counter(case.level for case in ORDINARY).values()) == {12}
    assert set(Counter(case.language_code for case in ORDINARY).values()) == {30}


def test_twenty_adversarial_answers_cover_every_trick_in_both_halves() -> None:
    assert len(ADVERSARIAL) >= 20
    tricks = {"numbers", "superlatives", "others_deeds", "no_digit", "padding", "question_read_back"}
    for split in ("tuning", "test"):
        assert {case.adversarial for case in ADVERSARIAL if case.split == split} == tricks


def test_half_of_the_questions_is_for_tuning_and_a_question_is_in_one_half_only() -> None:
    halves = {(case.question_id, case.split) for case in CASES}
    assert Counter(split for _, split in halves) == {"tuning": 5, "test": 5}


@pytest.mark.parametrize(
    "belongs",
    [
        lambda case: True,
        lambda case: case.split == "test",
        lambda case: case.split == "tuning",
        lambda case: case.language_code == "en",
        lambda case: case.language_code == "id",
    ],
    ids=["all", "test", "tuning", "English", "Indonesian"],
)
def test_length_does_not_give_the_level_away(belongs: Callable[[Case], bool]) -> None:
    for answers in (ORDINARY, ADVERSARIAL):
        chosen = [case for case in answers if belongs(case)]
        correlation = stats.spearmanr(
            [case.level for case in chosen], [case.word_count() for case in chosen]
        ).statistic
        if len(chosen) >= 20:
            assert abs(correlation) < LARGEST_LENGTH_CORRELATION


def test_some_evasive_answers_are_long_and_some_complete_ones_short() -> None:
    longest_evasive = max(case.word_count() for case in ORDINARY if case.level == 1)
    shortest_complete = min(case.word_count() for case in ORDINARY if case.level == 5)
    assert longest_evasive > 2 * shortest_complete


@pytest.mark.parametrize("case", ORDINARY, ids=lambda case: case.id)
def test_labels_are_those_of_the_planned_level(case: Case) -> None:
    tags = {sentence.tag for sentence in case.sentences}
    if case.level >= 3:
        needed = TAGS_OF_LEVEL[case.level] - {Tag.GENERAL}
        assert needed <= tags <= needed | {Tag.GENERAL}
    else:
        assert tags <= TAGS_OF_LEVEL[case.level]


def test_only_evasive_answers_leave_the_topic() -> None:
    assert {case.level for case in CASES if Tag.OFFTOPIC in {item.tag for item in case.sentences}} == {1}


@pytest.mark.parametrize("kind", ["no_digit", "others_deeds"])
def test_answers_without_a_digit_have_none_and_deeds_of_others_are_nobodys_action(kind: str) -> None:
    for case in (case for case in ADVERSARIAL if case.adversarial == kind):
        assert not any(character.isdigit() for character in case.text)
        assert (Tag.ACTION in {item.tag for item in case.sentences}) == (kind == "no_digit")


def test_number_stories_hold_a_number_in_every_sentence() -> None:
    for case in (case for case in ADVERSARIAL if case.adversarial == "numbers"):
        assert all(any(character.isdigit() for character in item.text) for item in case.sentences)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_engine_cuts_an_answer_into_the_labelled_sentences(case: Case) -> None:
    sentences = split_sentences([Segment(case.text)])
    assert [sentence.text for sentence in sentences] == [item.text for item in case.sentences]


def test_no_sentence_occurs_twice() -> None:
    texts = Counter(item.text for case in CASES for item in case.sentences)
    assert max(texts.values()) == 1


def test_any_beginning_of_the_mixed_order_holds_all_levels_kinds_and_languages() -> None:
    order = mixed(CASES)
    assert sorted(case.id for case in order) == sorted(case.id for case in CASES)
    beginning = order[:24]
    assert {case.level for case in beginning if case.adversarial is None} == {1, 2, 3, 4, 5}
    assert {case.language_code for case in beginning} == {"en", "id"}
    assert any(case.adversarial for case in beginning)


EVERYBODY = read_all_cases()
STRANGERS = [case for case in EVERYBODY if case.author != "first"]


def test_four_authors_beside_the_first_wrote_two_hundred_answers_at_all_levels() -> None:
    assert {case.author for case in STRANGERS} == {"terse", "ramble", "nusantara", "tricks"}
    assert len(STRANGERS) >= 200
    for author in {case.author for case in STRANGERS}:
        assert {case.level for case in STRANGERS if case.author == author} == {1, 2, 3, 4, 5}


def test_nobody_tunes_on_what_strangers_wrote() -> None:
    assert {case.split for case in STRANGERS} == {"test"}


def test_answers_of_all_authors_differ_in_their_ids_and_questions_have_one_author() -> None:
    assert len({case.id for case in EVERYBODY}) == len(EVERYBODY)
    assert max(Counter(q for q, _ in {(case.question_id, case.author) for case in EVERYBODY}).values()) == 1


def test_the_list_of_authors_names_each_file_by_its_digest() -> None:
    listed = (ANSWERS_DIR / "README.md").read_text(encoding="utf-8")
    for path in (*ANSWERS_DIR.glob("*.yaml"), *PUNCTUATED_DIR.glob("*.yaml")):
        assert hashlib.sha256(path.read_bytes()).hexdigest()[:12] in listed, path.name


def test_pieces_that_are_cut_elsewhere_belong_to_the_sentence_with_most_of_their_words() -> None:
    sentences = tuple(LabelledSentence(Tag.ACTION, text) for text in ("a b c d", "e f", "g h i j"))
    case = Case("q-1", "q", "What?", "en", "test", 4, None, sentences)

    assert case.places([4, 2, 4]) == [0, 1, 2]
    assert case.places([3, 4, 3]) == [0, 1, 2]
    assert case.places([10]) == [0]
