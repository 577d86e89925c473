"""Pure: what the stages left → the public JSON document (`schema.json`).

With `answer.py` and `legacy/`, its parts, the only module that knows the document's names.
A value is measured, or null beside an outcome that says why.
"""

from __future__ import annotations

from collections.abc import Sequence

from interview.v1 import assessor_pb2
from orchestrator.legacy import answer as legacy
from orchestrator.legacy import session as legacy_session
from orchestrator.result.answer import assessment_of, text_in, transcript_of
from orchestrator.result.answer_outputs import AnswerOutputs, file_name
from orchestrator.result.figures import AnswerFigures, figures_of
from orchestrator.result.measures import measures_of, observation_of, verdict_of
from orchestrator.result.metadata import SessionMetadata
from orchestrator.result.processing_time import processing_s
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

SCHEMA_VERSION = "1.1"
"""Of `schema.json`. Documents of 1.0 lack what it says is new."""


def build(metadata: SessionMetadata, answers: Sequence[AnswerOutputs]) -> Json:
    """Return the whole document."""
    figures = [figures_of(outputs) for outputs in answers]
    return {
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
        "provenance": _provenance(metadata, answers),
    }


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


def _provenance(metadata: SessionMetadata, answers: Sequence[AnswerOutputs]) -> Json:
    sources = [one.assessment.provenance for one in answers if one.assessment is not None]
    source = sources[0] if sources else assessor_pb2.AssessmentProvenance()
    same = len({(each.rubric_id, each.rubric_digest) for each in sources}) <= 1
    return {
        "inputs": [
            {
                "position": one.position,
                "video_file": file_name(one),
                "sha256": _digest(one),
                "bytes": _bytes(one),
            }
            for one in answers
        ],
        "config_sha256": metadata.config_digest,
        "prompt_version": source.prompt_version or None,
        # Null where answers were judged by different ones: each assessment names its own.
        "rubric_id": (source.rubric_id or None) if same else None,
        "rubric_version": (source.rubric_version or None) if same else None,
        "rubric_sha256": (source.rubric_digest or None) if same else None,
        "seed": source.seed if source.HasField("seed") else None,
        "software_version": metadata.software_version,
    }


def _digest(outputs: AnswerOutputs) -> str | None:
    measured = outputs.extraction.media_digest if outputs.extraction else ""
    return measured or outputs.answer.digest or None


def _bytes(outputs: AnswerOutputs) -> int | None:
    return (outputs.extraction.media_bytes if outputs.extraction else outputs.answer.media_bytes) or None
