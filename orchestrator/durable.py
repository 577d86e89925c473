"""All of DBOS: sessions as durable workflows, one a session, workflow id = session id.

SQLite (WAL) on one machine, Postgres on a cluster, the same code. Step ids are reserved before
anything runs, because gathered chains draw them in the order of events otherwise, and a recovery
then meets other steps than it recorded. The journal holds JSON and references, no payloads.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import UTC, datetime
from typing import Any

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID, StepReservation, WorkflowStatus
from google.protobuf.json_format import MessageToDict, ParseDict

from chassis.telemetry import session_id as current_session_id
from interview.v1 import orchestrator_pb2
from orchestrator.engine_config import EngineConfig, prepare_sqlite, quiet
from orchestrator.failover import Failover
from orchestrator.progress import Board, Milestone, StageView
from orchestrator.runner import StageRunner, Task
from orchestrator.sessions import ENDED, SessionRow, end_of
from orchestrator.workflow import STAGES, Records, StageRecord, process_session

logger = logging.getLogger(__name__)

QUEUE = "sessions"
MS_PER_S = 1000
MAX_RECOVERY_ATTEMPTS = 20
"""A session that brings its process down so often is given up (it would do so for ever)."""
MAX_THREADS = 64
"""DBOS makes its pool the loop's default one, which our own blocking work shares."""
IDLE_TRANSACTION_TIMEOUT_S = 10.0
"""A frozen replica must not hold row locks for the default minute."""
FINISH_ATTEMPTS = 5

Request = orchestrator_pb2.CreateSessionRequest
Finish = Callable[[Request, Mapping[int, Records], float], Awaitable[None]]
"""Writes the result of a session: its request, how its stages ended, when it was accepted."""


