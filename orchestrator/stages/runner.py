"""Runs one stage of one answer: find its output or make it, and say how it went.

A stage whose output exists is not run again. Failures come back as records; only cancellation and
the engine's own errors leave as exceptions.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from google.protobuf.message import Message

from chassis.client import RetryPolicy, is_transient, retrying
from chassis.errors import InterviewError, InvalidInputError
from chassis.store import MediaStore
from chassis.telemetry import STAGE_SECONDS
from interview.v1 import (
    assessor_pb2,
    media_pb2,
    orchestrator_pb2,
    speaker_pb2,
    transcriber_pb2,
    vision_pb2,
)
from orchestrator import workflow
from orchestrator.stages.extract import Extractor
from orchestrator.stages.outputs import SessionStore, fingerprint
from orchestrator.stages.records import done_record, failed_record
from orchestrator.stages.remote import OnProgress, Stages
from orchestrator.stages.requests import Preferences, assess_request, join_translations, translation_calls
from orchestrator.workflow import StageRecord

logger = logging.getLogger(__name__)

OUTPUT_CLASSES: Mapping[str, type[Message]] = {
    workflow.EXTRACT: orchestrator_pb2.Extraction,
    workflow.TRANSCRIBE: transcriber_pb2.Transcript,
    workflow.TRANSLATE: orchestrator_pb2.AnswerTranslations,
    workflow.ASSESS: assessor_pb2.Assessment,
    workflow.VISION: vision_pb2.VisionReport,
    workflow.SPEAKER: speaker_pb2.Diarization,
}
"""The message that each stage leaves in the store."""

SAVE_TIMEOUT_S = 120.0

Work = Callable[[OnProgress], Awaitable[Any]]


@dataclass(frozen=True)
class Call:
    """What one stage is about to do: the hash of its input and settings, and the work itself."""

    input_hash: str
    work: Work


@dataclass(frozen=True)
class Task:
    """One stage of one answer of one session."""

    session: orchestrator_pb2.CreateSessionRequest
    position: int
    stage: str

    @property
    def answer(self) -> orchestrator_pb2.AnswerInput:
        """The answer's input."""
        return self.session.answers[self.position - 1]


class Watcher:
    """Is told how a stage gets on; the board of live progress is one."""

    def attempt(self, task: Task, attempt_count: int) -> None:
        """An attempt begins."""

    def progress(self, task: Task, ratio: float) -> None:
        """The share of the attempt that is done."""


