"""Says how many voices speak in a recording, and when. It identifies nobody.

Voice activity → windows → embeddings → groups → turns. The worst error is a second voice that nobody
spoke, so one is reported only from `REPORT_PROBABILITY` on.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from chassis.decoding.decoder import Decoder
from chassis.model_info import ModelInfo
from services.speaker.audio import SAMPLE_RATE_HZ, Sound, load_sound, raise_if_stopped
from services.speaker.clustering import MIN_VOICE_S, Projection, cluster
from services.speaker.embedding import Embeddings, WindowEncoder
from services.speaker.observations import MIN_SOUND_S, Diarization, diarization, nobody, too_little, total_s
from services.speaker.surroundings import Surroundings
from services.speaker.voice_activity import (
    MIN_SURE_SPEECH_S,
    Probabilities,
    SpeechModel,
    block_count,
    levelled_blocks,
    speech_stretches,
    sure_speech_s,
)
from services.speaker.weights import EMBEDDING_SIZE
from services.speaker.windows import Windows, seconds_of, windows_of

DEFAULT_MAX_DURATION_S = 5400.0
"""90 min. Without a pause they take 1.0 GB: samples, spectrogram, and distances of all pairs of windows."""

DECODED_RATIO = 0.03
HEARD_RATIO = 0.30
"""Share of the work that is done after decoding, and after voice activity (measured)."""


@dataclass(frozen=True)
class Progress:
    """How far the work has come."""

    done_ratio: float
    total_s: float

    @property
    def done_s(self) -> float:
        """Seconds of the recording that the work done so far stands for."""
        return self.done_ratio * self.total_s


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

        Raises:
            InvalidInputError: The recording can't be decoded (`MEDIA_UNDECODABLE`, `MEDIA_TOO_COMPLEX`,
                `MEDIA_DECODER_FAILED`) or is too long (`MEDIA_TOO_LONG`).
            CancelledCallError: `stop` was set (`CANCELLED`).
        """
        sound = load_sound(recording, self._max_duration_s, stop, self._decoder)
        if sound is None:
            yield Diarization("NO_AUDIO", "The recording has a picture but no sound track.")
            return
        probabilities = yield from self._listen(sound, stop)
        if sound.duration_s < MIN_SOUND_S or sure_speech_s(probabilities) < MIN_SURE_SPEECH_S:
            yield nobody(sound)
            return
        stretches = speech_stretches(probabilities, sound.duration_s)
        windows = windows_of(stretches)
        if len(windows) == 0 or total_s(stretches) < MIN_VOICE_S:
            yield too_little(sound, stretches)
            return
        embeddings = yield from self._embed(sound, windows, stop)
        seconds = seconds_of(windows, stretches)
        surroundings = Surroundings(sound.samples, probabilities, windows, seconds)
        clustering = cluster(self._projection.apply(embeddings), seconds, surroundings.change_between)
        yield diarization(sound, stretches, windows, clustering)

    def _listen(self, sound: Sound, stop: threading.Event) -> Generator[Progress, None, Probabilities]:
        found: list[Probabilities] = []
        total = max(1, block_count(sound.samples))
        for probabilities in self._speech_model.probabilities(levelled_blocks(sound.samples)):
            raise_if_stopped(stop)
            found.append(probabilities)
            yield Progress(
                DECODED_RATIO + (HEARD_RATIO - DECODED_RATIO) * len(found) / total, sound.duration_s
            )
        return np.concatenate([*found, np.zeros(0, np.float32)])

    def _embed(
        self, sound: Sound, windows: Windows, stop: threading.Event
    ) -> Generator[Progress, None, Embeddings]:
        embeddings = np.zeros((len(windows), EMBEDDING_SIZE), np.float32)
        done = 0
        for batch, vectors in self._encoder.embed(sound.samples, windows):
            raise_if_stopped(stop)
            embeddings[batch] = vectors
            done += len(batch)
            yield Progress(HEARD_RATIO + (1 - HEARD_RATIO) * done / len(windows), sound.duration_s)
        return embeddings

    def warm_up(self) -> None:
        """Run both models once on a second of silence, so that the first request is as fast as others."""
        samples = np.zeros(SAMPLE_RATE_HZ, np.float32)
        list(self._speech_model.probabilities(levelled_blocks(samples)))
        list(self._encoder.embed(samples, np.array([[0.0, 1.0]])))
