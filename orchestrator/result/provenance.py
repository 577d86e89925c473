"""Pure: what a document rests on: recordings, models, prompts, rubric, configuration and code, by digest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from interview.v1 import assessor_pb2
from orchestrator.result.answer_outputs import AnswerOutputs, file_name
from orchestrator.result.metadata import SessionMetadata
from orchestrator.result.values import Json
from orchestrator.workflow import ASSESS, STAGES, TRANSLATE, VISION


def provenance_of(metadata: SessionMetadata, answers: Sequence[AnswerOutputs]) -> Json:
    """Return what the document rests on. The document's own digest is still to be added."""
    sources = [one.assessment.provenance for one in answers if one.assessment is not None]
    source = sources[0] if sources else assessor_pb2.AssessmentProvenance()
    same = len({(each.rubric_id, each.rubric_digest) for each in sources}) <= 1
    return {
        "inputs": [_input(one) for one in answers],
        "config_sha256": metadata.config_digest,
        "config": dict(metadata.config) or None,
        "models": _distinct(model for one in answers for model in _models(one)),
        "prompts": _distinct(prompt for one in answers for prompt in _prompts(one)),
        "prompt_version": source.prompt_version or None,
        # Null where answers were judged by different ones: each assessment names its own.
        "rubric_id": (source.rubric_id or None) if same else None,
        "rubric_version": (source.rubric_version or None) if same else None,
        "rubric_sha256": (source.rubric_digest or None) if same else None,
        "seed": source.seed if source.HasField("seed") else None,
        "software_version": metadata.software_version,
        "code_sha256": metadata.code_digest or None,
    }


def _input(outputs: AnswerOutputs) -> Json:
    extraction, answer = outputs.extraction, outputs.answer
    measured = extraction.media_digest if extraction else ""
    return {
        "position": outputs.position,
        "video_file": file_name(outputs),
        "sha256": measured or answer.digest or None,
        "bytes": (extraction.media_bytes if extraction else answer.media_bytes) or None,
        "audio_sha256": (extraction.audio_digest if extraction else "") or None,
    }


def _models(outputs: AnswerOutputs) -> Iterator[Json]:
    for stage in STAGES:
        if stage == VISION and outputs.vision is not None:  # It has several, and its record names the first.
            for model in outputs.vision.models:
                yield _model(stage, model.name, model.version, model.digest)
        elif stage in outputs.records and (known := outputs.records[stage].model):
            yield _model(stage, known.get("name", ""), known.get("version", ""), known.get("digest", ""))


def _model(stage: str, name: str, version: str, digest: str) -> Json:
    return {"stage": stage, "name": name, "version": version or None, "sha256": digest or None}


def _prompts(outputs: AnswerOutputs) -> Iterator[Json]:
    if outputs.translations is not None and (digest := outputs.translations.prompt_digest):
        yield {"stage": TRANSLATE, "version": None, "sha256": digest}
    if outputs.assessment is not None and (source := outputs.assessment.provenance).prompt_version:
        yield {"stage": ASSESS, "version": source.prompt_version, "sha256": source.prompt_digest or None}


def _distinct(entries: Iterator[Json]) -> list[Json]:
    """Return each entry once, in the order of the stages."""
    found = list({tuple(entry.items()): entry for entry in entries}.values())
    return sorted(found, key=lambda entry: STAGES.index(entry["stage"]))
