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
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from functools import partial
from typing import Any

from dbos import DBOS, SetWorkflowID
from google.protobuf.json_format import MessageToDict

from chassis.telemetry import SESSIONS_ENDED
from chassis.telemetry import session_id as current_session_id
from orchestrator.durable.at_work import AtWork
from orchestrator.durable.config import MAX_THREADS, EngineConfig, dbos_config, tame_log
from orchestrator.durable.connections import disconnect
from orchestrator.durable.failover import Failover
from orchestrator.durable.fencing import written_by_owner
from orchestrator.durable.kept import QUEUE, REASSESSMENT, KeptSessions, version_key
from orchestrator.durable.schema import launch, not_migrated, prepare_tables_of_file
from orchestrator.durable.sqlite_file import (
    DatabaseLock,
    prepare_sqlite,
    sqlite_file_exists,
    write_something,
)
from orchestrator.durable.steps import DurableSteps, Finish, Request, ReservedSteps
from orchestrator.progress import ProgressTracker
from orchestrator.running.runner import StageRunner
from orchestrator.sessions import SessionRow, end_of
from orchestrator.stages.outputs import FIRST_VERSION
from orchestrator.versions import Reassessment, end_of_reassessment, read_request
from orchestrator.workflow import ASSESS, RESERVED_FIRST, RESERVED_LATER, process_session, reassess_session

logger = logging.getLogger(__name__)

Chore = Callable[[], Coroutine[Any, Any, None]]
"""What goes on beside the work, such as the sweep."""
MAX_RECOVERY_ATTEMPTS = 1000
"""Starts of a process at which a session may stand in mid-work. After more it is given up.

Each start counts, whatever ended the process before: a deployment too, and a death that another session
caused. So a day's waiting must fit in. What may end the process is bounded apart (`fetch_attempts.py`).
"""
_FINISH: Any = {"name": "finish", "retries_allowed": True, "max_attempts": 5}


