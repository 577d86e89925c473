"""How a piece is heard: at its own length, padded where that is doubtful, its rest again with speech."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

from services.transcriber.audio import SAMPLE_RATE_HZ
from services.transcriber.decoding import DecodedSegment, DecodeRequest, Piece
from services.transcriber.first_pass import FirstPass
from services.transcriber.transcript import Span
from services.transcriber.windows import (
    MARGIN_FRAMES,
    MAX_WINDOW_FRAMES,
    MAX_WINDOW_TOKENS,
    PieceDecoder,
)
from tests.fakes.whisper_library import FakeTokenizer, FakeWhisper, Heard

RULES = FirstPass()
ALL_OF_IT = Heard([(1, 0.2, 2.0), (2, 2.0, 9.8)])


def piece(duration_s: float, *speech: tuple[float, float]) -> Piece:
    spans = [Span(*times) for times in speech] or [Span(0.2, duration_s)]
    return Piece(np.zeros(round(duration_s * SAMPLE_RATE_HZ), np.float32), spans)


def decoded(
    whisper: FakeWhisper, what: Piece, first_pass: FirstPass | None = RULES, step_frames: int = 1
) -> list[DecodedSegment]:
    request = DecodeRequest("en", "transcribe", 5, "", "")
    decoder = PieceDecoder(whisper, cast(Any, FakeTokenizer()), request, first_pass, step_frames)
    return list(decoder.segments(what))


def test_a_window_is_as_long_as_its_piece_and_the_margin() -> None:
    whisper = FakeWhisper([ALL_OF_IT])
    (segment,) = decoded(whisper, piece(10))

    assert whisper.window_frames == [1000 + MARGIN_FRAMES]
    assert segment.text == "w1 w2"
    assert whisper.aligned_frames == [1000]  # words are looked for in the sound, not in the margin


def test_the_first_pass_has_the_beam_one_temperature_and_few_tokens() -> None:
    whisper = FakeWhisper([ALL_OF_IT])
    decoded(whisper, piece(10))
    (options,) = whisper.asked

    assert (options.beam_size, list(options.temperatures)) == (5, [0.0])
    assert options.max_new_tokens < MAX_WINDOW_TOKENS


@pytest.mark.parametrize(
    "doubtful",
    [
        Heard([(1, 0.2, 2.0), (2, 2.0, 9.8)], avg_logprob=-1.2),
        Heard([(1, 0.2, 2.0), (2, 2.0, 9.8)], compression_ratio=2.3),
        Heard([(1, 0.2, 2.0), (2, 2.0, 9.8)], last_stamp_s=14.5),
        Heard([(7, i / 2, i / 2 + 0.5) for i in range(8)]),
        Heard([]),
    ],
    ids=["improbable", "repetitive", "past the end", "a loop", "nothing"],
)
def test_a_doubtful_window_is_heard_again_as_the_model_was_trained(doubtful: Heard) -> None:
    whisper = FakeWhisper([doubtful, ALL_OF_IT])
    (segment,) = decoded(whisper, piece(10))

    assert whisper.window_frames == [1000 + MARGIN_FRAMES, MAX_WINDOW_FRAMES]
    assert (whisper.asked[1].beam_size, whisper.asked[1].max_new_tokens) == (5, MAX_WINDOW_TOKENS)
    assert segment.text == "w1 w2"


def test_without_a_first_pass_every_window_is_padded() -> None:
    whisper = FakeWhisper([ALL_OF_IT])
    decoded(whisper, piece(10), first_pass=None)

    assert whisper.window_frames == [MAX_WINDOW_FRAMES]


def test_a_piece_of_30_s_has_no_room_for_a_margin() -> None:
    whisper = FakeWhisper([Heard([(1, 0.2, 29.8)])])
    decoded(whisper, piece(30))

    assert whisper.window_frames == [MAX_WINDOW_FRAMES]


def test_where_windows_go_together_lengths_are_in_steps() -> None:
    whisper = FakeWhisper([ALL_OF_IT, ALL_OF_IT])
    decoded(whisper, piece(10), step_frames=500)
    decoded(whisper, piece(10.5), step_frames=500)

    assert whisper.window_frames == [1500, 1500]


def test_speech_after_the_last_word_is_heard_again() -> None:
    whisper = FakeWhisper([Heard([(1, 0.2, 4.0)]), Heard([(2, 0.5, 5.9)])])
    first, second = decoded(whisper, piece(10, (0.2, 4.0), (4.5, 10.0)))

    assert whisper.window_frames == [1000 + MARGIN_FRAMES, 600 + MARGIN_FRAMES]
    assert [(word.start_s, word.end_s) for word in second.words] == [(4.5, 9.9)]
    assert (first.text, second.text) == ("w1", "w2")


def test_a_rest_without_speech_is_not_heard_again_so_that_no_words_are_made_up() -> None:
    whisper = FakeWhisper([Heard([(1, 0.2, 4.0)])])
    decoded(whisper, piece(10, (0.2, 4.3), (9.5, 9.9)))

    assert len(whisper.window_frames) == 1


def test_a_window_without_words_ends_the_piece() -> None:
    whisper = FakeWhisper([Heard([]), Heard([])])

    assert all(not segment.words for segment in decoded(whisper, piece(10)))
    assert whisper.window_frames == [1000 + MARGIN_FRAMES, MAX_WINDOW_FRAMES]


def test_a_window_that_the_model_calls_silent_has_no_words() -> None:
    silent = Heard([(1, 0.2, 9.0)], avg_logprob=-1.5, no_speech_prob=0.8)
    whisper = FakeWhisper([silent, silent])

    assert decoded(whisper, piece(10)) == []
    assert whisper.aligned_frames == []


IMPROBABLE = Heard([(1, 0.2, 9.8)], avg_logprob=-1.2)
LOOP = Heard([(7, i, i + 0.98) for i in range(10)], avg_logprob=-0.1)


def test_no_window_is_left_to_chance() -> None:
    whisper = FakeWhisper([IMPROBABLE, IMPROBABLE])
    (segment,) = decoded(whisper, piece(10))

    assert len(whisper.asked) > 2
    assert {tuple(options.temperatures) for options in whisper.asked} == {(0.0,)}
    assert segment.temperature == 0.0


def test_a_loop_is_searched_again_without_repetitions() -> None:
    whisper = FakeWhisper([LOOP, [LOOP, ALL_OF_IT]])
    (segment,) = decoded(whisper, piece(10))

    assert [options.no_repeat_ngram_size > 0 for options in whisper.asked] == [False, False, True]
    assert segment.text == "w1 w2"


def test_where_nothing_is_sure_the_most_probable_text_without_a_loop_stays() -> None:
    better = Heard([(3, 0.2, 9.8)], avg_logprob=-1.1)
    whisper = FakeWhisper([LOOP, [LOOP, better, IMPROBABLE]])
    (segment,) = decoded(whisper, piece(10))

    assert segment.text == "w3"


def test_where_all_are_loops_one_of_them_stays() -> None:
    whisper = FakeWhisper([LOOP, LOOP])

    assert len(decoded(whisper, piece(10))) == 1
