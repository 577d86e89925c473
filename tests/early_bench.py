"""An orchestrator and streaming stages, and a recording that arrives in their store part by part."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chassis.store import MediaStore
from chassis.store.arriving import ArrivingWriter
from interview.v1 import orchestrator_pb2
from tests.child_processes import decoding_children
from tests.fakes.recording import make_recording
from tests.fakes.streaming_stages import STAGES, StreamingStages, streaming_stages
from tests.folders import files_below
from tests.waiting import until
from tests.world import World, running

PART_BYTES = 1 << 13
CODECS = {".webm": ("libvpx", "libopus"), ".mp4": ("mpeg4", "aac")}


@dataclass
class Arrival:
    """A recording that arrives."""

    world: World
    recording: Path
    session_id: str
    position: int = 1
    language_code: str = "en"

    def __post_init__(self) -> None:
        self.store = MediaStore((self.world.folder / "store").as_uri())
        self.writer = ArrivingWriter(self.store, self.session_id, self.position)
        self.data = self.recording.read_bytes()

    async def follow(self, **changes: Any) -> bool:
        fields: dict[str, Any] = {
            "session_id": self.session_id,
            "position": self.position,
            "language_code": self.language_code,
        }
        request = orchestrator_pb2.FollowRecordingRequest(**(fields | changes))
        return bool((await self.world.call(self.world.stub.FollowRecording, request)).followed)

    async def begin(self, share: float = 0.6) -> None:
        """Let a share of it come, and tell the orchestrator."""
        await self.writer.begin()
        await self.come_to(share)
        assert await self.follow()

    async def come_to(self, share: float) -> None:
        end = round(len(self.data) * share)
        while self.writer.size_bytes < end:
            begin = self.writer.size_bytes
            await self.writer.append(self.data[begin : min(begin + PART_BYTES, end)])

    async def finish(self) -> None:
        await self.come_to(1.0)
        await self.writer.finish()

    async def create(self, recording: Path | None = None, **changes: Any) -> None:
        """Store the finished recording, or another one, and create the session."""
        key = f"sessions/{self.session_id}/media/{self.position}{self.recording.suffix}"
        await self.store.put_file(key, recording or self.recording)
        answer = orchestrator_pb2.AnswerInput(uri=self.store.uri(key), question="Why?", file_name="a")
        fields = {"session_id": self.session_id, "answers": [answer], "language_code": self.language_code}
        request = orchestrator_pb2.CreateSessionRequest(**(fields | changes))
        await self.world.call(self.world.stub.CreateSession, request)

    def arriving_files(self) -> list[Path]:
        return files_below(self.world.folder / "store" / "arriving")


@dataclass
class EarlyBench:
    """What a test of early work has."""

    world: World
    stages: StreamingStages
    folder: Path

    def recording(self, name: str = "first.mp4", *, seconds: float = 20.0, **options: Any) -> Path:
        path = self.folder / name
        codecs = CODECS[path.suffix]
        first = path.suffix == ".mp4" and "last" not in name
        return make_recording(path, seconds=seconds, codecs=codecs, index_first=first, **options)

    def arrival(self, recording: Path, session_id: str = "", **changes: Any) -> Arrival:
        return Arrival(self.world, recording, session_id or uuid.uuid4().hex, **changes)

    async def until_all_work(self) -> None:
        """Wait until each stage has got something of a recording."""
        await until(lambda: all(call.received for call in self.stages.calls) and len(self.stages.calls) >= 3)

    async def until_at_rest(self) -> None:
        """Wait until no early work is left."""
        await until(lambda: not early_children())


@asynccontextmanager
async def early_bench(folder: Path, **settings: Any) -> AsyncIterator[EarlyBench]:
    async with (
        streaming_stages() as (stages, addresses),
        running(folder, real=STAGES, **(addresses | settings)) as world,
    ):
        yield EarlyBench(world, stages, folder)


def early_children() -> list[int]:
    """Return the process ids of our children that decode a recording which still arrives."""
    return decoding_children("early/decoding.py")
