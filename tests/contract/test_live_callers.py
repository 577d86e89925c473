"""A client sends a recording as it is spoken, on a real socket: words come early, and nothing is left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from chassis import client
from chassis.errors import InvalidInputError
from tests.fakes.transcriber import FakeSpeechModel, decoded, silence, tone, write_wav
from tests.transcriber_server import TIMEOUT_S, Config, Request, chunked, failure, transcriber, transcript_of
from tests.waiting import until

pytestmark = pytest.mark.anyio

SAID = (decoded("I rebuilt the index.", 0.4, 1.9),)
SPEECH = np.concatenate([part for _ in range(6) for part in (tone(8), silence(1))])
PLACES: Any = {"growing_count": 1, "worker_count": 2}


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    folder = tmp_path / "spool"
    folder.mkdir()
    return folder


@pytest.fixture
def voice(tmp_path: Path) -> bytes:
    return write_wav(tmp_path / "voice.wav", SPEECH).read_bytes()


class Microphone:
    """Sends most of a recording, and the rest once it is let go on."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.goes_on = asyncio.Event()
        self.rest = b""

    async def messages(self) -> AsyncIterator[Any]:
        yield Request(config=Config(language_code="en"))
        sent = round(len(self._content) * 0.8)
        for begin in range(0, sent, 100_000):
            yield Request(chunk=self._content[begin : min(sent, begin + 100_000)])
        await self.goes_on.wait()
        yield Request(chunk=self.rest or self._content[sent:])


async def _rest_of(call: Any) -> AsyncIterator[Any]:
    while (event := await call.read()) is not grpc.aio.EOF:
        yield event


def left_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_words_come_before_the_last_byte_and_the_transcript_is_that_of_the_whole(
    voice: bytes, spool: Path
) -> None:
    microphone, early = Microphone(voice), []
    async with transcriber(FakeSpeechModel(SAID), spool, **PLACES) as stub:
        expected = await transcript_of(stub, chunked(voice, Config(language_code="en")))
        async for event in client.stream(stub.Transcribe, microphone.messages(), timeout_s=TIMEOUT_S):
            if event.WhichOneof("event") == "segment" and not microphone.goes_on.is_set():
                early.append(event.segment.provisional)
                microphone.goes_on.set()
            last = event
    transcript = last.transcript
    transcript.real_time_factor_ratio = expected.real_time_factor_ratio

    assert early == [True]
    assert transcript == expected
    assert left_in(spool) == []


async def test_a_caller_that_leaves_in_mid_speech_ends_the_work_and_leaves_nothing(
    voice: bytes, spool: Path
) -> None:
    async with transcriber(FakeSpeechModel(SAID), spool, **PLACES) as stub:
        call = stub.Transcribe(Microphone(voice).messages(), timeout=TIMEOUT_S)
        await call.read()
        call.cancel()
        await until(lambda: not left_in(spool))
        again = await transcript_of(stub, chunked(voice))  # its places are free

    assert again.segments


async def test_what_is_wrong_with_a_later_chunk_ends_the_work(voice: bytes, spool: Path) -> None:
    microphone = Microphone(voice)
    microphone.rest = bytes((1 << 20) + 1)
    microphone.goes_on.set()
    async with transcriber(FakeSpeechModel(SAID), spool, **PLACES) as stub:
        error = await failure(stub, microphone.messages())
        await until(lambda: not left_in(spool))

    assert (type(error), error.reason) == (InvalidInputError, "CHUNK_TOO_LARGE")


async def test_a_caller_that_falls_silent_is_told_and_leaves_nothing(voice: bytes, spool: Path) -> None:
    async with transcriber(FakeSpeechModel(SAID), spool, stall_timeout_s=0.5, **PLACES) as stub:
        error = await failure(stub, Microphone(voice).messages())
        await until(lambda: not left_in(spool))

    assert error.reason == "UPLOAD_STALLED"


async def test_a_recording_that_is_refused_in_mid_growth_is_refused_to_a_client_that_still_writes(
    voice: bytes, spool: Path
) -> None:
    async with transcriber(FakeSpeechModel(SAID), spool, max_duration_s=5.0, **PLACES) as stub:
        error = await failure(stub, chunked(voice))
        await until(lambda: not left_in(spool))

    assert error.reason == "MEDIA_TOO_LONG"


async def test_slow_senders_leave_places_for_whole_recordings(voice: bytes, spool: Path) -> None:
    slow = [Microphone(voice) for _ in range(3)]
    async with transcriber(FakeSpeechModel(SAID), spool, **PLACES) as stub:
        first = stub.Transcribe(slow[0].messages(), timeout=TIMEOUT_S)
        await first.read()  # it has the one place of those that grow: the others wait for their rest first
        calls = [first, *(stub.Transcribe(one.messages(), timeout=TIMEOUT_S) for one in slow[1:])]
        transcript = await transcript_of(stub, chunked(voice))
        for one in slow:
            one.goes_on.set()
        for call in calls:
            last = [event async for event in _rest_of(call)][-1]
            assert last.transcript.segments

    assert transcript.segments
