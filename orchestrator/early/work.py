"""All recordings of this process that are worked on while they arrive, and what came of it.

What the stages answered is kept in memory until the session asks for it, or for a while. It is never written
by this room: the session's own stage takes it, under the name that it found itself, or does not.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.message import Message

from chassis.store import MediaStore
from chassis.store.arriving import ArrivingReader
from orchestrator.early.call import EarlyCall
from orchestrator.early.places import YieldingPlaces
from orchestrator.early.recording import EarlyRecording
from orchestrator.settings import OrchestratorSettings
from orchestrator.stages.extract import ExtractionLimits
from orchestrator.stages.recording_stage import RecordingStage
from orchestrator.stages.remote import Limits
from orchestrator.stages.stage import OnProgress, Stage, Task
from orchestrator.stages.work_folder import work_folder

logger = logging.getLogger(__name__)

MAX_ARRIVAL_S = 4_000.0
"""No upload takes longer: the gateway ends one after an hour."""
KEEP_S = 900.0
"""How long answers wait for their session. It may stand in the queue first."""
MAX_KEPT_COUNT = 16
"""Recordings whose answers wait, a few MB each. Of more, the oldest are forgotten."""

Place = tuple[str, int]
"""A session and the position of one of its answers."""


@dataclass(frozen=True)
class Coming:
    """A recording that is on its way."""

    session_id: str
    position: int
    language_code: str
    """The session's. Empty to detect it."""


class EarlyWork:
    """Works on recordings while they arrive, a bounded number at once.

    Args:
        stages: The stages of the process. Those that a service does on a recording are called early.
        places: The places at the stages.
        media: The store that recordings arrive in.
        settings: How many, and what one may cost.
        work_dir: Folder for their sound. None: the system's.
    """

    def __init__(
        self,
        stages: Iterable[Stage],
        places: YieldingPlaces,
        media: MediaStore,
        settings: OrchestratorSettings,
        *,
        work_dir: Path | None = None,
    ) -> None:
        self._stages = [stage for stage in stages if isinstance(stage, RecordingStage) and stage.is_remote]
        self._places = places
        self._media = media
        self._settings = settings
        self._work_dir = work_dir
        self._tasks: dict[Place, asyncio.Task[None]] = {}
        self._calls: dict[Place, Mapping[str, EarlyCall]] = {}
        self._closed = False

    async def run(self) -> None:
        """Wait until the process ends, and end all work then."""
        try:
            await asyncio.Event().wait()
        finally:
            self._closed = True
            for task in self._tasks.values():
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks.values())

    def follow(self, coming: Coming) -> bool:
        """Begin to work on a recording that is on its way.

        Returns:
            Whether it is worked on. Not where this process has enough to do, or where that is switched off.
        """
        place = (coming.session_id, coming.position)
        if self._closed or len(self._tasks) >= self._settings.early_count or place in self._tasks:
            return False
        calls = {stage.name: self._call(stage, coming.language_code) for stage in self._stages}
        while len(self._calls) >= MAX_KEPT_COUNT + self._settings.early_count:
            self._forget(next(iter(self._calls)))
        self._forget(place)
        self._calls[place] = calls
        self._tasks[place] = asyncio.create_task(self._work(place, calls))
        return True

    def _call(self, stage: RecordingStage, language_code: str) -> EarlyCall:
        longest = stage.limits(self._settings.max_duration_s)
        limits = Limits(longest.timeout_s + MAX_ARRIVAL_S, longest.stall_s)
        return EarlyCall(stage, language_code, self._places, limits)

    async def _work(self, place: Place, calls: Mapping[str, EarlyCall]) -> None:
        recording = EarlyRecording(
            lambda: ArrivingReader(self._media, *place),
            calls,
            ExtractionLimits.of(self._settings, self._settings.max_duration_s),
            lambda: work_folder(self._work_dir),
        )
        has_come = False
        try:
            async with asyncio.timeout(MAX_ARRIVAL_S + self._settings.max_wait_s):
                has_come = await recording.run()
        except Exception:
            logger.exception("early work failed unexpectedly")
        finally:
            del self._tasks[place]
            if not has_come:
                self._forget(place)
        if has_come:
            asyncio.get_running_loop().call_later(KEEP_S, self._forget_these, place, calls)

    def _forget_these(self, place: Place, calls: Mapping[str, EarlyCall]) -> None:
        if self._calls.get(place) is calls:
            self._forget(place)

    def _forget(self, place: Place) -> None:
        for call in self._calls.pop(place, {}).values():
            call.give_up()

    def knows(self, task: Task) -> bool:
        """Tell whether a stage was called early for an answer."""
        return task.stage in self._calls.get((task.session.session_id, task.place), {})

    async def output(self, task: Task, input_hash: str, on_progress: OnProgress) -> Message | None:
        """See `EarlyOutputs`."""
        call = self._calls.get((task.session.session_id, task.place), {}).get(task.stage)
        return await call.output(input_hash, on_progress) if call is not None else None
