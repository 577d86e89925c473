"""Runs one stage of one answer: find its output or make it, and say how it went.

A stage whose output exists is not run again. Failures come back as records. Only cancellation and
the engine's own errors leave as exceptions.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from chassis.client import RetryPolicy, is_transient, retrying
from chassis.errors import InterviewError
from orchestrator.stages.outputs import SessionStore
from orchestrator.stages.places import Places
from orchestrator.stages.records import accounted, broken_record, done_record, failed_record
from orchestrator.stages.stage import Stage, Task, Upstream, Work
from orchestrator.workflow import StageRecord

logger = logging.getLogger(__name__)

SAVE_TIMEOUT_S = 120.0


class ProgressListener:
    """Is told how a stage gets on. The tracker of live progress is one."""

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
        places: The places at the stages.
        listener: Is told how stages get on.
    """

    def __init__(
        self,
        stages: Mapping[str, Stage],
        outputs: SessionStore,
        *,
        retry: RetryPolicy,
        places: Places,
        listener: ProgressListener,
    ) -> None:
        self._stages = stages
        self._outputs = outputs
        self._retry = retry
        self._places = places
        self._listener = listener

    async def run(self, task: Task, upstream: Mapping[str, StageRecord]) -> StageRecord:
        """Run a stage. A failure comes back as a record."""
        begin_s = time.monotonic()
        try:
            work = await self._stages[task.stage].prepare(task, Upstream(upstream, self._outputs))
            if work.found is not None:
                return replace(work.found, reused=True)
            return await self._attempts(task, work)
        except InterviewError as error:
            return failed_record(task.stage, error, 0, time.monotonic() - begin_s, 0.0)
        except Exception:
            logger.exception("a stage failed unexpectedly", extra={"stage": task.stage})
            return broken_record(task.stage)

    async def _attempts(self, task: Task, work: Work) -> StageRecord:
        queued_s = 0.0
        for number in range(1, self._retry.attempt_count + 1):
            waiting_since_s = time.monotonic()
            async with self._places[task.stage]:
                begin_s = time.monotonic()
                queued_s += begin_s - waiting_since_s
                self._listener.attempt(task, number)
                try:
                    output = await work.do(lambda ratio: self._listener.progress(task, ratio))
                except InterviewError as error:
                    run_s, failure = time.monotonic() - begin_s, error
                else:
                    run_s = time.monotonic() - begin_s
                    record = done_record(work.stage, output, number, queued_s, run_s, work.output_key)
                    if record.state == "done":
                        # A store that is away for a moment must not cost minutes of inference.
                        save = partial(self._outputs.save_once, work.output_key, output, record)
                        await retrying(save, timeout_s=SAVE_TIMEOUT_S, retry=self._retry)
                    return accounted(record)
            if number == self._retry.attempt_count or not is_transient(failure):
                break
            delay_s = self._retry.delay_s(number, failure)
            queued_s += delay_s
            await asyncio.sleep(delay_s)
        return accounted(failed_record(task.stage, failure, number, queued_s, run_s))
