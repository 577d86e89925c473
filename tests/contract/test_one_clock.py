"""One file, sent alone to the transcriber and to the speaker stage, gives words and turns on one clock."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chassis import client
from chassis.media import MediaInbox
from chassis.models import Model
from chassis.server import start_server
from chassis.settings import ServiceSettings
from chassis.workers import Workers
from interview.v1 import speaker_pb2, speaker_pb2_grpc, transcriber_pb2, transcriber_pb2_grpc
from services.speaker import servicer as speaker
from services.speaker.settings import SpeakerSettings
from services.transcriber import servicer as transcriber
from services.transcriber.audio import SAMPLE_RATE_HZ
from services.transcriber.decoding import DecodedSegment, DecodeRequest, Piece
from services.transcriber.engine import Transcriber
from services.transcriber.settings import TranscriberSettings
from tests.fakes.speaker import fake_diarizer
from tests.fakes.transcriber import FakeSpeechModel, LoudnessDetector, decoded
from tests.odd_recordings import PictureTrack, SoundTrack, write

pytestmark = pytest.mark.anyio

MAX_MEDIA_BYTES = 10_000_000
CHUNK_BYTES = 50_000
TIMEOUT_S = 20.0
LOUD = 0.05
SAID_S = 2.0
"""The tone sounds so long after the sound track's beginning."""


class OnsetModel(FakeSpeechModel):
    """Writes a word down where the sound that it is given becomes loud."""

    def decode(
        self, piece: Piece, language_code: str, request: DecodeRequest, stop: threading.Event
    ) -> Iterator[DecodedSegment]:
        onset_s = float(np.flatnonzero(np.abs(piece.samples) > LOUD)[0]) / SAMPLE_RATE_HZ
        yield decoded("Hello", onset_s, onset_s + 0.5)


@asynccontextmanager
async def serving(settings: ServiceSettings, name: str, add_to: Callable[[Any], None]) -> AsyncIterator[Any]:
    server, _, port = await start_server(settings, name, add_to)
    try:
        async with client.open_channel(f"127.0.0.1:{port}") as channel:
            yield channel
    finally:
        await server.stop(None)


def inbox(folder: Path) -> MediaInbox:
    folder.mkdir()
    return MediaInbox(max_media_bytes=MAX_MEDIA_BYTES, uri_prefixes=(), spool_dir=folder)


async def in_chunks(request: Any, config: Any, content: bytes) -> AsyncIterator[Any]:
    yield request(config=config)
    for begin in range(0, len(content), CHUNK_BYTES):
        yield request(chunk=content[begin : begin + CHUNK_BYTES])


async def transcript_of(content: bytes, folder: Path) -> transcriber_pb2.Transcript:
    """Send a file to a transcriber stage of its own."""
    able = transcriber.Capabilities(
        Model(name="fake", version="1", digest="ab" * 32, path=Path("m")), "cpu", 1, 1
    )
    stage = transcriber.TranscriberServicer(
        Transcriber(OnsetModel(), LoudnessDetector()), Workers(1, 2), inbox(folder), able
    )
    asked = in_chunks(transcriber_pb2.TranscribeRequest, transcriber_pb2.TranscribeConfig(), content)
    async with serving(TranscriberSettings(port=0), transcriber.SERVICE_NAME, stage.register) as channel:
        stub = transcriber_pb2_grpc.TranscriberServiceStub(channel)
        *_, last = [event async for event in client.stream(stub.Transcribe, asked, timeout_s=TIMEOUT_S)]
    transcript: transcriber_pb2.Transcript = last.transcript
    return transcript


async def diarization_of(content: bytes, folder: Path) -> speaker_pb2.Diarization:
    """Send a file to a speaker stage of its own; it hears a voice wherever the tone is."""
    stage = speaker.SpeakerServicer(
        fake_diarizer(), Workers(1, 2), inbox(folder), max_media_bytes=MAX_MEDIA_BYTES, worker_count=1
    )
    asked = in_chunks(speaker_pb2.DiarizeRequest, speaker_pb2.DiarizeConfig(), content)
    async with serving(SpeakerSettings(port=0), speaker.SERVICE_NAME, stage.add_to) as channel:
        stub = speaker_pb2_grpc.SpeakerServiceStub(channel)
        *_, last = [event async for event in client.stream(stub.Diarize, asked, timeout_s=TIMEOUT_S)]
    diarization: speaker_pb2.Diarization = last.diarization
    return diarization


@pytest.mark.parametrize(
    ("ending", "clock_starts_s", "late_s"),
    [("mkv", 0.0, 1.5), ("mp4", 0.0, 1.5), ("webm", 0.0, 1.5), ("mkv", 5.0, 1.5), ("mp4", 5.0, 3.25)],
)
async def test_a_late_sound_track_sent_alone_gives_words_and_turns_on_one_clock(
    tmp_path: Path, ending: str, clock_starts_s: float, late_s: float
) -> None:
    sound = SoundTrack(seconds=10.0, start_s=clock_starts_s + late_s, quiet_s=SAID_S)
    picture = PictureTrack(seconds=12.0, start_s=clock_starts_s)
    path = await asyncio.to_thread(write, tmp_path / f"a.{ending}", [sound], picture)
    content = await asyncio.to_thread(path.read_bytes)

    transcript = await transcript_of(content, tmp_path / "one")
    diarization = await diarization_of(content, tmp_path / "other")

    (word, *_), (turn, *_) = transcript.segments[0].words, diarization.turns
    assert word.start_s == pytest.approx(late_s + SAID_S, abs=0.03)
    assert turn.start_s == pytest.approx(late_s + SAID_S, abs=0.1)
    assert transcript.duration_s == pytest.approx(diarization.duration_s, abs=0.001)
    assert [one.kind for one in transcript.recording_warnings] == [
        one.kind for one in diarization.recording_warnings
    ]
