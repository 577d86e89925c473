"""A stage runner on fakes, and what a test does with it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chassis.client import RetryPolicy
from chassis.store import MediaStore
from interview.v1 import media_pb2, orchestrator_pb2
from orchestrator.progress import ProgressTracker
from orchestrator.running.attempts import UNTRIED, Standing
from orchestrator.running.places import own_places
from orchestrator.running.runner import StageRunner
from orchestrator.running.watch import Pace
from orchestrator.settings import Preferences
from orchestrator.stages.catalogue import build_stages, settings_class
from orchestrator.stages.extract import ExtractRequest
from orchestrator.stages.outputs import SessionStore
from orchestrator.stages.remote import Channels
from orchestrator.stages.stage import OnProgress, Parts, Task
from orchestrator.workflow import STAGES, StageRecord
from tests.fakes.stages import FakeStages

SESSION_ID = "0123456789abcdef0123456789abcdef"
PREFERENCES = Preferences(("en", "id"), "", 7)
HURRIED = Pace(max_wait_s=60.0, probe_interval_s=0.005, stagger_s=0.001, settled_s=0.02)


class FakeExtractor:
    """Says that a recording has sound and picture."""

    def __init__(self) -> None:
        self.count = 0

    async def extract(self, request: ExtractRequest, _: OnProgress) -> orchestrator_pb2.Extraction:
        self.count += 1
        return orchestrator_pb2.Extraction(
            outcome=media_pb2.OUTCOME_OK,
            audio_key=request.audio_key,
            audio_digest="a" * 64,
            media_digest="b" * 64,
        )


class Bench:
    """A stage runner on fakes."""

    def __init__(
        self,
        folder: Path,
        preferences: Preferences = PREFERENCES,
        *,
        pace: Pace = HURRIED,
        place_count: int = 2,
        attempt_count: int = 3,
        outputs: Callable[[MediaStore], SessionStore] = SessionStore,
    ) -> None:
        self.media = MediaStore(folder.as_uri())
        self.outputs = outputs(self.media)
        self.stages, self.extractor, self.board = FakeStages(), FakeExtractor(), ProgressTracker()
        counts: dict[str, Any] = {f"{name}_count": place_count for name in STAGES}
        settings = settings_class()(
            target_languages=preferences.target_languages,
            reader_language=preferences.reader_language,
            seed=preferences.seed,
            **counts,
        )
        services = self.stages.services() | {"extract": self.extractor.extract}
        self.runner = StageRunner(
            build_stages(Parts(settings, self.media, self.outputs, Channels(), services)),
            self.outputs,
            retry=RetryPolicy(attempt_count, 0.001, 0.002),
            places=own_places(dict.fromkeys(STAGES, place_count)),
            listener=self.board,
            pace=pace,
        )
        self.session = self.a_session(SESSION_ID)
        self.heard: list[Standing] = []
        """What the runner told of waiting."""
        self._told = asyncio.Event()

    def a_session(self, session_id: str = "") -> orchestrator_pb2.CreateSessionRequest:
        session_id = session_id or uuid.uuid4().hex
        uri = self.media.uri(f"sessions/{session_id}/media/1.mp4")
        answer = orchestrator_pb2.AnswerInput(uri=uri, question="Why?")
        return orchestrator_pb2.CreateSessionRequest(session_id=session_id, answers=[answer])

    async def hear(self, standing: Standing) -> None:
        self.heard.append(standing)
        self._told.set()

    async def until_heard(self, count: int) -> None:
        """Wait until the runner has told of so many changes."""
        while len(self.heard) < count:
            self._told.clear()
            await self._told.wait()

    async def vision(
        self, session: orchestrator_pb2.CreateSessionRequest | None = None, standing: Standing = UNTRIED
    ) -> StageRecord:
        """Take one session's answer through the stage `vision`."""
        session = session or self.session
        extracted = await self.runner.run(Task(session, 1, "extract"), {}, on_change=self.hear)
        return await self.runner.run(
            Task(session, 1, "vision"), {"extract": extracted}, on_change=self.hear, standing=standing
        )

    async def vision_of_many(self, count: int) -> list[StageRecord]:
        return await asyncio.gather(*(self.vision(self.a_session()) for _ in range(count)))

    async def run(self, *names: str) -> dict[str, StageRecord]:
        records: dict[str, StageRecord] = {}
        for name in names:
            records[name] = await self.runner.run(Task(self.session, 1, name), records)
        return records
