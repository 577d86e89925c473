"""Decoding: whatever the file, sound comes out as finite mono samples, or a typed error does."""

from __future__ import annotations

import struct
import threading
from pathlib import Path

import av
import numpy as np
import pytest

from chassis.decoding.decoder_here import DecoderHere
from chassis.errors import CancelledCallError, InvalidInputError
from chassis.playback.loading import FUNCTION
from services.transcriber.audio import SAMPLE_RATE_HZ, load_sound
from tests.fakes.transcriber import silence, tone, write_wav

HERE = DecoderHere(FUNCTION)
HOUR_S = 3600.0


def load(path: Path) -> np.ndarray:
    return load_sound(path, HOUR_S, threading.Event(), HERE).samples


def reason_of(path: Path) -> str:
    with pytest.raises(InvalidInputError) as raised:
        load(path)
    return raised.value.reason


def write_float_wav(path: Path, samples: np.ndarray) -> Path:
    data = samples.astype("<f4").tobytes()
    fmt = struct.pack("<HHIIHH", 3, 1, SAMPLE_RATE_HZ, SAMPLE_RATE_HZ * 4, 4, 32)
    path.write_bytes(
        b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + struct.pack("<I", 16) + fmt
        + b"data" + struct.pack("<I", len(data)) + data
    )  # fmt: skip
    return path


def write_media(
    path: Path, sound: np.ndarray | None, *, rate_hz: int = 48_000, offset_s: float = 0.0, gap_s: float = 0.0
) -> Path:
    """Write a container with a grey picture of 1 s and, where given, a sound track with a gap."""
    with av.open(str(path), "w") as out:
        video = out.add_stream("libvpx" if path.suffix == ".webm" else "mpeg4", rate=10)
        video.width = video.height = 64
        video.pix_fmt = "yuv420p"
        audio = None
        if sound is not None:
            audio = out.add_stream("libopus" if path.suffix == ".webm" else "aac", rate=rate_hz)
        for _ in range(10):
            picture = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 128, np.uint8), format="rgb24")
            out.mux(video.encode(picture))
        out.mux(video.encode(None))
        if audio is not None and sound is not None:
            for index in range(0, sound.size - 959, 960):
                frame = av.AudioFrame.from_ndarray(
                    (sound[index : index + 960] * 32767).astype("<i2").reshape(1, -1), "s16", "mono"
                )
                late_s = offset_s + (gap_s if index >= sound.size // 2 else 0.0)
                frame.sample_rate, frame.pts = rate_hz, index + round(late_s * rate_hz)
                out.mux(audio.encode(frame))
            out.mux(audio.encode(None))
    return path


def tone_at(rate_hz: int, duration_s: float) -> np.ndarray:
    times_s = np.arange(round(duration_s * rate_hz)) / rate_hz
    return (0.5 * np.sin(2 * np.pi * 200 * times_s)).astype(np.float32)


def test_a_plain_recording_comes_out_as_it_went_in(tmp_path: Path) -> None:
    samples = load(write_wav(tmp_path / "a.wav", tone(1)))

    assert samples.dtype == np.float32
    assert np.abs(samples - tone(1)).max() < 1e-3


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 44_100, 48_000, 96_000])
def test_any_sample_rate_becomes_sixteen_kilohertz(tmp_path: Path, rate_hz: int) -> None:
    samples = load(write_wav(tmp_path / "a.wav", tone_at(rate_hz, 2), rate_hz=rate_hz))

    assert samples.size / SAMPLE_RATE_HZ == pytest.approx(2.0, abs=0.02)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".webm", ".mkv", ".avi"])
def test_the_sound_of_a_video_is_found(tmp_path: Path, suffix: str) -> None:
    samples = load(write_media(tmp_path / f"a{suffix}", tone_at(48_000, 2)))

    assert samples.size / SAMPLE_RATE_HZ == pytest.approx(2.0, abs=0.1)
    assert np.sqrt(np.mean(samples**2)) > 0.2


