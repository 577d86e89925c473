"""What was fitted decides kinds and levels, each level can be traced to sentences, and tricks add little."""

from __future__ import annotations

import itertools

import pytest
from pydantic import ValidationError

from services.assessor import account
from services.assessor.baseline import Baseline, read_lexicon
from services.assessor.cues import read_cue_words
from services.assessor.fitted import BASELINE, FITTED_DIR, Fitted, read_fitted
from services.assessor.levels import Level
from services.assessor.ordinal import level_at, spread_at
from services.assessor.rubric import RUBRICS_DIR, read_rubrics
from services.assessor.sentences import Sentence
from services.assessor.tags import Tag, TaggedSentence
from services.assessor.weighing import Weighing, read_weighings

WORDS = read_cue_words()
WEIGHINGS = read_weighings(WORDS)
FITTED = read_fitted()
QUALITY = read_rubrics(RUBRICS_DIR)["general"].criteria[0]
BASELINE_TAGGER = Baseline(read_lexicon())
QUESTION = "Tell me about a repair that you did at work."
THRESHOLDS = (-3.0, -1.0, 0.5, 2.0)

GENERAL = ("I am a very hard-working person.", "I always give my best.", "Teamwork is important to me.")
STORY = (
    "Last May the big press in our hall stood still for a whole week.",
    "I took the old roller out and cleaned the bearings.",
    "I wrote the steps on the wall for the night shift.",
    "It ran again on the Monday, and it has not stopped since.",
)
LESSON = "Since then I grease the bearings every Friday before we close."
CLAIMS = (
    "I took decisive action.",
    "I achieved excellent results.",
    "I overcame all challenges successfully.",
    "I learned a valuable lesson.",
)


def weighing() -> Weighing:
    found = WEIGHINGS(BASELINE)
    assert found is not None
    return found


def weighed(*texts: str) -> tuple[TaggedSentence, ...]:
    sentences = [Sentence(f"s{n}", text) for n, text in enumerate(texts, start=1)]
    return weighing().weigh(QUESTION, BASELINE_TAGGER.tag_sentences(QUESTION, sentences))


def level(*texts: str) -> Level:
    found = weighing().find_level(QUALITY, QUESTION, weighed(*texts))
    assert found is not None
    return found


def test_general_talk_a_story_and_a_story_with_a_lesson_lie_far_apart() -> None:
    general, story, learnt = level(*GENERAL).level, level(*STORY).level, level(*STORY, LESSON).level
    assert general <= 2.0
    assert story - general >= 1.5
    assert learnt >= 4.0
    assert learnt > story


def test_claims_in_the_words_of_a_rubric_do_not_make_a_story() -> None:
    assert level(*GENERAL, *CLAIMS).level - level(*GENERAL).level <= 1.0
    assert level(*GENERAL, *CLAIMS).level < level(*STORY).level


def test_what_is_said_twice_counts_once() -> None:
    assert level(*STORY, *STORY[1:3]).level <= level(*STORY).level + 0.2


def test_the_sentences_add_up_to_what_the_level_is_read_from() -> None:
    sentences = weighed(*STORY, LESSON)
    parts = weighing().contributions(QUALITY, QUESTION, sentences)
    found = weighing().find_level(QUALITY, QUESTION, sentences)
    assert FITTED is not None and found is not None
    assert level_at(sum(parts), FITTED.thresholds) == pytest.approx(found.level)
    assert len(parts) == len(sentences)


def test_a_level_has_evidence_and_a_spread() -> None:
    found = level(*STORY)
    assert found.evidence
    assert found.spread_levels is not None and found.spread_levels > 0.2


def test_without_evidence_there_is_no_level() -> None:
    off = [TaggedSentence(Sentence("s1", "The weather was nice."), Tag.OFFTOPIC)]
    assert weighing().find_level(QUALITY, QUESTION, off) is None
    assert weighing().find_level(QUALITY, QUESTION, []) is None


def test_kinds_are_probabilities_and_the_likeliest_is_the_tag() -> None:
    for item in weighed(*STORY, *GENERAL):
        assert item.probabilities is not None and item.tag is not None
        assert sum(item.probabilities.values()) == pytest.approx(1)
        assert item.probability(item.tag) == max(item.probabilities.values())


def test_word_lists_call_nothing_off_the_topic_since_they_know_no_topic() -> None:
    texts = (
        "By the way, the weather at the beach is lovely this week.",
        "My cousin's wedding had three hundred guests and a band.",
        "A config of mine caused elevated errors.",
        "We put a validator before the merge to prevent that specific one.",
    )
    for item in weighed(*texts, *GENERAL, *STORY):
        assert item.tag is not Tag.OFFTOPIC
        assert item.probability(Tag.OFFTOPIC) < 0.05


def test_checks_that_say_yes_never_lower_a_level() -> None:
    found = WEIGHINGS("qwen2.5-coder-1.5b")
    assert found is not None
    sentences = weighed(*STORY)
    yes, no = (
        found.find_level(QUALITY, QUESTION, sentences, dict.fromkeys(QUALITY.checks, value))
        for value in (0.9, 0.1)
    )
    assert yes is not None and no is not None
    assert yes.level >= no.level


def test_nothing_is_weighed_for_a_model_that_nothing_was_fitted_for() -> None:
    assert WEIGHINGS("another-model") is None
    assert WEIGHINGS("../fitted/baseline") is None


@pytest.mark.parametrize("name", sorted(path.stem for path in FITTED_DIR.glob("*.yaml")))
def test_what_is_shipped_says_what_it_rests_on_and_keeps_its_signs(name: str) -> None:
    fitted = read_fitted(name)
    assert fitted is not None
    assert fitted.origin.folds == "leave one author out"
    assert fitted.origin.figures["spearman_ordinary"] > 0.7
    assert all(
        weight <= 0
        for figure, weight in fitted.figures.items()
        if figure.endswith("_share") and (figure not in ("particulars_share", "topic_share", "work_share"))
    )
    for figure in ("situation", "deed", "result", "lesson", "outcome_of_deed", "lesson_of_outcome", "story"):
        assert fitted.figures[figure] >= 0
    assert set(next(iter(fitted.kinds.values())).cues) == set(WORDS.names())


def test_weights_that_lack_a_figure_or_whose_thresholds_fall_are_refused() -> None:
    assert FITTED is not None
    document = FITTED.model_dump()
    with pytest.raises(ValidationError, match="thresholds"):
        Fitted.model_validate(document | {"thresholds": (1.0, 0.0, 2.0, 3.0)})
    with pytest.raises(ValidationError, match="figure"):
        Fitted.model_validate(document | {"figures": {"deed": 1.0}})


def test_levels_rise_with_the_sum_and_end_at_one_and_five() -> None:
    levels = [level_at(place / 10, THRESHOLDS) for place in range(-100, 100)]
    assert all(low <= high for low, high in itertools.pairwise(levels))
    assert (levels[0], levels[-1]) == (1.0, 5.0)
    assert [level_at(threshold, THRESHOLDS) for threshold in THRESHOLDS] == [1.5, 2.5, 3.5, 4.5]


def test_a_sum_far_from_any_threshold_is_surer_than_one_on_a_threshold() -> None:
    assert spread_at(-30.0, THRESHOLDS) < 0.01 < spread_at(0.5, THRESHOLDS)


def test_an_account_without_sentences_has_nothing() -> None:
    assert all(figure.value == 0 for figure in account.describe([]).values())