class Engine:
    """Keeps sessions and takes them through their stages. One a process.

    Args:
        config: How it runs.
        runner: Runs single stages.
        board: Is kept up to date with the live sessions.
        finish: Writes a session's result.
    """

    def __init__(self, config: EngineConfig, runner: StageRunner, board: Board, finish: Finish) -> None:
        self._config = config
        self._runner = runner
        self._board = board
        self._finish = finish
        self._failover: Failover | None = None
        self._steps_running: Counter[str] = Counter()

        # Defined here, not decorated as a method: DBOS keeps workflows by name, for the process.
        async def session(job: dict[str, Any]) -> dict[str, Any]:
            return await self._process(job)

        if config.on_sqlite:
            prepare_sqlite(config.database_url)
        logging.getLogger("dbos").addFilter(quiet)
        DBOS(config=_dbos_config(config))
        self._workflow = DBOS.workflow(name="session", max_recovery_attempts=MAX_RECOVERY_ATTEMPTS)(session)

    def start(self) -> None:
        """Take up the work, what a dead predecessor left first. Call it inside the running event loop."""
        if not self._config.on_sqlite:
            self._failover = Failover(
                self._config.database_url,
                self._config.replica,
                interval_s=self._config.heartbeat_interval_s,
                dead_after_s=self._config.dead_after_s,
                take_over=DBOS._recover_pending_workflows,
            )
            self._failover.first_beat()  # Before the launch: nobody may take us for dead.
        DBOS.launch()
        # Its async twin can't be awaited here, and the plain one refuses a thread with a running loop.
        registration = threading.Thread(target=self._register_queue)
        registration.start()
        registration.join()
        if self._failover is not None:
            self._failover.start()

    def _register_queue(self) -> None:
        DBOS.register_queue(
            QUEUE,
            worker_concurrency=self._config.session_count,
            polling_interval_sec=self._config.queue_poll_s,
            on_conflict="always_update",
        )

    def close(self) -> None:
        """Let go: what is at work stays in the database and goes on at the next start, here or elsewhere."""
        if self._failover is not None:
            self._failover.stop()
        DBOS.destroy(destroy_registry=True)
        logging.getLogger("dbos").removeFilter(quiet)

    async def submit(self, request: Request) -> None:
        """Accept a session; when this returns, it is durable. Nothing happens where it exists."""
        job = {"request": MessageToDict(request), "create_time_s": time.time()}
        with SetWorkflowID(request.session_id):
            await DBOS.enqueue_workflow_async(QUEUE, self._workflow, job)

    async def get(self, session_id: str) -> SessionRow | None:
        """Return a session with its milestones, or None where there is none."""
        rows = await DBOS.list_workflows_async(workflow_ids=[session_id])
        if not rows:
            return None
        kept = await DBOS.get_all_events_async(session_id)
        milestones = [Milestone.from_json(entry) for entries in kept.values() for entry in entries]
        return _to_row(rows[0], tuple(sorted(milestones, key=lambda milestone: milestone.event_id)))

    async def waiting_count(self, limit: int) -> int:
        """Count sessions that wait for their turn, up to `limit`."""
        rows = await DBOS.list_workflows_async(
            status="ENQUEUED", name="session", limit=limit, load_input=False, load_output=False
        )
        return len(rows)

    async def page(self, end_time_ms: int | None, offset: int, limit: int) -> list[tuple[int, SessionRow]]:
        """Return sessions, the newest first, each with its time of acceptance in milliseconds.

        Args:
            end_time_ms: Only those accepted up to then. None: all.
            offset: How many to pass over.
            limit: How many to return.
        """
        # Half a millisecond more: the engine truncates, and must not land one lower.
        end = datetime.fromtimestamp((end_time_ms + 0.5) / MS_PER_S, UTC).isoformat() if end_time_ms else None
        rows = await DBOS.list_workflows_async(
            name="session", sort_desc=True, end_time=end, offset=offset, limit=limit
        )
        return [(row.created_at or 0, _to_row(row, ())) for row in rows]

    async def cancel(self, session_id: str) -> None:
        """Cancel a session; its running steps are cancelled within about a second."""
        await DBOS.cancel_workflow_async(session_id)

    async def settled(self, session_id: str, timeout_s: float) -> bool:
        """Wait until no step of a session runs in this process; False where one still does."""
        deadline_s = time.monotonic() + timeout_s
        while self._steps_running.get(session_id):
            if time.monotonic() > deadline_s:
                return False
            await asyncio.sleep(0.05)
        return True

    async def delete(self, session_id: str) -> None:
        """Remove a session from the engine."""
        await DBOS.delete_workflow_async(session_id)

    async def rerun(self, session_id: str) -> None:
        """Run an ended session again from its first step, in place; kept outputs make that short."""
        await DBOS.rewind_workflow_async(session_id, start_step=1, queue_name=QUEUE)

    async def _process(self, job: dict[str, Any]) -> dict[str, Any]:
        request = ParseDict(job["request"], Request())
        places = range(1, len(request.answers) + 1)
        plan = {(place, stage): DBOS.reserve_step() for place in places for stage in STAGES}
        last = DBOS.reserve_step()
        self._board.begin(request.session_id, job["create_time_s"])
        try:
            records = await process_session(places, _ReservedSteps(self, request, plan))
            await last.run_async(
                {"name": "finish", "retries_allowed": True, "max_attempts": FINISH_ATTEMPTS},
                self._finish_step,
                request,
                records,
                job["create_time_s"],
            )
        finally:
            self._board.end(request.session_id)
        return end_of(records)

    async def _finish_step(
        self, request: Request, records: Mapping[int, Records], create_time_s: float
    ) -> None:
        current_session_id.set(request.session_id)
        await self._finish(request, records, create_time_s)

    async def run_step(self, task: Task, upstream: Mapping[str, StageRecord]) -> dict[str, Any]:
        """Run one stage, keeping its beginning and its end as milestones."""
        session_id = task.session.session_id
        current_session_id.set(session_id)
        self._steps_running[session_id] += 1
        try:
            begun = self._board.note(session_id, task.position, task.stage, StageView("running"))
            await self._keep(task, [begun])
            record = await self._runner.run(task, upstream)
            ended = self._board.note(session_id, task.position, task.stage, StageView.ended(record))
            await self._keep(task, [begun, ended])
            return record.to_json()
        finally:
            self._steps_running[session_id] -= 1

    async def skip_step(self, task: Task, record: StageRecord) -> dict[str, Any]:
        """Keep that a stage is left out."""
        view = StageView.ended(record)
        await self._keep(task, [self._board.note(task.session.session_id, task.position, task.stage, view)])
        return record.to_json()

    @staticmethod
    async def _keep(task: Task, milestones: list[Milestone]) -> None:
        # One key a stage: writers of one key would have to take turns.
        await DBOS.set_event_async(
            f"{task.position}/{task.stage}", [milestone.to_json() for milestone in milestones]
        )


