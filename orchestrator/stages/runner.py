"""Runs one stage of one answer: find its output or make it, and say how it went.

A stage whose output exists is not run again. Failures come back as records; only cancellation and
the engine's own errors leave as exceptions.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import replace

from google.protobuf.message import Message

from chassis.client import RetryPolicy, is_transient, retrying
from chassis.errors import InterviewError
from chassis.telemetry import STAGE_SECONDS
from orchestrator import workflow
from orchestrator.stages.outputs import SessionStore
from orchestrator.stages.records import done_record, failed_record
from orchestrator.stages.stage import Call, Stage, Task, Upstream
from orchestrator.workflow import StageRecord

logger = logging.getLogger(__name__)

SAVE_TIMEOUT_S = 120.0


class ProgressListener:
    """Is told how a stage gets on; the tracker of live progress is one."""

    def attempt(self, task: Task, attempt_count: int) -> None:
        """An attempt begins."""

    def progress(self, task: Task, ratio: float) -> None:
        """The share of the attempt that is done."""


class StageRunner:
    """Runs stages, a bounded number of each kind at once.

    Args:
        stages: The stages by name.
        outputs: The store of the outputs.
        retry: How a stage that can't be reached or is full is tried again.
        place_counts: Places by stage.
        listener: Is told how stages get on.
    """

    def __init__(
        self,
        stages: Mapping[str, Stage],
        outputs: SessionStore,
        *,
        retry: RetryPolicy,
        place_counts: Mapping[str, int],
        listener: ProgressListener,
    ) -> None:
        self._stages = stages
        self._outputs = outputs
        self._retry = retry
        self._places = {stage: asyncio.Semaphore(count) for stage, count in place_counts.items()}
        self._listener = listener

    async def run(self, task: Task, upstream: Mapping[str, StageRecord]) -> StageRecord:
        """Run a stage; a failure comes back as a record."""
        begin_s = time.monotonic()
        try:
            stage = self._stages[task.stage]
            call = await stage.call(task, Upstream(upstream, self._outputs))
            key = self._outputs.output_key(task.session.session_id, task.place, task.stage, call.input_hash)
            if (found := await self._outputs.find(key)) is not None:
                return replace(found, reused=True)
            return await self._attempts(task, stage, call, key)
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

    async def _attempts(self, task: Task, stage: Stage, call: Call, key: str) -> StageRecord:
        queued_s = 0.0
        for number in range(1, self._retry.attempt_count + 1):
            waiting_since_s = time.monotonic()
            async with self._places[task.stage]:
                begin_s = time.monotonic()
                queued_s += begin_s - waiting_since_s
                self._listener.attempt(task, number)
                try:
                    output = await call.work(lambda ratio: self._listener.progress(task, ratio))
                except InterviewError as error:
                    run_s, failure = time.monotonic() - begin_s, error
                else:
                    record = done_record(stage, output, number, queued_s, time.monotonic() - begin_s, key)
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
