"""Says how many voices speak in a recording, and when. It identifies nobody.

Voice activity → windows → embeddings → groups → turns. The worst error is a second voice that nobody
spoke, so one is reported only from `REPORT_PROBABILITY` on.
A recording may still grow: see `listening`.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from chassis.decoding.decoder import Decoder
from chassis.growing import is_growing
from chassis.model_info import ModelInfo
from services.speaker.audio import SAMPLE_RATE_HZ, ArrivingSound
from services.speaker.clustering import MIN_VOICE_S, Projection, cluster
from services.speaker.embedding import Embeddings, WindowEncoder
from services.speaker.listening import Listening
from services.speaker.observations import (
    MIN_SOUND_S,
    Diarization,
    SoundFacts,
    diarization,
    nobody,
    too_little,
    total_s,
)
from services.speaker.surroundings import Surroundings
from services.speaker.voice_activity import (
    FRAME_SAMPLES,
    MIN_SURE_SPEECH_S,
    Probabilities,
    SpeechModel,
    levelled_blocks,
    speech_stretches,
    sure_speech_s,
)
from services.speaker.windows import Windows, seconds_of, windows_of

T = TypeVar("T")

DEFAULT_MAX_DURATION_S = 5400.0
"""90 min. What takes memory is two bytes a sample, and then the distances of all pairs of windows."""

DECODED_RATIO = 0.03
HEARD_RATIO = 0.30
"""Share of the work that is done after decoding, and after voice activity (measured)."""


@dataclass(frozen=True)
class Progress:
    """How far the work has come."""

    done_s: float
    """Seconds of the recording that the work done so far stands for."""
    total_s: float | None = None
    """Length of the recording. None while it grows."""
    done_ratio: float | None = None
    """Share of the work that is done. None while the recording grows."""


class Diarizer:
    """Listens to recordings, one at a time or several in threads beside each other.

    Args:
        speech_model: Finds speech.
        encoder: Embeds windows of speech.
        projection: Keeps what tells voices apart.
        model: What the encoder's weights are called.
        max_duration_s: Longest sound track that is accepted. Memory grows with it.
        decoder: Decodes sound. None: a child process a recording.
    """

    def __init__(
        self,
        speech_model: SpeechModel,
        encoder: WindowEncoder,
        projection: Projection,
        model: ModelInfo,
        max_duration_s: float = DEFAULT_MAX_DURATION_S,
        decoder: Decoder | None = None,
    ) -> None:
        self.model = model
        self._speech_model = speech_model
        self._encoder = encoder
        self._projection = projection
        self._max_duration_s = max_duration_s
        self._decoder = decoder

    def diarize(self, recording: Path, stop: threading.Event) -> Iterator[Progress | Diarization]:
        """Yield progress, and the diarization last.

        Args:
            recording: The file. It may still grow: what has arrived is listened to while the rest comes.
            stop: Set when the caller gave up.

        Raises:
            InvalidInputError: The recording can't be decoded (`MEDIA_UNDECODABLE`, `MEDIA_TOO_COMPLEX`,
                `MEDIA_DECODER_FAILED`) or is too long (`MEDIA_TOO_LONG`).
            CancelledCallError: `stop` was set (`CANCELLED`).
        """
        listening = Listening(self._speech_model, self._encoder, stop)
        arriving = ArrivingSound(recording, self._max_duration_s, stop, self._decoder)
        for block in arriving.raw_blocks():
            if block is None:
                listening.forget()
                continue
            listening.add(block)
            if is_growing(recording):
                yield from map(Progress, listening.work_ahead())
        if not arriving.has_sound:
            yield Diarization("NO_AUDIO", "The recording has a picture but no sound track.")
            return
        facts = SoundFacts(listening.sound.duration_s, arriving.warnings)
        yield from _told(listening, facts, self._projection)

    def warm_up(self) -> None:
        """Run both models once on a second of silence, so that the first request is as fast as others."""
        samples = np.zeros(SAMPLE_RATE_HZ, np.float32)
        list(self._speech_model.probabilities(levelled_blocks(samples, 0)))
        list(self._encoder.embed(samples, np.array([[0.0, 1.0]])))


def _told(
    listening: Listening, facts: SoundFacts, projection: Projection
) -> Iterator[Progress | Diarization]:
    """Go through a recording that is whole: what was found out early is used where it still holds."""
    probabilities = yield from _heard(listening, facts)
    if facts.duration_s < MIN_SOUND_S or sure_speech_s(probabilities) < MIN_SURE_SPEECH_S:
        yield nobody(facts)
        return
    stretches = speech_stretches(probabilities, facts.duration_s)
    windows = windows_of(stretches)
    if len(windows) == 0 or total_s(stretches) < MIN_VOICE_S:
        yield too_little(facts, stretches)
        return
    embeddings = yield from _embedded(listening, windows, facts)
    seconds = seconds_of(windows, stretches)
    surroundings = Surroundings(listening.samples, probabilities, windows, seconds)
    listening.forget()  # comparing all pairs of windows takes as much memory as the sound did
    clustering = cluster(projection.apply(embeddings), seconds, surroundings.change_between)
    yield diarization(facts, stretches, windows, clustering)


def _heard(listening: Listening, facts: SoundFacts) -> Generator[Progress, None, Probabilities]:
    frame_count = max(1, -(-len(listening.sound) // FRAME_SAMPLES))
    hearing = listening.probabilities()
    return (yield from _progress(hearing, frame_count, DECODED_RATIO, HEARD_RATIO, facts.duration_s))


def _embedded(
    listening: Listening, windows: Windows, facts: SoundFacts
) -> Generator[Progress, None, Embeddings]:
    embedding = listening.embeddings(windows)
    return (yield from _progress(embedding, len(windows), HEARD_RATIO, 1.0, facts.duration_s))


def _progress(
    steps: Generator[int, None, T], total: int, from_ratio: float, to_ratio: float, total_s: float
) -> Generator[Progress, None, T]:
    """Turn steps of a part of the work into progress of the whole."""
    while True:
        try:
            done = next(steps)
        except StopIteration as end:
            found: T = end.value
            return found
        ratio = from_ratio + (to_ratio - from_ratio) * done / total
        yield Progress(ratio * total_s, total_s, ratio)
