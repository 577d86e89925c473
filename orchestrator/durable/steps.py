"""The plan's steps on ids that were reserved before anything ran."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol

from interview.v1 import orchestrator_pb2
from orchestrator.stages.runner import Task
from orchestrator.workflow import StageRecord

Step = Callable[[Task, Any], Coroutine[Any, Any, dict[str, Any]]]


class Reservation(Protocol):
    """A step id of the engine."""

    @property
    def run_async(self) -> Callable[..., Coroutine[Any, Any, Any]]:
        """Run a step under this id, or return what it left before a crash."""


class ReservedSteps:
    """See `orchestrator.workflow.Steps`.

    Args:
        request: The session.
        plan: The reserved ids by position and stage.
        run_step: Runs a stage on what earlier stages left.
        skip_step: Keeps that a stage is left out.
    """

    def __init__(
        self,
        request: orchestrator_pb2.CreateSessionRequest,
        plan: Mapping[tuple[int, str], Reservation],
        run_step: Step,
        skip_step: Step,
    ) -> None:
        self._request = request
        self._plan = plan
        self._run_step = run_step
        self._skip_step = skip_step

    async def run(self, position: int, stage: str, upstream: Mapping[str, StageRecord]) -> StageRecord:
        """See `Steps`."""
        return await self._durably(Task(self._request, position, stage), self._run_step, upstream)

    async def skip(self, position: int, record: StageRecord) -> StageRecord:
        """See `Steps`."""
        return await self._durably(Task(self._request, position, record.stage), self._skip_step, record)

    async def _durably(self, task: Task, step: Step, given: Any) -> StageRecord:
        # `preemptible`: cancelled within a second once the session is. No retries here: the runner's
        # are typed, and a failed stage is a record, so nothing is caught that belongs to the engine.
        value = await self._plan[task.position, task.stage].run_async(
            {"name": f"{task.position}/{task.stage}", "preemptible": True}, step, task, given
        )
        return StageRecord.from_json(value)
