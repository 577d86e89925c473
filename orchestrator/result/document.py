"""Pure: what the stages left → the public JSON document (`schema.json`).

With `answer.py` and `legacy/`, its parts, the only module that knows the document's names.
A value is measured, or null beside an outcome that says why.
"""

from __future__ import annotations

from collections.abc import Sequence

from chassis.digests import DOCUMENT_DIGEST, document_digest
from orchestrator.legacy import answer as legacy
from orchestrator.legacy import session as legacy_session
from orchestrator.result.answer import assessment_of, text_in, transcript_of
from orchestrator.result.answer_outputs import AnswerOutputs, file_name
from orchestrator.result.figures import AnswerFigures, figures_of
from orchestrator.result.measures import measures_of, observation_of, verdict_of
from orchestrator.result.metadata import SessionMetadata
from orchestrator.result.processing_time import processing_s
from orchestrator.result.provenance import provenance_of
from orchestrator.result.recording import recording_facts
from orchestrator.result.scores import (
    QUALITY,
    conclusion_of,
    conclusion_outcome,
    criterion_outcome,
    criterion_score,
)
from orchestrator.result.totals import totals_of
from orchestrator.result.values import Json, number
from orchestrator.result.verdicts import observations
from orchestrator.result.warnings import warnings_of
from orchestrator.workflow import STAGES, StageRecord, first_failure

SCHEMA_VERSION = "1.2"
"""Of `schema.json`. Documents of 1.0 and 1.1 lack what it says is new."""


def build(metadata: SessionMetadata, answers: Sequence[AnswerOutputs]) -> Json:
    """Return the whole document."""
    figures = [figures_of(outputs) for outputs in answers]
    document: Json = {
        "schema_version": SCHEMA_VERSION,
        "status": metadata.status,
        "session_id": metadata.session_id,
        "video_count": len(answers),
        "created_at": metadata.created_at,
        "finished_at": metadata.finished_at,
        "processing_time": number(processing_s(one.records for one in answers), 3),
        "totals": totals_of(answers).to_json(),
        "results": [_entry(one, of_one) for one, of_one in zip(answers, figures, strict=True)],
        **legacy_session.root(metadata, answers, figures),
        "provenance": provenance_of(metadata, answers),
    }
    document["provenance"][DOCUMENT_DIGEST] = document_digest(document)
    return document


def _entry(outputs: AnswerOutputs, figures: AnswerFigures) -> Json:
    entry: Json = {
        "position": outputs.position,
        "video_file": file_name(outputs),
        "pertanyaan": outputs.answer.question,
        "stages": {stage: _stage(outputs.records[stage]) for stage in STAGES if stage in outputs.records},
        "recording": recording_facts(outputs),
        "warnings": warnings_of(outputs),
        "observations": [observation_of(observation) for observation in observations(outputs)],
        "verdict": verdict_of(figures),
        "measures": measures_of(outputs, figures),
    }
    if (record := first_failure(outputs.records)) is not None:
        error = {"stage": record.stage, "reason": record.reason, "message": record.message}
        return entry | {"error": error}
    texts = {language: text_in(outputs, language) for language in ("en", "id")}
    score = criterion_score(outputs, QUALITY)
    return entry | {
        "transkripsi_en": texts["en"][0],
        "transkripsi_id": texts["id"][0],
        "kesimpulan_llm": conclusion_of(outputs),
        "kualitas_jawaban": None if score is None else min(10, max(1, round(score / 10))),
        "outcomes": {
            "transkripsi_en": texts["en"][1],
            "transkripsi_id": texts["id"][1],
            "kesimpulan_llm": conclusion_outcome(outputs),
            "kualitas_jawaban": criterion_outcome(outputs, QUALITY),
        },
        "cheating_detection": legacy.cheating(outputs, figures),
        "non_verbal_analysis": legacy.non_verbal(outputs, figures),
        "transcript": transcript_of(outputs),
        "assessment": assessment_of(outputs),
    }


def _stage(record: StageRecord) -> Json:
    return {
        "state": record.state,
        "outcome": record.outcome,
        "reason": record.reason or None,
        "message": record.message or None,
        "attempts": record.attempt_count,
        "queue_s": record.queue_s,
        "run_s": record.run_s,
        "reused": record.reused,
        "model": dict(record.model) or None,
    }
