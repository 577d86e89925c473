"""Pure: what the stages left → figures of one answer.

A figure is measured, or absent with a reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from interview.v1 import (
    media_pb2,
    transcriber_pb2,
)
from orchestrator.outcomes import outcome_name
from orchestrator.result.answer_outputs import AnswerOutputs
from orchestrator.result.values import absent, mean
from orchestrator.result.verdicts import (
    NO_DATA,
    NOTHING_TO_SEE,
    PartVerdict,
    combined,
    observations,
    picture_verdict,
    sound_verdict,
    visual_score_percent,
)
from orchestrator.workflow import (
    NO_SPEECH,
    OK,
    TRANSCRIBE,
    VISION,
)

PAUSE_S = 0.5
"""A silence between two words from which on it counts as a pause. The original's limit."""
S_PER_MIN = 60.0
SPEECH_UNITS = {
    "speech_rate": "words_per_speaking_min",
    "speaking_ratio": "ratio",
    "speaking_time": "s",
    "pause_count": "count",
}
FACE_UNITS = {
    "face_ratio": "ratio",
    "eye_contact_ratio": "ratio",
    "looking_away_ratio": "ratio",
    "looking_down_ratio": "ratio",
    "looking_up_ratio": "ratio",
    "gaze_stability_ratio": "ratio",
    "blink_count": "count",
    "blink_rate": "per_min",
    "smile_intensity": "ratio",
    "smile_variation": "ratio",
    "brow_movement": "ratio",
    "head_movement": "deg",
}
"""What is said to be absent where nobody looked at the picture."""


@dataclass(frozen=True)
class Figure:
    """A measured value, or why there is none."""

    name: str
    value: float | None
    unit: str
    coverage_ratio: float | None = None
    outcome: str = OK
    reason: str = ""


@dataclass(frozen=True)
class AnswerFigures:
    """What follows from one answer's outputs."""

    speech: Mapping[str, Figure]
    vision: Mapping[str, Figure]
    picture: PartVerdict
    sound: PartVerdict
    visual_score_percent: float | None
    """Share of the recording in which something was observed in the picture."""
    coverage_percent: float | None
    """Mean coverage of the speech, face and eye figures. One that could not be measured counts 0."""
    indicators: Sequence[str] = field(default_factory=tuple)

    @property
    def verdict(self) -> str:
        """The verdict on picture and sound together."""
        return combined([self.picture.verdict, self.sound.verdict])

    @property
    def rests_on(self) -> Sequence[str]:
        """The parts that the verdict rests on: `picture`, `sound`. None where there is no verdict."""
        parts = {"picture": self.picture, "sound": self.sound}
        there = [name for name, part in parts.items() if part.verdict != NO_DATA]
        return there if self.verdict != NO_DATA else []

    @property
    def confidence_percent(self) -> float | None:
        """Mean of the parts that the verdict rests on, or None without a verdict."""
        parts = {"picture": self.picture, "sound": self.sound}
        return mean(parts[name].confidence_percent for name in self.rests_on)

    @property
    def outcome(self) -> str:
        """OK, or why there is no verdict."""
        return OK if self.verdict != NO_DATA else self._unseen.outcome

    @property
    def reason(self) -> str:
        """Why there is no verdict, in a sentence. Empty where there is one."""
        if self.verdict != NO_DATA:
            return ""
        missing = [
            f"{name}: {part.reason}"
            for name, part in (("Picture", self.picture), ("Sound", self.sound))
            if part.verdict == NO_DATA
        ]
        return " ".join(missing)

    @property
    def _unseen(self) -> PartVerdict:
        return self.picture if self.picture.verdict == NO_DATA else self.sound


def figures_of(outputs: AnswerOutputs) -> AnswerFigures:
    """Work out one answer's figures."""
    speech, vision = speech_figures(outputs), vision_figures(outputs)
    return AnswerFigures(
        speech=speech,
        vision=vision,
        picture=picture_verdict(outputs),
        sound=sound_verdict(outputs),
        visual_score_percent=visual_score_percent(outputs),
        coverage_percent=_coverage([*speech.values(), *vision.values()]),
        indicators=[
            observation.reason or observation.kind
            for observation in observations(outputs)
            if observation.kind != NOTHING_TO_SEE
        ],
    )


def speech_figures(outputs: AnswerOutputs) -> dict[str, Figure]:
    """Measure how much, how fast and with how many pauses was spoken, in the language that was spoken."""
    transcript = outputs.transcript
    duration_s = outputs.extraction.duration_s if outputs.extraction else None
    record = outputs.records[TRANSCRIBE]
    words = _words(transcript)
    if transcript is None or duration_s is None or not words:
        outcome = record.outcome if record.outcome != OK else NO_SPEECH
        reason = record.message or "Nobody speaks in the recording."
        return _unmeasured(SPEECH_UNITS, outcome, reason)
    speaking_s = transcript.speech_s or sum(word.end_s - word.start_s for word in words)
    pauses = [later.start_s - word.end_s for word, later in pairwise(words)]
    trusted = 1.0 - min(1.0, transcript.uncovered_speech_s / speaking_s) if speaking_s else 0.0
    measured = {
        "speech_rate": (len(words) / (speaking_s / S_PER_MIN), trusted),
        "speaking_ratio": (min(1.0, speaking_s / duration_s), 1.0),
        "speaking_time": (speaking_s, 1.0),
        "pause_count": (float(sum(pause >= PAUSE_S for pause in pauses)), trusted),
    }
    return {
        name: Figure(name, value, SPEECH_UNITS[name], coverage)
        for name, (value, coverage) in measured.items()
    }


def vision_figures(outputs: AnswerOutputs) -> dict[str, Figure]:
    """Return what the vision stage measured. Where nobody looked, say so of each usual measure."""
    if outputs.vision is None:
        record = outputs.records[VISION]
        return _unmeasured(FACE_UNITS, absent(record.outcome), record.message or "Nobody looked at it.")
    return {measure.name: to_figure(measure) for measure in outputs.vision.measures}


def _unmeasured(units: Mapping[str, str], outcome: str, reason: str) -> dict[str, Figure]:
    return {name: Figure(name, None, unit, outcome=outcome, reason=reason) for name, unit in units.items()}


def to_figure(measure: media_pb2.Measure) -> Figure:
    """Return what a stage measured."""
    return Figure(
        measure.name,
        measure.value if measure.HasField("value") else None,
        measure.unit,
        measure.coverage_ratio if measure.HasField("coverage_ratio") else None,
        outcome_name(measure.outcome),
        measure.reason,
    )


def _words(transcript: transcriber_pb2.Transcript | None) -> list[media_pb2.Word]:
    """Return the words of segments that nothing speaks against."""
    if transcript is None:
        return []
    return [word for segment in transcript.segments if not segment.flags for word in segment.words]


def _coverage(figures: Sequence[Figure]) -> float | None:
    if not figures:
        return None
    covered = [
        (1.0 if figure.coverage_ratio is None else figure.coverage_ratio) if figure.value is not None else 0.0
        for figure in figures
    ]
    return 100 * sum(covered) / len(covered)
