"""The engine's steps: what runs durably, and the plan's steps on ids reserved before anything ran."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

from dbos import DBOS

from chassis.telemetry import session_id as current_session_id
from interview.v1 import orchestrator_pb2
from orchestrator.progress import Milestone, ProgressTracker, standing_at, status_of
from orchestrator.running.attempts import Standing
from orchestrator.running.runner import StageRunner
from orchestrator.stages.stage import Task
from orchestrator.workflow import Records, StageRecord

logger = logging.getLogger(__name__)

Request = orchestrator_pb2.CreateSessionRequest
Step = Callable[[Task, Any], Coroutine[Any, Any, dict[str, Any]]]


class Reservation(Protocol):
    """A step id of the engine."""

    @property
    def run_async(self) -> Callable[..., Coroutine[Any, Any, Any]]:
        """Run a step under this id, or return what it left before a crash."""


class Finish(Protocol):
    """Writes a result: the request, how the stages ended, when it was accepted, which version it is."""

    async def __call__(
        self, request: Request, records: Mapping[int, Records], create_time_s: float, version_id: int, /
    ) -> None:
        """Write it."""


class DurableSteps:
    """What the engine runs as steps. It counts those of this process, so that a deletion can wait for them.

    Args:
        runner: Runs single stages.
        tracker: Is told how stages get on.
        finish: Writes a session's result.
    """

    def __init__(self, runner: StageRunner, tracker: ProgressTracker, finish: Finish) -> None:
        self._runner = runner
        self._tracker = tracker
        self._finish = finish
        self._running: Counter[str] = Counter()

    async def settled(self, session_id: str, timeout_s: float) -> bool:
        """Wait until no step of a session runs in this process. False where one still does."""
        deadline_s = time.monotonic() + timeout_s
        while self._running.get(session_id):
            if time.monotonic() > deadline_s:
                return False
            await asyncio.sleep(0.05)
        return True

    async def run(self, task: Task, upstream: Mapping[str, StageRecord]) -> dict[str, Any]:
        """Run one stage, keeping its beginning and its end as milestones."""
        session_id = task.session.session_id
        async with self._counted(session_id):
            standing = self._tracker.standing(task)
            begun = self._noted(task, standing)
            await _keep(task, [begun])

            async def keep_change(changed: Standing) -> None:
                try:
                    await _keep(task, [begun, self._noted(task, changed)])
                except Exception:  # It is shown all the same, and no reason to fail the stage.
                    logger.exception("a change could not be kept", extra={"stage": task.stage})

            record = await self._runner.run(task, upstream, on_change=keep_change, standing=standing)
            ended = self._tracker.note(session_id, task.place, status_of(record))
            await _keep(task, [begun, ended])
            return record.to_json()

    def _noted(self, task: Task, standing: Standing) -> Milestone:
        status = standing_at(task.stage, standing)
        return self._tracker.note(task.session.session_id, task.place, status, standing.kill_count)

    async def skip(self, task: Task, record: StageRecord) -> dict[str, Any]:
        """Keep that a stage is left out."""
        await _keep(task, [self._tracker.note(task.session.session_id, task.place, status_of(record))])
        return record.to_json()

    async def assess(self, task: Task, upstream: Mapping[str, StageRecord]) -> dict[str, Any]:
        """Judge one answer of an ended session, which shows no progress any more."""
        async with self._counted(task.session.session_id):
            return (await self._runner.run(task, upstream)).to_json()

    async def finish(
        self, request: Request, records: Mapping[int, Records], create_time_s: float, version_id: int
    ) -> None:
        """Write a version of a session's result."""
        async with self._counted(request.session_id):
            await self._finish(request, records, create_time_s, version_id)

    @asynccontextmanager
    async def _counted(self, session_id: str) -> AsyncIterator[None]:
        current_session_id.set(session_id)
        self._running[session_id] += 1
        try:
            yield
        finally:
            self._running[session_id] -= 1


class ReservedSteps:
    """See `orchestrator.workflow.Steps`.

    Args:
        request: The session.
        plan: The reserved ids by place and stage.
        run_step: Runs a stage on what earlier stages left.
        skip_step: Keeps that a stage is left out.
    """

    def __init__(
        self,
        request: Request,
        plan: Mapping[tuple[int, str], Reservation],
        run_step: Step,
        skip_step: Step,
    ) -> None:
        self._request = request
        self._plan = plan
        self._run_step = run_step
        self._skip_step = skip_step

    async def run(self, place: int, stage: str, upstream: Mapping[str, StageRecord]) -> StageRecord:
        """See `Steps`."""
        return await self._durably(Task(self._request, place, stage), self._run_step, upstream)

    async def skip(self, place: int, record: StageRecord) -> StageRecord:
        """See `Steps`."""
        return await self._durably(Task(self._request, place, record.stage), self._skip_step, record)

    async def _durably(self, task: Task, step: Step, given: Any) -> StageRecord:
        # `preemptible`: cancelled within a second once the session is. No retries here: the runner's
        # are typed, and a failed stage is a record, so nothing is caught that belongs to the engine.
        value = await self._plan[task.place, task.stage].run_async(
            {"name": f"{task.place}/{task.stage}", "preemptible": True}, step, task, given
        )
        return StageRecord.from_json(value)


async def _keep(task: Task, milestones: list[Milestone]) -> None:
    # One key a stage: writers of one key would have to take turns.
    await DBOS.set_event_async(
        f"{task.place}/{task.stage}", [milestone.to_json() for milestone in milestones]
    )
