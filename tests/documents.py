"""Result documents of made-up answers, checked by the schema."""

from __future__ import annotations

import json
from typing import Any

import jsonschema

from interview.v1 import media_pb2, orchestrator_pb2, translator_pb2
from orchestrator.result.answer_outputs import AnswerOutputs
from orchestrator.result.document import build
from orchestrator.result.metadata import SessionMetadata
from orchestrator.workflow import StageRecord, stages_of
from tests.fakes.answer import an_answer
from tests.fakes.stages import a_diarization, a_vision_report, observed
from tests.folders import ROOT

SCHEMA = json.loads((ROOT / "orchestrator" / "result" / "schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def metadata(status: str = "completed") -> SessionMetadata:
    return SessionMetadata(
        "0" * 31 + "1", "Ana", status, 1_700_000_000.0, 1_700_000_042.5, "ab" * 32, "0.1.0"
    )


def document(*answers: AnswerOutputs, status: str = "completed") -> dict[str, Any]:
    built: dict[str, Any] = json.loads(json.dumps(build(metadata(status), answers), allow_nan=False))
    VALIDATOR.validate(built)
    return built


def translated() -> orchestrator_pb2.AnswerTranslations:
    entries = [
        translator_pb2.Translation(text=text, outcome=media_pb2.OUTCOME_OK) for text in ("satu", "dua")
    ]
    skipped = [translator_pb2.Translation(outcome=media_pb2.OUTCOME_SKIPPED)] * 2
    languages = [
        orchestrator_pb2.LanguageTranslation(language_code="en", translations=skipped),
        orchestrator_pb2.LanguageTranslation(language_code="id", translations=entries),
    ]
    return orchestrator_pb2.AnswerTranslations(languages=languages)


def rich() -> AnswerOutputs:
    return an_answer(
        records={
            stage: StageRecord(stage, "done", run_s=2.0, queue_s=0.25) for stage in stages_of(linked=False)
        },
        extraction=orchestrator_pb2.Extraction(
            duration_s=6.0,
            container="mov,mp4,m4a,3gp,3g2,mj2",
            sound_codec="aac",
            picture_codec="h264",
            sound_track_count=2,
            picture_track_count=1,
            clock_offset_s=0.0,
            recording_warnings=[
                media_pb2.RecordingWarning(
                    kind="SOUND_TRACK_CHOSEN", message="There are two sound tracks; the second is heard."
                )
            ],
        ),
        translations=translated(),
        vision=a_vision_report(observations=[observed("no_face", 0.0, 0.6)]),
        diarization=a_diarization(
            voice_count=2,
            second_voice_probability=0.9,
            turns=[
                {"start_s": 0.0, "end_s": 3.0, "voice": 0, "confidence": 0.9},
                {"start_s": 3.0, "end_s": 6.0, "voice": 1, "confidence": 0.9},
            ],
            observations=[observed("second_voice", 3.0, 6.0)],
        ),
    )


def broken(stage: str = "extract", reason: str = "MEDIA_UNDECODABLE") -> AnswerOutputs:
    records = {
        name: StageRecord(name, "skipped", "SKIPPED", "EXTRACT_FAILED", "It failed.")
        for name in stages_of(linked=False)
    }
    records[stage] = StageRecord(stage, "failed", "INVALID_INPUT", reason, "Send it again.")
    answer = orchestrator_pb2.AnswerInput(question="Why?", file_name="b.mp4")
    return AnswerOutputs(2, answer, records)
