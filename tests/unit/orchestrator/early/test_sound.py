"""The sound of a recording that still arrives: decoded in a child with limits, and lost without harm."""

from __future__ import annotations

import asyncio
import hashlib
import wave
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.early.sound import GrowingSound, SoundDecoder, SoundLostError, wav_header
from orchestrator.stages.extract import ExtractionLimits
from tests.decoding_child import watched
from tests.early_bench import early_children
from tests.fakes.recording import make_recording
from tests.hostile_recordings import bombs, malformed, mutated, playlists
from tests.waiting import until

pytestmark = pytest.mark.anyio

LIMITS = ExtractionLimits(
    max_media_bytes=100_000_000,
    max_duration_s=60.0,
    max_pixel_count=7680 * 4320,
    max_track_count=16,
    max_memory_bytes=2 << 30,
    timeout_s=60.0,
)


class Bench:
    """A sound and what decodes it."""

    def __init__(self, folder: Path, *, program: str = "", max_bytes: int = 10_000_000) -> None:
        self.losses = 0
        self.sound = GrowingSound(folder / "sound", max_bytes, self._note)
        self.read_count = 0
        path = folder / "early" / "decoding.py"
        path.parent.mkdir()
        path.write_text(program)
        self.decoder = SoundDecoder(LIMITS, self.sound, *([path] if program else []))

    def _note(self) -> None:
        self.losses += 1

    async def parts(self, data: bytes, part_bytes: int = 4096) -> AsyncIterator[bytes]:
        for begin in range(0, len(data), part_bytes):
            self.read_count += 1
            yield data[begin : begin + part_bytes]


@pytest.fixture
def recording(tmp_path: Path) -> bytes:
    return make_recording(tmp_path / "a.mp4", seconds=5.0, index_first=True).read_bytes()


@pytest.fixture
def without_sound(tmp_path: Path) -> bytes:
    return make_recording(tmp_path / "b.mp4", seconds=2.0, audio=False, index_first=True).read_bytes()


def size_bytes(folder: Path) -> int:
    return (folder / "sound").stat().st_size


def test_the_header_is_that_of_a_wav(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframesraw(bytes(32_000))

    assert (tmp_path / "a.wav").read_bytes()[:44] == wav_header(32_000)
    assert wav_header(None)[4:8] == wav_header(None)[40:44] == b"\xff" * 4


async def test_who_listens_gets_all_of_it_whole_samples_a_chunk(tmp_path: Path, recording: bytes) -> None:
    bench = Bench(tmp_path)

    async def listen() -> list[bytes]:
        return [chunk async for chunk in bench.sound.chunks()]

    listening = asyncio.create_task(listen())
    await bench.decoder.run(bench.parts(recording))
    header, *samples = await listening

    assert header == wav_header(None)
    assert all(len(chunk) % 2 == 0 for chunk in samples)
    heard = b"".join(samples)
    assert abs(len(heard) / 32_000 - 5.0) < 0.2
    assert await bench.sound.digest() == hashlib.sha256(wav_header(len(heard)) + heard).hexdigest()
    assert bench.losses == 0


@pytest.mark.parametrize(
    "program",
    [
        "import os; os._exit(1)",
        "import os, sys; sys.stdin.buffer.read(10); os.kill(os.getpid(), 9)",
        "import sys; sys.stdout.buffer.write(bytes(1000)); sys.exit(3)",
        "import sys\nwhile True: sys.stdout.buffer.write(bytes(100_000))",
    ],
    ids=["fails", "is killed", "gives up", "writes for ever"],
)
async def test_a_decoder_that_does_not_do_its_job_loses_the_sound_and_the_recording_is_read_on(
    tmp_path: Path, recording: bytes, program: str
) -> None:
    bench = Bench(tmp_path, program=program, max_bytes=1_000_000)
    await bench.decoder.run(bench.parts(recording))

    with pytest.raises(SoundLostError):
        await bench.sound.digest()
    assert bench.losses > 0
    assert bench.read_count == -(-len(recording) // 4096)
    assert size_bytes(tmp_path) <= 1_000_000
    await until(lambda: not early_children())


async def test_a_decoder_that_hangs_ends_with_its_work(tmp_path: Path, recording: bytes) -> None:
    bench = Bench(tmp_path, program="import time; time.sleep(600)")
    running = asyncio.create_task(bench.decoder.run(bench.parts(bytes(10_000_000))))
    await until(early_children)
    running.cancel()
    await asyncio.wait({running})

    assert running.cancelled()
    assert not early_children()
    with pytest.raises(SoundLostError):
        await bench.sound.digest()


async def test_a_recording_that_is_none_has_no_sound(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.decoder.run(bench.parts(bytes(200_000)))

    assert not await bench.sound.is_there()
    with pytest.raises(SoundLostError):
        await bench.sound.digest()


async def test_a_recording_without_sound_has_none_either(tmp_path: Path, without_sound: bytes) -> None:
    bench = Bench(tmp_path)
    await bench.decoder.run(bench.parts(without_sound))

    assert not await bench.sound.is_there()


@pytest.mark.timeout(300)
async def test_hostile_recordings_end_early_and_reach_nothing_else(tmp_path: Path, recording: bytes) -> None:
    with watched(tmp_path, recording) as surroundings:
        files = (
            bombs()
            | malformed(recording)
            | playlists(str(surroundings.secret), surroundings.address)
            | {f"changed {number}": data for number, data in enumerate(mutated(recording, 10, 20))}
        )
        for number, data in enumerate(files.values()):
            folder = tmp_path / f"work {number}"
            folder.mkdir()
            bench = Bench(folder)
            async with asyncio.timeout(60):
                await bench.decoder.run(bench.parts(data, 1 << 18))
            assert size_bytes(folder) <= 10_000_000
        assert not surroundings.was_opened()
        assert not surroundings.was_connected()
    assert not early_children()


async def test_a_recording_that_is_too_long_is_given_up(tmp_path: Path, recording: bytes) -> None:
    bench = Bench(tmp_path)
    decoder = SoundDecoder(replace(LIMITS, max_duration_s=1.0), bench.sound)
    await decoder.run(bench.parts(recording))

    with pytest.raises(SoundLostError):
        await bench.sound.digest()


async def test_what_is_lost_never_ends_for_who_listens(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.sound.append(bytes(1000))
    listening = asyncio.create_task(_all_of(bench.sound.chunks()))
    await bench.sound.end(lost=True)
    await asyncio.sleep(0.2)

    assert not listening.done()
    listening.cancel()
    await asyncio.wait({listening})


async def _all_of(chunks: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in chunks])
