"""Where speech begins and ends, given a model's probabilities."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from services.speaker.voice_activity import (
    BLOCK_FRAMES,
    FRAME_S,
    FRAME_SAMPLES,
    MAX_LEVEL_GAIN_DB,
    Probabilities,
    block_count,
    level_gain_db,
    levelled_blocks,
    speech_stretches,
    sure_speech_s,
)


def probabilities(*parts: tuple[float, float]) -> Probabilities:
    """(probability, seconds) each."""
    return np.concatenate([np.full(round(s / FRAME_S), p, np.float32) for p, s in parts])


def stretch_count(*parts: tuple[float, float]) -> int:
    found = probabilities(*parts)
    return len(speech_stretches(found, len(found) * FRAME_S))


def test_a_stretch_is_padded_by_a_twentieth_of_a_second() -> None:
    (stretch,) = speech_stretches(probabilities((0, 1), (0.9, 2), (0, 1)), 4.0)

    assert stretch.start_s == pytest.approx(1 - 0.05, abs=FRAME_S)
    assert stretch.end_s == pytest.approx(3 + 0.05, abs=FRAME_S)


def test_padding_ends_at_the_recording() -> None:
    (stretch,) = speech_stretches(probabilities((0.9, 2)), 2.0)

    assert (stretch.start_s, stretch.end_s) == (0.0, 2.0)


def test_a_breath_does_not_end_a_stretch_and_a_pause_does() -> None:
    assert stretch_count((0.9, 1), (0.0, 0.2), (0.9, 1)) == 1
    assert stretch_count((0.9, 1), (0.0, 0.6), (0.9, 1)) == 2


def test_between_the_two_thresholds_speech_goes_on_but_does_not_begin() -> None:
    assert stretch_count((0.9, 1), (0.2, 1), (0.9, 1)) == 1
    assert stretch_count((0.2, 3)) == 0


def test_a_stretch_needs_a_clear_peak_and_a_quarter_of_a_second() -> None:
    assert stretch_count((0.4, 3)) == 0
    assert stretch_count((0, 1), (0.9, 0.16), (0, 1)) == 0


def test_stretches_never_overlap() -> None:
    rng = np.random.default_rng(1)
    found = np.repeat(rng.random(400), 12).astype(np.float32) * np.float32(0.9)

    stretches = speech_stretches(found, len(found) * FRAME_S)

    assert len(stretches) > 5
    assert all(a.end_s < b.start_s for a, b in pairwise(stretches))


def test_only_sure_frames_count_as_sure_speech() -> None:
    assert sure_speech_s(probabilities((0.79, 5), (0.81, 0.64))) == pytest.approx(0.64)


def test_a_quiet_recording_is_brought_up_and_a_loud_one_left() -> None:
    assert level_gain_db(rms=0.01) == 17
    assert level_gain_db(rms=0.5) == 0
    assert level_gain_db(rms=0.0) == MAX_LEVEL_GAIN_DB


def test_blocks_cover_the_recording_in_whole_frames_within_full_scale() -> None:
    samples = np.full(BLOCK_FRAMES * FRAME_SAMPLES + 700, 0.5, np.float32)

    blocks = list(levelled_blocks(samples, 0))

    assert len(blocks) == block_count(samples) == 2
    assert [len(block) for block in blocks] == [BLOCK_FRAMES * FRAME_SAMPLES, 2 * FRAME_SAMPLES]
    assert max(float(block.max()) for block in blocks) == 1.0
