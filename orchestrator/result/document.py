"""Pure: what the stages left → the public JSON document (`schema.json`).

With `answer.py` and `legacy/`, its parts, the only module that knows the document's names.
A value is measured, or null beside an outcome that says why.
"""

from __future__ import annotations

from collections.abc import Sequence

from interview.v1 import assessor_pb2, media_pb2
from orchestrator.legacy import answer as legacy
from orchestrator.legacy import session as legacy_session
from orchestrator.outcomes import outcome_name
from orchestrator.result.answer import assessment_of, text_in, transcript_of
from orchestrator.result.answer_outputs import AnswerOutputs, file_name
from orchestrator.result.figures import AnswerFigures, Figure, figures_of
from orchestrator.result.metadata import Frame
from orchestrator.result.recording import recording_figures
from orchestrator.result.scores import QUALITY, assess_outcome, criterion_outcome, criterion_score
from orchestrator.result.values import Json, absent, number, optional
from orchestrator.result.verdicts import observations
from orchestrator.workflow import OK, SPEAKER, STAGES, StageRecord, first_failure

SCHEMA_VERSION = "1.0"


def build(frame: Frame, answers: Sequence[AnswerOutputs]) -> Json:
    """Return the whole document."""
    figures = [figures_of(outputs) for outputs in answers]
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


def _entry(outputs: AnswerOutputs, figures: AnswerFigures) -> Json:
    entry: Json = {
        "position": _position(outputs),
        "video_file": file_name(outputs),
        "pertanyaan": outputs.answer.question,
        "stages": {stage: _stage(outputs.records[stage]) for stage in STAGES if stage in outputs.records},
        "observations": [_observation(observation) for observation in observations(outputs)],
        "measures": _measures(outputs, figures),
    }
    if (record := first_failure(outputs.records)) is not None:
        error = {"stage": record.stage, "reason": record.reason, "message": record.message}
        return entry | {"error": error}
    texts = {language: text_in(outputs, language) for language in ("en", "id")}
    score = criterion_score(outputs, QUALITY)
    conclusion = _conclusion(outputs)
    return entry | {
        "transkripsi_en": texts["en"][0],
        "transkripsi_id": texts["id"][0],
        "kesimpulan_llm": conclusion,
        "kualitas_jawaban": None if score is None else min(10, max(1, round(score / 10))),
        "outcomes": {
            "transkripsi_en": texts["en"][1],
            "transkripsi_id": texts["id"][1],
            "kesimpulan_llm": OK if conclusion else absent(assess_outcome(outputs)),
            "kualitas_jawaban": criterion_outcome(outputs, QUALITY),
        },
        "cheating_detection": legacy.cheating(outputs, figures),
        "non_verbal_analysis": legacy.non_verbal(outputs, figures),
        "transcript": transcript_of(outputs),
        "assessment": assessment_of(outputs),
    }


def _position(outputs: AnswerOutputs) -> int:
    return int(outputs.answer.position) if outputs.answer.HasField("position") else outputs.place


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


def _conclusion(outputs: AnswerOutputs) -> str | None:
    assessment = outputs.assessment
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


def _measures(outputs: AnswerOutputs, figures: AnswerFigures) -> Json:
    voice = []
    if (diarization := outputs.diarization) is not None:
        outcome, reason = outcome_name(diarization.outcome), diarization.reason
        for name, unit in (("voice_count", "count"), ("second_voice_probability", "ratio")):
            value = float(getattr(diarization, name)) if diarization.HasField(name) else None
            worth = OK if value is not None else absent(outcome)
            voice.append(Figure(name, value, unit, outcome=worth, reason=reason if value is None else ""))
    else:
        record = outputs.records[SPEAKER]
        voice.append(
            Figure("voice_count", None, "count", outcome=absent(record.outcome), reason=record.message)
        )
    return {
        "recording": {name: _figure(figure) for name, figure in recording_figures(outputs).items()},
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


def _provenance(frame: Frame, answers: Sequence[AnswerOutputs]) -> Json:
    sources = [one.assessment.provenance for one in answers if one.assessment is not None]
    source = sources[0] if sources else assessor_pb2.AssessmentProvenance()
    same = len({(each.rubric_id, each.rubric_digest) for each in sources}) <= 1
    return {
        "inputs": [
            {
                "position": _position(one),
                "video_file": file_name(one),
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


def _digest(outputs: AnswerOutputs) -> str | None:
    measured = outputs.extraction.media_digest if outputs.extraction else ""
    return measured or outputs.answer.digest or None


def _bytes(outputs: AnswerOutputs) -> int | None:
    return (outputs.extraction.media_bytes if outputs.extraction else outputs.answer.media_bytes) or None
