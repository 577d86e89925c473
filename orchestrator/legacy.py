"""Pure: the blocks that the original system's pages read, from the same findings.

Keys on which those pages do arithmetic are numbers always; where nothing was measured they hold 0,
and `outcome` beside them says so. All others are null then.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from orchestrator.aggregate import (
    NO_DATA,
    AnswerFigures,
    Figure,
    Findings,
    assess_outcome,
    pair_outcome,
)
from orchestrator.records import outcome_name
from orchestrator.workflow import OK, SKIPPED, SPEAKER, VISION

if TYPE_CHECKING:
    pass

Json = dict[str, Any]

QUALITY, RELEVANCE, COHERENCE = "answer_quality", "relevance", "coherence"
"""The default rubric's criteria. Another rubric has other ones, and these are absent then."""


def number(value: float, digits: int) -> float:
    """Round for the document; -0.0 becomes 0.0."""
    return round(value, digits) + 0.0


def always(value: float | None, digits: int = 2) -> float:
    """Return a number where a page does arithmetic on it, whatever was measured."""
    return number(value or 0.0, digits)


def perhaps(value: float | None, digits: int = 2) -> float | None:
    """Return a rounded number, or null."""
    return None if value is None else number(value, digits)


def optional(message: Any, field: str, digits: int) -> float | None:
    """Return a rounded field of a message, or null where it is absent."""
    return number(getattr(message, field), digits) if message.HasField(field) else None


def absent(outcome: str) -> str:
    """Return why a value is absent, where its stage as a whole went well."""
    return "INSUFFICIENT_EVIDENCE" if outcome == OK else outcome


def file_name(findings: Findings) -> str:
    """Return what a recording is called; the design document counts nameless ones from 0."""
    return findings.answer.file_name or f"video_{findings.place - 1}"


def criterion_score(findings: Findings, criterion_id: str) -> float | None:
    """Return a criterion's score, 0 to 100, or None."""
    for criterion in findings.assessment.criteria if findings.assessment else []:
        if criterion.id == criterion_id and criterion.HasField("score"):
            return float(criterion.score)
    return None


def criterion_outcome(findings: Findings, criterion_id: str) -> str:
    """Return what a criterion's score is worth; SKIPPED where the answer's rubric has no such criterion."""
    outcome = assess_outcome(findings)
    if findings.assessment is None:
        return absent(outcome)
    for criterion in findings.assessment.criteria:
        if criterion.id == criterion_id:
            return OK if criterion.HasField("score") else absent(outcome_name(criterion.outcome))
    return SKIPPED if outcome == OK else outcome


def total_score(findings: Findings) -> float | None:
    """Return an answer's total, 0 to 100, or None."""
    assessment = findings.assessment
    return assessment.total_score if assessment is not None and assessment.HasField("total_score") else None


def cheating(findings: Findings, figures: AnswerFigures) -> Json:
    """Return `cheating_detection` of one answer: observations in the original's words."""
    report, diarization = findings.vision, findings.diarization
    score = figures.visual_score_percent
    frames = report.sampled_frame_count if report is not None else 0
    voices = diarization is not None and diarization.HasField("voice_count")
    return {
        "visual": {
            "cheating_score": always(score),
            "suspicious_frames": round(frames * (score or 0.0) / 100),
            "cheating_reasons": sorted({o.kind for o in report.observations}) if report is not None else [],
            "confidence": {"average": always(figures.visual_confidence_percent), "min": None, "max": None},
            "verdict": figures.visual_verdict,
            "outcome": _stage_outcome(findings, VISION, measured=score is not None),
        },
        "audio": {
            "num_speakers": diarization.voice_count if diarization is not None and voices else None,
            "confidence": perhaps(figures.audio_confidence_percent),
            "silhouette_score": None,
            "verdict": figures.audio_verdict,
            "outcome": _stage_outcome(findings, SPEAKER, measured=voices),
        },
        "final_verdict": figures.verdict,
        "final_avg_confidence": always(figures.confidence_percent),
        "all_indicators": list(figures.indicators),
        "outcome": OK if figures.verdict != NO_DATA else pair_outcome(findings),
    }


def _stage_outcome(findings: Findings, stage: str, *, measured: bool) -> str:
    outcome = findings.outcome(stage)
    return "INSUFFICIENT_EVIDENCE" if outcome == OK and not measured else outcome


def non_verbal(findings: Findings, figures: AnswerFigures) -> Json:
    """Return `non_verbal_analysis` of one answer."""
    speech, face = figures.speech, figures.vision
    report = findings.vision
    duration_s = findings.extraction.duration_s if findings.extraction else None
    speaking_s = _value(speech, "speaking_time")
    silent_s = None if duration_s is None or speaking_s is None else max(0.0, duration_s - speaking_s)
    return {
        "speech_analysis": {
            "total_duration_seconds": perhaps(duration_s),
            "speaking_time_seconds": perhaps(speaking_s),
            "silence_time_seconds": perhaps(silent_s),
            "number_of_pauses": _count(speech, "pause_count"),
            "speech_rate_wpm": perhaps(_value(speech, "speech_rate"), 1),
            "speaking_ratio": perhaps(_value(speech, "speaking_ratio")),
            "outcome": next(iter(speech.values())).outcome,
        },
        "facial_expression_analysis": {
            "average_smile_intensity": perhaps(_value(face, "smile_intensity"), 4),
            "smile_variation": perhaps(_value(face, "smile_variation"), 4),
            "eyebrow_movement_range": perhaps(_value(face, "brow_movement"), 4),
            "head_movement_intensity": perhaps(_value(face, "head_movement"), 4),
            "total_frames_analyzed": report.sampled_frame_count if report is not None else None,
            "face_detected_percentage": perhaps(figures.visual_confidence_percent),
            "calibration_applied": False,
            "outcome": findings.outcome(VISION),
        },
        "eye_movement_analysis": {
            "total_blinks": _count(face, "blink_count"),
            "blink_rate_per_minute": perhaps(_value(face, "blink_rate")),
            "eye_contact_percentage": _percent(face, "eye_contact_ratio"),
            "looking_at_camera_percentage": _percent(face, "eye_contact_ratio"),
            "looking_down_percentage": _percent(face, "looking_down_ratio"),
            "looking_up_percentage": _percent(face, "looking_up_ratio"),
            "gaze_stability": perhaps(_value(face, "gaze_stability_ratio"), 4),
            "total_frames_analyzed": report.sampled_frame_count if report is not None else None,
            "outcome": findings.outcome(VISION),
        },
    }


def _value(figures: Mapping[str, Figure], name: str) -> float | None:
    return figures[name].value if name in figures else None


def _count(figures: Mapping[str, Figure], name: str) -> int | None:
    value = _value(figures, name)
    return None if value is None else round(value)


def _percent(figures: Mapping[str, Figure], name: str) -> float | None:
    value = _value(figures, name)
    return None if value is None else number(100 * value, 2)