class StageRunner:
    """Runs stages, a bounded number of each kind at once.

    Args:
        stages: The services.
        extractor: Gets sound out of recordings.
        media: The store of the recordings.
        outputs: The store of the outputs.
        preferences: Settings that change what stages answer.
        retry: How a stage that can't be reached or is full is tried again.
        place_counts: Places by stage.
        watcher: Is told how stages get on.
    """

    def __init__(
        self,
        stages: Stages,
        extractor: Extractor,
        media: MediaStore,
        outputs: SessionStore,
        preferences: Preferences,
        *,
        retry: RetryPolicy,
        place_counts: Mapping[str, int],
        watcher: Watcher,
    ) -> None:
        self._stages = stages
        self._extractor = extractor
        self._media = media
        self._outputs = outputs
        self._preferences = preferences
        self._retry = retry
        self._places = {stage: asyncio.Semaphore(count) for stage, count in place_counts.items()}
        self._watcher = watcher

    async def run(self, task: Task, upstream: Mapping[str, StageRecord]) -> StageRecord:
        """Run a stage; a failure comes back as a record."""
        begin_s = time.monotonic()
        try:
            call = await self._prepare(task, upstream)
            key = self._outputs.output_key(
                task.session.session_id, task.position, task.stage, call.input_hash
            )
            if (found := await self._outputs.find(key)) is not None:
                return replace(found, reused=True)
            return await self._attempts(task, call, key)
        except InterviewError as error:
            return failed_record(task.stage, error, 0, time.monotonic() - begin_s, 0.0)
        except Exception:
            logger.exception("a stage failed unexpectedly", extra={"stage": task.stage})
            return StageRecord(
                task.stage,
                "failed",
                workflow.SERVICE_UNAVAILABLE,
                "INTERNAL",
                "Something went wrong on our side; the log has it.",
            )

    async def _attempts(self, task: Task, call: Call, key: str) -> StageRecord:
        queued_s = 0.0
        for number in range(1, self._retry.attempt_count + 1):
            waiting_since_s = time.monotonic()
            async with self._places[task.stage]:
                begin_s = time.monotonic()
                queued_s += begin_s - waiting_since_s
                self._watcher.attempt(task, number)
                try:
                    output = await call.work(lambda ratio: self._watcher.progress(task, ratio))
                except InterviewError as error:
                    run_s, failure = time.monotonic() - begin_s, error
                else:
                    record = done_record(
                        task.stage, output, number, queued_s, time.monotonic() - begin_s, key
                    )
                    if record.state == "done":
                        await self._save(key, output, record)
                    _account(record)
                    return record
            if number == self._retry.attempt_count or not is_transient(failure):
                break
            delay_s = self._retry.delay_s(number, failure)
            queued_s += delay_s
            await asyncio.sleep(delay_s)
        record = failed_record(task.stage, failure, number, queued_s, run_s)
        _account(record)
        return record

    async def _save(self, key: str, output: Message, record: StageRecord) -> None:
        # A store that is away for a moment must not cost minutes of inference.
        await retrying(
            lambda _: self._outputs.save(key, output, record), timeout_s=SAVE_TIMEOUT_S, retry=self._retry
        )

    async def _prepare(self, task: Task, upstream: Mapping[str, StageRecord]) -> Call:
        if task.stage == workflow.EXTRACT:
            return self._extract(task)
        extraction = await self._outputs.load(
            upstream[workflow.EXTRACT].output_key, orchestrator_pb2.Extraction
        )
        if task.stage == workflow.TRANSCRIBE:
            return self._transcribe(task, extraction)
        if task.stage == workflow.VISION:
            return self._vision(task, extraction)
        if task.stage == workflow.SPEAKER:
            return self._speaker(extraction)
        transcript = await self._outputs.load(
            upstream[workflow.TRANSCRIBE].output_key, transcriber_pb2.Transcript
        )
        return (
            self._translate(task, transcript)
            if task.stage == workflow.TRANSLATE
            else self._assess(task, transcript)
        )

    def _extract(self, task: Task) -> Call:
        answer = task.answer
        if answer.unavailable_reason:
            raise InvalidInputError(
                "There is no recording of this answer; send it again.", reason=answer.unavailable_reason
            )
        media_key = self._media.key(answer.uri)
        input_hash = fingerprint(task.stage, answer.uri, answer.digest, str(answer.media_bytes))
        audio_key = (
            f"sessions/{task.session.session_id}/outputs/{task.position}/{task.stage}-{input_hash}.wav"
        )
        return Call(input_hash, lambda _: self._extractor.extract(media_key, audio_key))

    def _transcribe(self, task: Task, extraction: orchestrator_pb2.Extraction) -> Call:
        config = transcriber_pb2.TranscribeConfig(
            recording=media_pb2.Recording(uri=self._media.uri(extraction.audio_key)),
            language_code=task.session.language_code,
        )
        input_hash = fingerprint(task.stage, extraction.audio_digest, task.session.language_code)
        return Call(input_hash, lambda on_progress: self._stages.transcribe(config, on_progress))

    def _vision(self, task: Task, extraction: orchestrator_pb2.Extraction) -> Call:
        config = vision_pb2.AnalyzeConfig(recording=media_pb2.Recording(uri=task.answer.uri))
        input_hash = fingerprint(task.stage, extraction.media_digest)
        return Call(input_hash, lambda on_progress: self._stages.analyze(config, on_progress))

    def _speaker(self, extraction: orchestrator_pb2.Extraction) -> Call:
        uri = self._media.uri(extraction.audio_key)
        config = speaker_pb2.DiarizeConfig(recording=media_pb2.Recording(uri=uri))
        input_hash = fingerprint(workflow.SPEAKER, extraction.audio_digest)
        return Call(input_hash, lambda on_progress: self._stages.diarize(config, on_progress))

    def _translate(self, task: Task, transcript: transcriber_pb2.Transcript) -> Call:
        calls = list(translation_calls(transcript, task.answer.question, self._preferences.target_languages))

        async def work(_: OnProgress) -> orchestrator_pb2.AnswerTranslations:
            replies = [await self._stages.translate(call.request) for call in calls]
            return join_translations(transcript, self._preferences.target_languages, calls, replies)

        requests = [call.request.SerializeToString(deterministic=True) for call in calls]
        return Call(fingerprint(task.stage, *self._preferences.target_languages, *requests), work)

    def _assess(self, task: Task, transcript: transcriber_pb2.Transcript) -> Call:
        request = assess_request(task.answer, task.session, transcript, self._preferences)
        input_hash = fingerprint(task.stage, request.SerializeToString(deterministic=True))
        return Call(input_hash, lambda _: self._stages.assess(request))


def _account(record: StageRecord) -> None:
    STAGE_SECONDS.labels(record.stage, record.outcome).observe(record.run_s)
    logger.info(
        "stage",
        extra={
            "stage": record.stage,
            "state": record.state,
            "outcome": record.outcome,
            "reason": record.reason,
            "attempt_count": record.attempt_count,
            "queue_s": record.queue_s,
            "run_s": record.run_s,
        },
    )
