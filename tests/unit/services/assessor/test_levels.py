"""Levels are arithmetic on tags: bounded, monotone, and never without evidence."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.assessor.levels import Level, find_level, level_by_rule, level_to_score
from services.assessor.rubric import RUBRICS_DIR, Criterion, read_rubrics
from services.assessor.sentences import Sentence
from services.assessor.tags import Tag, TaggedSentence

RUBRIC = read_rubrics(RUBRICS_DIR)["general"]
QUALITY, RELEVANCE, COHERENCE = RUBRIC.criteria
QUICK = settings(max_examples=50, deadline=None)  # a busy machine is no failure
tag_lists = st.lists(st.sampled_from(Tag), min_size=1, max_size=12)


def tagged(*tags: Tag | None) -> list[TaggedSentence]:
    return [TaggedSentence(Sentence(f"s{n}", "said"), tag) for n, tag in enumerate(tags, start=1)]


def level_of(criterion: Criterion, *tags: Tag | None) -> float:
    level = find_level(criterion, tagged(*tags))
    assert level is not None
    return level.level


def uncertain(**probabilities: float) -> TaggedSentence:
    by_tag = {Tag(name): value for name, value in probabilities.items()}
    return TaggedSentence(Sentence("s1", "said"), max(by_tag, key=lambda tag: by_tag[tag]), by_tag)


@pytest.mark.parametrize(
    ("tags", "level"),
    [
        ([Tag.GENERAL], 1.5),
        ([Tag.SITUATION], 2.5),
        ([Tag.ACTION], 3.0),
        ([Tag.RESULT, Tag.GENERAL], 1.75),  # a result counts only beside an action
        ([Tag.ACTION, Tag.RESULT], 3.75),
        ([Tag.SITUATION, Tag.ACTION, Tag.RESULT], 4.25),
        ([Tag.SITUATION, Tag.ACTION, Tag.RESULT, Tag.LESSON], 5.0),
        ([Tag.ACTION, Tag.OFFTOPIC], 2.5),
        ([Tag.ACTION, Tag.ACTION, Tag.ACTION], 3.0),  # actions count once together
    ],
)
def test_answer_quality_follows_the_documented_rule(tags: list[Tag], level: float) -> None:
    assert level_of(QUALITY, *tags) == pytest.approx(level)


def test_probabilities_enter_as_probabilities() -> None:
    sentences = [uncertain(action=0.5, situation=0.5), uncertain(general=1.0)]

    # 1 + 1 + 0.5·0.5 + 1.0·0.5 − 0.5·0.5
    assert level_by_rule(QUALITY.rule, sentences) == pytest.approx(2.5)


def test_more_of_the_talk_off_the_topic_is_less_relevant() -> None:
    levels = [level_of(RELEVANCE, *[Tag.ACTION] * (4 - n), *[Tag.OFFTOPIC] * n) for n in range(4)]

    assert levels == sorted(levels, reverse=True)
    assert levels[0] == 5.0


def test_a_story_in_order_is_more_coherent_than_the_same_backwards() -> None:
    story = [Tag.SITUATION, Tag.ACTION, Tag.RESULT]

    assert level_of(COHERENCE, *story) == 5.0
    assert level_of(COHERENCE, *reversed(story)) == 3.5
    assert level_of(COHERENCE, Tag.GENERAL, Tag.GENERAL) == 2.0


def test_one_sentence_has_no_coherence() -> None:
    assert find_level(COHERENCE, tagged(Tag.ACTION)) is None


@pytest.mark.parametrize("criterion", RUBRIC.criteria, ids=lambda criterion: criterion.id)
def test_without_evidence_there_is_no_level(criterion: Criterion) -> None:
    assert find_level(criterion, []) is None
    assert find_level(criterion, tagged(Tag.OFFTOPIC, Tag.OFFTOPIC)) is None
    assert find_level(criterion, tagged(None, None)) is None


def test_a_result_without_an_action_is_no_evidence_for_quality() -> None:
    level = find_level(QUALITY, tagged(Tag.SITUATION, Tag.RESULT))

    assert level is not None
    assert [item.tag for item in level.evidence] == [Tag.SITUATION]


@QUICK
@given(tag_lists)
def test_every_level_is_bounded_and_cites_sentences_that_carry_something(tags: list[Tag]) -> None:
    for criterion in RUBRIC.criteria:
        level = find_level(criterion, tagged(*tags))
        if level is not None:
            assert 1.0 <= level.level <= 5.0
            assert 0.0 <= level.score() <= 100.0
            assert level.evidence
            assert all(item.tag not in (None, Tag.OFFTOPIC) for item in level.evidence)


@QUICK
@given(
    tag_lists, st.integers(min_value=0), st.sampled_from([Tag.SITUATION, Tag.ACTION, Tag.RESULT, Tag.LESSON])
)
def test_a_told_part_in_place_of_a_general_one_never_lowers_quality(
    tags: list[Tag], place: int, part: Tag
) -> None:
    tags[place % len(tags)] = Tag.GENERAL
    better = [*tags]
    better[place % len(tags)] = part

    assert level_by_rule(QUALITY.rule, tagged(*better)) >= level_by_rule(QUALITY.rule, tagged(*tags))


@QUICK
@given(tag_lists)
def test_talk_off_the_topic_never_raises_quality_or_relevance(tags: list[Tag]) -> None:
    for criterion in (QUALITY, RELEVANCE):
        before = find_level(criterion, tagged(*tags))
        if before is not None and Tag.GENERAL not in tags:  # it also thins out what is general
            after = find_level(criterion, tagged(*tags, Tag.OFFTOPIC))
            assert after is not None
            assert after.level <= before.level + 1e-9


def test_the_spread_is_absent_for_certain_tags_and_grows_with_doubt() -> None:
    def spread(*sentences: TaggedSentence) -> float | None:
        level = find_level(QUALITY, sentences)
        assert level is not None
        return level.spread_levels

    sure, unsure = uncertain(action=0.98, general=0.02), uncertain(action=0.55, general=0.45)
    assert spread(*tagged(Tag.ACTION)) is None
    assert (spread(sure) or 0) < (spread(unsure) or 0)
    assert spread(unsure) == spread(unsure)


def test_a_check_level_is_averaged_in_and_a_method_can_be_capped() -> None:
    story = tagged(Tag.SITUATION, Tag.ACTION, Tag.RESULT, Tag.LESSON)

    checked = find_level(QUALITY, story, check_level=3.0)
    capped = find_level(QUALITY, story, highest=4.0)

    assert isinstance(checked, Level)
    assert isinstance(capped, Level)
    assert (checked.level, capped.level) == (4.0, 4.0)


def test_scores_map_one_to_five_onto_zero_to_a_hundred() -> None:
    assert [level_to_score(level) for level in (1.0, 3.0, 5.0)] == [0.0, 50.0, 100.0]
