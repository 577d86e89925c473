"""Runs one stage of one answer: find its output or make it, and say how it went.

A stage whose output exists is not run again. Failures come back as records. Only cancellation and
the engine's own errors leave as exceptions.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Protocol

from google.protobuf.message import Message

from chassis.client import RetryPolicy, retrying
from chassis.errors import InterviewError, UnavailableError
from orchestrator.running.attempts import (
    UNTRIED,
    Attempts,
    Lane,
    OnChange,
    ProgressListener,
    Standing,
    unheard,
)
from orchestrator.running.places import Places
from orchestrator.running.records import accounted, broken_record, done_record, failed_record
from orchestrator.running.stage_queue import StageQueue
from orchestrator.running.watch import DEFAULT_PACE, Pace, StageWatch
from orchestrator.stages.outputs import SessionStore
from orchestrator.stages.stage import OnProgress, Stage, Task, Upstream, Work
from orchestrator.workflow import StageRecord

logger = logging.getLogger(__name__)

SAVE_TIMEOUT_S = 120.0


class EarlyOutputs(Protocol):
    """What stages answered while recordings were still arriving."""

    def knows(self, task: Task) -> bool:
        """Tell whether a stage was called early for an answer."""

    async def output(self, task: Task, input_hash: str, on_progress: OnProgress) -> Message | None:
        """Return what the stage answered, once it has. None where there is nothing that counts.

        Args:
            task: Which stage of which answer.
            input_hash: What the output hangs on. An answer to something else does not count.
            on_progress: Is told the share that is done from now on.
        """


class StageRunner:
    """Runs stages, a bounded number of each kind at once.

    Args:
        stages: The stages by name.
        outputs: The store of the outputs.
        retry: How a stage that answers with a failure is tried again.
        places: The places at the stages.
        listener: Is told how stages get on.
        pace: How a stage that is away or full is waited for.
        early: What stages answered while recordings arrived. None: nothing.
    """

    def __init__(
        self,
        stages: Mapping[str, Stage],
        outputs: SessionStore,
        *,
        retry: RetryPolicy,
        places: Places,
        listener: ProgressListener,
        pace: Pace = DEFAULT_PACE,
        early: EarlyOutputs | None = None,
    ) -> None:
        self._early = early
        self._outputs = outputs
        self._retry = retry
        self._listener = listener
        self._pace = pace
        store = StageWatch(_try_again, pace)
        self._lanes = {
            name: Lane(stage, places, StageWatch(stage.find_again, pace), store, StageQueue(name))
            for name, stage in stages.items()
        }

    async def run(
        self,
        task: Task,
        upstream: Mapping[str, StageRecord],
        *,
        on_change: OnChange = unheard,
        standing: Standing = UNTRIED,
    ) -> StageRecord:
        """Run a stage. A failure comes back as a record.

        Args:
            task: Which stage of which answer.
            upstream: How earlier stages of the answer ended.
            on_change: Is told when it waits for its stage, and when it does not any more.
            standing: Where it stood before a restart.
        """
        begin_s = time.monotonic()
        lane = self._lanes[task.stage]
        try:
            attempts = Attempts(
                task,
                lane,
                retry=self._retry,
                pace=self._pace,
                listener=self._listener,
                on_change=on_change,
                standing=standing,
            )
            given = Upstream(upstream, self._outputs)
            while True:
                work = await attempts.with_store(lambda: lane.stage.prepare(task, given))
                if work.found is not None:
                    return replace(work.found, reused=True)
                if (record := await self._made(task, work, attempts)) is not None:
                    return accounted(record)
        except InterviewError as error:
            return failed_record(task.stage, error, 0, time.monotonic() - begin_s, 0.0)
        except Exception:
            logger.exception("a stage failed unexpectedly", extra={"stage": task.stage})
            return broken_record(task.stage)

    async def _made(self, task: Task, work: Work, attempts: Attempts) -> StageRecord | None:
        """Make the output, and keep it. None where somebody else left it meanwhile."""

        async def is_there() -> bool:
            return await self._outputs.find(work.output_key) is not None

        if (record := await self._made_early(task, work, attempts)) is not None:
            return record
        try:
            with self._lanes[task.stage].queue.needing():
                output = await attempts.output(work, is_there)
        except InterviewError as error:
            return failed_record(task.stage, error, attempts.count, attempts.queued_s, attempts.run_s)
        if output is None:
            return None
        record = done_record(
            work.stage, output, attempts.count, attempts.queued_s, attempts.run_s, work.output_key
        )
        await self._keep(work, output, record, attempts)
        return record

    async def _made_early(self, task: Task, work: Work, attempts: Attempts) -> StageRecord | None:
        """Keep what the stage answered while the recording arrived. None where that does not count."""
        if self._early is None or not self._early.knows(task):
            return None
        begin_s = time.monotonic()
        self._listener.attempt(task, 1)
        output = await self._early.output(
            task, work.input_hash, lambda ratio: self._listener.progress(task, ratio)
        )
        try:
            if output is None:
                return None
            work.check(output)
        except UnavailableError:  # As with a reply that comes in time: it is asked again.
            return None
        # The session waited for it so long, and no longer.
        record = done_record(work.stage, output, 1, 0.0, time.monotonic() - begin_s, work.output_key)
        if record.state != "done":
            return None
        await self._keep(work, output, record, attempts)
        logger.info("early work is used", extra={"stage": task.stage})
        return record

    async def _keep(self, work: Work, output: Message, record: StageRecord, attempts: Attempts) -> None:
        if record.state == "done":
            # A store that is away must not cost minutes of inference.
            save = partial(self._outputs.save_once, work.output_key, output, record)
            await attempts.with_store(lambda: retrying(save, timeout_s=SAVE_TIMEOUT_S, retry=self._retry))


async def _try_again() -> bool:
    """Let one use the store and see: nothing else tells whether it has room."""
    return True
