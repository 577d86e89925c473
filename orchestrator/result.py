"""Pure: findings → the public JSON document (`result.schema.json`).

With `result_words.py` and `legacy*.py`, its parts, the only module that knows the document's names.
A value is measured, or null beside an outcome that says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from interview.v1 import assessor_pb2, media_pb2
from orchestrator import legacy, legacy_session
from orchestrator.aggregate import (
    AnswerFigures,
    Figure,
    Findings,
    assess_outcome,
    figures_of,
    observations,
)
from orchestrator.frame import Frame
from orchestrator.legacy import absent, number, optional
from orchestrator.recording import recording_figures
from orchestrator.records import outcome_name
from orchestrator.result_words import assessment_of, text_in, transcript_of
from orchestrator.workflow import (
    EXTRACT,
    OK,
    SPEAKER,
    STAGES,
    TRANSCRIBE,
    StageRecord,
)

SCHEMA_VERSION = "1.0"
Json = dict[str, Any]


def build(frame: Frame, answers: Sequence[Findings]) -> Json:
    """Return the whole document."""
    figures = [figures_of(findings) for findings in answers]
    return {
        "schema_version": SCHEMA_VERSION,
        "status": frame.status,
        "session_id": frame.session_id,
        "video_count": len(answers),
        "processing_time": number(frame.finish_time_s - frame.create_time_s, 3),
        "results": [_entry(one, of_one) for one, of_one in zip(answers, figures, strict=True)],
        **legacy_session.root(frame, answers, figures),
        "provenance": _provenance(frame, answers),
    }


def _entry(findings: Findings, figures: AnswerFigures) -> Json:
    entry: Json = {
        "position": _position(findings),
        "video_file": legacy.file_name(findings),
        "pertanyaan": findings.answer.question,
        "stages": {stage: _stage(findings.records[stage]) for stage in STAGES},
        "observations": [_observation(observation) for observation in observations(findings)],
        "measures": _measures(findings, figures),
    }
    if not findings.good:
        record = next(
            findings.records[s] for s in (EXTRACT, TRANSCRIBE) if findings.records[s].state == "failed"
        )
        error = {"stage": record.stage, "reason": record.reason, "message": record.message}
        return entry | {"error": error}
    texts = {language: text_in(findings, language) for language in ("en", "id")}
    score = legacy.criterion_score(findings, legacy.QUALITY)
    conclusion = _conclusion(findings)
    return entry | {
        "transkripsi_en": texts["en"][0],
        "transkripsi_id": texts["id"][0],
        "kesimpulan_llm": conclusion,
        "kualitas_jawaban": None if score is None else min(10, max(1, round(score / 10))),
        "outcomes": {
            "transkripsi_en": texts["en"][1],
            "transkripsi_id": texts["id"][1],
            "kesimpulan_llm": OK if conclusion else absent(assess_outcome(findings)),
            "kualitas_jawaban": legacy.criterion_outcome(findings, legacy.QUALITY),
        },
        "cheating_detection": legacy.cheating(findings, figures),
        "non_verbal_analysis": legacy.non_verbal(findings, figures),
        "transcript": transcript_of(findings),
        "assessment": assessment_of(findings),
    }


def _position(findings: Findings) -> int:
    return int(findings.answer.position) if findings.answer.HasField("position") else findings.place


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


def _conclusion(findings: Findings) -> str | None:
    assessment = findings.assessment
    return assessment.conclusion if assessment is not None and assessment.HasField("conclusion") else None


def _observation(observation: media_pb2.Observation) -> Json:
    return {
        "kind": observation.kind,
        "start_s": number(observation.start_s, 3),
        "end_s": number(observation.end_s, 3),
        "value": optional(observation, "value", 4),
        "unit": observation.unit,
        "threshold": optional(observation, "threshold", 4),
        "reason": observation.reason,
    }


def _measures(findings: Findings, figures: AnswerFigures) -> Json:
    voice = []
    if (diarization := findings.diarization) is not None:
        outcome, reason = outcome_name(diarization.outcome), diarization.reason
        for name, unit in (("voice_count", "count"), ("second_voice_probability", "ratio")):
            value = float(getattr(diarization, name)) if diarization.HasField(name) else None
            worth = OK if value is not None else absent(outcome)
            voice.append(Figure(name, value, unit, outcome=worth, reason=reason if value is None else ""))
    else:
        record = findings.records[SPEAKER]
        voice.append(
            Figure("voice_count", None, "count", outcome=absent(record.outcome), reason=record.message)
        )
    return {
        "recording": {name: _figure(figure) for name, figure in recording_figures(findings).items()},
        "speech": {name: _figure(figure) for name, figure in figures.speech.items()},
        "face": {name: _figure(figure) for name, figure in figures.vision.items()},
        "voice": {figure.name: _figure(figure) for figure in voice},
    }


def _figure(figure: Figure) -> Json:
    return {
        "value": None if figure.value is None else number(figure.value, 4),
        "unit": figure.unit,
        "coverage": None if figure.coverage_ratio is None else number(figure.coverage_ratio, 4),
        "outcome": figure.outcome,
        "reason": figure.reason or None,
    }


def _provenance(frame: Frame, answers: Sequence[Findings]) -> Json:
    sources = [one.assessment.provenance for one in answers if one.assessment is not None]
    source = sources[0] if sources else assessor_pb2.AssessmentProvenance()
    same = len({(each.rubric_id, each.rubric_digest) for each in sources}) <= 1
    return {
        "inputs": [
            {
                "position": _position(one),
                "video_file": legacy.file_name(one),
                "sha256": _digest(one),
                "bytes": _bytes(one),
            }
            for one in answers
        ],
        "config_sha256": frame.config_digest,
        "prompt_version": source.prompt_version or None,
        # Null where answers were judged by different ones: each assessment names its own.
        "rubric_id": (source.rubric_id or None) if same else None,
        "rubric_version": (source.rubric_version or None) if same else None,
        "rubric_sha256": (source.rubric_digest or None) if same else None,
        "seed": source.seed if source.HasField("seed") else None,
        "software_version": frame.software_version,
    }


def _digest(findings: Findings) -> str | None:
    measured = findings.extraction.media_digest if findings.extraction else ""
    return measured or findings.answer.digest or None


def _bytes(findings: Findings) -> int | None:
    return (findings.extraction.media_bytes if findings.extraction else findings.answer.media_bytes) or None
