"""Live progress of the sessions at work in this process, kept in memory.

What must survive a crash is kept by the engine (`durable.py`) as milestones. Here are the same states
plus the shares that stages report several times a second.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from interview.v1 import orchestrator_pb2
from orchestrator.running.attempts import ProgressListener, Standing
from orchestrator.stages.stage import Task
from orchestrator.workflow import StageRecord

MS_PER_S = 1000

STAGE_STATES: Mapping[str, Any] = {
    "pending": orchestrator_pb2.STAGE_STATE_PENDING,
    "running": orchestrator_pb2.STAGE_STATE_RUNNING,
    "done": orchestrator_pb2.STAGE_STATE_DONE,
    "failed": orchestrator_pb2.STAGE_STATE_FAILED,
    "skipped": orchestrator_pb2.STAGE_STATE_SKIPPED,
    "waiting": orchestrator_pb2.STAGE_STATE_WAITING,
}
"""The contract's states by the names that are kept."""
STATE_NAMES: Mapping[int, str] = {number: name for name, number in STAGE_STATES.items()}
AT_REST = frozenset(STAGE_STATES[name] for name in ("done", "failed", "skipped"))
"""States of a stage at which nothing goes on any more."""

StageStatus = orchestrator_pb2.StageStatus
"""Where a stage of one answer is."""

Statuses = dict[tuple[int, str], StageStatus]
"""By the answer's place in the session and the stage."""


def standing_at(stage: str, standing: Standing) -> StageStatus:
    """Return the status of a stage that is at work, or waits for the process that does its work."""
    if standing.waiting_since_s is None:
        return StageStatus(stage=stage, state=STAGE_STATES["running"], attempt_count=standing.attempt_count)
    return StageStatus(
        stage=stage,
        state=STAGE_STATES["waiting"],
        attempt_count=standing.attempt_count,
        reason=standing.reason,
        message=standing.message,
        waiting_since_s=standing.waiting_since_s,
    )


def status_of(record: StageRecord) -> StageStatus:
    """Return the status of a stage that has ended."""
    return StageStatus(
        stage=record.stage,
        state=STAGE_STATES[record.state],
        done_ratio=1.0 if record.state == "done" else None,
        attempt_count=record.attempt_count,
        reason=record.reason,
        message=record.message if record.state != "done" else "",
    )


