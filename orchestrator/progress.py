"""Live progress of the sessions at work in this process, kept in memory.

What must survive a crash is kept by the engine (`durable.py`) as milestones; here are the same states
plus the shares that stages report several times a second.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from orchestrator.stages.runner import ProgressListener
from orchestrator.stages.stage import Task
from orchestrator.workflow import StageRecord

ViewState = Literal["pending", "running", "done", "failed", "skipped"]

MS_PER_S = 1000


@dataclass(frozen=True)
class StageView:
    """Where a stage of one answer is."""

    state: ViewState = "pending"
    done_ratio: float | None = None
    attempt_count: int = 0
    reason: str = ""
    message: str = ""

    @classmethod
    def ended(cls, record: StageRecord) -> StageView:
        """Return the view of a stage that has ended."""
        return cls(
            record.state,
            1.0 if record.state == "done" else None,
            record.attempt_count,
            record.reason,
            record.message if record.state != "done" else "",
        )

    def to_json(self) -> dict[str, Any]:
        """Return what the engine keeps."""
        return asdict(self)


Views = dict[tuple[int, str], StageView]
"""By the answer's place in the session and the stage."""


@dataclass(frozen=True)
class Milestone:
    """A stage's change of state that is kept durably."""

    event_id: int
    time_s: float
    place: int
    stage: str
    view: StageView

    def to_json(self) -> dict[str, Any]:
        """Return what the engine keeps; there the place is called position, as it was from the beginning."""
        kept = asdict(self)
        return {("position" if name == "place" else name): value for name, value in kept.items()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Milestone:
        """Read what the engine kept."""
        return cls(
            value["event_id"],
            value["time_s"],
            value["position"],
            value["stage"],
            StageView(**value["view"]),
        )


class _Live:
    def __init__(self, create_time_s: float) -> None:
        self.create_time_s = create_time_s
        self.begin_time_s = time.time()
        self.event_id = 0
        self.views: Views = {}
        self.changed = asyncio.Event()


class ProgressTracker(ProgressListener):
    """The live sessions of this process, by id."""

    def __init__(self) -> None:
        self._sessions: dict[str, _Live] = {}

    def begin(self, session_id: str, create_time_s: float) -> None:
        """Take a session up; its stages are pending."""
        self._sessions[session_id] = _Live(create_time_s)

    def end(self, session_id: str) -> None:
        """Drop a session that is at work here no more, and wake who waits for it."""
        if (live := self._sessions.pop(session_id, None)) is not None:
            live.changed.set()

    def views(self, session_id: str) -> tuple[int, Views] | None:
        """Return the newest event's number and the stages' views, or None for a session not live here."""
        live = self._sessions.get(session_id)
        return (live.event_id, dict(live.views)) if live is not None else None

    def begin_time_s(self, session_id: str) -> float | None:
        """Return since when a session is at work here."""
        live = self._sessions.get(session_id)
        return live.begin_time_s if live is not None else None

    def note(self, session_id: str, place: int, stage: str, view: StageView) -> Milestone:
        """Note a change of state and number it."""
        live = self._sessions.setdefault(session_id, _Live(time.time()))
        live.event_id = max(live.event_id + 1, int((time.time() - live.create_time_s) * MS_PER_S))
        live.views[place, stage] = view
        live.changed.set()
        return Milestone(live.event_id, time.time(), place, stage, view)

    def attempt(self, task: Task, attempt_count: int) -> None:
        """See `ProgressListener`."""
        session_id = task.session.session_id
        if session_id in self._sessions:  # One that is judged anew has ended long since.
            view = StageView("running", attempt_count=attempt_count)
            self.note(session_id, task.place, task.stage, view)

    def progress(self, task: Task, ratio: float) -> None:
        """See `ProgressListener`."""
        live = self._sessions.get(task.session.session_id)
        view = live.views.get((task.place, task.stage)) if live is not None else None
        if view is not None and view.state == "running":
            self.note(task.session.session_id, task.place, task.stage, replace(view, done_ratio=ratio))

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
