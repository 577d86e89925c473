"""Pure: the blocks that the original system's pages read, from the same outputs.

Keys on which those pages do arithmetic are always numbers. Where nothing was measured they hold 0, and
`outcome` beside them says so. All others are null then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchestrator.result.answer_outputs import AnswerOutputs
from orchestrator.result.figures import AnswerFigures, Figure
from orchestrator.result.values import Json, absent, number, number_or_null, number_or_zero
from orchestrator.result.verdicts import NOTHING_TO_SEE, observed_frame_count
from orchestrator.workflow import VISION

FACIAL = ("smile_intensity", "smile_variation", "brow_movement", "head_movement")
OF_THE_EYES = (
    "blink_count",
    "blink_rate",
    "eye_contact_ratio",
    "looking_down_ratio",
    "looking_up_ratio",
    "gaze_stability_ratio",
)


def cheating(outputs: AnswerOutputs, figures: AnswerFigures) -> Json:
    """Return `cheating_detection` of one answer: observations in the original's words."""
    report, diarization = outputs.vision, outputs.diarization
    picture, sound = figures.picture, figures.sound
    voices = diarization is not None and diarization.HasField("voice_count")
    return {
        "visual": {
            "cheating_score": number_or_zero(figures.visual_score_percent),
            "suspicious_frames": observed_frame_count(outputs),
            "cheating_reasons": sorted({o.kind for o in report.observations} - {NOTHING_TO_SEE})
            if report is not None
            else [],
            "confidence": {
                "average": number_or_zero(picture.confidence_percent),
                "min": None,
                "max": None,
            },
            "verdict": picture.verdict,
            "outcome": picture.outcome,
        },
        "audio": {
            "num_speakers": diarization.voice_count if diarization is not None and voices else None,
            "confidence": number_or_null(sound.confidence_percent),
            "silhouette_score": None,
            "verdict": sound.verdict,
            "outcome": sound.outcome,
        },
        "final_verdict": figures.verdict,
        "final_avg_confidence": number_or_zero(figures.confidence_percent),
        "all_indicators": list(figures.indicators),
        "outcome": figures.outcome,
    }


def non_verbal(outputs: AnswerOutputs, figures: AnswerFigures) -> Json:
    """Return `non_verbal_analysis` of one answer."""
    speech, face = figures.speech, figures.vision
    report = outputs.vision
    duration_s = outputs.extraction.duration_s if outputs.extraction else None
    speaking_s = _value(speech, "speaking_time")
    silent_s = None if duration_s is None or speaking_s is None else max(0.0, duration_s - speaking_s)
    return {
        "speech_analysis": {
            "total_duration_seconds": number_or_null(duration_s),
            "speaking_time_seconds": number_or_null(speaking_s),
            "silence_time_seconds": number_or_null(silent_s),
            "number_of_pauses": _count(speech, "pause_count"),
            "speech_rate_wpm": number_or_null(_value(speech, "speech_rate"), 1),
            "speaking_ratio": number_or_null(_value(speech, "speaking_ratio")),
            "outcome": next(iter(speech.values())).outcome,
        },
        "facial_expression_analysis": {
            "average_smile_intensity": number_or_null(_value(face, "smile_intensity"), 4),
            "smile_variation": number_or_null(_value(face, "smile_variation"), 4),
            "eyebrow_movement_range": number_or_null(_value(face, "brow_movement"), 4),
            "head_movement_intensity": number_or_null(_value(face, "head_movement"), 4),
            "total_frames_analyzed": report.sampled_frame_count if report is not None else None,
            "face_detected_percentage": number_or_null(figures.picture.confidence_percent),
            "calibration_applied": False,
            "outcome": _outcome(outputs.outcome(VISION), face, FACIAL),
        },
        "eye_movement_analysis": {
            "total_blinks": _count(face, "blink_count"),
            "blink_rate_per_minute": number_or_null(_value(face, "blink_rate")),
            "eye_contact_percentage": _percent(face, "eye_contact_ratio"),
            "looking_at_camera_percentage": _percent(face, "eye_contact_ratio"),
            "looking_down_percentage": _percent(face, "looking_down_ratio"),
            "looking_up_percentage": _percent(face, "looking_up_ratio"),
            "gaze_stability": number_or_null(_value(face, "gaze_stability_ratio"), 4),
            "total_frames_analyzed": report.sampled_frame_count if report is not None else None,
            "outcome": _outcome(outputs.outcome(VISION), face, OF_THE_EYES),
        },
    }


def _outcome(outcome: str, figures: Mapping[str, Figure], names: Iterable[str]) -> str:
    """Return a stage's outcome, or why none of these figures has a value."""
    return outcome if any(_value(figures, name) is not None for name in names) else absent(outcome)


def _value(figures: Mapping[str, Figure], name: str) -> float | None:
    return figures[name].value if name in figures else None


def _count(figures: Mapping[str, Figure], name: str) -> int | None:
    value = _value(figures, name)
    return None if value is None else round(value)


def _percent(figures: Mapping[str, Figure], name: str) -> float | None:
    value = _value(figures, name)
    return None if value is None else number(100 * value, 2)