@dataclass(frozen=True)
class Milestone:
    """A stage's change of state that is kept durably."""

    event_id: int
    time_s: float
    place: int
    status: StageStatus
    kill_count: int = 0
    """Deaths of the stage while it worked on this answer."""

    @property
    def standing(self) -> Standing:
        """Where the answer stands at this stage, for whoever takes it up after a restart."""
        waits = self.status.HasField("waiting_since_s")
        return Standing(
            self.status.waiting_since_s if waits else None,
            self.status.reason,
            self.status.message,
            self.status.attempt_count,
            self.kill_count,
        )

    def to_json(self) -> dict[str, Any]:
        """Return what the engine keeps. There the place is called position, as it was from the beginning.

        A stage that waits is kept as one at work, with what is more beside it: builds that know nothing of
        waiting read it too.
        """
        status = self.status
        waits = status.HasField("waiting_since_s")
        more = {"waiting_since_s": status.waiting_since_s} if waits else {}
        if self.kill_count:
            more["kill_count"] = self.kill_count
        view = {
            "state": "running" if waits else STATE_NAMES[status.state],
            "done_ratio": status.done_ratio if status.HasField("done_ratio") else None,
            "attempt_count": status.attempt_count,
            "reason": status.reason,
            "message": status.message,
        }
        return {
            "event_id": self.event_id,
            "time_s": self.time_s,
            "position": self.place,
            "stage": status.stage,
            "view": view,
            **more,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Milestone:
        """Read what the engine kept."""
        view = value["view"]
        status = StageStatus(**{**view, "stage": value["stage"], "state": STAGE_STATES[view["state"]]})
        if (since_s := value.get("waiting_since_s")) is not None:
            status.state, status.waiting_since_s = STAGE_STATES["waiting"], since_s
        kill_count = value.get("kill_count", 0)
        return cls(value["event_id"], value["time_s"], value["position"], status, kill_count)


@dataclass(frozen=True)
class Snapshot:
    """A live session at one moment."""

    event_id: int
    """Number of the newest event."""
    statuses: Statuses
    ended_before: Statuses
    """Stages that had ended when this process took the session up."""
    elapsed_s: float
    """Since this process took it up."""


class _Live:
    """Times are of a clock that nobody sets. The date only says where the numbers of events begin."""

    def __init__(
        self,
        begin_s: float,
        first_event_id: int,
        ended_before: Statuses,
        standings: Mapping[tuple[int, str], Standing],
    ) -> None:
        self.begin_s = begin_s
        self.first_event_id = first_event_id
        self.event_id = first_event_id
        self.ended_before = ended_before
        self.standings = standings
        waiting = {
            key: standing_at(key[1], standing)
            for key, standing in standings.items()
            if standing.waiting_since_s is not None
        }
        self.statuses: Statuses = waiting | ended_before
        self.changed = asyncio.Event()


class ProgressTracker(ProgressListener):
    """The live sessions of this process, by id.

    Args:
        monotonic: A clock that nobody sets, in seconds, for durations.
        now: The date, in seconds since 1970-01-01 UTC.
    """

    def __init__(
        self, *, monotonic: Callable[[], float] = time.monotonic, now: Callable[[], float] = time.time
    ) -> None:
        self._sessions: dict[str, _Live] = {}
        self._monotonic = monotonic
        self._now = now

    def begin(self, session_id: str, create_time_s: float, kept: Sequence[Milestone] = ()) -> None:
        """Take a session up. Stages that have not ended are pending.

        Args:
            session_id: Which one.
            create_time_s: When it was accepted.
            kept: Its milestones from before a restart. Numbers go on after theirs, wherever the date stands.
        """
        newest_id = max((milestone.event_id for milestone in kept), default=0)
        by_date_id = int((self._now() - create_time_s) * MS_PER_S)
        last = {(milestone.place, milestone.status.stage): milestone for milestone in kept}
        ended = {key: one.status for key, one in last.items() if one.status.state in AT_REST}
        standings = {key: one.standing for key, one in last.items() if key not in ended}
        first_id = max(newest_id, by_date_id, 0)
        self._sessions[session_id] = _Live(self._monotonic(), first_id, ended, standings)

    def end(self, session_id: str) -> None:
        """Drop a session that is at work here no more, and wake who waits for it."""
        if (live := self._sessions.pop(session_id, None)) is not None:
            live.changed.set()

    def snapshot(self, session_id: str) -> Snapshot | None:
        """Return where a session is, or None for one that is not live here."""
        if (live := self._sessions.get(session_id)) is None:
            return None
        elapsed_s = self._monotonic() - live.begin_s
        return Snapshot(live.event_id, dict(live.statuses), live.ended_before, elapsed_s)

    def standing(self, task: Task) -> Standing:
        """Return where a stage of an answer stood when this process took its session up."""
        live = self._sessions.get(task.session.session_id)
        return live.standings.get((task.place, task.stage), Standing()) if live else Standing()

    def note(self, session_id: str, place: int, status: StageStatus, kill_count: int = 0) -> Milestone:
        """Note a change of state and number it."""
        if session_id not in self._sessions:
            self.begin(session_id, self._now())
        live = self._sessions[session_id]
        elapsed_ms = int((self._monotonic() - live.begin_s) * MS_PER_S)
        live.event_id = max(live.event_id + 1, live.first_event_id + elapsed_ms)
        live.statuses[place, status.stage] = status
        live.changed.set()
        return Milestone(live.event_id, self._now(), place, status, kill_count)

    def attempt(self, task: Task, attempt_count: int) -> None:
        """See `ProgressListener`."""
        session_id = task.session.session_id
        if session_id in self._sessions:  # One that is judged again has ended long since.
            running = STAGE_STATES["running"]
            self.note(
                session_id,
                task.place,
                StageStatus(stage=task.stage, state=running, attempt_count=attempt_count),
            )

    def progress(self, task: Task, ratio: float) -> None:
        """See `ProgressListener`."""
        live = self._sessions.get(task.session.session_id)
        status = live.statuses.get((task.place, task.stage)) if live is not None else None
        if status is not None and status.state == STAGE_STATES["running"]:
            further = StageStatus(
                stage=task.stage, state=status.state, attempt_count=status.attempt_count, done_ratio=ratio
            )
            self.note(task.session.session_id, task.place, further)

    async def wait(self, session_id: str, timeout_s: float) -> None:
        """Wait until something changes, at most `timeout_s`."""
        live = self._sessions.get(session_id)
        if live is None:
            await asyncio.sleep(timeout_s)
            return
        live.changed.clear()
        try:
            async with asyncio.timeout(timeout_s):
                await live.changed.wait()
        except TimeoutError:
            return
