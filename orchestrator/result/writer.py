"""Ends a session: reads its stage outputs, builds the result document, and writes it once."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import chassis
import interview
import orchestrator
from chassis.digests import code_digest, configuration_digest
from interview.v1 import orchestrator_pb2
from orchestrator.result.answer_outputs import AnswerOutputs
from orchestrator.result.document import build
from orchestrator.result.metadata import SessionMetadata
from orchestrator.result.values import Json
from orchestrator.sessions import end_of
from orchestrator.settings import Preferences
from orchestrator.stages.catalogue import stage_classes
from orchestrator.stages.outputs import FIRST_VERSION, SessionStore
from orchestrator.versions import common_rubric
from orchestrator.workflow import ASSESS, EXTRACT, FETCH, SPEAKER, TRANSCRIBE, TRANSLATE, VISION, Records

FIELDS = {
    EXTRACT: "extraction",
    TRANSCRIBE: "transcript",
    TRANSLATE: "translations",
    ASSESS: "assessment",
    VISION: "vision",
    SPEAKER: "diarization",
}
"""Where a stage's output goes in `AnswerOutputs`. Those of other stages go to `further`."""


def software_version() -> str:
    """Return this project's version, or `unknown` where it runs without being installed."""
    try:
        return version("interview-assessment")
    except PackageNotFoundError:
        return "unknown"


def config_of(request: orchestrator_pb2.CreateSessionRequest, preferences: Preferences) -> Json:
    """Return what was asked of the stages beside the recordings."""
    rubric_ids = [answer.rubric_id or request.rubric_id for answer in request.answers]
    config: Json = {
        "language": request.language_code,
        "rubric": common_rubric(request),
        "reader_language": preferences.reader_language,
        "seed": preferences.seed,
        "target_languages": list(preferences.target_languages),
    }
    if len(set(rubric_ids)) > 1:
        config["rubrics"] = rubric_ids
    return config


class ResultWriter:
    """Writes result documents.

    Args:
        outputs: Holds the stage outputs and takes the document.
        preferences: Settings that the document names by their hash.
    """

    def __init__(self, outputs: SessionStore, preferences: Preferences) -> None:
        self._outputs = outputs
        self._preferences = preferences
        self._code_digest = code_digest(
            {
                package.__name__: Path(str(package.__file__)).parent
                for package in (chassis, interview, orchestrator)
            }
        )

    async def write(
        self,
        request: orchestrator_pb2.CreateSessionRequest,
        records: Mapping[int, Records],
        create_time_s: float,
        version_id: int = FIRST_VERSION,
    ) -> None:
        """Write a version of a session's document. Writing it again replaces it whole."""
        answers = [
            await self._answer_outputs(place, answer, records[place])
            for place, answer in enumerate(request.answers, start=1)
        ]
        config = config_of(request, self._preferences)
        metadata = SessionMetadata(
            session_id=request.session_id,
            candidate_name=request.candidate_name,
            status=end_of(records)["state"],
            create_time_s=create_time_s,
            finish_time_s=time.time(),
            config_digest=configuration_digest(config),
            software_version=software_version(),
            reader_language=self._preferences.reader_language,
            config=config,
            code_digest=self._code_digest,
        )
        document = json.dumps(build(metadata, answers), ensure_ascii=False, indent=2, allow_nan=False)
        await self._outputs.save_result(request.session_id, document.encode(), version_id)

    async def _answer_outputs(
        self, place: int, answer: orchestrator_pb2.AnswerInput, records: Records
    ) -> AnswerOutputs:
        outputs = {
            stage: await self._outputs.load(record.output_key, stage_classes()[stage].output_class)
            for stage, record in records.items()
            if record.output_key and stage != FETCH
        }
        fields: dict[str, Any] = {FIELDS[stage]: of for stage, of in outputs.items() if stage in FIELDS}
        further = {stage: of for stage, of in outputs.items() if stage not in FIELDS}
        recording = await self._with_recording(answer, records)
        return AnswerOutputs(place, recording, records, further=further, **fields)

    async def _with_recording(
        self, answer: orchestrator_pb2.AnswerInput, records: Records
    ) -> orchestrator_pb2.AnswerInput:
        """Return an answer with what is known of its recording, also where that came from a link."""
        if FETCH not in records or not records[FETCH].output_key:
            return answer
        fetched = await self._outputs.load(records[FETCH].output_key, orchestrator_pb2.FetchedRecording)
        known = orchestrator_pb2.AnswerInput()
        known.CopyFrom(answer)
        known.uri, known.file_name = fetched.uri, fetched.file_name
        known.digest, known.media_bytes = fetched.digest, fetched.media_bytes
        return known
