"""The vision stage over a real socket, with models that read grey levels."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from chassis import client
from chassis.errors import ForbiddenError, InvalidInputError, NotFoundError
from chassis.media import MediaInbox
from chassis.server import start_server
from chassis.workers import Workers
from interview.v1 import media_pb2, vision_pb2, vision_pb2_grpc
from services.vision.engine import VisionAnalyzer, VisionOptions
from services.vision.frames import RgbImage
from services.vision.landmarks import Mesh
from services.vision.measures import UNITS
from services.vision.servicer import SERVICE_NAME, VisionServicer
from services.vision.settings import VisionSettings
from tests.fakes.vision import (
    MODELS,
    NOBODY,
    ONE_FACE,
    FakeDetector,
    FakeLandmarker,
    Levels,
    fake_analyzer,
    level_images,
    write_clip,
    write_images,
    write_sound_only,
)
from tests.folders import left_in

pytestmark = pytest.mark.anyio

MAX_MEDIA_BYTES = 2_000_000
CHUNK_BYTES = 20_000
GONE_IN_THE_MIDDLE: Levels = [(ONE_FACE, 8.0), (NOBODY, 3.0), (ONE_FACE, 5.0)]

Stub = vision_pb2_grpc.VisionServiceStub


@asynccontextmanager
async def vision(tmp_path: Path, analyzer: VisionAnalyzer | None = None) -> AsyncIterator[Stub]:
    """A running stage; whatever happens, it leaves no file behind."""
    spool_dir = tmp_path / "spool"
    spool_dir.mkdir()
    inbox = MediaInbox(
        max_media_bytes=MAX_MEDIA_BYTES, uri_prefixes=[(tmp_path / "store").as_uri()], spool_dir=spool_dir
    )
    servicer = VisionServicer(
        analyzer or fake_analyzer(),
        Workers(1, 2),
        inbox,
        max_media_bytes=MAX_MEDIA_BYTES,
        worker_count=1,
    )
    server, _, port = await start_server(VisionSettings(port=0), SERVICE_NAME, servicer.add_to)
    try:
        async with client.open_channel(f"127.0.0.1:{port}") as channel:
            yield Stub(channel)
    finally:
        await server.stop(None)
        assert await left_in(spool_dir) == []


async def requests(uri: str = "", content: bytes = b"") -> AsyncIterator[vision_pb2.AnalyzeRequest]:
    recording = media_pb2.Recording(uri=uri)
    yield vision_pb2.AnalyzeRequest(config=vision_pb2.AnalyzeConfig(recording=recording))
    for start in range(0, len(content), CHUNK_BYTES):
        yield vision_pb2.AnalyzeRequest(chunk=content[start : start + CHUNK_BYTES])


async def analyze(stub: Stub, uri: str = "", content: bytes = b"") -> list[vision_pb2.AnalyzeResponse]:
    return [r async for r in client.stream(stub.Analyze, requests(uri, content), timeout_s=20)]


def stored(tmp_path: Path, name: str = "clip.mp4") -> Path:
    (tmp_path / "store").mkdir(exist_ok=True)
    return tmp_path / "store" / name


async def test_chunks_and_a_uri_give_the_same_report(tmp_path: Path) -> None:
    recording = write_clip(stored(tmp_path), GONE_IN_THE_MIDDLE, rate_hz=10)

    async with vision(tmp_path) as stub:
        by_chunks = await analyze(stub, content=recording.read_bytes())
        by_uri = await analyze(stub, uri=recording.as_uri())

    report = by_chunks[-1].report
    assert report.outcome == media_pb2.OUTCOME_OK
    (observation,) = report.observations
    assert observation.kind == "no_face"
    assert (observation.start_s, observation.end_s) == pytest.approx((8.0, 11.0), abs=0.15)
    assert (observation.unit, observation.threshold) == ("s", 1.0)
    assert [r.SerializeToString() for r in by_chunks] == [r.SerializeToString() for r in by_uri]


async def test_every_measure_comes_with_unit_and_outcome(tmp_path: Path) -> None:
    recording = write_clip(stored(tmp_path), GONE_IN_THE_MIDDLE, rate_hz=10)

    async with vision(tmp_path) as stub:
        *_, last = await analyze(stub, content=recording.read_bytes())

    assert {measure.name: measure.unit for measure in last.report.measures} == UNITS
    assert all(measure.HasField("value") for measure in last.report.measures)
    assert [model.name for model in last.report.models] == [model.name for model in MODELS]
    assert (last.report.quality.width_px, last.report.quality.height_px) == (64, 48)


async def test_progress_says_how_long_the_recording_is(tmp_path: Path) -> None:
    recording = write_clip(stored(tmp_path), GONE_IN_THE_MIDDLE, rate_hz=10)

    async with vision(tmp_path) as stub:
        first, *_ = await analyze(stub, content=recording.read_bytes())

    assert first.progress.done_s == pytest.approx(1.0)
    assert first.progress.total_s == pytest.approx(16.0)
    assert first.progress.done_ratio == pytest.approx(1 / 16)


async def test_an_unknown_length_is_absent_and_not_zero(tmp_path: Path) -> None:
    images = level_images([(ONE_FACE, 4.0)], 10, (64, 48))
    fast, live = {"deadline": "realtime", "cpu-used": "8"}, {"live": "1"}
    recording = stored(tmp_path, "clip.webm")
    write_images(recording, images, 10, codec="libvpx", options=fast, container_options=live)

    async with vision(tmp_path) as stub:
        first, *_, last = await analyze(stub, content=recording.read_bytes())

    assert not first.progress.HasField("total_s")
    assert last.report.duration_s == pytest.approx(4.0, abs=0.1)


async def test_absent_values_are_absent_on_the_wire(tmp_path: Path) -> None:
    recording = write_clip(stored(tmp_path), [(NOBODY, 2.0)], rate_hz=10)

    async with vision(tmp_path) as stub:
        *_, last = await analyze(stub, content=recording.read_bytes())

    assert last.report.outcome == media_pb2.OUTCOME_NO_FACE
    blinks = next(measure for measure in last.report.measures if measure.name == "blink_rate")
    assert blinks.outcome == media_pb2.OUTCOME_NO_FACE
    assert not blinks.HasField("value")
    assert blinks.reason
    assert not last.report.quality.HasField("face_width_ratio")


async def test_a_recording_without_a_picture_is_an_outcome(tmp_path: Path) -> None:
    recording = write_sound_only(stored(tmp_path, "clip.mkv"))

    async with vision(tmp_path) as stub:
        *_, last = await analyze(stub, content=recording.read_bytes())

    assert last.report.outcome == media_pb2.OUTCOME_NO_VIDEO
    assert not last.report.HasField("face_ratio")


async def test_what_is_no_recording_is_a_typed_error(tmp_path: Path) -> None:
    async with vision(tmp_path) as stub:
        with pytest.raises(InvalidInputError) as caught:
            await analyze(stub, content=b"not a recording" * 50)

    assert caught.value.reason == "MEDIA_UNDECODABLE"


async def test_too_many_pixels_are_a_typed_error(tmp_path: Path) -> None:
    recording = write_clip(stored(tmp_path), [(ONE_FACE, 1.0)], rate_hz=10)

    async with vision(tmp_path, fake_analyzer(options=VisionOptions(max_pixels=1000))) as stub:
        with pytest.raises(InvalidInputError) as caught:
            await analyze(stub, content=recording.read_bytes())

    assert caught.value.reason == "MEDIA_PIXELS_EXCEEDED"


async def test_a_uri_outside_the_store_is_refused_and_a_missing_one_not_found(tmp_path: Path) -> None:
    recording = write_clip(stored(tmp_path), [(ONE_FACE, 1.0)], rate_hz=10)

    async with vision(tmp_path) as stub:
        with pytest.raises(ForbiddenError):
            await analyze(stub, uri=(tmp_path / "elsewhere.mp4").as_uri())
        with pytest.raises(NotFoundError):
            await analyze(stub, uri=recording.with_name("gone.mp4").as_uri())


class SlowLandmarker(FakeLandmarker):
    """Takes a moment a frame, and says when it was closed."""

    def __init__(self, looking: threading.Event, closed: threading.Event) -> None:
        super().__init__()
        self._looking = looking
        self._closed_event = closed

    def find(self, image: RgbImage, time_ms: int) -> Mesh | None:
        self._looking.set()
        threading.Event().wait(0.05)
        return super().find(image, time_ms)

    def close(self) -> None:
        self._closed_event.set()


async def test_a_cancelled_call_stops_the_work_within_a_second(tmp_path: Path) -> None:
    looking, closed = threading.Event(), threading.Event()
    analyzer = VisionAnalyzer(lambda: SlowLandmarker(looking, closed), FakeDetector)
    recording = write_clip(stored(tmp_path), [(ONE_FACE, 60.0)], rate_hz=10)

    async with vision(tmp_path, analyzer) as stub:
        call = asyncio.ensure_future(analyze(stub, content=recording.read_bytes()))
        await asyncio.to_thread(looking.wait, 10)
        call.cancel()

        assert await asyncio.to_thread(closed.wait, 1.0)


async def test_capabilities_name_models_kinds_and_measures(tmp_path: Path) -> None:
    async with vision(tmp_path) as stub:
        reply = await client.unary(
            stub.GetCapabilities, vision_pb2.VisionServiceGetCapabilitiesRequest(), timeout_s=5
        )

    assert [model.digest for model in reply.models] == [model.digest for model in MODELS]
    assert set(reply.observation_kinds) == {
        "no_face",
        "second_face",
        "looking_away",
        "face_too_small",
        "no_picture",
    }
    assert list(reply.measure_names) == list(UNITS)
    assert reply.max_media_bytes == MAX_MEDIA_BYTES
    assert reply.worker_count == 1
