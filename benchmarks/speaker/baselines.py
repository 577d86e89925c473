"""The ways of finding voices that are compared, on the same weights, each in our own words.

The design document's: 0.5 s windows, one call of the network each, DBSCAN. The original code's: Resemblyzer's
partials (1.6 s, 1.3 a second, over everything) in batches, groups of 2 to 5 by silhouette.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import DBSCAN, AgglomerativeClustering
from sklearn.metrics import silhouette_score

from chassis.errors import InterviewError
from chassis.models import locate
from chassis.playback.loading import load_sound
from chassis.settings import default_models_dir
from services.speaker.__main__ import build_diarizer
from services.speaker.audio import SAMPLE_RATE_HZ, Samples
from services.speaker.embedding import BATCH_WINDOWS, FRAMES_PER_S, Spectrogram, VoiceEncoder
from services.speaker.engine import Diarizer
from services.speaker.observations import Diarization
from services.speaker.settings import SpeakerSettings
from services.speaker.turns import Turn

OURS, DESIGN, ORIGINAL = "ours", "design document", "Resemblyzer's partials"
MAX_DURATION_S = 5400.0
LEVEL_MEAN_SQUARE = 10 ** (-30 / 10)
"""Resemblyzer brings a recording up to -30 dBFS before its spectrogram, and never down."""
NETWORK_FRAMES = 160
"""What Resemblyzer pads a shorter utterance to."""
DESIGN_WINDOW_S = 0.5
DESIGN_EPS, DESIGN_MIN_SAMPLES = 0.3, 10
"""The design document's DBSCAN, on cosine distances."""
PARTIALS_PER_S = 1.3
ORIGINAL_MOST_VOICES = 5
ORIGINAL_LEAST_SILHOUETTE = 0.2


@dataclass(frozen=True)
class Found:
    """What a way found in a recording."""

    voice_count: int
    turns: tuple[Turn, ...]
    second_voice: bool
    """Whether it says that a second voice speaks."""


Way = Callable[[Path], Found]


def ways() -> dict[str, Way]:
    """Load the models, and return every way."""
    settings = SpeakerSettings()
    diarizer = build_diarizer(settings)
    diarizer.warm_up()
    encoder = VoiceEncoder(locate(settings.model, default_models_dir()).path)
    return {
        OURS: lambda path: _ours(diarizer, path),
        DESIGN: lambda path: design_voices(encoder, path),
        ORIGINAL: lambda path: _original(encoder, path),
    }


def _ours(diarizer: Diarizer, path: Path) -> Found:
    *_, last = diarizer.diarize(path, threading.Event())
    if not isinstance(last, Diarization):
        raise TypeError("the diarization must come last")
    return Found(last.voice_count or 0, last.turns, bool(last.observations))


def design_voices(encoder: VoiceEncoder, path: Path) -> Found:
    """Find voices as the design document does."""
    samples = _levelled(path)
    starts_s = np.arange(0.0, len(samples) / SAMPLE_RATE_HZ - DESIGN_WINDOW_S, DESIGN_WINDOW_S)
    vectors = np.array([_alone(encoder, samples, start_s) for start_s in starts_s]).reshape(-1, 256)
    labels = _dbscan(vectors)
    # Noise (-1) is counted as the first voice, as its `max(1, ...)` does.
    return _found(np.maximum(labels, 0), starts_s, DESIGN_WINDOW_S)


def _alone(encoder: VoiceEncoder, samples: Samples, start_s: float) -> NDArray[np.float32]:
    """Embed one window with a spectrogram of its own, padded with silence."""
    first = int(start_s * SAMPLE_RATE_HZ)
    own = samples[first : first + int(DESIGN_WINDOW_S * SAMPLE_RATE_HZ)]
    mels = Spectrogram(own).frames(0, NETWORK_FRAMES)
    vector: NDArray[np.float32] = encoder(mels[None])[0]
    return vector


def _dbscan(vectors: NDArray[np.float32]) -> NDArray[np.intp]:
    if not len(vectors):
        return np.zeros(0, np.intp)
    groups = DBSCAN(eps=DESIGN_EPS, min_samples=DESIGN_MIN_SAMPLES, metric="cosine").fit_predict(vectors)
    return np.asarray(groups, np.intp)


def _original(encoder: VoiceEncoder, path: Path) -> Found:
    samples = _levelled(path)
    spectrogram = Spectrogram(samples)
    frame_count = len(samples) * FRAMES_PER_S // SAMPLE_RATE_HZ
    step = round(FRAMES_PER_S / PARTIALS_PER_S)
    firsts = np.arange(0, max(1, frame_count - NETWORK_FRAMES + 1), step)
    vectors = np.concatenate(list(_in_batches(encoder, spectrogram, firsts)))
    return _found(_silhouette(vectors), firsts / FRAMES_PER_S, step / FRAMES_PER_S)


def _in_batches(
    encoder: VoiceEncoder, spectrogram: Spectrogram, firsts: NDArray[np.intp]
) -> Iterator[NDArray[np.float32]]:
    for start in range(0, len(firsts), BATCH_WINDOWS):
        batch = firsts[start : start + BATCH_WINDOWS]
        mels = np.stack([spectrogram.frames(int(first), NETWORK_FRAMES) for first in batch])
        yield encoder(mels)


def _silhouette(vectors: NDArray[np.float32]) -> NDArray[np.intp]:
    best, labels = ORIGINAL_LEAST_SILHOUETTE, np.zeros(len(vectors), np.intp)
    for count in range(2, min(ORIGINAL_MOST_VOICES, len(vectors) - 1) + 1):
        groups = AgglomerativeClustering(count, linkage="average").fit_predict(vectors)
        score = silhouette_score(vectors, groups)
        if score > best:
            best, labels = score, groups
    return np.asarray(labels, np.intp)


def _found(labels: NDArray[np.intp], starts_s: NDArray[np.float64], step_s: float) -> Found:
    """Number groups by their size, and make a turn of every window."""
    names, sizes = np.unique(labels, return_counts=True)
    rank = {int(name): place for place, name in enumerate(names[np.argsort(-sizes, kind="stable")])}
    turns = tuple(
        Turn(float(start_s), float(start_s) + step_s, rank[int(label)], 1.0)
        for start_s, label in zip(starts_s, labels, strict=True)
    )
    return Found(max(1, len(names)), turns, len(names) > 1)


def _levelled(path: Path) -> Samples:
    sound = load_sound(path, MAX_DURATION_S, threading.Event())
    if sound is None:
        raise InterviewError("The recording has no sound.", reason="MEDIA_NO_AUDIO")
    mean_square = float(np.mean(np.square(sound.samples, dtype=np.float64))) + 1e-12
    gain = max(1.0, float(np.sqrt(LEVEL_MEAN_SQUARE / mean_square)))
    return np.asarray(sound.samples * np.float32(gain))
