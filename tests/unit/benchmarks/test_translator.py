"""The benchmark of translations: its corpus, its figures, and replies that are asked for once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.translator.chrf import chrf
from benchmarks.translator.corpus import DIRECTIONS, Sentence, mixed, read_sentences
from benchmarks.translator.figures import Result, rows_of, to_json
from benchmarks.translator.measure import translate_all
from benchmarks.translator.replies import Folder, RememberingBackend, RememberingChat
from services.translator.job import Outcome, Translation
from services.translator.llm_backend import LlmBackend
from tests.fakes.translator import FakeBackend, FakeChat

SENTENCES = read_sentences()


def test_half_of_the_sentences_go_each_way() -> None:
    counts = [sum(one.direction == direction for one in SENTENCES) for direction in DIRECTIONS]

    assert len(SENTENCES) >= 120
    assert counts[0] == counts[1]


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda sentence: sentence.id)
def test_patterns_take_the_good_translation_and_refuse_the_wrong_one(sentence: Sentence) -> None:
    assert sentence.faults(sentence.reference) == []
    assert sentence.faults(sentence.wrong) != []


def test_every_beginning_of_the_list_has_both_directions() -> None:
    assert {sentence.direction for sentence in mixed(SENTENCES)[:2]} == set(DIRECTIONS)


def test_equal_texts_overlap_entirely_and_strange_ones_not_at_all() -> None:
    assert chrf([("Saya kerja.", "Saya kerja.")]) == pytest.approx(100)
    assert chrf([("abc", "xyz")]) == 0


def test_what_is_wrong_and_shown_without_a_word_is_counted_apart() -> None:
    one = SENTENCES[0]
    results = [
        Result(one, Translation(one.reference)),
        Result(one, Translation(one.wrong)),
        Result(one, Translation.absent(Outcome.INSUFFICIENT_EVIDENCE, "it repeats")),
        Result(one, Translation.absent(Outcome.SERVICE_UNAVAILABLE, "away")),
    ]

    row = rows_of(results)[-1]

    assert (row.sentence_count, row.kept_count, row.left_out_count, row.wrong_unflagged_count) == (3, 1, 1, 1)
    assert to_json(results)["failed"] == 1


def test_a_run_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    few = SENTENCES[:2]
    first = FakeChat([{"1": one.reference} for one in few])
    for chat in (first, FakeChat([])):
        remembering = RememberingChat(chat, "a-model", Folder(tmp_path))
        backend = LlmBackend(remembering, ("en", "id"), 1, 1500)
        results = list(translate_all(backend, remembering, few, 1, None))
        assert [result.translation.text for result in results] == [one.reference for one in few]

    assert json.loads(results[0].said[0]) == {"1": few[0].reference}
    assert len(first.requests) == len(few)


def test_a_text_is_billed_once(tmp_path: Path) -> None:
    backend = FakeBackend()
    for _ in range(2):
        remembering = RememberingBackend(backend, "here", Folder(tmp_path))
        (result,) = translate_all(remembering, None, SENTENCES[:1], 1, None)
        assert result.translation.text == SENTENCES[0].text.upper()

    assert backend.asked == [SENTENCES[0].text]


def test_nothing_is_asked_when_the_time_is_over(tmp_path: Path) -> None:
    backend = RememberingBackend(FakeBackend(), "here", Folder(tmp_path))

    assert list(translate_all(backend, None, SENTENCES, 1, until_s=0.0)) == []
