"""What no recording at hand has the truth for, made: voices at once, television, whispering, laughter."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import linalg, signal

from benchmarks.speaker.rooms import further_away, telephone
from benchmarks.speaker.voices import ANSWER_S, LEVEL, cut, interrupted, on_one_floor
from services.speaker.audio import SAMPLE_RATE_HZ, Samples

HardCase = Callable[[Samples, Samples, np.random.Generator], Samples]
"""Makes a recording of somebody's answer and another person's speech."""

BEGIN_S, END_S = 6.0, 10.0
TELEVISION_DB, LOUD_TELEVISION_DB = -20.0, -10.0
LOUDSPEAKER_LEVEL = 0.5
WHISPER_LEVEL = 0.3
WHISPER_FRAME = 480
"""30 ms, in which the mouth hardly moves."""
WHISPER_ORDER = 18
"""Coefficients of the mouth's filter at 16 kHz: two a formant and a few for the slope."""
LAUGHS_PER_S = 5.0


def hard_cases() -> dict[str, tuple[HardCase, bool]]:
    """Return every case, and whether a second voice is there."""
    return {
        "another voice at the same time, 4 s, as loud": (lambda a, o, _: overlapped(a, o, 0.0), True),
        "another voice at the same time, 4 s, 10 dB below": (lambda a, o, _: overlapped(a, o, -10.0), True),
        "a telephone's loudspeaker in a pause, 4 s": (loudspeaker, True),
        "television behind it, 20 dB below": (lambda a, o, _: behind(a, o, TELEVISION_DB), False),
        "television behind it, 10 dB below": (lambda a, o, _: behind(a, o, LOUD_TELEVISION_DB), False),
        "half of the answer whispered": (whispered, False),
        "a second of laughter now and then": (laughing, False),
        "leans back for 5 s": (leaning_back, False),
    }


def overlapped(answer: Samples, other: Samples, level_db: float) -> Samples:
    """Let another voice speak while the answer goes on."""
    mixed = cut(answer, 0.0, ANSWER_S).copy()
    cut(mixed, BEGIN_S, END_S)[:] += cut(other, 0.0, END_S - BEGIN_S) * np.float32(10 ** (level_db / 20))
    return on_one_floor(mixed)


def behind(answer: Samples, other: Samples, level_db: float) -> Samples:
    """Let another voice speak throughout, quietly."""
    mixed = cut(answer, 0.0, ANSWER_S)
    return on_one_floor(mixed + np.resize(other, len(mixed)) * np.float32(10 ** (level_db / 20)))


def loudspeaker(answer: Samples, other: Samples, rng: np.random.Generator) -> Samples:
    """Let another voice speak out of a telephone."""
    return interrupted(
        answer, telephone(cut(other, 0.0, END_S - BEGIN_S), rng) * np.float32(LOUDSPEAKER_LEVEL)
    )


def leaning_back(answer: Samples, _: Samples, rng: np.random.Generator) -> Samples:
    """Let the same person be further from the microphone for a while."""
    away = further_away(cut(answer, 5.0, 10.0), rng)
    return on_one_floor(np.concatenate([cut(answer, 0.0, 5.0), away, cut(answer, 10.0, ANSWER_S)]))


def laughing(answer: Samples, _: Samples, __: np.random.Generator) -> Samples:
    """Chop a second of speech in seven as laughter does; real laughter is not at hand."""
    chopped = cut(answer, 0.0, ANSWER_S).copy()
    times_s = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    bursts = np.asarray(1.5 * np.abs(np.sin(np.pi * LAUGHS_PER_S * times_s)), np.float32)
    for start_s in (3.0, 10.0):
        cut(chopped, start_s, start_s + 1.0)[:] *= bursts
    return on_one_floor(chopped)


def whispered(answer: Samples, _: Samples, rng: np.random.Generator) -> Samples:
    """Let the second half be whispered: the mouth's filter on noise instead of the voice."""
    samples = cut(answer, 0.0, ANSWER_S)
    half = len(samples) // 2
    whisper = _without_voice(samples[half:], rng)
    whisper *= WHISPER_LEVEL * LEVEL / np.sqrt(np.mean(whisper**2))
    return on_one_floor(np.concatenate([samples[:half], np.asarray(whisper, np.float32)]))


def _without_voice(samples: Samples, rng: np.random.Generator) -> np.ndarray:
    """Linear prediction frame by frame; the residual becomes noise of its own energy."""
    whisper = np.zeros(len(samples) + WHISPER_FRAME)
    taper = np.hanning(WHISPER_FRAME)
    for start in range(0, len(samples) - WHISPER_FRAME, WHISPER_FRAME // 2):
        frame = samples[start : start + WHISPER_FRAME] * taper
        lags = np.correlate(frame, frame, "full")[WHISPER_FRAME - 1 :][: WHISPER_ORDER + 1]
        if lags[0] < 1e-8:  # silence
            continue
        lags[0] *= 1.0001  # keeps the filter stable where a frame is almost a pure tone
        filter_ = linalg.solve_toeplitz(lags[:-1], lags[1:])
        energy = max(float(lags[0] - filter_ @ lags[1:]), 1e-12)
        noise = rng.standard_normal(WHISPER_FRAME) * np.sqrt(energy / WHISPER_FRAME)
        whisper[start : start + WHISPER_FRAME] += taper * signal.lfilter([1.0], [1.0, *-filter_], noise)
    return whisper[: len(samples)]
