"""What a recording's voices amount to: the reply's content, from turns and probabilities.

Pure functions. No embedding gets here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from chassis.playback.recording_warnings import RecordingWarning
from services.speaker.clustering import MIN_VOICE_S, Clustering
from services.speaker.surroundings import Change
from services.speaker.turns import Turn, Voice, other_voice_stretches, turns_of, voices_of
from services.speaker.voice_activity import SpeechStretch
from services.speaker.windows import Windows

REPORT_PROBABILITY = 0.70
"""A second voice is reported from here on: 1 false one among 194 recordings of single speakers."""
UNCLEAR_PROBABILITY = 0.50
"""Between this and `REPORT_PROBABILITY` a reader is told that it is unclear. It is never an observation."""
COSINE_DIGITS = 3
MIN_SOUND_S = 0.5
"""A shorter sound track holds no speech that could be told from a click."""

Outcome = Literal["OK", "INSUFFICIENT_EVIDENCE", "NO_SPEECH", "NO_AUDIO"]


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
    margin_similarity: float | None = None
    speech_s: float = 0.0
    duration_s: float = 0.0
    observations: tuple[Observation, ...] = ()
    warnings: tuple[str, ...] = ()
    recording_warnings: tuple[RecordingWarning, ...] = ()


@dataclass(frozen=True)
class SoundFacts:
    """What is told about a recording's sound itself."""

    duration_s: float
    warnings: tuple[RecordingWarning, ...] = ()


def total_s(stretches: Sequence[SpeechStretch]) -> float:
    """Return the seconds of speech."""
    return round(sum(stretch.duration_s for stretch in stretches), 3)


def nobody(sound: SoundFacts) -> Diarization:
    """Say that nobody speaks."""
    return Diarization(
        "NO_SPEECH",
        "Nobody speaks."
        if sound.duration_s >= MIN_SOUND_S
        else f"The sound track is shorter than {MIN_SOUND_S:g} s, too short to hold speech.",
        voice_count=0,
        duration_s=sound.duration_s,
        recording_warnings=sound.warnings,
    )


def too_little(sound: SoundFacts, stretches: Sequence[SpeechStretch]) -> Diarization:
    """Say that there is too little speech to tell voices."""
    speech_s = total_s(stretches)
    return Diarization(
        "INSUFFICIENT_EVIDENCE",
        f"Only {speech_s:.1f} s of speech were found. Telling voices needs at least {MIN_VOICE_S:g} s "
        "in stretches of half a second or more.",
        speech_s=speech_s,
        duration_s=sound.duration_s,
        recording_warnings=sound.warnings,
    )


def diarization(
    sound: SoundFacts, stretches: Sequence[SpeechStretch], windows: Windows, clustering: Clustering
) -> Diarization:
    """Say how many voices speak, and when."""
    turns = turns_of(stretches, windows, clustering)
    voices = voices_of(turns, clustering.voice_count)
    speech_s = total_s(stretches)
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
        margin_similarity=None
        if clustering.margin_similarity is None
        else round(clustering.margin_similarity, COSINE_DIGITS),
        speech_s=speech_s,
        duration_s=sound.duration_s,
        observations=_observations(turns, voices, probability),
        warnings=(
            *_changes(clustering.decision_change),
            *_doubts(clustering.voice_count, probability),
        ),
        recording_warnings=sound.warnings,
    )


def _observations(
    turns: Sequence[Turn], voices: Sequence[Voice], probability: float | None
) -> tuple[Observation, ...]:
    if probability is None or probability < REPORT_PROBABILITY:
        return ()
    others_s = sum(voice.speech_s for voice in voices[1:])
    reason = (
        f"This stretch sounds unlike the voice that speaks most (probability {probability:.2f} that a second "
        f"voice speaks, {others_s:.1f} s of it in all). It does not tell who speaks or why. A change of room "
        "or microphone can sound alike."
    )
    return tuple(
        Observation(stretch.start_s, stretch.end_s, probability, reason)
        for stretch in other_voice_stretches(turns)
    )


def _doubts(voice_count: int, probability: float | None) -> tuple[str, ...]:
    if probability is None:
        needed_s = 2 * MIN_VOICE_S
        return (f"With less than {needed_s:g} s of speech a second voice can't be told from the first.",)
    reported = voice_count > 1 and probability >= REPORT_PROBABILITY
    if reported or probability < UNCLEAR_PROBABILITY:
        return ()
    said = f"probability {probability:.2f}, reported from {REPORT_PROBABILITY:.2f} on"
    return (f"It is unclear whether a second voice speaks ({said}). It is not reported as an observation.",)


def _changes(change: Change | None) -> tuple[str, ...]:
    if change is None or not change.is_plain:
        return ()
    sentence = (
        f"At about {change.time_s:.0f} s the recording itself sounds different, also while nobody speaks. "
        "It may be another room, microphone or noise. One voice may sound like two across it. "
        "This is allowed for."
    )
    return (sentence,)
