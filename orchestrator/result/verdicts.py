"""Pure: what follows from the observations of picture and sound.

Observations give verdicts by the rules below, and never touch a score. Shares are of the recording. The end
that a file lacks that is cut off counts as not looked at.

    picture   High Risk    a second face for 1 % of the time or more, or nobody in the picture for more
                           than 20 %
              Medium Risk  a second face for less, nobody for more than 5 %, or looking away for more
                           than 20 % (which alone is never more than that)
              Safe         neither, and the picture was looked at, but for 5 % or one second
              No Data      neither, and more than that was not looked at
    sound     High Risk    a second voice
              Safe         none, and the sound was listened to, but for 5 % or one second
              No Data      none, and more than that was not listened to, or the voices can't be told apart
    whole     the worse of both where one is Medium or High. Safe where both are Safe. Else No Data: what
              was not looked at is not Safe.
    session   the same over all answers. Medium ones never add up to High.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from interview.v1 import media_pb2
from orchestrator.result.answer_outputs import AnswerOutputs
from orchestrator.result.values import absent
from orchestrator.workflow import OK, SPEAKER, VISION

SAFE, MEDIUM, HIGH, NO_DATA = "Safe", "Medium Risk", "High Risk", "No Data"

SEVERITY = {NO_DATA: 0, SAFE: 1, MEDIUM: 2, HIGH: 3}

SECOND_FACE_HIGH_RATIO = 0.01

NO_FACE_HIGH_RATIO, NO_FACE_MEDIUM_RATIO = 0.20, 0.05

LOOKING_AWAY_MEDIUM_RATIO = 0.20
"""The original's limits: 1 %, 20 % and 5 % of the frames."""

UNSEEN_RATIO, UNSEEN_S = 0.05, 1.0
"""What may be missing of picture or sound before nothing is said of the whole. Both must be exceeded."""

VISUAL_KINDS = ("no_face", "second_face", "looking_away")

NOTHING_TO_SEE = "no_picture"
"""The observation that there was no picture. It says nothing about the person."""


@dataclass(frozen=True)
class PartVerdict:
    """What was found in an answer's picture, or in its sound."""

    verdict: str
    outcome: str
    """OK, or why there is no verdict."""
    reason: str
    """The same in a sentence. Empty where there is a verdict."""
    looked_at_ratio: float
    """Share of the recording that was looked at, or listened to. 0 to 1."""
    confidence_percent: float | None
    """Picture: share of the recording that shows a face. Sound: probability of what was decided about one
    voice or more. 0 to 100, or None where nothing was looked at."""


def combined(verdicts: Iterable[str]) -> str:
    """Return the verdict on a whole: an observation in a part stands, Safe needs every part."""
    parts = list(verdicts)
    found = max(parts, key=SEVERITY.__getitem__, default=NO_DATA)
    return found if found in (MEDIUM, HIGH) or set(parts) == {SAFE} else NO_DATA


def visual_score_percent(outputs: AnswerOutputs) -> float | None:
    """Return the share of the recording in which something was observed in the picture, 0 to 100, or None."""
    ratio = _ratio(outputs, *VISUAL_KINDS)
    return None if ratio is None else 100 * ratio


def observed_frame_count(outputs: AnswerOutputs) -> int:
    """Return how many of the looked-at frames fall into stretches with an observation. An estimate."""
    report, seen_s = outputs.vision, _seen_s(outputs)
    if report is None or not seen_s:
        return 0
    return round(report.sampled_frame_count * min(1.0, _observed_s(outputs, *VISUAL_KINDS) / seen_s))


def picture_verdict(outputs: AnswerOutputs) -> PartVerdict:
    """Return what was found in the picture."""
    report, looked_at = outputs.vision, _looked_at_ratio(outputs, _seen_s(outputs))
    verdict = _picture_verdict(outputs)
    confidence = None
    if report is not None and report.HasField("face_ratio"):
        # Older reports give the share of the picture's own frames: a track that ends early counts less.
        confidence = 100 * report.face_ratio * _share(outputs, report.duration_s)
    if verdict != NO_DATA:
        return PartVerdict(verdict, OK, "", looked_at, confidence)
    record = outputs.records[VISION]
    reason = record.message or _unseen("a picture", looked_at)
    return PartVerdict(NO_DATA, absent(record.outcome), reason, looked_at, confidence)


