"""The speaker stage over a real socket, with fake models."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from chassis import client
from chassis.errors import ForbiddenError, InvalidInputError, NotFoundError
from chassis.media import MediaInbox
from chassis.server import start_server
from chassis.workers import Workers
from interview.v1 import media_pb2, speaker_pb2, speaker_pb2_grpc
from services.speaker.audio import Samples, Waveform
from services.speaker.embedding import Batch
from services.speaker.engine import Diarizer
from services.speaker.servicer import SERVICE_NAME, SpeakerServicer
from services.speaker.settings import SpeakerSettings
from services.speaker.windows import Windows
from tests.fakes.speaker import (
    ANNA_HZ,
    BEN_HZ,
    MODEL,
    FakeWindowEncoder,
    Score,
    fake_diarizer,
    play,
    write_media,
    write_wav,
)
from tests.folders import left_in

pytestmark = pytest.mark.anyio

MAX_MEDIA_BYTES = 5_000_000
CHUNK_BYTES = 100_000
TWO_VOICES: Score = [(ANNA_HZ, 12.0), (None, 1.0), (BEN_HZ, 5.0)]

Stub = speaker_pb2_grpc.SpeakerServiceStub


@asynccontextmanager
async def speaker(tmp_path: Path, diarizer: Diarizer | None = None) -> AsyncIterator[Stub]:
    """A running stage; whatever happens, it leaves no file behind."""
    spool_dir = tmp_path / "spool"
    spool_dir.mkdir()
    inbox = MediaInbox(
        max_media_bytes=MAX_MEDIA_BYTES, uri_prefixes=[(tmp_path / "store").as_uri()], spool_dir=spool_dir
    )
    servicer = SpeakerServicer(
        diarizer or fake_diarizer(),
        Workers(1, 2),
        inbox,
        max_media_bytes=MAX_MEDIA_BYTES,
        worker_count=1,
    )
    server, _, port = await start_server(SpeakerSettings(port=0), SERVICE_NAME, servicer.add_to)
    try:
        async with client.open_channel(f"127.0.0.1:{port}") as channel:
            yield Stub(channel)
    finally:
        await server.stop(None)
        assert await left_in(spool_dir) == []


async def requests(uri: str = "", content: bytes = b"") -> AsyncIterator[speaker_pb2.DiarizeRequest]:
    recording = media_pb2.Recording(uri=uri)
    yield speaker_pb2.DiarizeRequest(config=speaker_pb2.DiarizeConfig(recording=recording))
    for start in range(0, len(content), CHUNK_BYTES):
        yield speaker_pb2.DiarizeRequest(chunk=content[start : start + CHUNK_BYTES])


async def diarize(stub: Stub, uri: str = "", content: bytes = b"") -> list[speaker_pb2.DiarizeResponse]:
    return [r async for r in client.stream(stub.Diarize, requests(uri, content), timeout_s=20)]


def stored(tmp_path: Path, samples: Samples) -> Path:
    (tmp_path / "store").mkdir()
    return write_wav(tmp_path / "store" / "a.wav", samples)


async def test_chunks_and_a_uri_give_the_same_diarization(tmp_path: Path) -> None:
    wav = stored(tmp_path, play(TWO_VOICES))

    async with speaker(tmp_path) as stub:
        by_chunks = await diarize(stub, content=wav.read_bytes())
        by_uri = await diarize(stub, uri=wav.as_uri())

    assert by_chunks == by_uri
    assert {r.WhichOneof("event") for r in by_uri[:-1]} == {"progress"}
    assert by_uri[-1].WhichOneof("event") == "diarization"


async def test_a_diarization_arrives_whole(tmp_path: Path) -> None:
    wav = stored(tmp_path, play(TWO_VOICES))

    async with speaker(tmp_path) as stub:
        *progress, last = await diarize(stub, uri=wav.as_uri())

    found = last.diarization
    assert progress[-1].progress.done_ratio == 1.0
    assert (found.outcome, found.voice_count, found.reason) == (media_pb2.OUTCOME_OK, 2, "")
    assert [voice.voice for voice in found.voices] == [0, 1]
    assert [(t.voice, round(t.start_s), round(t.end_s)) for t in found.turns] == [(0, 0, 12), (1, 13, 18)]
    assert found.duration_s == 18.0
    assert found.HasField("decision_similarity")
    (observation,) = found.observations
    assert (observation.kind, observation.unit) == ("second_voice", "ratio")
    assert observation.value == found.second_voice_probability >= observation.threshold == 0.7
    assert found.model.digest == MODEL.digest


async def test_nobody_speaking_is_a_count_of_zero_and_no_error(tmp_path: Path) -> None:
    wav = stored(tmp_path, np.zeros(80_000, np.float32))

    async with speaker(tmp_path) as stub:
        found = (await diarize(stub, uri=wav.as_uri()))[-1].diarization

    assert found.outcome == media_pb2.OUTCOME_NO_SPEECH
    assert found.HasField("voice_count")
    assert found.voice_count == 0
    assert not found.HasField("second_voice_probability")


async def test_too_little_speech_leaves_the_count_out(tmp_path: Path) -> None:
    wav = stored(tmp_path, play([(ANNA_HZ, 1.0), (None, 2.0)]))

    async with speaker(tmp_path) as stub:
        found = (await diarize(stub, uri=wav.as_uri()))[-1].diarization

    assert found.outcome == media_pb2.OUTCOME_INSUFFICIENT_EVIDENCE
    assert not found.HasField("voice_count")


async def test_a_picture_without_sound_is_an_outcome(tmp_path: Path) -> None:
    content = write_media(tmp_path / "a.mp4", None, "", 0, picture=True).read_bytes()

    async with speaker(tmp_path) as stub:
        found = (await diarize(stub, content=content))[-1].diarization

    assert found.outcome == media_pb2.OUTCOME_NO_AUDIO
    assert not found.HasField("voice_count")


@pytest.mark.parametrize(
    ("uri", "content", "error_class", "reason"),
    [
        ("", b"", InvalidInputError, "MEDIA_EMPTY"),
        ("", b"no recording at all", InvalidInputError, "MEDIA_UNDECODABLE"),
        ("", bytes(MAX_MEDIA_BYTES + 1), InvalidInputError, "MEDIA_TOO_LARGE"),
        ("file:///etc/hostname", b"", ForbiddenError, "MEDIA_URI_FORBIDDEN"),
    ],
)
async def test_a_bad_recording_is_a_typed_error(
    tmp_path: Path, uri: str, content: bytes, error_class: type[Exception], reason: str
) -> None:
    async with speaker(tmp_path) as stub:
        with pytest.raises(error_class) as caught:
            await diarize(stub, uri, content)

        assert getattr(caught.value, "reason", "") == reason
        capabilities = await stub.GetCapabilities(
            speaker_pb2.SpeakerServiceGetCapabilitiesRequest(), timeout=5
        )
        assert capabilities.worker_count == 1


async def test_a_uri_where_nothing_lies_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()

    async with speaker(tmp_path) as stub:
        with pytest.raises(NotFoundError):
            await diarize(stub, uri=(tmp_path / "store" / "absent.wav").as_uri())


async def test_a_track_that_is_too_long_says_so(tmp_path: Path) -> None:
    wav = stored(tmp_path, play([(ANNA_HZ, 5.0)]))

    async with speaker(tmp_path, fake_diarizer(max_duration_s=2.0)) as stub:
        with pytest.raises(InvalidInputError) as caught:
            await diarize(stub, uri=wav.as_uri())

    assert caught.value.reason == "MEDIA_TOO_LONG"


async def test_a_cancelled_call_stops_the_work(tmp_path: Path) -> None:
    class EndlessEncoder(FakeWindowEncoder):
        def __init__(self) -> None:
            super().__init__()
            self.began, self.ended = threading.Event(), threading.Event()

        def embed(self, samples: Waveform, windows: Windows) -> Iterator[Batch]:
            self.began.set()
            try:
                while True:
                    yield np.array([0]), np.zeros((1, 256), np.float32)
            finally:
                self.ended.set()

    encoder = EndlessEncoder()
    wav = stored(tmp_path, play(TWO_VOICES))

    async with speaker(tmp_path, fake_diarizer(encoder)) as stub:
        call = stub.Diarize(requests(uri=wav.as_uri()), timeout=20)
        while not encoder.began.is_set():
            await call.read()
        call.cancel()
        assert await asyncio.to_thread(encoder.ended.wait, 2.0)


async def test_capabilities_name_the_model_and_the_limits(tmp_path: Path) -> None:
    async with speaker(tmp_path) as stub:
        found = await stub.GetCapabilities(speaker_pb2.SpeakerServiceGetCapabilitiesRequest(), timeout=5)

    assert (found.model.name, found.model.version, found.model.device) == (MODEL.name, MODEL.version, "cpu")
    assert found.second_voice_threshold_probability == 0.7
    assert (found.max_media_bytes, found.worker_count) == (MAX_MEDIA_BYTES, 1)


async def test_callers_beside_each_other_get_the_same_reply(tmp_path: Path) -> None:
    wav = stored(tmp_path, play(TWO_VOICES))

    async with speaker(tmp_path) as stub:
        replies = await asyncio.gather(*(diarize(stub, uri=wav.as_uri()) for _ in range(3)))

    assert replies[0] == replies[1] == replies[2]


async def test_a_full_waiting_room_refuses_with_a_delay(tmp_path: Path) -> None:
    release = threading.Event()

    class WaitingEncoder(FakeWindowEncoder):
        def embed(self, samples: Waveform, windows: Windows) -> Iterator[Batch]:
            release.wait(10)
            yield from super().embed(samples, windows)

    wav = stored(tmp_path, play(TWO_VOICES))

    async with speaker(tmp_path, fake_diarizer(WaitingEncoder())) as stub:
        calls = [asyncio.create_task(diarize(stub, uri=wav.as_uri())) for _ in range(4)]
        done, _ = await asyncio.wait(calls, timeout=10, return_when=asyncio.FIRST_COMPLETED)
        release.set()
        results = await asyncio.gather(*calls, return_exceptions=True)

    refused = [r for r in results if isinstance(r, Exception)]
    assert len(done) == len(refused) == 1
    assert getattr(refused[0], "reason", "") == "QUEUE_FULL"
