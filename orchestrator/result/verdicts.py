"""Pure: what follows from the observations of picture and sound.

Observations give verdicts by the rules below, and never touch a score.

    answer    High Risk    a second voice, or a second face for 1 % of the time or more, or nobody in
                           the picture for more than 20 %
              Medium Risk  a second face for less, nobody for more than 5 %, or looking away for more
                           than 20 % (which alone is never more than that)
              Safe         neither, and picture or sound was looked at
              No Data      neither was looked at
    session   the worst verdict of an answer. Medium ones never add up to High.
"""

from __future__ import annotations

from collections.abc import Iterable

from interview.v1 import media_pb2
from orchestrator.result.answer_outputs import AnswerOutputs
from orchestrator.workflow import OK, SPEAKER, VISION

SAFE, MEDIUM, HIGH, NO_DATA = "Safe", "Medium Risk", "High Risk", "No Data"

SEVERITY = {NO_DATA: 0, SAFE: 1, MEDIUM: 2, HIGH: 3}

SECOND_FACE_HIGH_RATIO = 0.01

NO_FACE_HIGH_RATIO, NO_FACE_MEDIUM_RATIO = 0.20, 0.05

LOOKING_AWAY_MEDIUM_RATIO = 0.20
"""The original's limits: 1 %, 20 % and 5 % of the frames."""

VISUAL_KINDS = ("no_face", "second_face", "looking_away")


def worst(verdicts: Iterable[str]) -> str:
    """Return the most severe verdict."""
    return max(verdicts, key=SEVERITY.__getitem__, default=NO_DATA)


def _covered_s(found: Iterable[media_pb2.Observation]) -> float:
    """Return how long something was observed; overlapping stretches count once."""
    covered_s = reached_s = 0.0
    for observation in sorted(found, key=lambda observation: observation.start_s):
        begin_s = max(observation.start_s, reached_s)
        covered_s += max(0.0, observation.end_s - begin_s)
        reached_s = max(reached_s, observation.end_s)
    return covered_s


def _ratio(outputs: AnswerOutputs, *kinds: str) -> float | None:
    report = outputs.vision
    if report is None or report.duration_s <= 0 or not report.sampled_frame_count:
        return None
    found = [observation for observation in report.observations if observation.kind in kinds]
    return min(1.0, _covered_s(found) / report.duration_s)


def visual_score_percent(outputs: AnswerOutputs) -> float | None:
    """Return the share of the time in which something was observed in the picture, 0 to 100, or None."""
    ratio = _ratio(outputs, *VISUAL_KINDS)
    return None if ratio is None else 100 * ratio


def visual_verdict(outputs: AnswerOutputs) -> str:
    """Return the verdict on the picture alone."""
    second, nobody, away = (_ratio(outputs, kind) for kind in ("second_face", "no_face", "looking_away"))
    if second is None or nobody is None or away is None:
        return NO_DATA
    if second >= SECOND_FACE_HIGH_RATIO or nobody > NO_FACE_HIGH_RATIO:
        return HIGH
    if second > 0 or nobody > NO_FACE_MEDIUM_RATIO or away > LOOKING_AWAY_MEDIUM_RATIO:
        return MEDIUM
    return SAFE


def visual_confidence_percent(outputs: AnswerOutputs) -> float | None:
    """Return the share of the looked-at frames that show a face, 0 to 100, or None."""
    report = outputs.vision
    return 100 * report.face_ratio if report is not None and report.HasField("face_ratio") else None


def audio_verdict(outputs: AnswerOutputs) -> str:
    """Return the verdict on the sound alone."""
    diarization = outputs.diarization
    if diarization is None or not diarization.HasField("voice_count"):
        return NO_DATA
    return HIGH if any(o.kind == "second_voice" for o in diarization.observations) else SAFE


def audio_confidence_percent(outputs: AnswerOutputs) -> float | None:
    """Return the probability of what was decided about one voice or more, 0 to 100, or None."""
    diarization = outputs.diarization
    if diarization is None or not diarization.HasField("second_voice_probability"):
        return None
    probability = diarization.second_voice_probability
    heard = any(o.kind == "second_voice" for o in diarization.observations)
    return 100 * (probability if heard else 1 - probability)


def pair_outcome(outputs: AnswerOutputs) -> str:
    """Return what an answer's verdict is worth: OK where picture or sound was looked at."""
    outcomes = [outputs.outcome(stage) for stage in (VISION, SPEAKER)]
    return OK if OK in outcomes else outcomes[0]


def observations(outputs: AnswerOutputs) -> list[media_pb2.Observation]:
    """Return everything that was observed, in time order."""
    seen = list(outputs.vision.observations) if outputs.vision else []
    heard = list(outputs.diarization.observations) if outputs.diarization else []
    return sorted(seen + heard, key=lambda observation: (observation.start_s, observation.kind))
