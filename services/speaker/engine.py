"""Says how many voices speak in a recording, and when. It identifies nobody.

Voice activity → windows → embeddings → groups → turns. The worst error is a second voice that nobody
spoke, so one is reported only from `REPORT_PROBABILITY` on.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from services.speaker.audio import SAMPLE_RATE_HZ, Sound, load_sound, raise_if_stopped
from services.speaker.clustering import MIN_VOICE_S, Clustering, Projection, cluster
from services.speaker.embedding import EMBEDDING_SIZE, Embeddings, WindowEncoder
from services.speaker.turns import Turn, Voice, other_voice_stretches, turns_of, voices_of
from services.speaker.voice_activity import (
    MIN_SURE_SPEECH_S,
    Probabilities,
    SpeechModel,
    SpeechStretch,
    block_count,
    levelled_blocks,
    speech_stretches,
    sure_speech_s,
)
from services.speaker.windows import Windows, seconds_of, windows_of

REPORT_PROBABILITY = 0.70
"""A second voice is reported from here on: 1 false one among 194 recordings of single speakers."""
UNCLEAR_PROBABILITY = 0.50
"""Between this and `REPORT_PROBABILITY` a reader is told that it is unclear; never a finding."""
MIN_SOUND_S = 0.5
"""A shorter sound track holds no speech that could be told from a click."""
DEFAULT_MAX_DURATION_S = 5400.0

DECODED_RATIO = 0.05
HEARD_RATIO = 0.50
"""Share of the work that is done after decoding, and after voice activity (measured)."""

Outcome = Literal["OK", "INSUFFICIENT_EVIDENCE", "NO_SPEECH", "NO_AUDIO"]


@dataclass(frozen=True)
class Progress:
    """How far the work has come."""

    done_ratio: float
    total_s: float

    @property
    def done_s(self) -> float:
        """Seconds of the recording that the work done so far stands for."""
        return self.done_ratio * self.total_s


@dataclass(frozen=True)
class Observation:
    """A stretch in which another voice than voice 0 speaks."""

    start_s: float
    end_s: float
    probability: float
    """That a second voice speaks in the recording."""
    reason: str


@dataclass(frozen=True)
class Diarization:
    """How many voices speak, and when. Holds no embedding."""

    outcome: Outcome
    reason: str = ""
    voice_count: int | None = None
    voices: tuple[Voice, ...] = ()
    turns: tuple[Turn, ...] = ()
    second_voice_probability: float | None = None
    decision_similarity: float | None = None
    speech_s: float = 0.0
    duration_s: float = 0.0
    observations: tuple[Observation, ...] = ()
    warnings: tuple[str, ...] = field(default=())


class Diarizer:
    """Listens to recordings, one at a time or several in threads beside each other.

    Args:
        speech_model: Finds speech.
        encoder: Embeds windows of speech.
        projection: Keeps what tells voices apart.
        max_duration_s: Longest sound track that is accepted; memory grows with it.
    """

    def __init__(
        self,
        speech_model: SpeechModel,
        encoder: WindowEncoder,
        projection: Projection,
        max_duration_s: float = DEFAULT_MAX_DURATION_S,
    ) -> None:
        self._speech_model = speech_model
        self._encoder = encoder
        self._projection = projection
        self._max_duration_s = max_duration_s

    def diarize(self, recording: Path, stop: threading.Event) -> Iterator[Progress | Diarization]:
        """Yield progress, and the diarization last.

        Raises:
            InvalidInputError: The recording can't be decoded (`MEDIA_UNDECODABLE`) or is too long
                (`MEDIA_TOO_LONG`).
            CancelledCallError: `stop` was set (`CANCELLED`).
        """
        sound = load_sound(recording, self._max_duration_s, stop)
        if sound is None:
            yield Diarization("NO_AUDIO", "The recording has a picture but no sound track.")
            return
        probabilities = yield from self._listen(sound, stop)
        if sound.duration_s < MIN_SOUND_S or sure_speech_s(probabilities) < MIN_SURE_SPEECH_S:
            yield _nobody(sound)
            return
        stretches = speech_stretches(probabilities, sound.duration_s)
        windows = windows_of(stretches)
        if len(windows) == 0 or _speech_s(stretches) < MIN_VOICE_S:
            yield _too_little(sound, stretches)
            return
        embeddings = yield from self._embed(sound, windows, stop)
        clustering = cluster(self._projection.apply(embeddings), seconds_of(windows, stretches))
        yield _diarization(sound, stretches, windows, clustering)

    def _listen(self, sound: Sound, stop: threading.Event) -> Generator[Progress, None, Probabilities]:
        found: list[Probabilities] = []
        total = max(1, block_count(sound.samples))
        for probabilities in self._speech_model.probabilities(levelled_blocks(sound.samples)):
            raise_if_stopped(stop)
            found.append(probabilities)
            yield Progress(DECODED_RATIO + (HEARD_RATIO - DECODED_RATIO) * len(found) / total, sound.duration_s)
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


def _speech_s(stretches: Sequence[SpeechStretch]) -> float:
    return round(sum(stretch.duration_s for stretch in stretches), 3)


def _nobody(sound: Sound) -> Diarization:
    return Diarization(
        "NO_SPEECH",
        "Nobody speaks."
        if sound.duration_s >= MIN_SOUND_S
        else f"The sound track is shorter than {MIN_SOUND_S:g} s, too short to hold speech.",
        voice_count=0,
        duration_s=sound.duration_s,
        warnings=_damage(sound),
    )


def _too_little(sound: Sound, stretches: Sequence[SpeechStretch]) -> Diarization:
    speech_s = _speech_s(stretches)
    return Diarization(
        "INSUFFICIENT_EVIDENCE",
        f"Only {speech_s:.1f} s of speech were found; telling voices needs at least {MIN_VOICE_S:g} s "
        "in stretches of half a second or more.",
        speech_s=speech_s,
        duration_s=sound.duration_s,
        warnings=_damage(sound),
    )


def _diarization(
    sound: Sound, stretches: Sequence[SpeechStretch], windows: Windows, clustering: Clustering
) -> Diarization:
    turns = turns_of(stretches, windows, clustering)
    voices = voices_of(turns, clustering.voice_count)
    speech_s = _speech_s(stretches)
    # Two voices need `MIN_VOICE_S` each; with less speech there is no saying that one is alone.
    tellable = speech_s >= 2 * MIN_VOICE_S
    probability = clustering.second_voice_probability if tellable else None
    return Diarization(
        "OK",
        voice_count=clustering.voice_count,
        voices=voices,
        turns=turns,
        second_voice_probability=probability,
        decision_similarity=clustering.decision_similarity,
        speech_s=speech_s,
        duration_s=sound.duration_s,
        observations=_observations(turns, voices, probability),
        warnings=(*_damage(sound), *_doubts(clustering.voice_count, probability)),
    )


def _observations(
    turns: Sequence[Turn], voices: Sequence[Voice], probability: float | None
) -> tuple[Observation, ...]:
    if probability is None or probability < REPORT_PROBABILITY:
        return ()
    others_s = sum(voice.speech_s for voice in voices[1:])
    reason = (
        f"This stretch sounds unlike the voice that speaks most (probability {probability:.2f} that a second "
        f"voice speaks, {others_s:.1f} s of it in all); it does not tell who speaks or why, and a change of "
        "room or microphone can sound alike."
    )
    return tuple(
        Observation(stretch.start_s, stretch.end_s, probability, reason)
        for stretch in other_voice_stretches(turns)
    )


def _doubts(voice_count: int, probability: float | None) -> tuple[str, ...]:
    if probability is None:
        return (
            f"There is less than {2 * MIN_VOICE_S:g} s of speech, so a second voice could not be told "
            "from the first.",
        )
    reported = voice_count > 1 and probability >= REPORT_PROBABILITY
    if reported or probability < UNCLEAR_PROBABILITY:
        return ()
    return (
        f"It is unclear whether a second voice speaks (probability {probability:.2f}, reported from "
        f"{REPORT_PROBABILITY:.2f} on); this is not a finding.",
    )


def _damage(sound: Sound) -> tuple[str, ...]:
    if not sound.damaged_packet_count:
        return ()
    return (
        f"{sound.damaged_packet_count} damaged packets of sound were left out; times after them may be early.",
    )
