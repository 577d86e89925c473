"""Pure: what the stages found → figures of an answer and of the session.

A figure is measured or None. Observations give verdicts by the rules below, and never touch a score.

    answer    High Risk    a second voice, or a second face for 1 % of the time or more, or nobody in
                           the picture for more than 20 %
              Medium Risk  a second face for less, nobody for more than 5 %, or looking away for more
                           than 20 % (which alone is never more than that)
              Safe         neither, and picture or sound was looked at
              No Data      neither was looked at
    session   the worst verdict of an answer. Medium ones never add up to High.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from interview.v1 import (
    assessor_pb2,
    media_pb2,
    orchestrator_pb2,
    speaker_pb2,
    transcriber_pb2,
    vision_pb2,
)
from orchestrator.records import outcome_name
from orchestrator.workflow import (
    ASSESS,
    NO_SPEECH,
    OK,
    SPEAKER,
    TRANSCRIBE,
    VISION,
    StageRecord,
    good,
)

SAFE, MEDIUM, HIGH, NO_DATA = "Safe", "Medium Risk", "High Risk", "No Data"
SEVERITY = {NO_DATA: 0, SAFE: 1, MEDIUM: 2, HIGH: 3}
SECOND_FACE_HIGH_RATIO = 0.01
NO_FACE_HIGH_RATIO, NO_FACE_MEDIUM_RATIO = 0.20, 0.05
LOOKING_AWAY_MEDIUM_RATIO = 0.20
"""The original's limits: 1 %, 20 % and 5 % of the frames."""
VISUAL_KINDS = ("no_face", "second_face", "looking_away")
PAUSE_S = 0.5
"""A silence between two words from which on it counts as a pause; the original's limit."""
S_PER_MIN = 60.0


@dataclass(frozen=True)
class Findings:
    """One answer: what was asked and everything that its stages left."""

    place: int
    answer: orchestrator_pb2.AnswerInput
    records: Mapping[str, StageRecord]
    extraction: orchestrator_pb2.Extraction | None = None
    transcript: transcriber_pb2.Transcript | None = None
    translations: orchestrator_pb2.AnswerTranslations | None = None
    assessment: assessor_pb2.Assessment | None = None
    vision: vision_pb2.VisionReport | None = None
    diarization: speaker_pb2.Diarization | None = None

    @property
    def good(self) -> bool:
        """Whether it counts as assessed."""
        return good(self.records)

    def outcome(self, stage: str) -> str:
        """Return what a stage's values are worth."""
        return self.records[stage].outcome


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
    """What follows from one answer's findings."""

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


def mean(values: Iterable[float | None]) -> float | None:
    """Return the mean of the values that there are, or None."""
    there = [value for value in values if value is not None]
    return sum(there) / len(there) if there else None


def worst(verdicts: Iterable[str]) -> str:
    """Return the most severe verdict."""
    return max(verdicts, key=SEVERITY.__getitem__, default=NO_DATA)


def figures_of(findings: Findings) -> AnswerFigures:
    """Work out one answer's figures."""
    speech, vision = speech_figures(findings), vision_figures(findings)
    return AnswerFigures(
        speech=speech,
        vision=vision,
        visual_verdict=_visual_verdict(findings),
        audio_verdict=_audio_verdict(findings),
        visual_score_percent=_visual_score(findings),
        visual_confidence_percent=_visual_confidence(findings),
        audio_confidence_percent=_audio_confidence(findings),
        coverage_percent=_coverage([*speech.values(), *vision.values()]),
        indicators=[observation.reason or observation.kind for observation in observations(findings)],
    )


def observations(findings: Findings) -> list[media_pb2.Observation]:
    """Return everything that was observed, in time order."""
    seen = list(findings.vision.observations) if findings.vision else []
    heard = list(findings.diarization.observations) if findings.diarization else []
    return sorted(seen + heard, key=lambda observation: (observation.start_s, observation.kind))


