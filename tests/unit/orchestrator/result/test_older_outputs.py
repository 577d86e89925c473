"""What an older build left stays readable: its stage outputs for us, its documents for people."""

from __future__ import annotations

import io
import json
from typing import Any

import jsonschema
from rich.console import Console

from cli.summary import print_summary
from interview.v1 import assessor_pb2, orchestrator_pb2, speaker_pb2, transcriber_pb2, vision_pb2
from orchestrator.result.answer_outputs import AnswerOutputs
from orchestrator.result.document import build
from orchestrator.result.metadata import SessionMetadata
from orchestrator.workflow import StageRecord, stages_of
from tests.folders import ROOT

SESSION_ID = "1" * 32
FOLDER = ROOT / "tests" / "data" / "begun_before" / "store" / "sessions" / SESSION_ID
SCHEMA = json.loads((ROOT / "orchestrator" / "result" / "schema.json").read_text())
OUTPUTS: dict[str, tuple[str, Any]] = {
    "extract": ("extraction", orchestrator_pb2.Extraction),
    "transcribe": ("transcript", transcriber_pb2.Transcript),
    "translate": ("translations", orchestrator_pb2.AnswerTranslations),
    "assess": ("assessment", assessor_pb2.Assessment),
    "vision": ("vision", vision_pb2.VisionReport),
    "speaker": ("diarization", speaker_pb2.Diarization),
}


def older_answer() -> AnswerOutputs:
    records = {stage: StageRecord(stage, "skipped", "SKIPPED") for stage in stages_of(linked=False)}
    outputs: dict[str, Any] = {}
    for path in (FOLDER / "outputs" / "1").glob("*.pb"):
        record = StageRecord.from_json(json.loads(path.with_suffix(".json").read_text()))
        records[record.stage] = record
        field, message_class = OUTPUTS[record.stage]
        outputs[field] = message_class.FromString(path.read_bytes())
    return AnswerOutputs(1, orchestrator_pb2.AnswerInput(question="Question 1?"), records, **outputs)


def test_outputs_of_an_older_build_make_a_document_of_today() -> None:
    metadata = SessionMetadata(SESSION_ID, "Ana", "completed", 1.7e9, 1.7e9 + 5, "ab" * 32, "0.1.0")
    document = json.loads(json.dumps(build(metadata, [older_answer()]), allow_nan=False))

    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert document["results"][0]["stages"]["vision"]["state"] == "done"
    assert document["processing_time"] > 0


def test_a_document_of_an_older_build_is_shown() -> None:
    document = json.loads((FOLDER / "result.json").read_text())
    text = io.StringIO()
    print_summary(Console(file=text, width=160), document)

    assert document["schema_version"] == "1.0"
    assert "Question 1?" in text.getvalue()
