"""Stereo in opposite phase is put right; everything else is left alone."""

from __future__ import annotations

import av
import numpy as np
import pytest

from chassis.playback.mixing import PhaseMender, mix_gain

RATE_HZ = 16_000
TONE = (0.3 * np.sin(2 * np.pi * 300 * np.arange(RATE_HZ) / RATE_HZ)).astype(np.float32)


def frame_of(left: np.ndarray, right: np.ndarray, format_name: str = "fltp") -> av.AudioFrame:
    stereo = av.AudioFrame.from_ndarray(np.stack([left, right]).astype(np.float32), "fltp", "stereo")
    stereo.sample_rate = RATE_HZ
    (frame,) = av.AudioResampler(format_name, "stereo", RATE_HZ).resample(stereo)
    return frame


def mixed_rms(frame: av.AudioFrame) -> float:
    (mono,) = av.AudioResampler("flt", "mono", RATE_HZ).resample(frame)
    return float(np.sqrt((mono.to_ndarray() ** 2).mean())) * mix_gain("stereo")


@pytest.mark.parametrize("format_name", ["fltp", "flt", "s16", "s16p", "s32", "u8", "dbl"])
def test_opposite_channels_are_heard_after_mixing(format_name: str) -> None:
    mender = PhaseMender()

    mended = mender.mend(frame_of(TONE, -TONE, format_name))

    assert mended.format.name == format_name
    assert mixed_rms(mended) == pytest.approx(0.3 / 2**0.5, rel=0.03)
    assert mender.opposite_s == pytest.approx(1.0)


@pytest.mark.parametrize("right", [TONE, 0 * TONE, 0.5 * TONE, -0.2 * TONE, np.roll(TONE, 13)])
def test_channels_that_can_be_mixed_are_left_alone(right: np.ndarray) -> None:
    frame = frame_of(TONE, right)
    mender = PhaseMender()

    assert mender.mend(frame) is frame
    assert mender.opposite_s == 0.0


def test_noise_of_two_microphones_is_left_alone() -> None:
    random = np.random.default_rng(0)
    frame = frame_of(*(0.1 * random.standard_normal((2, RATE_HZ))))

    assert PhaseMender().mend(frame) is frame


@pytest.mark.parametrize("layout", ["mono", "stereo", "quad", "5.1", "7.1"])
def test_the_loudest_sound_of_all_channels_fits_the_mix(layout: str) -> None:
    channels = av.AudioLayout(layout).nb_channels
    full = av.AudioFrame.from_ndarray(np.ones((1, 100 * channels), np.float32), "flt", layout)
    full.sample_rate = RATE_HZ
    (mono,) = av.AudioResampler("flt", "mono", RATE_HZ).resample(full)

    assert mono.to_ndarray().max() * mix_gain(layout) == pytest.approx(1.0, abs=1e-3)


def test_silence_and_numbers_that_are_none_are_left_alone() -> None:
    for value in (0.0, np.nan, np.inf):
        frame = frame_of(np.full(RATE_HZ, value), np.full(RATE_HZ, -value))

        assert PhaseMender().mend(frame) is frame
