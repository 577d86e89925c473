"""A document in which everything agrees, and changes of one value in it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from chassis.digests import CODE_FOLDERS, code_digest, configuration_digest, document_digest
from interview.v1 import assessor_pb2, media_pb2, orchestrator_pb2
from orchestrator.result.answer_outputs import AnswerOutputs
from orchestrator.result.document import build
from orchestrator.workflow import StageRecord, stages_of
from tests.documents import broken, metadata, rich
from tests.folders import ROOT

RECORDINGS = {"a.mp4": b"the first recording", "c.mp4": b"the third recording"}
RUBRIC_FILE = ROOT / "services" / "assessor" / "rubrics" / "general.yaml"
CRITERIA = {"answer_quality": (4.12, 0.5), "relevance": (3.2, 0.25), "coherence": (2.9, 0.25)}
CONFIG = {
    "language": "en",
    "rubric": "",
    "reader_language": "",
    "seed": 7,
    "target_languages": ["en", "id"],
}
WHISPER = {"name": "whisper-x", "version": "1", "digest": "ab" * 32, "device": "cpu"}


def score_of(level: float) -> float:
    return 25 * (level - 1)


def an_agreeing_assessment() -> assessor_pb2.Assessment:
    """Two sentences of the eleven words, three levels with their weights, and their total."""
    return assessor_pb2.Assessment(
        method="baseline",
        outcome=media_pb2.OUTCOME_OK,
        sentences=[
            assessor_pb2.Sentence(id="s1", text="I led the move and we", start_s=0.0, end_s=4.0),
            assessor_pb2.Sentence(id="s2", text="cut costs by a third", start_s=4.0, end_s=6.5),
        ],
        criteria=[
            assessor_pb2.CriterionAssessment(
                id=name,
                name=name,
                outcome=media_pb2.OUTCOME_OK,
                level=level,
                score=score_of(level),
                weight_ratio=weight,
                evidence_sentence_ids=["s1", "s2"],
                strengths=[assessor_pb2.Remark(text="Says what came of it.", sentence_ids=["s2"])],
            )
            for name, (level, weight) in CRITERIA.items()
        ],
        total_score=sum(score_of(level) * weight for level, weight in CRITERIA.values()),
        provenance=assessor_pb2.AssessmentProvenance(
            rubric_id="general",
            rubric_version="1.1.0",
            rubric_digest=hashlib.sha256(RUBRIC_FILE.read_bytes()).hexdigest(),
        ),
    )


def a_verifiable_answer(place: int, name: str, assessment: assessor_pb2.Assessment) -> AnswerOutputs:
    """An answer whose recording is one of `RECORDINGS`."""
    recording = RECORDINGS[name]
    extraction = orchestrator_pb2.Extraction()
    answer = rich()
    assert answer.extraction is not None
    extraction.CopyFrom(answer.extraction)
    extraction.media_digest = hashlib.sha256(recording).hexdigest()
    extraction.media_bytes, extraction.audio_digest = len(recording), "cd" * 32
    records = {stage: StageRecord(stage, "done") for stage in stages_of(linked=False)}
    records["transcribe"] = StageRecord("transcribe", "done", model=WHISPER)
    asked = orchestrator_pb2.AnswerInput(question="Why?", file_name=name)
    return replace(
        answer, place=place, answer=asked, extraction=extraction, records=records, assessment=assessment
    )


def a_verifiable_document(assessment: assessor_pb2.Assessment | None = None) -> dict[str, Any]:
    """Three answers, of which the second could not be read, by the code and the rubric of this checkout."""
    judged = assessment or an_agreeing_assessment()
    told = replace(
        metadata(),
        config=CONFIG,
        config_digest=configuration_digest(CONFIG),
        code_digest=code_digest({name: ROOT / folder for name, folder in CODE_FOLDERS.items()}),
    )
    answers = [a_verifiable_answer(1, "a.mp4", judged), broken(), a_verifiable_answer(3, "c.mp4", judged)]
    made: dict[str, Any] = json.loads(json.dumps(build(told, answers), allow_nan=False))
    return made


def changed(document: dict[str, Any], path: str, value: Any, *, sealed: bool = False) -> dict[str, Any]:
    """Return a copy with another value at a path such as `results.0.verdict.value`.

    Args:
        document: Stays as it is.
        path: Keys and indexes, with full stops between.
        value: The new value.
        sealed: Whether the document's own digest is made to fit, as a forger would.
    """
    copy: dict[str, Any] = json.loads(json.dumps(document))
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place: Any = copy
    for step in way:
        place = place[step]
    assert place[last] != value
    place[last] = value
    if sealed:
        copy["provenance"]["document_sha256"] = document_digest(copy)
    return copy


def write_recordings(folder: Path) -> Path:
    """Write the recordings under the names that they were sent with."""
    folder.mkdir()
    for name, content in RECORDINGS.items():
        (folder / name).write_bytes(content)
    return folder
