"""Extraction from real little files, in the real child process: hostile and odd ones included."""

from __future__ import annotations

import asyncio
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from chassis.errors import InterviewError
from chassis.store import MediaStore
from interview.v1 import media_pb2, orchestrator_pb2
from orchestrator.stages.extract import ExtractionLimits, Extractor, ExtractRequest
from tests.fakes.recording import make_recording, make_tone
from tests.fakes.speaker import ANNA_HZ, play, write_media

pytestmark = pytest.mark.anyio

LIMITS = ExtractionLimits(
    max_media_bytes=10_000_000,
    max_duration_s=60.0,
    max_pixel_count=3840 * 2160,
    max_track_count=4,
    max_memory_bytes=2 << 30,
    timeout_s=30.0,
)


class Bench:
    """A store with one recording, and the extractor on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = MediaStore(folder.as_uri())

    async def extract(
        self, name: str, limits: ExtractionLimits = LIMITS, digest: str = ""
    ) -> orchestrator_pb2.Extraction:
        return await Extractor(self.store, limits).extract(ExtractRequest(name, "out.wav", digest))

    async def reason(self, name: str, limits: ExtractionLimits = LIMITS, digest: str = "") -> str:
        with pytest.raises(InterviewError) as refused:
            await self.extract(name, limits, digest)
        assert not (self.folder / "out.wav").exists()
        return refused.value.reason


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def test_sound_becomes_a_16_khz_mono_wav_and_the_picture_is_probed(bench: Bench) -> None:
    make_recording(bench.folder / "a.mp4")
    found = await bench.extract("a.mp4")
    with wave.open(str(bench.folder / "out.wav")) as wav:
        shape = (wav.getframerate(), wav.getnchannels(), wav.getsampwidth())
        seconds = wav.getnframes() / wav.getframerate()

    assert shape == (16_000, 1, 2)
    assert seconds == pytest.approx(2.0, abs=0.1)
    assert found.outcome == media_pb2.OUTCOME_OK
    assert (found.picture.width_px, found.picture.height_px) == (64, 48)
    assert found.picture.frame_rate_hz == pytest.approx(10, rel=0.02)
    assert found.sound.loudness_ratio == pytest.approx(8000 / 32768 / 2**0.5, rel=0.1)
    assert len(found.media_digest) == len(found.audio_digest) == 64


async def test_a_recording_that_is_not_the_one_that_was_received_is_refused(bench: Bench) -> None:
    make_recording(bench.folder / "a.mp4")
    found = await bench.extract("a.mp4")
    (bench.folder / "out.wav").unlink()

    assert await bench.reason("a.mp4", digest="ab" * 32) == "MEDIA_CHANGED"
    assert (await bench.extract("a.mp4", digest=found.media_digest)).media_digest == found.media_digest


async def test_a_decoder_that_dies_has_a_reason_of_its_own(bench: Bench) -> None:
    make_recording(bench.folder / "a.mp4")

    assert await bench.reason("a.mp4", replace(LIMITS, max_pixel_count="none")) == "MEDIA_DECODER_FAILED"  # type: ignore[arg-type]


async def test_no_sound_track_and_no_picture_are_outcomes(bench: Bench) -> None:
    make_recording(bench.folder / "silent.mp4", audio=False)
    make_tone(bench.folder / "blind.wav")
    silent, blind = await bench.extract("silent.mp4"), await bench.extract("blind.wav")

    assert (silent.outcome, silent.audio_key) == (media_pb2.OUTCOME_NO_AUDIO, "")
    assert blind.outcome == media_pb2.OUTCOME_NO_VIDEO
    assert not blind.HasField("picture")


async def test_length_and_rate_come_from_timestamps(bench: Bench) -> None:
    times_s = [0.0, 0.1, 0.2, 0.3, 2.0, 2.1, 3.9]
    make_recording(bench.folder / "vfr.webm", seconds=4.0, times_s=times_s, codecs=("libvpx", "libopus"))
    found = await bench.extract("vfr.webm")

    assert found.picture.frame_rate_hz == pytest.approx(6 / 3.9, rel=0.05)
    assert found.duration_s == pytest.approx(4.0, abs=0.15)


async def test_sound_that_begins_late_keeps_its_time(bench: Bench) -> None:
    make_recording(bench.folder / "late.mkv", seconds=3.0, audio_from_s=1.0, codecs=("mpeg4", "pcm_s16le"))
    await bench.extract("late.mkv")
    with wave.open(str(bench.folder / "out.wav")) as wav:
        quiet, loud = wav.readframes(15_000), wav.readframes(16_000)

    assert not any(quiet)
    assert any(loud)


@pytest.mark.parametrize("size", [(2, 2), (48, 64), (63, 47)])
async def test_odd_sizes_are_fine(bench: Bench, size: tuple[int, int]) -> None:
    make_recording(bench.folder / "odd.mkv", seconds=0.5, size=size, codecs=("ffv1", "pcm_s16le"))
    found = await bench.extract("odd.mkv")

    assert (found.picture.width_px, found.picture.height_px) == size


@pytest.mark.parametrize(
    ("name", "codec", "rate_hz", "layout"),
    [
        ("telephone.wav", "pcm_s16le", 8_000, "mono"),
        ("studio.wav", "pcm_s24le", 192_000, "stereo"),
        ("float.wav", "pcm_f32le", 48_000, "mono"),
        ("surround.mp4", "aac", 48_000, "5.1"),
        ("cinema.mkv", "ac3", 48_000, "5.1"),
    ],
)
async def test_odd_sound_tracks_become_the_same_wav(
    bench: Bench, name: str, codec: str, rate_hz: int, layout: str
) -> None:
    write_media(bench.folder / name, play([(ANNA_HZ, 2.0)], rate_hz), codec, rate_hz, layout=layout)
    await bench.extract(name)
    with wave.open(str(bench.folder / "out.wav")) as wav:
        shape = (wav.getframerate(), wav.getnchannels(), wav.getsampwidth())
        samples = np.frombuffer(wav.readframes(wav.getnframes()), np.int16)

    assert shape == (16_000, 1, 2)
    assert len(samples) / 16_000 == pytest.approx(2.0, abs=0.1)
    assert np.argmax(np.abs(np.fft.rfft(samples))) / len(samples) * 16_000 == pytest.approx(ANNA_HZ, abs=2)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
async def test_samples_that_are_no_numbers_are_silence(bench: Bench, bad: float) -> None:
    samples = play([(ANNA_HZ, 2.0)])
    samples[8_000:16_000] = bad
    write_media(bench.folder / "float.wav", samples, "pcm_f32le", 16_000)
    found = await bench.extract("float.wav")

    assert found.outcome == media_pb2.OUTCOME_NO_VIDEO
    assert 0.0 < found.sound.loudness_ratio < 1.0


async def test_files_that_are_no_recordings_are_refused(bench: Bench) -> None:
    (bench.folder / "letter.mp4").write_text("Dear sirs")
    (bench.folder / "empty.mp4").touch()
    playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n"
    (bench.folder / "playlist.mp4").write_text(playlist)
    (bench.folder / "concat.mp4").write_text("ffconcat version 1.0\nfile /etc/passwd\n")

    assert await bench.reason("letter.mp4") == "MEDIA_UNDECODABLE"
    assert await bench.reason("empty.mp4") == "MEDIA_EMPTY"
    assert await bench.reason("playlist.mp4") == "MEDIA_UNDECODABLE"
    assert await bench.reason("concat.mp4") == "MEDIA_UNDECODABLE"
    assert await bench.reason("nowhere.mp4") == "MEDIA_NOT_FOUND"


async def test_a_truncated_mp4_is_undecodable_and_a_truncated_webm_is_used_as_far_as_it_goes(
    bench: Bench,
) -> None:
    whole = make_recording(bench.folder / "whole.mp4").read_bytes()
    (bench.folder / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    webm = make_recording(bench.folder / "whole.webm", codecs=("libvpx", "libopus")).read_bytes()
    (bench.folder / "cut.webm").write_bytes(webm[: len(webm) * 2 // 3])

    assert await bench.reason("cut.mp4") == "MEDIA_UNDECODABLE"
    assert 0.3 < (await bench.extract("cut.webm")).duration_s < 2.0


async def test_what_exceeds_a_limit_is_refused_by_its_name(bench: Bench) -> None:
    make_recording(bench.folder / "a.mp4")

    assert await bench.reason("a.mp4", replace(LIMITS, max_duration_s=1.0)) == "MEDIA_TOO_LONG"
    assert await bench.reason("a.mp4", replace(LIMITS, max_media_bytes=100)) == "MEDIA_TOO_LARGE"
    assert await bench.reason("a.mp4", replace(LIMITS, max_pixel_count=100)) == "MEDIA_TOO_COMPLEX"
    assert await bench.reason("a.mp4", replace(LIMITS, max_track_count=1)) == "MEDIA_TOO_COMPLEX"
    assert await bench.reason("a.mp4", replace(LIMITS, timeout_s=0.01)) == "MEDIA_TOO_COMPLEX"
    assert await bench.reason("a.mp4", replace(LIMITS, max_memory_bytes=64 << 20)) == "MEDIA_TOO_COMPLEX"


async def test_a_long_recording_without_a_duration_in_its_header_is_noticed(bench: Bench) -> None:
    times_s = [0.0, 1.0, 90.0]
    make_recording(bench.folder / "long.mkv", seconds=1.0, times_s=times_s, codecs=("mpeg4", "pcm_s16le"))

    assert await bench.reason("long.mkv") == "MEDIA_TOO_LONG"


async def test_cancelling_ends_the_child_and_leaves_nothing(bench: Bench) -> None:
    make_recording(bench.folder / "a.mp4")
    work = asyncio.create_task(bench.extract("a.mp4"))
    await asyncio.sleep(0.05)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work

    assert not (bench.folder / "out.wav").exists()
