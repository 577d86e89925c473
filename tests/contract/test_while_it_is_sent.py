"""Speaker and vision work on a recording while its chunks still come, over a real socket with fake models."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

from chassis import client
from chassis.media import MediaInbox
from chassis.server import Register, start_server
from chassis.workers import Workers
from interview.v1 import media_pb2, speaker_pb2, speaker_pb2_grpc, vision_pb2, vision_pb2_grpc
from services.speaker.servicer import SpeakerServicer
from services.speaker.settings import SpeakerSettings
from services.vision.engine import VisionOptions
from services.vision.servicer import VisionServicer
from services.vision.settings import VisionSettings
from tests.fakes import speaker, vision
from tests.fakes.vision import NOBODY, ONE_FACE
from tests.folders import left_in
from tests.growing_files import chunks_of

pytestmark = pytest.mark.anyio

MAX_MEDIA_BYTES = 20_000_000
TALK: speaker.Score = [
    (speaker.ANNA_HZ, 30.0), (None, 1.0), (speaker.BEN_HZ, 9.0), (None, 1.0), (speaker.ANNA_HZ, 12.0),
]  # fmt: skip


@dataclass(frozen=True)
class Stage:
    """One of the two stages, as far as they differ here."""

    register: Callable[[MediaInbox, dict[str, Any]], Register]
    settings: Any
    service_name: str
    call: Callable[[grpc.aio.Channel], Any]
    config: Any
    request: Any
    recording: Callable[[Path], Path]
    result: str


def _talk(folder: Path) -> Path:
    return speaker.write_wav(folder / "talk.wav", speaker.play(TALK))


def _clip(folder: Path) -> Path:
    """A clip in fragments, as browsers write them, of some hundred kilobytes."""
    levels = [(ONE_FACE, 8.0), (NOBODY, 3.0), (ONE_FACE, 5.0)]
    images = vision.level_images(levels, 25, (96, 64))
    for number, image in enumerate(images):
        image[::2, number % 2 :: 2] ^= 15
    options = {"movflags": "+frag_keyframe+empty_moov+default_base_moof"}
    path = folder / "clip.mp4"
    vision.write_images(
        path, images, 25, codec="libx264", options={"g": "25", "qp": "10"}, container_options=options
    )
    return path


SPEAKER = Stage(
    lambda inbox, places: SpeakerServicer(speaker.fake_diarizer(), Workers(1, 2), inbox, **places).add_to,
    SpeakerSettings(port=0),
    "interview.v1.SpeakerService",
    lambda channel: speaker_pb2_grpc.SpeakerServiceStub(channel).Diarize,
    speaker_pb2.DiarizeConfig,
    speaker_pb2.DiarizeRequest,
    _talk,
    "diarization",
)
VISION = Stage(
    lambda inbox, places: (
        VisionServicer(vision.fake_analyzer(options=VisionOptions()), Workers(1, 2), inbox, **places).add_to
    ),
    VisionSettings(port=0),
    "interview.v1.VisionService",
    lambda channel: vision_pb2_grpc.VisionServiceStub(channel).Analyze,
    vision_pb2.AnalyzeConfig,
    vision_pb2.AnalyzeRequest,
    _clip,
    "report",
)
both = pytest.mark.parametrize(
    "stage", [pytest.param(SPEAKER, id="speaker"), pytest.param(VISION, id="vision")]
)


@asynccontextmanager
async def running(stage: Stage, folder: Path) -> AsyncIterator[Any]:
    """A stage with one place for a recording that arrives, and one for others. It leaves no file behind."""
    spool_dir = folder / "spool"
    spool_dir.mkdir()
    inbox = MediaInbox(
        max_media_bytes=MAX_MEDIA_BYTES,
        uri_prefixes=[folder.as_uri()],
        spool_dir=spool_dir,
        max_growing_count=1,
    )
    places = {"max_media_bytes": MAX_MEDIA_BYTES, "worker_count": 1, "growing_workers": Workers(1, 2)}
    register = stage.register(inbox, places)
    server, _, port = await start_server(stage.settings, stage.service_name, register)
    try:
        async with client.open_channel(f"127.0.0.1:{port}") as channel:
            yield stage.call(channel)
    finally:
        await server.stop(None)
        assert await left_in(spool_dir) == []


async def sent(stage: Stage, chunks: list[bytes], goes_on: asyncio.Event) -> AsyncIterator[Any]:
    """The requests of a call: the second half of the chunks once `goes_on` is set."""
    yield stage.request(config=stage.config(recording=media_pb2.Recording()))
    for number, chunk in enumerate(chunks):
        if number == len(chunks) * 3 // 4:
            await goes_on.wait()
        yield stage.request(chunk=chunk)


async def by_uri(stage: Stage, call: Any, recording: Path) -> Any:
    async def requests() -> AsyncIterator[Any]:
        uri = media_pb2.Recording(uri=recording.as_uri())
        yield stage.request(config=stage.config(recording=uri))

    *_, last = [response async for response in client.stream(call, requests(), timeout_s=60)]
    return getattr(last, stage.result)


@both
async def test_work_begins_before_the_last_chunk_and_says_the_same(stage: Stage, tmp_path: Path) -> None:
    recording, goes_on = stage.recording(tmp_path), asyncio.Event()
    chunks = chunks_of(recording.read_bytes(), seed=5)

    async with running(stage, tmp_path) as call:
        responses = []
        async for response in client.stream(call, sent(stage, chunks, goes_on), timeout_s=60):
            responses.append(response)
            goes_on.set()  # something was found out while a quarter was not sent yet
        expected = await by_uri(stage, call, recording)

    assert responses[0].WhichOneof("event") == "progress"
    assert getattr(responses[-1], stage.result).SerializeToString() == expected.SerializeToString()


@both
async def test_a_sender_that_is_slow_holds_up_nobody_else(stage: Stage, tmp_path: Path) -> None:
    recording, goes_on = stage.recording(tmp_path), asyncio.Event()
    chunks = chunks_of(recording.read_bytes(), seed=5)

    async with running(stage, tmp_path) as call:
        slow = client.stream(call, sent(stage, chunks, goes_on), timeout_s=60)
        await anext(slow)
        expected = await by_uri(stage, call, recording)
        goes_on.set()
        *_, last = [response async for response in slow]

    assert getattr(last, stage.result).SerializeToString() == expected.SerializeToString()


@both
async def test_a_call_that_breaks_off_in_the_middle_leaves_nothing_and_its_place(
    stage: Stage, tmp_path: Path
) -> None:
    recording, goes_on = stage.recording(tmp_path), asyncio.Event()
    chunks = chunks_of(recording.read_bytes(), seed=5)

    async with running(stage, tmp_path) as call:
        for _ in range(2):  # the second time its place is free again
            broken = call(sent(stage, chunks, asyncio.Event()), timeout=60)
            await anext(aiter(broken))
            broken.cancel()
            assert await broken.code() == grpc.StatusCode.CANCELLED
            assert await left_in(tmp_path / "spool") == []
        goes_on.set()
        *_, last = [r async for r in client.stream(call, sent(stage, chunks, goes_on), timeout_s=60)]

    assert last.WhichOneof("event") == stage.result