def speech_figures(findings: Findings) -> dict[str, Figure]:
    """Measure how much, how fast and how fluently was spoken, in the language that was spoken."""
    transcript = findings.transcript
    duration_s = findings.extraction.duration_s if findings.extraction else None
    record = findings.records[TRANSCRIBE]
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


def vision_figures(findings: Findings) -> dict[str, Figure]:
    """Return what the vision stage measured."""
    if findings.vision is None:
        return {}
    return {measure.name: _to_figure(measure) for measure in findings.vision.measures}


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


def _covered_s(found: Iterable[media_pb2.Observation]) -> float:
    """Return how long something was observed; overlapping stretches count once."""
    covered_s = reached_s = 0.0
    for observation in sorted(found, key=lambda observation: observation.start_s):
        begin_s = max(observation.start_s, reached_s)
        covered_s += max(0.0, observation.end_s - begin_s)
        reached_s = max(reached_s, observation.end_s)
    return covered_s


def _ratio(findings: Findings, *kinds: str) -> float | None:
    report = findings.vision
    if report is None or report.duration_s <= 0 or not report.sampled_frame_count:
        return None
    found = [observation for observation in report.observations if observation.kind in kinds]
    return min(1.0, _covered_s(found) / report.duration_s)


def _visual_score(findings: Findings) -> float | None:
    ratio = _ratio(findings, *VISUAL_KINDS)
    return None if ratio is None else 100 * ratio


def _visual_verdict(findings: Findings) -> str:
    second, nobody, away = (_ratio(findings, kind) for kind in ("second_face", "no_face", "looking_away"))
    if second is None or nobody is None or away is None:
        return NO_DATA
    if second >= SECOND_FACE_HIGH_RATIO or nobody > NO_FACE_HIGH_RATIO:
        return HIGH
    if second > 0 or nobody > NO_FACE_MEDIUM_RATIO or away > LOOKING_AWAY_MEDIUM_RATIO:
        return MEDIUM
    return SAFE


def _visual_confidence(findings: Findings) -> float | None:
    report = findings.vision
    return 100 * report.face_ratio if report is not None and report.HasField("face_ratio") else None


def _audio_verdict(findings: Findings) -> str:
    diarization = findings.diarization
    if diarization is None or not diarization.HasField("voice_count"):
        return NO_DATA
    return HIGH if any(o.kind == "second_voice" for o in diarization.observations) else SAFE


def _audio_confidence(findings: Findings) -> float | None:
    diarization = findings.diarization
    if diarization is None or not diarization.HasField("second_voice_probability"):
        return None
    probability = diarization.second_voice_probability
    heard = any(o.kind == "second_voice" for o in diarization.observations)
    return 100 * (probability if heard else 1 - probability)


def _coverage(figures: Sequence[Figure]) -> float | None:
    if not figures:
        return None
    covered = [
        (1.0 if figure.coverage_ratio is None else figure.coverage_ratio) if figure.value is not None else 0.0
        for figure in figures
    ]
    return 100 * sum(covered) / len(covered)


def voice_of(diarization: speaker_pb2.Diarization | None, start_s: float, end_s: float) -> int | None:
    """Return the voice that says most of a stretch, or None where nobody told voices apart there."""
    overlaps: dict[int, float] = {}
    for turn in diarization.turns if diarization else []:
        overlap_s = min(turn.end_s, end_s) - max(turn.start_s, start_s)
        if overlap_s > 0:
            overlaps[turn.voice] = overlaps.get(turn.voice, 0.0) + overlap_s
    return max(overlaps, key=lambda voice: (overlaps[voice], -voice)) if overlaps else None


def assess_outcome(findings: Findings) -> str:
    """Return what an answer's scores are worth: the stage's, or what the assessor says of the answer."""
    if findings.assessment is not None:
        return outcome_name(findings.assessment.outcome)
    return findings.outcome(ASSESS)


def pair_outcome(findings: Findings) -> str:
    """Return what an answer's verdict is worth: OK where picture or sound was looked at."""
    outcomes = [findings.outcome(stage) for stage in (VISION, SPEAKER)]
    return OK if OK in outcomes else outcomes[0]
