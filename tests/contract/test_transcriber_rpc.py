"""The transcriber on a real socket, with a fake model: by chunks, by URI, and with everything wrong."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from chassis import client
from interview.v1 import media_pb2, transcriber_pb2
from tests.fakes.transcriber import (
    BlockingSpeechModel,
    FakeSpeechModel,
    silence,
    tone,
    write_wav,
)
from tests.transcriber_server import (
    MODEL,
    SAID,
    TIMEOUT_S,
    Config,
    Request,
    chunked,
    events_of,
    requests,
    transcriber,
    transcript_of,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    folder = tmp_path / "spool"
    folder.mkdir()
    return folder


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    return write_wav(tmp_path / "voice.wav", np.concatenate([silence(1), tone(3), silence(1)]))


async def left_in(folder: Path) -> list[Path]:
    """What lies in the folder once the server has had a moment to clean up."""
    for _ in range(100):
        if not (left := await asyncio.to_thread(lambda: list(folder.iterdir()))):
            return left
        await asyncio.sleep(0.02)
    return left


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
