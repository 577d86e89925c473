"""The summary: what people read of a result, and that nothing absent is made up."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from cli.summary import print_summary
from tests.fakes.cli import result_document


def text_of(document: dict[str, Any]) -> str:
    text = io.StringIO()
    print_summary(Console(file=text, width=160), document)
    return text.getvalue()


def test_every_sentence_stands_with_its_time_and_voice() -> None:
    text = text_of(result_document())
    assert "0.5–2.0 s  voice 1  It broke." in text
    assert "2.0–3.0 s  voice 2  Say more." in text
    assert "id: Itu rusak." in text


def test_a_single_voice_is_not_worth_a_mention() -> None:
    document = result_document()
    document["results"][0]["transcript"]["segments"].pop()
    assert "s  voice" not in text_of(document)


def test_an_observation_stands_with_its_times_and_reason() -> None:
    assert "no_face 3.0–6.0 s  3 s  no face for 3.0 s" in text_of(result_document())


def test_the_baseline_is_labelled_as_one() -> None:
    assert "baseline: word features, no language model" in text_of(result_document())


def test_a_level_stands_with_its_evidence() -> None:
    text = text_of(result_document())
    assert "relevance: level 3.5 of 5 (62.5 of 100)" in text
    assert "s1 0.5–2.0 s It broke. (another voice)" in text
    assert "+ Names what happened. s1" in text
    assert "− No result." in text


def test_what_was_not_judged_has_no_number() -> None:
    assert "coherence: not judged (INSUFFICIENT_EVIDENCE)" in text_of(result_document())


def test_what_is_not_configured_is_said() -> None:
    assert "translate: NOT_CONFIGURED  TRANSLATOR_NOT_CONFIGURED" in text_of(result_document())


def test_a_failed_answer_says_where_and_why() -> None:
    failure = {"stage": "extract", "reason": "MEDIA_UNDECODABLE", "message": "It is no video."}
    document = {"results": [{"video_file": "x.mp4", "pertanyaan": "", "error": failure}]}
    text = text_of(document)
    assert "failed at extract: It is no video. (MEDIA_UNDECODABLE)" in text
    assert "(no question)" in text


def test_what_a_candidate_says_is_not_taken_for_markup() -> None:
    document = result_document()
    document["results"][0]["transcript"]["segments"][0]["text"] = "[red]It broke.[/nonsense]"
    assert "[red]It broke.[/nonsense]" in text_of(document)


def test_a_total_that_lacks_a_criterion_says_so() -> None:
    assert "62.5 of 100, from 1 of 2 criteria" in text_of(result_document())


def test_the_answers_together_are_counted_and_only_whole_totals_averaged() -> None:
    document = result_document()
    totals = {"answer_count": 3, "assessed_count": 2, "scored_count": 2, "averaged_count": 1, "reason": None}
    averaged = text_of(document | {"totals": totals | {"mean_total_score": 80.0}})
    apart = text_of(document | {"totals": totals | {"mean_total_score": None, "reason": "Other rubrics."}})

    assert "2 of 3 answers could be read, 2 have a total score." in averaged
    assert "Mean of 1 with every criterion scored: 80 of 100." in averaged
    assert "There is no mean. Other rubrics." in apart


def test_warnings_and_what_was_not_looked_at_are_said() -> None:
    document = result_document()
    document["results"][0] |= {
        "position": 4,
        "warnings": [
            {"stage": "extract", "kind": "NOTE", "message": "It ends early.", "start_s": 4.0, "end_s": 9.0}
        ],
        "verdict": {
            "picture": {"value": None, "outcome": "NO_VIDEO", "reason": "There is no picture."},
            "sound": {"value": "Safe", "outcome": "OK", "reason": None},
        },
    }
    text = text_of(document)

    assert "Answer 4" in text
    assert "note 4.0–9.0 s It ends early." in text
    assert "nothing is said of the picture There is no picture." in text
    assert "of the sound" not in text
