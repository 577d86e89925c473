"""The transcriber's real weights, and sounds without a voice."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from chassis.models import locate
from services.transcriber.audio import SAMPLE_RATE_HZ, Samples
from services.transcriber.engine import Transcriber
from services.transcriber.first_pass import FirstPass
from services.transcriber.speech import SileroDetector
from services.transcriber.whisper import WhisperSpeechModel


def loaded(name: str, models_dir: Path) -> Transcriber:
    """The model as the service runs it on a CPU."""
    model = WhisperSpeechModel(locate(name, models_dir).folder, device="cpu", first_pass=FirstPass())
    model.warm_up()
    return Transcriber(model, SileroDetector())


def noise(kind: str, duration_s: float = 20.0) -> Samples:
    """Sound in which nobody speaks."""
    rng = np.random.default_rng(1)
    count = round(duration_s * SAMPLE_RATE_HZ)
    times_s = np.arange(count) / SAMPLE_RATE_HZ
    match kind:
        case "silence":
            samples = np.zeros(count)
        case "white":
            samples = rng.standard_normal(count) * 0.1
        case "faint white":
            samples = rng.standard_normal(count) * 0.001
        case "pink":
            spectrum = np.fft.rfft(rng.standard_normal(count)) / np.sqrt(
                np.maximum(1, np.arange(count // 2 + 1))
            )
            samples = np.fft.irfft(spectrum, count)
            samples *= 0.5 / np.abs(samples).max()
        case "hum":
            samples = (
                sum((np.sin(2 * np.pi * 50 * k * times_s) / k for k in (1, 2, 3, 5)), np.zeros(count)) * 0.2
            )
        case "clicks":
            samples = np.zeros(count)
            for at in rng.integers(0, count - 400, round(5 * duration_s)):
                samples[at : at + 400] += rng.standard_normal(400) * np.exp(-np.arange(400) / 60) * 0.5
        case "chords":
            decay = np.exp(-(times_s % 0.5) * 4)
            samples = (
                sum((np.sin(2 * np.pi * f * times_s) for f in (220, 277, 330)), np.zeros(count)) * decay / 4
            )
        case "melody":
            notes_hz = np.repeat(rng.choice([262, 294, 330, 392, 440], 1 + count // 8000), 8000)[:count]
            samples = 0.3 * np.sin(2 * np.pi * np.cumsum(notes_hz) / SAMPLE_RATE_HZ)
        case "breathing":  # broadband noise that swells and fades 15 times a minute
            breath = np.maximum(0.0, np.sin(2 * np.pi * 0.25 * times_s)) ** 2
            samples = np.convolve(rng.standard_normal(count), np.ones(8) / 8, "same") * breath * 0.2
        case _:
            raise ValueError(kind)
    return samples.astype(np.float32)
