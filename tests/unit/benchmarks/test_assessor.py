"""The assessor's benchmark measures what it says, and says nothing about a model that was not asked."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.assessor.corpus import Case, LabelledSentence
from benchmarks.assessor.figures import (
    Pair,
    estimate,
    length_effect,
    measure,
    precision,
    rank_correlation,
    to_columns,
)
from benchmarks.assessor.judges import (
    Claim,
    EngineJudge,
    OneShotJudge,
    OutOfTimeError,
    RememberingModel,
    Verdict,
    WordCountJudge,
)
from benchmarks.assessor.measure import choose_cases, judge_all, main, to_json
from chassis.chat_completions import ChatRequest, Message, Schema
from chassis.chat_replies import ChatReply, Token
from chassis.deadline import Deadline
from chassis.errors import UnavailableError
from chassis.model_info import ModelInfo
from services.assessor.tags import Tag

STORY = (
    LabelledSentence(Tag.SITUATION, "Last May our press stood still for a whole week."),
    LabelledSentence(Tag.ACTION, "I took the old roller out and cleaned the bearings."),
    LabelledSentence(Tag.ACTION, "I wrote the steps on the wall for the night shift."),
    LabelledSentence(Tag.RESULT, "It ran again on the Monday, and it has not stopped since."),
)


def _case(level: int = 4, words: int = 0, number: int = 1) -> Case:
    padding = (LabelledSentence(Tag.GENERAL, "word " * words),) if words else STORY
    return Case(
        f"q-{number}", "q", "Tell me about a repair that you did.", "en", "test", level, None, padding
    )


class FakeModel:
    """Answers with one text and counts how often it was asked."""

    backend = "fake"
    info = ModelInfo("fake-1")

    def __init__(self, text: str) -> None:
        self._text = text
        self.asked = 0

    def complete(self, request: ChatRequest, deadline: Deadline) -> ChatReply:
        self.asked += 1
        return ChatReply(self._text, tokens=(Token("{", {"{": -0.1}),), completion_token_count=7)


def _ask(model: RememberingModel, what: str = "level", schema: Schema | None = None) -> ChatReply:
    wanted = {"type": "object"} if schema is None else schema
    return model.complete(ChatRequest([Message("user", what)], 16, wanted), Deadline(None))


def _rank(pairs: Sequence[Pair]) -> float | None:
    return estimate(to_columns(pairs), rank_correlation).value


def _pull_of_length(pairs: Sequence[Pair]) -> float | None:
    return estimate(to_columns(pairs), length_effect).value


def test_a_judge_that_follows_the_plan_correlates_fully_and_one_that_reverses_it_inversely() -> None:
    cases = [_case(level, words=10 + level % 2, number=level) for level in (1, 2, 3, 4, 5)]
    assert _rank([(case, Verdict(float(case.level))) for case in cases]) == pytest.approx(1)
    assert _rank([(case, Verdict(6.0 - case.level)) for case in cases]) == pytest.approx(-1)


def test_a_judge_that_says_the_same_of_everything_has_no_correlation_rather_than_zero() -> None:
    pairs = [(_case(level), Verdict(3.0)) for level in (1, 2, 3, 4, 5)]
    assert _rank(pairs) is None
    assert "spearman_baseline" not in to_json("baseline", measure(pairs))


def test_the_effect_of_length_is_what_the_plan_does_not_explain() -> None:
    lengths = {1: (30, 90), 2: (80, 20), 3: (40, 100), 4: (95, 25), 5: (35, 85)}
    cases = [_case(level, words) for level, pair in lengths.items() for words in pair]
    by_length = _pull_of_length([(case, Verdict(float(case.word_count()))) for case in cases])
    mixed_in = _pull_of_length([(case, Verdict(case.level + case.word_count() / 50)) for case in cases])
    assert by_length == pytest.approx(1)
    assert mixed_in is not None and mixed_in > 0.5
    assert _pull_of_length([(case, Verdict(float(case.level))) for case in cases]) is None


def test_intervals_hold_their_figure_and_are_the_same_every_time() -> None:
    pairs = [(_case(1 + n % 5, 10 + n), Verdict(1.0 + n % 5 + n % 3, judged=True)) for n in range(30)]
    first, second = (estimate(to_columns(pairs), rank_correlation) for _ in range(2))
    assert first == second
    assert first.low is not None and first.value is not None and first.high is not None
    assert first.low < first.value < first.high


def test_evidence_counts_only_where_the_sentence_is_what_it_is_claimed_to_be() -> None:
    claims = (Claim(0, Tag.SITUATION), Claim(1, Tag.ACTION), Claim(2, Tag.RESULT))
    found = precision([(_case(), Verdict(4.0, claims=claims))], tuple(Tag))
    assert found is not None
    assert found.value == pytest.approx(2 / 3)
    # A situation is one sentence in four, an action two, a result one.
    assert found.chance == pytest.approx((0.25 + 0.5 + 0.25) / 3)


def test_key_evidence_leaves_the_situation_out() -> None:
    claims = (Claim(0, Tag.SITUATION), Claim(3, Tag.ACTION))
    found = measure([(_case(), Verdict(4.0, claims=claims))]).key_evidence
    assert found is not None and (found.value, found.claim_count) == (0.0, 1)


def test_the_baseline_names_sentences_for_a_told_experience() -> None:
    verdict = EngineJudge(None).judge(_case())
    assert verdict.judged and verdict.claims
    assert all(claim.tag in Tag for claim in verdict.claims)


def test_an_answer_without_evidence_ranks_lowest_and_has_no_error() -> None:
    weather = (LabelledSentence(Tag.OFFTOPIC, "Blue curtains hang beside a yellow lamp here."),)
    case = replace(_case(1), sentences=weather)
    verdict = EngineJudge(None).judge(case)
    assert verdict == Verdict(1.0, judged=False)
    assert measure([(case, verdict)]).mean_error is None


def test_what_was_asked_once_is_not_asked_again(tmp_path: Path) -> None:
    model = FakeModel('{"level": 4}')
    first = _ask(RememberingModel(model, tmp_path))
    assert _ask(RememberingModel(model, tmp_path)) == first
    assert model.asked == 1
    _ask(RememberingModel(model, tmp_path), "another")
    assert model.asked == 2


def test_when_time_is_over_only_known_replies_are_given(tmp_path: Path) -> None:
    model = FakeModel('{"level": 4}')
    known = _ask(RememberingModel(model, tmp_path))
    late = RememberingModel(model, tmp_path, until_s=time.monotonic() - 1)
    assert _ask(late) == known
    with pytest.raises(OutOfTimeError):
        _ask(late, "new")
    assert judge_all(OneShotJudge(late), [_case()]) == []


def test_conclusions_are_not_asked_for(tmp_path: Path) -> None:
    model = FakeModel("The candidate tells.")
    with pytest.raises(UnavailableError):
        RememberingModel(model, tmp_path).complete(ChatRequest([], 160), Deadline(None))
    assert model.asked == 0


def test_a_model_tags_the_sentences_that_its_level_rests_on(tmp_path: Path) -> None:
    model = FakeModel('{"s1": "situation", "s2": "action", "s3": "action", "s4": "result"}')
    verdict = EngineJudge(RememberingModel(model, tmp_path)).judge(_case())
    assert verdict.level > 4
    assert [claim.tag for claim in verdict.claims] == [item.tag for item in STORY]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [('{"level": 2}', Verdict(2.0)), ("two", Verdict(3.0, judged=False)), ("[]", Verdict(3.0, judged=False))],
)
def test_a_one_shot_level_is_read_from_json_or_counts_as_not_judged(reply: str, expected: Verdict) -> None:
    assert OneShotJudge(FakeModel(reply)).judge(_case()) == expected


def test_word_count_has_no_error_in_levels_and_no_length_effect() -> None:
    cases = choose_cases("test", 12)
    figures = measure(judge_all(WordCountJudge(), cases), gives_levels=False)
    assert figures.mean_error is None and figures.length_effect.value is None


def test_a_run_without_a_model_ends_with_json_that_says_nothing_about_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["--limit", "20"])
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {
        "spearman_words",
        "spearman_lexical",
        "spearman_baseline",
        "spearman_adversarial_baseline",
    } <= set(line)
    assert not {"spearman_llm", "spearman_adversarial", "length_effect", "spearman_one_shot"} & set(line)
    assert line["answers_baseline"] + line["adversarial_answers_baseline"] == 20


def test_the_headline_figures_of_a_model_carry_the_names_that_the_targets_use() -> None:
    cases = choose_cases("test", None)
    pairs = [(case, Verdict(case.level + case.word_count() % 3)) for case in cases]
    assert {"spearman_llm", "spearman_adversarial", "length_effect"} <= set(to_json("llm", measure(pairs)))
