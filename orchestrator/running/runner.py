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

from chassis.client import RetryPolicy, retrying
from chassis.errors import InterviewError
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
from orchestrator.running.watch import DEFAULT_PACE, Pace, StageWatch
from orchestrator.stages.outputs import SessionStore
from orchestrator.stages.stage import Stage, Task, Upstream, Work
from orchestrator.workflow import StageRecord

logger = logging.getLogger(__name__)

SAVE_TIMEOUT_S = 120.0


class StageRunner:
    """Runs stages, a bounded number of each kind at once.

    Args:
        stages: The stages by name.
        outputs: The store of the outputs.
        retry: How a stage that answers with a failure is tried again.
        places: The places at the stages.
        listener: Is told how stages get on.
        pace: How a stage that is away or full is waited for.
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
    ) -> None:
        self._outputs = outputs
        self._retry = retry
        self._listener = listener
        self._pace = pace
        store = StageWatch(_try_again, pace)
        self._lanes = {
            name: Lane(stage, places, StageWatch(stage.find_again, pace), store)
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

        try:
            output = await attempts.output(work, is_there)
        except InterviewError as error:
            return failed_record(task.stage, error, attempts.count, attempts.queued_s, attempts.run_s)
        if output is None:
            return None
        record = done_record(
            work.stage, output, attempts.count, attempts.queued_s, attempts.run_s, work.output_key
        )
        if record.state == "done":
            # A store that is away must not cost minutes of inference.
            save = partial(self._outputs.save_once, work.output_key, output, record)
            await attempts.with_store(lambda: retrying(save, timeout_s=SAVE_TIMEOUT_S, retry=self._retry))
        return record


async def _try_again() -> bool:
    """Let one use the store and see: nothing else tells whether it has room."""
    return True
