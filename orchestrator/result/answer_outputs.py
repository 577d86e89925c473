"""One answer as the document sees it: what was asked, and everything that its stages left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from google.protobuf.message import Message

from interview.v1 import assessor_pb2, orchestrator_pb2, speaker_pb2, transcriber_pb2, vision_pb2
from orchestrator.workflow import StageRecord, is_assessed

CUT_OFF = "MEDIA_TRUNCATED"
"""The warning of a file whose end is missing; it says where the whole would end, if that is known."""


@dataclass(frozen=True)
class AnswerOutputs:
    """One answer: what was asked and everything that its stages left."""

    place: int
    """Its place in the list of answers, from 1 on. Readers are told `position`."""
    answer: orchestrator_pb2.AnswerInput
    records: Mapping[str, StageRecord]
    extraction: orchestrator_pb2.Extraction | None = None
    transcript: transcriber_pb2.Transcript | None = None
    translations: orchestrator_pb2.AnswerTranslations | None = None
    assessment: assessor_pb2.Assessment | None = None
    vision: vision_pb2.VisionReport | None = None
    diarization: speaker_pb2.Diarization | None = None
    further: Mapping[str, Message] = field(default_factory=dict)
    """What stages left that have no field above, by stage."""

    @property
    def position(self) -> int:
        """The number that the caller gave to the answer. Its place where the caller gave none."""
        return int(self.answer.position) if self.answer.HasField("position") else self.place

    @property
    def is_assessed(self) -> bool:
        """Whether it counts as assessed: its recording and its words could be read."""
        return is_assessed(self.records)

    @property
    def recording_s(self) -> float | None:
        """Length of the recording in seconds, or None where nobody could read it."""
        lengths_s = [
            source.duration_s
            for source in (self.extraction, self.vision, self.diarization)
            if source is not None and source.duration_s > 0
        ]
        return lengths_s[0] if lengths_s else None

    @property
    def whole_s(self) -> float | None:
        """Length of the recording in seconds with the end that a file lacks that is cut off."""
        cut = [
            warning.end_s
            for warning in (self.extraction.recording_warnings if self.extraction is not None else ())
            if warning.kind == CUT_OFF
        ]
        return max((self.recording_s or 0.0, *cut)) or None

    def outcome(self, stage: str) -> str:
        """Return what a stage's values are worth."""
        return self.records[stage].outcome


def voice_of(diarization: speaker_pb2.Diarization | None, start_s: float, end_s: float) -> int | None:
    """Return the voice that says most of a stretch, or None where nobody told voices apart there."""
    overlaps: dict[int, float] = {}
    for turn in diarization.turns if diarization else []:
        overlap_s = min(turn.end_s, end_s) - max(turn.start_s, start_s)
        if overlap_s > 0:
            overlaps[turn.voice] = overlaps.get(turn.voice, 0.0) + overlap_s
    return max(overlaps, key=lambda voice: (overlaps[voice], -voice)) if overlaps else None


def file_name(outputs: AnswerOutputs) -> str:
    """Return what a recording is called.

    Of a session with links, one that never arrived is called as it would have been. The design document
    counts other nameless ones from 0.
    """
    answer = outputs.answer
    number = outputs.position if answer.link or answer.unavailable_reason else outputs.place - 1
    return answer.file_name or f"video_{number}"