class _ReservedSteps:
    """The plan's steps on reserved ids."""

    def __init__(
        self, engine: Engine, request: Request, plan: Mapping[tuple[int, str], StepReservation]
    ) -> None:
        self._engine = engine
        self._request = request
        self._plan = plan

    async def run(self, position: int, stage: str, upstream: Mapping[str, StageRecord]) -> StageRecord:
        task = Task(self._request, position, stage)
        return await self._durably(task, self._engine.run_step, upstream)

    async def skip(self, position: int, record: StageRecord) -> StageRecord:
        task = Task(self._request, position, record.stage)
        return await self._durably(task, self._engine.skip_step, record)

    async def _durably(
        self, task: Task, step: Callable[[Task, Any], Coroutine[Any, Any, dict[str, Any]]], given: Any
    ) -> StageRecord:
        # `preemptible`: cancelled within a second once the session is. No retries here: the runner's
        # are typed, and a failed stage is a record, so nothing is caught that belongs to the engine.
        value = await self._plan[task.position, task.stage].run_async(
            {"name": f"{task.position}/{task.stage}", "preemptible": True}, step, task, given
        )
        return StageRecord.from_json(value)


def _to_row(status: WorkflowStatus, milestones: tuple[Milestone, ...]) -> SessionRow:
    job: dict[str, Any] = status.input["args"][0] if status.input else {}
    output = status.output if status.status == "SUCCESS" else None
    state, reason, message = _STATES.get(status.status, "failed"), "", ""
    if output is not None:
        state, reason, message = output["state"], output["reason"], output["message"]
    elif state == "failed":
        reason, message = "INTERNAL", "The session could not be finished on our side; retry it."
    return SessionRow(
        request=ParseDict(job["request"], Request()),
        state=state,
        create_time_s=job["create_time_s"],
        end_time_s=_end_time_s(status) if state in ENDED else None,
        reason=reason,
        message=message,
        records={
            int(place): {name: StageRecord.from_json(record) for name, record in of.items()}
            for place, of in (output["records"] if output else {}).items()
        },
        milestones=milestones,
    )


_STATES = {
    "DELAYED": "queued",
    "ENQUEUED": "queued",
    "PENDING": "processing",
    "CANCELLED": "cancelled",
}


def _end_time_s(status: WorkflowStatus) -> float:
    return (status.completed_at or status.updated_at or status.created_at or 0) / MS_PER_S


def _dbos_config(config: EngineConfig) -> DBOSConfig:
    return {
        "name": "interview-orchestrator",
        "system_database_url": config.database_url,
        # Constant: by default it is a hash of the source, and any edit strands sessions in flight.
        "application_version": config.flow_version,
        "executor_id": config.replica,
        # The default is pickle: whoever can write the database could run code here.
        "serializer": DBOSPortableJSONSerializer(),
        "max_executor_threads": MAX_THREADS,
        "sys_db_idle_transaction_timeout_sec": IDLE_TRANSACTION_TIMEOUT_S,
        "log_level": "WARNING",
        "enable_otlp": False,
    }
