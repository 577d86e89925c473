"""Rooms and microphones, made: what a change of them does to a voice."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import signal

from services.speaker.audio import SAMPLE_RATE_HZ, Samples

Change = Callable[[Samples, np.random.Generator], Samples]
"""Makes of some sound the same sound elsewhere."""

TELEPHONE_HZ = (300.0, 3400.0)
MUFFLED_HZ = 2000.0
DECAY_S = 0.5
"""Time in which a living room's echo falls by 60 dB."""
DIRECT_OVER_ECHO_DB = 3.0
FAR_DIRECT_OVER_ECHO_DB = -4.0
FAR_LEVEL = 10 ** (-12 / 20)
BRIGHT_DB = 8.0
FAN_DBFS = -42.0


def changes() -> dict[str, Change]:
    """Return every change by its name."""
    return {
        "another room": room,
        "further away": further_away,
        "telephone": telephone,
        "muffled": muffled,
        "another microphone": bright,
        "a fan": fan,
        "further away beside a fan": lambda samples, rng: fan(further_away(samples, rng), rng),
        "telephone beside a fan": lambda samples, rng: fan(telephone(samples, rng), rng),
        "muffled in another room": lambda samples, rng: muffled(room(samples, rng), rng),
    }


def room(samples: Samples, rng: np.random.Generator) -> Samples:
    """Add the echo of a living room."""
    return _echo(samples, DIRECT_OVER_ECHO_DB, rng)


def further_away(samples: Samples, rng: np.random.Generator) -> Samples:
    """Sit further from the microphone: more echo than direct sound, and less of both."""
    return _echo(samples, FAR_DIRECT_OVER_ECHO_DB, rng) * np.float32(FAR_LEVEL)


def telephone(samples: Samples, rng: np.random.Generator) -> Samples:
    """Keep a telephone's band, with a line's hiss."""
    band = signal.butter(4, TELEPHONE_HZ, "band", fs=SAMPLE_RATE_HZ, output="sos")
    hiss = rng.standard_normal(len(samples)) * 10 ** (-58 / 20)
    return np.asarray(signal.sosfilt(band, samples) + hiss, np.float32)


def muffled(samples: Samples, _: np.random.Generator) -> Samples:
    """Lay a hand on the microphone."""
    low = signal.butter(2, MUFFLED_HZ, "low", fs=SAMPLE_RATE_HZ, output="sos")
    return np.asarray(signal.sosfilt(low, samples), np.float32)


def bright(samples: Samples, _: np.random.Generator) -> Samples:
    """Change to a microphone with less bass and more treble."""
    gains = 10 ** (np.array([-BRIGHT_DB, 0.0, 0.0, BRIGHT_DB / 2, BRIGHT_DB]) / 20)
    taps = signal.firwin2(101, [0, 0.02, 0.1, 0.3, 1], gains)
    return np.asarray(np.convolve(samples, taps, "same"), np.float32)


def fan(samples: Samples, rng: np.random.Generator) -> Samples:
    """Switch a fan on: noise that falls by 3 dB an octave."""
    spectrum = np.fft.rfft(rng.standard_normal(len(samples)))
    spectrum /= np.sqrt(np.maximum(1, np.arange(len(spectrum))))
    noise = np.fft.irfft(spectrum, len(samples))
    noise *= 10 ** (FAN_DBFS / 20) / np.sqrt(np.mean(noise**2))
    return np.asarray(samples + noise, np.float32)


def _echo(samples: Samples, direct_over_echo_db: float, rng: np.random.Generator) -> Samples:
    times_s = np.arange(int(1.2 * DECAY_S * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    echo = rng.standard_normal(len(times_s)) * 10 ** (-3 * times_s / DECAY_S)
    echo[: int(0.003 * SAMPLE_RATE_HZ)] = 0  # nothing comes back from nearer than half a metre
    echo *= 10 ** (-direct_over_echo_db / 20) / np.sqrt(np.sum(echo**2))
    echo[0] = 1.0
    return np.asarray(signal.fftconvolve(samples, echo)[: len(samples)], np.float32)