def test_the_name_of_a_file_says_nothing(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.webm", tone_at(48_000, 1)).rename(tmp_path / "a.mp4")

    assert load(path).size > 0


def test_sound_that_begins_after_the_picture_begins_after_silence(tmp_path: Path) -> None:
    samples = load(write_media(tmp_path / "a.mkv", tone_at(48_000, 2), offset_s=1.5))
    onset_s = np.flatnonzero(np.abs(samples) > 0.1)[0] / SAMPLE_RATE_HZ

    assert onset_s == pytest.approx(1.5, abs=0.05)


def test_a_pause_of_the_recorder_is_silence_of_the_same_length(tmp_path: Path) -> None:
    samples = load(write_media(tmp_path / "a.webm", tone_at(48_000, 2), gap_s=3.0))

    assert samples.size / SAMPLE_RATE_HZ == pytest.approx(5.0, abs=0.1)
    assert np.abs(samples[int(1.5 * SAMPLE_RATE_HZ) : int(3.5 * SAMPLE_RATE_HZ)]).max() < 0.01


def test_an_absurd_timestamp_meets_the_length_limit_and_not_the_memory(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mkv", tone_at(48_000, 2), gap_s=1_000_000.0)

    assert reason_of(path) == "MEDIA_TOO_LONG"


def test_a_video_without_sound_is_named_as_such(tmp_path: Path) -> None:
    assert reason_of(write_media(tmp_path / "a.mp4", None)) == "MEDIA_NO_AUDIO"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("text.mp4", b"This is not a video, it only says so.\n" * 200),
        ("empty.mp4", b""),
        ("byte.wav", b"R"),
        ("zeros.mp4", bytes(100_000)),
        ("list.mp4", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n"),
        ("concat.mp4", b"ffconcat version 1.0\nfile /etc/hostname\n"),
        ("page.webm", b"<!doctype html><html><body>502</body></html>"),
        ("picture.mp4", b"\x89PNG\r\n\x1a\n" + bytes(500)),
        ("header.wav", b"RIFF\x24\x00\x00\x00WAVE"),
        ("ogg.ogg", b"OggS" + bytes(200)),
    ],
)
def test_what_is_no_recording_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    assert reason_of(path) == "MEDIA_UNDECODABLE"


def test_random_bytes_are_refused_or_empty_but_never_a_crash(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for index in range(30):
        path = tmp_path / f"{index}.bin"
        magic = (b"RIFF", b"fLaC", b"OggS", b"\x1aE\xdf\xa3", b"\0\0\0\x18ftypmp42", b"ID3", b"")[index % 7]
        path.write_bytes(magic + random.bytes(5_000))
        try:
            assert np.isfinite(load(path)).all()
        except InvalidInputError as error:
            assert error.reason in {"MEDIA_UNDECODABLE", "MEDIA_NO_AUDIO"}


@pytest.mark.parametrize("suffix", [".webm", ".mkv", ".mp4", ".avi"])
def test_a_truncated_recording_gives_what_is_left_or_a_typed_error(tmp_path: Path, suffix: str) -> None:
    whole = write_media(tmp_path / f"whole{suffix}", tone_at(48_000, 4)).read_bytes()
    path = tmp_path / f"cut{suffix}"
    for share in (0.05, 0.3, 0.6, 0.9):
        path.write_bytes(whole[: int(len(whole) * share)])
        try:
            assert np.isfinite(load(path)).all()
        except InvalidInputError as error:
            assert error.reason in {"MEDIA_UNDECODABLE", "MEDIA_NO_AUDIO"}


def test_a_corrupt_stretch_costs_itself_and_not_the_rest(tmp_path: Path) -> None:
    content = bytearray(write_media(tmp_path / "a.mp4", tone_at(48_000, 4)).read_bytes())
    middle = len(content) // 2
    content[middle : middle + 100] = b"\xff" * 100
    path = tmp_path / "b.mp4"
    path.write_bytes(content)

    assert load(path).size / SAMPLE_RATE_HZ > 3.0


def test_a_track_without_samples_is_no_sound_and_no_error(tmp_path: Path) -> None:
    assert load(write_wav(tmp_path / "a.wav", silence(0))).size == 0


def test_numbers_that_are_none_become_silence(tmp_path: Path) -> None:
    samples = tone(1)
    samples[1000:2000] = np.nan
    samples[3000], samples[4000] = np.inf, 1e30
    loaded = load(write_float_wav(tmp_path / "a.wav", samples))

    assert np.isfinite(loaded).all()
    assert np.abs(loaded).max() <= 1.0
    assert np.abs(loaded[5000:] - samples[5000:]).max() < 1e-3


def test_an_offset_of_the_sound_card_is_taken_away(tmp_path: Path) -> None:
    loaded = load(write_wav(tmp_path / "a.wav", tone(1) * 0.5 + 0.4))

    assert abs(float(loaded.mean())) < 1e-4


def test_a_set_stop_ends_decoding(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()

    with pytest.raises(CancelledCallError):
        load_sound(write_wav(tmp_path / "a.wav", tone(1)), HOUR_S, stop)


def test_a_recording_over_the_limit_is_refused_while_it_is_decoded(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError) as raised:
        load_sound(write_wav(tmp_path / "a.wav", tone(3)), 2.0, threading.Event())

    assert raised.value.reason == "MEDIA_TOO_LONG"
