"""The transcriber on a real socket, with a fake model: by chunks, by URI, and with everything wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chassis import client
from chassis.errors import ExhaustedError, ForbiddenError, InterviewError, InvalidInputError, NotFoundError
from chassis.media import MediaInbox
from chassis.models import Model
from chassis.server import start_server
from chassis.workers import Workers
from interview.v1 import media_pb2, transcriber_pb2, transcriber_pb2_grpc
from services.transcriber.engine import Transcriber
from services.transcriber.servicer import SERVICE_NAME, Capabilities, TranscriberServicer
from services.transcriber.settings import TranscriberSettings
from tests.fakes.transcriber import (
    BlockingSpeechModel,
    FakeSpeechModel,
    LoudnessDetector,
    decoded,
    silence,
    tone,
    write_wav,
)

pytestmark = pytest.mark.anyio

CHUNK_BYTES = 4_000
TIMEOUT_S = 20.0
MODEL = Model(name="fake", version="1", digest="ab" * 32, path=Path("model.bin"))
SAID = (
    decoded("I rebuilt the index.", 0.4, 1.9),
    decoded("Mm.", 2.0, 2.4, avg_logprob=-1.5),
)

Stub = transcriber_pb2_grpc.TranscriberServiceStub
Config = transcriber_pb2.TranscribeConfig
Request = transcriber_pb2.TranscribeRequest


@asynccontextmanager
async def transcriber(
    model: FakeSpeechModel, spool: Path, *, worker_count: int = 1, waiting_count: int = 4, **limits: Any
) -> AsyncIterator[Stub]:
    settings = TranscriberSettings(port=0)
    inbox = MediaInbox(
        max_media_bytes=limits.get("max_media_bytes", 10_000_000),
        uri_prefixes=limits.get("uri_prefixes", ()),
        spool_dir=spool,
    )
    servicer = TranscriberServicer(
        Transcriber(model, LoudnessDetector()),
        Workers(worker_count, waiting_count),
        inbox,
        Capabilities(MODEL, "cpu", 10_000_000, worker_count),
    )
    server, _, port = await start_server(settings, SERVICE_NAME, servicer.register)
    try:
        async with client.open_channel(f"127.0.0.1:{port}") as channel:
            yield Stub(channel)
    finally:
        await server.stop(None)


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    folder = tmp_path / "spool"
    folder.mkdir()
    return folder


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    return write_wav(tmp_path / "voice.wav", np.concatenate([silence(1), tone(3), silence(1)]))


async def chunked(
    recording: Path | bytes, config: transcriber_pb2.TranscribeConfig | None = None
) -> AsyncIterator[Any]:
    content = recording if isinstance(recording, bytes) else await asyncio.to_thread(recording.read_bytes)
    yield Request(config=config or Config())
    for index in range(0, len(content), CHUNK_BYTES):
        yield Request(chunk=content[index : index + CHUNK_BYTES])


async def left_in(folder: Path) -> list[Path]:
    """What lies in the folder once the server has had a moment to clean up."""
    for _ in range(100):
        if not (left := await asyncio.to_thread(lambda: list(folder.iterdir()))):
            return left
        await asyncio.sleep(0.02)
    return left


async def requests(items: Iterable[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item


async def events_of(stub: Stub, asked: AsyncIterator[Any]) -> list[Any]:
    return [event async for event in client.stream(stub.Transcribe, asked, timeout_s=TIMEOUT_S)]


async def transcript_of(stub: Stub, asked: AsyncIterator[Any]) -> Any:
    *_, last = await events_of(stub, asked)
    assert last.WhichOneof("event") == "transcript"
    return last.transcript


async def failure(stub: Stub, asked: AsyncIterator[Any]) -> InterviewError:
    with pytest.raises(InterviewError) as caught:
        await events_of(stub, asked)
    return caught.value


async def test_chunks_become_a_transcript(voice: Path, spool: Path) -> None:
    async with transcriber(FakeSpeechModel(SAID), spool) as stub:
        transcript = await transcript_of(stub, chunked(voice))

    assert [segment.text for segment in transcript.segments] == ["I rebuilt the index.", "Mm."]
    assert transcript.outcome == media_pb2.OUTCOME_OK
    assert transcript.duration_s == pytest.approx(5.0)
    assert (transcript.language_code, transcript.model.digest) == ("en", MODEL.digest)
    assert list(transcript.segments[1].flags) == [transcriber_pb2.SEGMENT_FLAG_LOW_PROBABILITY]
    assert transcript.segments[0].words[0].HasField("probability")


async def test_a_uri_gives_the_same_as_chunks(voice: Path, spool: Path) -> None:
    prefix = voice.parent.as_uri()
    async with transcriber(FakeSpeechModel(SAID), spool, uri_prefixes=(prefix,)) as stub:
        by_uri = await transcript_of(
            stub, requests([Request(config=Config(recording=media_pb2.Recording(uri=voice.as_uri())))])
        )
        by_chunks = await transcript_of(stub, chunked(voice))

    assert by_uri.segments == by_chunks.segments
    assert by_uri.speech_s == by_chunks.speech_s


async def test_segments_arrive_before_the_rest_is_decoded(voice: Path, spool: Path) -> None:
    model = BlockingSpeechModel(SAID)
    async with transcriber(model, spool) as stub:
        call = stub.Transcribe(chunked(voice), timeout=TIMEOUT_S)
        kinds = []
        async for event in call:
            kinds.append(event.WhichOneof("event"))
            if kinds[-1] == "segment":
                break
        call.cancel()
        stopped = await asyncio.to_thread(model.stopped.wait, 5)

    assert kinds == ["progress", "segment"]
    assert stopped  # a cancelled call ends the work, not only the reply
    assert await left_in(spool) == []


async def test_progress_counts_to_the_whole_recording(voice: Path, spool: Path) -> None:
    async with transcriber(FakeSpeechModel(SAID), spool) as stub:
        events = await events_of(stub, chunked(voice))
    ratios = [event.progress.done_ratio for event in events if event.WhichOneof("event") == "progress"]

    assert ratios == sorted(ratios)
    assert (ratios[0], ratios[-1]) == (0.0, 1.0)


async def test_silence_is_an_outcome_and_not_an_error(tmp_path: Path, spool: Path) -> None:
    quiet = write_wav(tmp_path / "quiet.wav", silence(2))
    async with transcriber(FakeSpeechModel(SAID), spool) as stub:
        transcript = await transcript_of(stub, chunked(quiet))

    assert (transcript.outcome, len(transcript.segments)) == (media_pb2.OUTCOME_NO_SPEECH, 0)
    assert transcript.language_code == ""
    assert not transcript.HasField("mean_word_probability")
    assert not transcript.HasField("language_probability")


async def test_options_reach_the_model(voice: Path, spool: Path) -> None:
    model = FakeSpeechModel(SAID)
    config = Config(
        language_code="id",
        task=transcriber_pb2.TRANSCRIBE_TASK_TRANSLATE,
        beam_size=3,
        hotwords="Kubernetes",
        prompt="Wawancara.",
    )
    async with transcriber(model, spool) as stub:
        await transcript_of(stub, chunked(voice, config))
    (request,) = model.requests

    assert (request.language_code, request.task, request.beam_size) == ("id", "translate", 3)
    assert (request.hotwords, request.prompt) == ("Kubernetes", "Wawancara.")


@pytest.mark.parametrize(
    ("config", "reason", "field"),
    [
        (Config(language_code="xx"), "LANGUAGE_UNSUPPORTED", "language_code"),
        (Config(beam_size=0), "BEAM_SIZE_INVALID", "beam_size"),
        (Config(beam_size=100), "BEAM_SIZE_INVALID", "beam_size"),
        (Config(hotwords="x" * 2000), "HOTWORDS_TOO_LONG", "hotwords"),
        (Config(prompt="x" * 2000), "PROMPT_TOO_LONG", "prompt"),
    ],
)
async def test_wrong_settings_name_the_field(
    voice: Path, spool: Path, config: transcriber_pb2.TranscribeConfig, reason: str, field: str
) -> None:
    async with transcriber(FakeSpeechModel(SAID), spool) as stub:
        error = await failure(stub, chunked(voice, config))

    assert isinstance(error, InvalidInputError)
    assert (error.reason, list(error.fields)) == (reason, [field])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "MEDIA_EMPTY"),
        (b"This is text that somebody renamed to .mp4.\n" * 500, "MEDIA_UNDECODABLE"),
        (bytes(50_000), "MEDIA_UNDECODABLE"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n", "MEDIA_UNDECODABLE"),
    ],
)
async def test_what_is_no_recording_is_refused_and_leaves_nothing_behind(
    spool: Path, content: bytes, reason: str
) -> None:
    async with transcriber(FakeSpeechModel(SAID), spool) as stub:
        error = await failure(stub, chunked(content))

    assert isinstance(error, InvalidInputError)
    assert error.reason == reason
    assert await left_in(spool) == []


@pytest.mark.parametrize(
    "items",
    [
        [],
        [Request(chunk=b"bytes before settings")],
        [Request()],
        [Request(config=Config()), Request(config=Config())],
    ],
)
async def test_messages_out_of_order_are_refused(spool: Path, items: list[Any]) -> None:
    async with transcriber(FakeSpeechModel(SAID), spool) as stub:
        error = await failure(stub, requests(items))

    assert (type(error), error.reason) == (InvalidInputError, "REQUEST_OUT_OF_ORDER")


async def test_too_large_a_recording_is_refused(spool: Path) -> None:
    async with transcriber(FakeSpeechModel(SAID), spool, max_media_bytes=10_000) as stub:
        error = await failure(stub, requests([Request(config=Config()), Request(chunk=bytes(10_001))]))

    assert error.reason == "MEDIA_TOO_LARGE"


async def test_a_uri_outside_the_store_is_forbidden_and_a_missing_one_not_found(
    voice: Path, spool: Path, tmp_path: Path
) -> None:
    async with transcriber(FakeSpeechModel(SAID), spool, uri_prefixes=(tmp_path.as_uri(),)) as stub:
        outside, missing = [
            await failure(stub, requests([Request(config=Config(recording=media_pb2.Recording(uri=uri)))]))
            for uri in ("file:///etc/hostname", (tmp_path / "missing.wav").as_uri())
        ]

    assert (type(outside), outside.reason) == (ForbiddenError, "MEDIA_URI_FORBIDDEN")
    assert (type(missing), missing.reason) == (NotFoundError, "MEDIA_NOT_FOUND")


async def test_a_full_waiting_room_refuses_at_once(voice: Path, spool: Path) -> None:
    model = BlockingSpeechModel(SAID)
    async with transcriber(model, spool, waiting_count=0) as stub:
        busy = stub.Transcribe(chunked(voice), timeout=TIMEOUT_S)
        await busy.read()
        error = await failure(stub, chunked(voice))
        busy.cancel()

    assert isinstance(error, ExhaustedError)
    assert (error.reason, error.retry_after_s is not None) == ("QUEUE_FULL", True)


async def test_capabilities_say_which_model_and_which_languages(spool: Path) -> None:
    async with transcriber(FakeSpeechModel(), spool) as stub:
        reply = await client.unary(
            stub.GetCapabilities,
            transcriber_pb2.TranscriberServiceGetCapabilitiesRequest(),
            timeout_s=TIMEOUT_S,
            retry=client.NO_RETRY,
        )

    assert (reply.model.name, reply.model.device) == ("fake", "cpu")
    assert list(reply.language_codes) == ["en", "id", "jv"]
    assert (reply.max_media_bytes, reply.worker_count) == (10_000_000, 1)
