"""Where what the model hears is cut: in pauses, seldom, never without need, and nothing is lost."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.transcriber.audio import SAMPLE_RATE_HZ
from services.transcriber.pieces import MAX_PIECE_S, MIN_PIECE_S, cut_into_pieces
from services.transcriber.speech import SpeechRules, blocks_to_decode, total_s
from services.transcriber.transcript import Span
from tests.fakes.transcriber import silence, tone


def sound(duration_s: float) -> np.ndarray:
    return np.zeros(round(duration_s * SAMPLE_RATE_HZ), np.float32)


def edges(pieces: list[list[Span]]) -> list[tuple[float, float]]:
    return [(piece[0].start_s, piece[-1].end_s) for piece in pieces]


def test_what_is_short_enough_stays_whole_whatever_its_pauses() -> None:
    speech = [Span(0, 5), Span(6.5, 12), Span(13, 17)]

    assert edges(cut_into_pieces(sound(17), [Span(0, 17)], speech)) == [(0, 17)]


def test_the_cut_is_in_the_middle_of_the_longest_pause() -> None:
    speech = [Span(0, 9.6), Span(10, 14), Span(14.8, 25)]

    assert edges(cut_into_pieces(sound(25), [Span(0, 25)], speech)) == [(0, 14.4), (14.4, 25)]


def test_of_equal_pauses_the_one_that_leaves_much_on_both_sides_is_taken() -> None:
    speech = [Span(0, 2), Span(2.5, 12), Span(12.5, 23), Span(23.5, 25)]

    assert edges(cut_into_pieces(sound(25), [Span(0, 25)], speech)) == [(0, 12.25), (12.25, 25)]


def test_no_cut_leaves_a_scrap() -> None:
    speech = [Span(0, 0.4), Span(1.4, 11.8), Span(12.1, 24)]

    assert edges(cut_into_pieces(sound(24), [Span(0, 24)], speech)) == [(0, 11.95), (11.95, 24)]


def test_neighbours_that_fit_together_are_not_cut() -> None:
    speech = [Span(i * 5.0, i * 5.0 + 4.6) for i in range(12)]
    pieces = cut_into_pieces(sound(60), [Span(0, 60)], speech)

    assert all(total_s([*one, *other]) > MAX_PIECE_S for one, other in pairwise(pieces))


def test_speech_without_a_pause_is_cut_where_it_is_quietest() -> None:
    samples = np.concatenate([tone(14), silence(0.2), tone(14.8)])
    first, second = edges(cut_into_pieces(samples, [Span(0, 29)], [Span(0, 29)]))

    assert first[1] == second[0] == pytest.approx(14.1, abs=0.06)


def test_a_monotonous_sound_is_cut_all_the_same() -> None:
    pieces = cut_into_pieces(tone(60), [Span(0, 60)], [Span(0, 60)])

    assert [total_s(piece) <= MAX_PIECE_S for piece in pieces] == [True] * 4


def test_a_silence_that_the_model_does_not_hear_counts_for_nothing() -> None:
    spans = [Span(0, 8), Span(100, 108)]

    assert cut_into_pieces(sound(108), spans, spans) == [spans]


@settings(deadline=None, max_examples=50)  # a busy machine is no failure
@given(st.lists(st.tuples(st.floats(0.1, 45), st.floats(0.3, 5)), min_size=1, max_size=12))
def test_nothing_is_lost_or_heard_twice_and_no_piece_is_too_long(voices: list[tuple[float, float]]) -> None:
    speech, now_s = [], 0.0
    for voice_s, pause_s in voices:
        speech.append(Span(now_s, now_s + voice_s))
        now_s += voice_s + pause_s
    samples = np.zeros(round(now_s * SAMPLE_RATE_HZ), np.float32)
    for spans in blocks_to_decode(speech, now_s, SpeechRules()):
        pieces = cut_into_pieces(samples, spans, speech)

        assert sum(map(total_s, pieces)) == pytest.approx(total_s(spans))
        assert all(total_s(piece) <= MAX_PIECE_S + 1e-6 for piece in pieces)
        assert all(one[-1].end_s <= other[0].start_s for one, other in pairwise(pieces))
        if len(pieces) > 1:
            assert min(map(total_s, pieces)) >= MIN_PIECE_S - 0.06
