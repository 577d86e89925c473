"""Word times, guards, speech spans and the choice of language: no model needed."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.transcriber.guards import (
    GuardRules,
    flag_loops,
    flags_of,
    repeats_itself,
    uncovered_s,
    voiced_ratio,
)
from services.transcriber.speech import (
    FRAME_S,
    MAX_BLOCK_S,
    SpeechRules,
    blocks_to_decode,
    find_speech,
    overlap_s,
)
from services.transcriber.transcript import Flag, Segment, Span, Word
from services.transcriber.word_times import JoinedClock, sane_words, without_times

MINUTE = Span(0.0, 60.0)
LAST = Span(50.0, 60.0)
TIMES = st.one_of(st.floats(-5, 70), st.sampled_from([math.nan, math.inf, -math.inf]))


def words(*times: tuple[float, float]) -> list[Word]:
    return [Word(start, end, f"w{i}", 0.9) for i, (start, end) in enumerate(times)]


def segment(text: str, start_s: float = 0.0, end_s: float = 5.0, **changes: object) -> Segment:
    parts = text.split()
    step_s = (end_s - start_s) / max(1, len(parts))
    spoken = tuple(
        Word(start_s + i * step_s, start_s + (i + 1) * step_s, part, 0.9) for i, part in enumerate(parts)
    )
    values: dict[str, object] = {
        "start_s": start_s, "end_s": end_s, "text": text, "words": spoken, "avg_logprob": -0.2,
        "no_speech_probability": 0.0, "compression_ratio": 1.2, "temperature": 0.0,
        "language_code": "en", "language_probability": None,
    }  # fmt: skip
    return Segment(**(values | changes))  # type: ignore[arg-type]


def test_times_that_make_sense_stay_as_they_are() -> None:
    given_words = words((0.0, 0.5), (0.5, 0.9), (1.2, 1.4))

    assert sane_words(given_words, MINUTE, LAST) == tuple(given_words)


def test_a_word_without_length_shares_the_stretch_of_its_neighbour() -> None:
    first, second = sane_words(words((1.0, 2.0), (2.0, 2.0)), MINUTE, LAST)

    assert (first.start_s, first.end_s, second.start_s, second.end_s) == (1.0, 1.5, 1.5, 2.0)
    assert first.interpolated
    assert second.interpolated


def test_a_first_word_without_a_time_shares_the_stretch_of_the_next() -> None:
    first, second = sane_words(words((math.nan, math.nan), (3.0, 4.0)), MINUTE, LAST)

    assert (first.start_s, second.end_s) == (3.0, 4.0)
    assert first.interpolated


def test_a_word_past_the_end_of_the_recording_is_brought_inside() -> None:
    *_, last = sane_words(words((58.0, 59.0), (59.0, 75.0)), MINUTE, LAST)

    assert last.end_s == 60.0


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(st.tuples(TIMES, TIMES), max_size=12))
def test_whatever_the_times_words_end_up_in_order_positive_and_inside(
    times: list[tuple[float, float]],
) -> None:
    sane = sane_words(words(*times), MINUTE, LAST)

    assert [word.text for word in sane] == [f"w{i}" for i in range(len(times))]
    edges = [edge for word in sane for edge in (word.start_s, word.end_s)]
    assert edges == sorted(edges)
    assert all(word.end_s > word.start_s for word in sane)
    assert all(0.0 <= edge <= 60.0 for edge in edges)


def test_words_without_any_times_share_the_stretch_of_their_segment() -> None:
    spread = sane_words(without_times("one two"), MINUTE, LAST)

    assert [(word.start_s, word.end_s) for word in spread] == [(50.0, 55.0), (55.0, 60.0)]
    assert all(word.interpolated for word in spread)


def test_a_single_word_without_a_time_is_still_marked_as_interpolated() -> None:
    assert sane_words(without_times("yes"), MINUTE, LAST)[0].interpolated


def test_joined_time_goes_back_to_the_span_that_holds_the_middle_of_the_word() -> None:
    clock = JoinedClock([Span(10.0, 12.0), Span(20.0, 25.0)])

    assert clock.to_recording(0.5, 1.5) == (10.5, 11.5)
    assert clock.to_recording(3.0, 4.0) == (21.0, 22.0)


def test_a_word_across_a_cut_never_reaches_into_the_silence() -> None:
    clock = JoinedClock([Span(10.0, 12.0), Span(20.0, 25.0)])

    assert clock.to_recording(1.2, 2.2) == (11.2, 12.0)
    assert clock.to_recording(1.8, 3.0) == (20.0, 21.0)


def test_a_time_beyond_the_joined_speech_stays_in_the_last_span() -> None:
    assert JoinedClock([Span(10.0, 12.0)]).to_recording(5.0, 6.0) == (12.0, 12.0)


def test_a_first_word_at_a_negative_time_begins_with_the_first_span() -> None:
    assert JoinedClock([Span(10.0, 12.0)]).to_recording(-2.0, 0.5) == (10.0, 10.5)


@pytest.mark.parametrize(
    "text",
    [
        "no no no no no no",
        "thank you thank you thank you thank you",
        "well, so I went there, I went there. I went there! I WENT THERE",
        "we did the work and shipped it we did the work and shipped it we did the work and shipped it",
        "了 了 了 了 了 了",
    ],
)
def test_loops_are_recognised(text: str) -> None:
    assert repeats_itself(text.split())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no",
        "no no no, that was not it",
        "I, I, I think that that was fine",
        "ask not what your country can do for you, ask what you can do for your country",
        "step by step, day by day, week by week, year by year",
        "sama-sama kita kerja, kerja, kerja",
    ],
)
def test_people_may_repeat_themselves(text: str) -> None:
    assert not repeats_itself(text.split())


def test_equal_sentences_in_a_row_are_a_loop_and_others_around_them_are_not() -> None:
    loop = [segment("I am done here now.") for _ in range(3)]
    flagged = flag_loops([segment("One thing first."), *loop, segment("And then another.")])

    assert [bool(item.flags) for item in flagged] == [False, True, True, True, False]


def test_two_equal_short_answers_are_not_a_loop() -> None:
    assert not any(item.flags for item in flag_loops([segment("Yes."), segment("Yes."), segment("Right.")]))


def test_each_guard_raises_its_own_flag() -> None:
    speech = [Span(0.0, 5.0)]
    rules = GuardRules()

    assert flags_of(segment("all is well here"), speech, rules) == frozenset()
    assert flags_of(segment("x y", compression_ratio=2.6), speech, rules) == {Flag.HIGH_COMPRESSION}
    assert flags_of(segment("x y", avg_logprob=-1.2), speech, rules) == {Flag.LOW_PROBABILITY}
    assert flags_of(segment("x y", 20.0, 22.0), speech, rules) == {Flag.NO_SPEECH}
    unsure = (Word(0.0, 1.0, "mm", 0.2),)
    assert flags_of(segment("mm", words=unsure), speech, rules) == {Flag.LOW_PROBABILITY}


def test_words_that_whisper_times_slightly_off_count_as_spoken() -> None:
    assert voiced_ratio(words((4.9, 5.2)), [Span(1.0, 5.0)]) == pytest.approx(1.0)


def test_uncovered_speech_counts_each_second_once() -> None:
    speech = [Span(0.0, 4.0), Span(10.0, 14.0)]

    assert uncovered_s([], speech) == pytest.approx(8.0)
    assert uncovered_s(words((0.0, 2.0), (1.0, 2.1), (2.1, 4.0)), speech) == pytest.approx(4.0)


def probabilities(*stretches: tuple[float, float]) -> np.ndarray:
    """(seconds, probability) one after the other, as frames."""
    return np.concatenate([np.full(round(s / FRAME_S), p, dtype=np.float32) for s, p in stretches])


def test_speech_is_found_where_it_is() -> None:
    spans = find_speech(probabilities((2, 0.02), (3, 0.9), (2, 0.02)), 7.0, SpeechRules())

    assert [(span.start_s, span.end_s) for span in spans] == [pytest.approx((2.0, 5.0), abs=FRAME_S)]


def test_short_dips_do_not_split_speech_and_long_ones_do() -> None:
    frames = probabilities((1, 0.9), (0.2, 0.1), (1, 0.9), (0.6, 0.1), (1, 0.9))

    assert len(find_speech(frames, 3.8, SpeechRules())) == 2


def test_unsure_frames_alone_are_nobody_speaking() -> None:
    assert find_speech(probabilities((3, 0.65), (0.2, 0.85)), 3.2, SpeechRules()) == []


def test_clicks_beside_speech_are_not_speech() -> None:
    frames = probabilities((0.064, 0.9), (2, 0.02), (2, 0.9))

    assert len(find_speech(frames, 4.064, SpeechRules())) == 1


def test_what_is_decoded_joins_short_pauses_and_is_padded_inside_the_recording() -> None:
    (spans,) = blocks_to_decode([Span(0.1, 2.0), Span(3.0, 4.0), Span(8.0, 9.9)], 10.0, SpeechRules())

    assert [(span.start_s, span.end_s) for span in spans] == [(0.0, 4.4), (7.6, 10.0)]


def test_overlap_counts_only_common_time() -> None:
    assert overlap_s(Span(1.0, 3.0), [Span(0.0, 1.5), Span(2.5, 9.0), Span(20.0, 21.0)]) == pytest.approx(1.0)


def test_an_hour_is_heard_in_blocks_and_nothing_is_heard_twice_or_never() -> None:
    speech = [Span(4.0 * i, 4.0 * i + 3.5) for i in range(900)]
    blocks = blocks_to_decode(speech, 3600.0, SpeechRules())
    spans = [span for block in blocks for span in block]

    assert len(blocks) == 12
    assert all(block[-1].end_s - block[0].start_s <= MAX_BLOCK_S + 1 for block in blocks)
    assert all(before.end_s <= after.start_s for before, after in pairwise(spans))
    assert sum(overlap_s(span, spans) for span in speech) == pytest.approx(900 * 3.5)
