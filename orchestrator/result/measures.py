"""Pure: measures, observations and the verdict of one answer, as they stand in the document."""

from __future__ import annotations

from interview.v1 import media_pb2
from orchestrator.outcomes import outcome_name
from orchestrator.result.answer_outputs import AnswerOutputs
from orchestrator.result.figures import AnswerFigures, Figure, to_figure
from orchestrator.result.recording import recording_figures
from orchestrator.result.reference_ranges import REFERENCE_RANGES
from orchestrator.result.values import Json, absent, number, number_or_null, optional
from orchestrator.result.verdicts import NO_DATA, PartVerdict
from orchestrator.workflow import OK, SPEAKER


def measures_of(outputs: AnswerOutputs, figures: AnswerFigures) -> Json:
    """Return the measures of recording, speech, face and voice, and those of further stages by stage."""
    groups = _further(outputs) | {
        "recording": recording_figures(outputs),
        "speech": figures.speech,
        "face": figures.vision,
        "voice": _voice(outputs),
    }
    return {group: {name: _figure(one) for name, one in of.items()} for group, of in groups.items()}


def _further(outputs: AnswerOutputs) -> dict[str, dict[str, Figure]]:
    """Return what each further stage measured. One that left nothing is told of by its outcome alone."""
    measured = {stage: getattr(output, "measures", ()) for stage, output in outputs.further.items()}
    return {stage: {one.name: to_figure(one) for one in of} for stage, of in measured.items() if of}


def _voice(outputs: AnswerOutputs) -> dict[str, Figure]:
    diarization = outputs.diarization
    if diarization is None:
        record = outputs.records[SPEAKER]
        outcome = absent(record.outcome)
        return {"voice_count": Figure("voice_count", None, "count", outcome=outcome, reason=record.message)}
    outcome, figures = outcome_name(diarization.outcome), {}
    for name, unit in (("voice_count", "count"), ("second_voice_probability", "ratio")):
        value = float(getattr(diarization, name)) if diarization.HasField(name) else None
        worth = OK if value is not None else absent(outcome)
        reason = diarization.reason if value is None else ""
        figures[name] = Figure(name, value, unit, outcome=worth, reason=reason)
    return figures


def _figure(figure: Figure) -> Json:
    usual = REFERENCE_RANGES.get(figure.name)
    return {
        "value": number_or_null(figure.value, 4),
        "unit": figure.unit,
        "coverage": number_or_null(figure.coverage_ratio, 4),
        "outcome": figure.outcome,
        "reason": figure.reason or None,
        "reference_range": None
        if usual is None
        else {"low": usual.low, "high": usual.high, "unit": usual.unit, "source": usual.source},
    }


def observation_of(observation: media_pb2.Observation) -> Json:
    """Return something that was seen or heard for a stretch."""
    return {
        "kind": observation.kind,
        "start_s": number(observation.start_s, 3),
        "end_s": number(observation.end_s, 3),
        "value": optional(observation, "value", 4),
        "unit": observation.unit,
        "threshold": optional(observation, "threshold", 4),
        "reason": observation.reason,
    }


def verdict_of(figures: AnswerFigures) -> Json:
    """Return the verdict on the observations, by part and on the whole. Null where it is absent."""
    return {
        "value": _value(figures.verdict),
        "rests_on": list(figures.rests_on),
        "outcome": figures.outcome,
        "reason": figures.reason or None,
        "picture": _part(figures.picture),
        "sound": _part(figures.sound),
    }


def _part(part: PartVerdict) -> Json:
    return {
        "value": _value(part.verdict),
        "looked_at_ratio": number(part.looked_at_ratio, 4),
        "outcome": part.outcome,
        "reason": part.reason or None,
    }


def _value(verdict: str) -> str | None:
    return None if verdict == NO_DATA else verdict