class Engine(KeptSessions):
    """Keeps sessions and takes them through their stages. One a process.

    Args:
        config: How it runs.
        runner: Runs single stages.
        tracker: Is kept up to date with the live sessions.
        finish: Writes a session's result.

    Raises:
        PreconditionError: Another process works on the database (`DATABASE_IN_USE`).
    """

    def __init__(
        self, config: EngineConfig, runner: StageRunner, tracker: ProgressTracker, finish: Finish
    ) -> None:
        super().__init__(config, tracker)
        self._steps = DurableSteps(runner, tracker, written_by_owner(finish, self._owns))
        self._failover: Failover | None = None
        self._chores: list[Chore] = []
        self._last_acts: list[Callable[[], None]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self.closed = False

        # Defined here, not decorated as a method: DBOS keeps workflows by name, for the process.
        async def session(job: dict[str, Any]) -> dict[str, Any]:
            with self._at_work.counted():
                return await self._process(job)

        async def reassessment(job: dict[str, Any]) -> dict[str, Any]:
            with self._at_work.counted():
                return await self._reassess(job)

        self._lock: DatabaseLock | None = None
        if config.on_sqlite:
            if not config.migrate_at_start and not sqlite_file_exists(config.database_url):
                raise not_migrated()  # Before anything makes a file whose name may be misspelt.
            self.look_after(self._watch)
            self._lock = DatabaseLock(config.database_url)
            prepare_sqlite(config.database_url)
        tame_log()
        told = dbos_config(config, self._trouble)
        self._pool = told.get("system_database_engine")
        self._at_work = AtWork()
        DBOS(config=told)
        self._workflow = DBOS.workflow(name="session", max_recovery_attempts=MAX_RECOVERY_ATTEMPTS)(session)
        again = DBOS.workflow(name=REASSESSMENT, max_recovery_attempts=MAX_RECOVERY_ATTEMPTS)
        self._reassessment = again(reassessment)

    async def _watch(self) -> None:
        await self._trouble.watch(partial(write_something, self._config.database_url))

    def look_after(self, chore: Chore) -> None:
        """Have something run for as long as the engine does. Call it before the start."""
        self._chores.append(chore)

    def end_with(self, act: Callable[[], None]) -> None:
        """Have something done when the engine closes. It may block."""
        self._last_acts.append(act)

    def start(self) -> None:
        """Take up the work, what a dead predecessor left first. Call it inside the running event loop."""
        if not self._config.on_sqlite:
            self._failover = Failover(
                self._config,
                take_over=DBOS._recover_pending_workflows,
                is_at_work=self._at_work,
                resume=partial(DBOS.resume_workflows, queue_name=QUEUE),
            )
            self._failover.claim()  # Before the launch: nobody may take us for dead.
        # It gives the loop its own threads at the first call only. If work is taken up before, it would meet
        # those of a closed engine: it would be claimed and never done.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(MAX_THREADS))
        launch()
        if self._config.on_sqlite:
            prepare_tables_of_file(self._config.database_url, may_migrate=self._config.migrate_at_start)
        # Its async twin can't be awaited here, and the plain one refuses a thread with a running loop.
        registration = threading.Thread(target=self._register_queue)
        registration.start()
        registration.join()
        if self._failover is not None:
            self._failover.start()
        self._tasks = [asyncio.ensure_future(chore()) for chore in self._chores]

    def _register_queue(self) -> None:
        DBOS.register_queue(
            QUEUE,
            worker_concurrency=self._config.session_count,
            polling_interval_sec=self._config.queue_poll_s,
            on_conflict="always_update",
        )

    def _owns(self, workflow_id: str) -> bool:
        return self._failover is None or self._failover.owns(workflow_id)

    def close(self) -> None:
        """Let go: what is at work stays in the database and goes on at the next start, here or elsewhere."""
        self.closed = True
        for task in self._tasks:
            if not task.get_loop().is_closed():
                task.get_loop().call_soon_threadsafe(task.cancel)
        if self._failover is not None:
            self._failover.stop()
        DBOS.destroy(destroy_registry=True)
        for act in self._last_acts:
            act()
        if self._pool is not None:
            disconnect(self._pool)
        if self._lock is not None:
            self._lock.release()

    async def submit(self, request: Request) -> SessionRow:
        """Accept a session. When this returns, it is durable. Nothing happens where it exists."""
        accepted = SessionRow(request, "queued", time.time())
        job = {"request": MessageToDict(request), "create_time_s": accepted.create_time_s}
        with SetWorkflowID(request.session_id):
            submitting = DBOS.enqueue_workflow_async(QUEUE, self._workflow, job)
            await self._trouble.bounded(submitting, writes=True)
        return accepted

    async def settled(self, session_id: str, timeout_s: float) -> bool:
        """Wait until no step of a session runs in this process. False where one still does."""
        return await self._steps.settled(session_id, timeout_s)

    async def submit_reassessment(self, job: Reassessment) -> None:
        """Accept a reassessment, durably. Nothing happens where its number is taken."""
        with SetWorkflowID(version_key(job.request.session_id, job.version_id)):
            submitting = DBOS.enqueue_workflow_async(QUEUE, self._reassessment, job.to_json())
            await self._trouble.bounded(submitting, writes=True)

    async def _process(self, job: dict[str, Any]) -> dict[str, Any]:
        request, created_s = read_request(job["request"]), job["create_time_s"]
        places = range(1, len(request.answers) + 1)
        # The order of these lines fixes the step ids: sessions in flight hang on it.
        plan = {(place, stage): DBOS.reserve_step() for place in places for stage in RESERVED_FIRST}
        last = DBOS.reserve_step()
        plan |= {(place, stage): DBOS.reserve_step() for stage in RESERVED_LATER for place in places}
        # In a context of its own: read inside the workflow, it would become a step.
        kept = await asyncio.create_task(self.milestones(request.session_id), context=Context())
        self._tracker.begin(request.session_id, created_s, kept)
        current_session_id.set(request.session_id)
        logger.info("session begins", extra={"answer_count": len(request.answers)})
        try:
            steps = ReservedSteps(request, plan, self._steps.run, self._steps.skip)
            linked = {place for place in places if request.answers[place - 1].link}
            records = await process_session(places, linked, steps)
            await last.run_async(_FINISH, self._steps.finish, request, records, created_s, FIRST_VERSION)
        finally:
            self._tracker.end(request.session_id)
        end = end_of(records)
        SESSIONS_ENDED.labels(end["state"]).inc()
        logger.info("session ends", extra={"state": end["state"], "reason": end["reason"]})
        return end | {"end_time_s": time.time()}

    async def _reassess(self, job: dict[str, Any]) -> dict[str, Any]:
        given = Reassessment.from_json(job)
        plan = {(place, ASSESS): DBOS.reserve_step() for place in given.places}
        last = DBOS.reserve_step()
        steps = ReservedSteps(given.request, plan, self._steps.assess, self._steps.skip)
        records = await reassess_session(given.records, steps)
        end = end_of_reassessment(records)
        if end["state"] == "completed":
            await last.run_async(
                _FINISH, self._steps.finish, given.request, records, given.create_time_s, given.version_id
            )
        return end | {"end_time_s": time.time()}