def sound_verdict(outputs: AnswerOutputs) -> PartVerdict:
    """Return what was found in the sound."""
    diarization, record = outputs.diarization, outputs.records[SPEAKER]
    if diarization is None or not diarization.HasField("voice_count"):
        reason = record.message or "The voices in it can't be told apart."
        return PartVerdict(NO_DATA, absent(record.outcome), reason, 0.0, None)
    heard = any(one.kind == "second_voice" for one in diarization.observations)
    confidence = None
    if diarization.HasField("second_voice_probability"):
        probability = diarization.second_voice_probability
        confidence = 100 * (probability if heard else 1 - probability)
    looked_at = _looked_at_ratio(outputs, _heard_s(outputs))
    if heard:
        return PartVerdict(HIGH, OK, "", looked_at, confidence)
    if _mostly(outputs, _heard_s(outputs)):
        return PartVerdict(SAFE, OK, "", looked_at, confidence)
    reason = _unseen("sound", looked_at)
    return PartVerdict(NO_DATA, absent(record.outcome), reason, looked_at, confidence)


def _picture_verdict(outputs: AnswerOutputs) -> str:
    second, nobody, away = (_ratio(outputs, kind) for kind in ("second_face", "no_face", "looking_away"))
    if second is None or nobody is None or away is None:
        return NO_DATA
    if second >= SECOND_FACE_HIGH_RATIO or nobody > NO_FACE_HIGH_RATIO:
        return HIGH
    if second > 0 or nobody > NO_FACE_MEDIUM_RATIO or away > LOOKING_AWAY_MEDIUM_RATIO:
        return MEDIUM
    return SAFE if _mostly(outputs, _seen_s(outputs)) else NO_DATA


def _unseen(part: str, looked_at_ratio: float) -> str:
    if not looked_at_ratio:
        return "Nothing is known of it."
    return (
        f"Only {100 * looked_at_ratio:.0f} % of the recording has {part}. "
        "Nothing was observed there, and nothing is known of the rest."
    )


def _seen_s(outputs: AnswerOutputs) -> float:
    """Return the seconds of the recording whose picture was looked at."""
    report = outputs.vision
    if report is None or not report.sampled_frame_count:
        return 0.0
    return report.picture_s if report.HasField("picture_s") else report.duration_s


def _heard_s(outputs: AnswerOutputs) -> float:
    """Return the seconds of the recording whose sound was listened to: silence in its gaps is not sound."""
    diarization, extraction = outputs.diarization, outputs.extraction
    if diarization is None:
        return 0.0
    if extraction is None or not extraction.sound.HasField("heard_s"):
        return diarization.duration_s
    return min(diarization.duration_s, extraction.sound.heard_s)


def _share(outputs: AnswerOutputs, looked_at_s: float) -> float:
    length_s = outputs.recording_s
    return min(1.0, looked_at_s / length_s) if length_s else 0.0


def _looked_at_ratio(outputs: AnswerOutputs, looked_at_s: float) -> float:
    return min(1.0, looked_at_s / outputs.whole_s) if outputs.whole_s else 0.0


def _mostly(outputs: AnswerOutputs, looked_at_s: float) -> bool:
    whole_s = outputs.whole_s or 0.0
    return whole_s - looked_at_s <= max(UNSEEN_S, UNSEEN_RATIO * whole_s)


def _ratio(outputs: AnswerOutputs, *kinds: str) -> float | None:
    if not _seen_s(outputs):
        return None
    return _share(outputs, _observed_s(outputs, *kinds))


def _observed_s(outputs: AnswerOutputs, *kinds: str) -> float:
    """Return how long something was observed in the picture. Overlapping stretches count once."""
    found = [one for one in outputs.vision.observations if one.kind in kinds] if outputs.vision else []
    covered_s = reached_s = 0.0
    for observation in sorted(found, key=lambda observation: observation.start_s):
        begin_s = max(observation.start_s, reached_s)
        covered_s += max(0.0, observation.end_s - begin_s)
        reached_s = max(reached_s, observation.end_s)
    return covered_s


def observations(outputs: AnswerOutputs) -> list[media_pb2.Observation]:
    """Return everything that was observed, in time order."""
    seen = list(outputs.vision.observations) if outputs.vision else []
    heard = list(outputs.diarization.observations) if outputs.diarization else []
    return sorted(seen + heard, key=lambda observation: (observation.start_s, observation.kind))
