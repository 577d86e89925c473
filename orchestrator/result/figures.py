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
from orchestrator.result.values import mean
from orchestrator.result.verdicts import (
    audio_confidence_percent,
    audio_verdict,
    observations,
    visual_confidence_percent,
    visual_score_percent,
    visual_verdict,
    worst,
)
from orchestrator.workflow import (
    NO_SPEECH,
    OK,
    TRANSCRIBE,
)

PAUSE_S = 0.5
"""A silence between two words from which on it counts as a pause; the original's limit."""
S_PER_MIN = 60.0


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
    visual_verdict: str
    audio_verdict: str
    visual_score_percent: float | None
    """Share of the time in which something was observed in the picture."""
    visual_confidence_percent: float | None
    """Share of the looked-at frames that show a face: how far the picture can be relied on."""
    audio_confidence_percent: float | None
    """Probability of what was decided about one voice or more."""
    coverage_percent: float | None
    """Mean coverage of the speech, face and eye figures; one that could not be measured counts 0."""
    indicators: Sequence[str] = field(default_factory=tuple)

    @property
    def verdict(self) -> str:
        """The worse of picture and sound."""
        return worst([self.visual_verdict, self.audio_verdict])

    @property
    def confidence_percent(self) -> float | None:
        """Mean of picture and sound, of those that there are."""
        return mean([self.visual_confidence_percent, self.audio_confidence_percent])


def figures_of(outputs: AnswerOutputs) -> AnswerFigures:
    """Work out one answer's figures."""
    speech, vision = speech_figures(outputs), vision_figures(outputs)
    return AnswerFigures(
        speech=speech,
        vision=vision,
        visual_verdict=visual_verdict(outputs),
        audio_verdict=audio_verdict(outputs),
        visual_score_percent=visual_score_percent(outputs),
        visual_confidence_percent=visual_confidence_percent(outputs),
        audio_confidence_percent=audio_confidence_percent(outputs),
        coverage_percent=_coverage([*speech.values(), *vision.values()]),
        indicators=[observation.reason or observation.kind for observation in observations(outputs)],
    )


def speech_figures(outputs: AnswerOutputs) -> dict[str, Figure]:
    """Measure how much, how fast and how fluently was spoken, in the language that was spoken."""
    transcript = outputs.transcript
    duration_s = outputs.extraction.duration_s if outputs.extraction else None
    record = outputs.records[TRANSCRIBE]
    words = _words(transcript)
    if transcript is None or duration_s is None or not words:
        outcome = record.outcome if record.outcome != OK else NO_SPEECH
        reason = record.message or "Nobody speaks in the recording."
        units = {
            "speech_rate": "per_min",
            "speaking_ratio": "ratio",
            "speaking_time": "s",
            "pause_count": "count",
        }
        return {
            name: Figure(name, None, unit, outcome=outcome, reason=reason) for name, unit in units.items()
        }
    speaking_s = transcript.speech_s or sum(word.end_s - word.start_s for word in words)
    pauses = [later.start_s - word.end_s for word, later in pairwise(words)]
    trusted = 1.0 - min(1.0, transcript.uncovered_speech_s / speaking_s) if speaking_s else 0.0
    figures = [
        Figure("speech_rate", len(words) / (speaking_s / S_PER_MIN), "per_min", trusted),
        Figure("speaking_ratio", min(1.0, speaking_s / duration_s), "ratio", 1.0),
        Figure("speaking_time", speaking_s, "s", 1.0),
        Figure("pause_count", float(sum(pause >= PAUSE_S for pause in pauses)), "count", trusted),
    ]
    return {figure.name: figure for figure in figures}


def vision_figures(outputs: AnswerOutputs) -> dict[str, Figure]:
    """Return what the vision stage measured."""
    if outputs.vision is None:
        return {}
    return {measure.name: _to_figure(measure) for measure in outputs.vision.measures}


def _to_figure(measure: media_pb2.Measure) -> Figure:
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
