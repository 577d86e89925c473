"""What the transcriber refuses, on a real socket: settings, bytes and messages that are wrong."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chassis.errors import ExhaustedError, ForbiddenError, InvalidInputError, NotFoundError
from interview.v1 import media_pb2, transcriber_pb2
from tests.fakes.transcriber import (
    BlockingSpeechModel,
    FakeSpeechModel,
    silence,
    tone,
    write_wav,
)
from tests.transcriber_server import SAID, TIMEOUT_S, Config, Request, chunked, failure, requests, transcriber

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
