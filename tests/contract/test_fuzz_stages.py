"""Every call of the five stages with requests as nobody should send them: refused by name, never harmed."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2
from hypothesis import given
from hypothesis import strategies as st

from chassis import client
from chassis.client import MAX_MESSAGE_BYTES
from chassis.media import MediaInbox
from chassis.models import Model
from chassis.server import start_server
from chassis.settings import ServiceSettings
from chassis.workers import Workers
from interview.v1 import assessor_pb2, media_pb2, speaker_pb2, transcriber_pb2, translator_pb2, vision_pb2
from services.assessor.servicer import AssessorServicer
from services.speaker.servicer import SpeakerServicer
from services.transcriber.engine import Transcriber
from services.transcriber.servicer import Capabilities, TranscriberServicer
from services.translator.cache import TranslationCache
from services.translator.deepl_backend import DeeplBackend
from services.translator.engine import Translator
from services.translator.servicer import TranslatorServicer
from services.vision.servicer import VisionServicer
from tests.fakes import speaker as fakes_speaker
from tests.fakes import transcriber as fakes_transcriber
from tests.fakes import vision as fakes_vision
from tests.fakes.assessor import CONCRETE, QUESTION, FakeModel, make_assessor
from tests.fakes.translator import KEY, deepl_server
from tests.folders import left_in
from tests.fuzz_calls import Ending, check, health, send
from tests.fuzzing import ACCENT, NO_UTF8, ODD_KEYS, SERVER_BESIDE, streams, thoroughly, wires

MAX_MEDIA_BYTES = 2_500_000
NO_MESSAGE = b"\xff\xff\xff"
INVALID = grpc.StatusCode.INVALID_ARGUMENT
EXAMPLES = 30
"""A call; all calls of this module together take some seconds."""


@dataclass(frozen=True)
class Stage:
    """What is served, what it takes, and a call that it must answer whatever was sent before."""

    register: Callable[[grpc.aio.Server], None]
    module: Any
    method_name: str
    requests: list[Any]
    known: dict[str, list[Any]] = field(default_factory=dict)
    media: bytes = b""

    @property
    def service(self) -> Any:
        (service,) = self.module.DESCRIPTOR.services_by_name.values()
        return service


def inbox_in(folder: Path) -> MediaInbox:
    store = (folder / "store").as_uri()
    return MediaInbox(
        max_media_bytes=MAX_MEDIA_BYTES, uri_prefixes=[store], spool_dir=folder / "spool", max_open_count=4
    )


def uris_of(recording: Path) -> list[str]:
    return [recording.as_uri(), *(recording.parent.as_uri() + end for end in ODD_KEYS)]


@contextlib.contextmanager
def transcriber(folder: Path) -> Iterator[Stage]:
    voice = np.concatenate([fakes_transcriber.silence(0.5), fakes_transcriber.tone(1)])
    recording = fakes_transcriber.write_wav(folder / "store" / "a.wav", voice)
    model = fakes_transcriber.FakeSpeechModel([fakes_transcriber.decoded("I led it.", 0.5, 1.4)])
    engine = Transcriber(model, fakes_transcriber.LoudnessDetector())
    capabilities = Capabilities(Model("fake", "1", "ab" * 32, Path("model.bin")), "cpu", MAX_MEDIA_BYTES, 1)
    config = transcriber_pb2.TranscribeConfig(recording=media_pb2.Recording(uri=recording.as_uri()))
    yield Stage(
        TranscriberServicer(engine, Workers(1, 2), inbox_in(folder), capabilities).register,
        transcriber_pb2,
        "Transcribe",
        [transcriber_pb2.TranscribeRequest(config=config)],
        {"uri": uris_of(recording), "language_code": ["", "en", "id-ID"], "beam_size": [1, 10]},
        recording.read_bytes(),
    )


@contextlib.contextmanager
def vision(folder: Path) -> Iterator[Stage]:
    recording = fakes_vision.write_clip(folder / "store" / "a.mp4", [(fakes_vision.ONE_FACE, 1.0)], rate_hz=5)
    config = vision_pb2.AnalyzeConfig(recording=media_pb2.Recording(uri=recording.as_uri()))
    limits: dict[str, Any] = {"max_media_bytes": MAX_MEDIA_BYTES, "worker_count": 1}
    yield Stage(
        VisionServicer(fakes_vision.fake_analyzer(), Workers(1, 2), inbox_in(folder), **limits).add_to,
        vision_pb2,
        "Analyze",
        [vision_pb2.AnalyzeRequest(config=config)],
        {"uri": uris_of(recording)},
        recording.read_bytes(),
    )


@contextlib.contextmanager
def speaker(folder: Path) -> Iterator[Stage]:
    voice = fakes_speaker.play([(fakes_speaker.ANNA_HZ, 3.0)])
    recording = fakes_speaker.write_wav(folder / "store" / "a.wav", voice)
    config = speaker_pb2.DiarizeConfig(recording=media_pb2.Recording(uri=recording.as_uri()))
    limits: dict[str, Any] = {"max_media_bytes": MAX_MEDIA_BYTES, "worker_count": 1}
    yield Stage(
        SpeakerServicer(fakes_speaker.fake_diarizer(), Workers(1, 2), inbox_in(folder), **limits).add_to,
        speaker_pb2,
        "Diarize",
        [speaker_pb2.DiarizeRequest(config=config)],
        {"uri": uris_of(recording)},
        recording.read_bytes(),
    )


@contextlib.contextmanager
def translator(_folder: Path) -> Iterator[Stage]:
    with deepl_server().running() as deepl:
        engine = Translator(DeeplBackend(KEY, deepl.url, 5.0), 20.0, TranslationCache(1_000, 60.0))
        request = translator_pb2.TranslateRequest(
            texts=["I led it."], source_language_code="en", target_language_code="id"
        )
        yield Stage(
            TranslatorServicer(engine, Workers(1, 2)).add_to,
            translator_pb2,
            "Translate",
            [request],
            {"source_language_code": ["en", "EN", ""], "target_language_code": ["id", "en-US", "de"]},
        )


def assessing(model: FakeModel | None) -> Iterator[Stage]:
    request = assessor_pb2.AssessRequest(
        question=QUESTION, segments=[assessor_pb2.AnswerSegment(text=CONCRETE)], language_code="en"
    )
    yield Stage(
        AssessorServicer(make_assessor(model), Workers(1, 2), 20.0).add_to,
        assessor_pb2,
        "Assess",
        [request],
        {
            "language_code": ["en", "id", ""],
            "reader_language_code": ["en", "id", ""],
            "rubric_id": ["", "general"],
            "seed": [0, 7, 2**32 - 1, 2**32],
            "start_s": [0.0],
            "end_s": [3.0],
        },
    )


@contextlib.contextmanager
def assessor(_folder: Path) -> Iterator[Stage]:
    yield from assessing(FakeModel())


@contextlib.contextmanager
def assessor_baseline(_folder: Path) -> Iterator[Stage]:
    yield from assessing(None)


Start = Callable[[Path], contextlib.AbstractContextManager[Stage]]
STAGES: dict[Start, Any] = {
    transcriber: transcriber_pb2,
    translator: translator_pb2,
    assessor: assessor_pb2,
    assessor_baseline: assessor_pb2,
    vision: vision_pb2,
    speaker: speaker_pb2,
}
CALLS = [
    pytest.param(start, method.name, id=f"{start.__name__}-{method.name}")
    for start, module in STAGES.items()
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
]


@contextlib.asynccontextmanager
async def served(start: Start, folder: Path) -> AsyncIterator[tuple[grpc.aio.Channel, Stage]]:
    """A stage on its socket. Whatever came, it is healthy in the end, answers, and leaves no file."""
    with start(folder) as stage:
        name = stage.service.full_name
        server, _, port = await start_server(ServiceSettings(port=0), name, stage.register)
        try:
            async with client.open_channel(f"127.0.0.1:{port}") as channel:
                yield channel, stage
                assert await health(channel, name) == health_pb2.HealthCheckResponse.SERVING
                method = stage.service.methods_by_name[stage.method_name]
                plain = [request.SerializeToString() for request in stage.requests]
                assert (await send(channel, method, plain)).code is grpc.StatusCode.OK
                assert await left_in(folder / "spool") == []
        finally:
            await server.stop(None)


class Running:
    """A stage in the thread of its event loop: Hypothesis calls its examples one by one, without one."""

    def __init__(self, portal: BlockingPortal, channel: grpc.aio.Channel, stage: Stage) -> None:
        self.portal, self.channel, self.stage = portal, channel, stage

    def send(self, method: Any, requests: list[bytes]) -> Ending:
        ending: Ending = self.portal.call(send, self.channel, method, requests)
        return ending


@pytest.fixture
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    (tmp_path / "spool").mkdir()
    (tmp_path / "store").mkdir()
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(served(request.param, tmp_path)) as (channel, stage),
    ):
        yield Running(portal, channel, stage)


@pytest.mark.parametrize(("running", "method_name"), CALLS, indirect=["running"])
@SERVER_BESIDE
@thoroughly(EXAMPLES)
@given(data=st.data())
def test_every_call_ends_well_or_says_by_name_why_not(
    running: Running, method_name: str, data: st.DataObject
) -> None:
    stage = running.stage
    method = stage.service.methods_by_name[method_name]
    good = stage.requests[0] if method_name == stage.method_name else GetMessageClass(method.input_type)()
    if method.client_streaming:
        requests = data.draw(streams(good, stage.known, stage.media))
    else:
        requests = [data.draw(wires(good, stage.known))]
    check(running.send(method, requests), method, requests)


def ended(running: Running, method_name: str, *requests: bytes) -> tuple[grpc.StatusCode, str | None]:
    ending = running.send(running.stage.service.methods_by_name[method_name], list(requests))
    return ending.code, ending.reason


@pytest.mark.parametrize("running", [transcriber], indirect=True)
def test_bytes_that_are_no_message_are_refused_wherever_they_come(running: Running) -> None:
    opening = transcriber_pb2.TranscribeRequest(config=transcriber_pb2.TranscribeConfig()).SerializeToString()

    for requests in ([NO_MESSAGE], [opening, NO_MESSAGE], [opening, NO_MESSAGE, NO_MESSAGE, opening]):
        assert ended(running, "Transcribe", *requests) == (INVALID, "REQUEST_INVALID")
    assert ended(running, "GetCapabilities", NO_MESSAGE) == (INVALID, "REQUEST_INVALID")


@pytest.mark.parametrize("running", [translator], indirect=True)
def test_a_text_that_is_no_utf8_is_refused(running: Running) -> None:
    request = translator_pb2.TranslateRequest(texts=["é"]).SerializeToString()

    assert ended(running, "Translate", request.replace(ACCENT, NO_UTF8)) == (INVALID, "REQUEST_INVALID")


@pytest.mark.parametrize("running", [translator], indirect=True)
def test_a_message_over_the_limit_is_refused_by_grpc_itself(running: Running) -> None:
    request = bytes(MAX_MESSAGE_BYTES + 1)

    assert ended(running, "Translate", request) == (grpc.StatusCode.RESOURCE_EXHAUSTED, None)


@pytest.mark.parametrize("running", [speaker], indirect=True)
def test_a_client_that_is_still_writing_learns_why_it_is_refused(running: Running) -> None:
    chunks = [speaker_pb2.DiarizeRequest(chunk=bytes(1 << 20)).SerializeToString()] * 12
    config = speaker_pb2.DiarizeConfig(recording=media_pb2.Recording(uri="file:///etc/passwd"))
    forbidden = speaker_pb2.DiarizeRequest(config=config).SerializeToString()

    for _ in range(5):
        assert ended(running, "Diarize", *chunks) == (INVALID, "REQUEST_OUT_OF_ORDER")
        assert ended(running, "Diarize", forbidden, *chunks) == (
            grpc.StatusCode.PERMISSION_DENIED,
            "MEDIA_URI_FORBIDDEN",
        )
