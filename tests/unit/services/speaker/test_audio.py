"""Every kind of sound track becomes clean mono samples, or a typed error."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from chassis.decoding.decoder_here import DecoderHere
from chassis.errors import CancelledCallError, InvalidInputError
from chassis.playback.loading import FUNCTION, Sound
from chassis.playback.samples import GATHERED_SAMPLES
from services.speaker.audio import PIECE_SAMPLES, SAMPLE_RATE_HZ, ArrivingSound, KeptSound
from tests.fakes.speaker import ANNA_HZ, play, write_media, write_wav

HERE = DecoderHere(FUNCTION)
MAX_DURATION_S = 60.0


def load(recording: Path, max_duration_s: float = MAX_DURATION_S) -> Sound | None:
    arriving = ArrivingSound(recording, max_duration_s, threading.Event(), HERE)
    kept = KeptSound()
    for block in arriving.raw_blocks():
        assert block is not None
        kept.add(block)
    if not arriving.has_sound:
        return None
    samples = kept.without_offset(kept.offset)[:]
    return Sound(samples, arriving.damaged_packet_count, arriving.warnings)


def loaded(recording: Path) -> Sound:
    sound = load(recording)
    assert sound is not None
    return sound


def dominant_hz(sound: Sound) -> float:
    spectrum = np.abs(np.fft.rfft(sound.samples))
    return float(np.argmax(spectrum)) / sound.duration_s


@pytest.mark.parametrize(
    ("ending", "codec", "rate_hz", "layout"),
    [
        ("wav", "pcm_s16le", 8_000, "mono"),
        ("wav", "pcm_s16le", 192_000, "mono"),
        ("wav", "pcm_u8", 16_000, "mono"),
        ("wav", "pcm_f32le", 44_100, "stereo"),
        ("flac", "flac", 48_000, "5.1"),
        ("mp3", "mp3", 44_100, "stereo"),
        ("mp4", "aac", 48_000, "5.1"),
        ("webm", "libopus", 48_000, "stereo"),
        ("mov", "pcm_s24le", 44_100, "stereo"),
    ],
)
def test_any_container_rate_and_channel_count_becomes_mono_at_16_khz(
    tmp_path: Path, ending: str, codec: str, rate_hz: int, layout: str
) -> None:
    path = tmp_path / f"recording.{ending}"
    write_media(path, play([(ANNA_HZ, 2.0)], rate_hz), codec, rate_hz, layout=layout)

    sound = loaded(path)

    assert sound.samples.dtype == np.float32
    assert sound.duration_s == pytest.approx(2.0, abs=0.15)
    assert dominant_hz(sound) == pytest.approx(ANNA_HZ, abs=2)
    assert sound.damaged_packet_count == 0


def test_a_track_that_changes_rate_and_channels_in_the_middle_is_read_to_its_end(tmp_path: Path) -> None:
    one = write_media(tmp_path / "a.mp3", play([(ANNA_HZ, 3.0)], 44_100), "mp3", 44_100)
    two = write_media(tmp_path / "b.mp3", play([(ANNA_HZ, 3.0)], 48_000), "mp3", 48_000, layout="stereo")
    both = tmp_path / "both.mp3"
    both.write_bytes(one.read_bytes() + two.read_bytes())

    sound = loaded(both)

    assert sound.duration_s == pytest.approx(6.0, abs=0.3)
    assert dominant_hz(sound) == pytest.approx(ANNA_HZ, abs=3)


@pytest.mark.parametrize("count", [1, GATHERED_SAMPLES - 1, GATHERED_SAMPLES, 2 * GATHERED_SAMPLES])
@pytest.mark.parametrize("rate_hz", [SAMPLE_RATE_HZ, 2 * SAMPLE_RATE_HZ])
def test_no_sample_is_lost_between_blocks(tmp_path: Path, count: int, rate_hz: int) -> None:
    samples = play([(ANNA_HZ, 20.0)], rate_hz)[:count]

    sound = loaded(write_wav(tmp_path / "a.wav", samples, rate_hz))

    assert len(sound.samples) == pytest.approx(count * SAMPLE_RATE_HZ / rate_hz, abs=1)


def test_the_ending_of_the_name_does_not_matter(tmp_path: Path) -> None:
    wav = write_wav(tmp_path / "a.wav", play([(ANNA_HZ, 1.0)]))

    assert loaded(wav.rename(tmp_path / "recording")).duration_s == 1.0


def test_a_picture_without_sound_is_no_error(tmp_path: Path) -> None:
    assert load(write_media(tmp_path / "silent.mp4", None, "", 0, picture=True)) is None


@pytest.mark.parametrize(
    "content", [b"", b"hello, I am no recording", bytes(100_000), b"#EXTM3U\n#EXTINF:1,\na.ts\n"]
)
def test_what_is_no_recording_is_undecodable(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "recording.mp4"
    path.write_bytes(content)

    with pytest.raises(InvalidInputError) as caught:
        load(path)

    assert caught.value.reason == "MEDIA_UNDECODABLE"
    assert "recording.mp4" not in caught.value.message


def test_an_mp4_cut_before_its_index_is_undecodable(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mp4", play([(ANNA_HZ, 5.0)], 48_000), "aac", 48_000)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(InvalidInputError) as caught:
        load(path)

    assert caught.value.reason == "MEDIA_UNDECODABLE"


def test_a_recording_cut_in_the_middle_keeps_what_came_before(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.webm", play([(ANNA_HZ, 4.0)], 48_000), "libopus", 48_000)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    assert 1.0 < loaded(path).duration_s < 3.0


def test_damaged_packets_are_counted_and_what_follows_keeps_its_time(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mp4", play([(ANNA_HZ, 8.0)], 48_000), "aac", 48_000)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2000] = b"\xff" * 2000
    path.write_bytes(content)

    sound = loaded(path)

    assert sound.damaged_packet_count > 0
    assert [one.kind for one in sound.warnings] == ["MEDIA_DAMAGED"]
    assert sound.duration_s == pytest.approx(8.0, abs=0.05)


def test_a_track_that_is_too_long_is_refused_before_it_fills_memory(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "long.wav", play([(ANNA_HZ, 3.0)]))

    with pytest.raises(InvalidInputError) as caught:
        load(path, max_duration_s=2.0)

    assert caught.value.reason == "MEDIA_TOO_LONG"


def test_decoding_stops_when_told(tmp_path: Path) -> None:
    wav = write_wav(tmp_path / "a.wav", play([(ANNA_HZ, 3.0)]))
    stop = threading.Event()
    stop.set()

    with pytest.raises(CancelledCallError):
        list(ArrivingSound(wav, MAX_DURATION_S, stop, HERE).raw_blocks())


def test_a_float_file_with_no_numbers_in_it_is_cleaned(tmp_path: Path) -> None:
    samples = play([(ANNA_HZ, 1.0)])
    samples[100:200], samples[300], samples[400] = np.nan, np.inf, -1e30
    path = write_media(tmp_path / "a.wav", samples, "pcm_f32le", SAMPLE_RATE_HZ)

    sound = loaded(path)

    assert np.isfinite(sound.samples).all()
    assert np.abs(sound.samples).max() <= 1.01
    assert dominant_hz(sound) == pytest.approx(ANNA_HZ, abs=2)


def test_a_constant_offset_is_taken_off() -> None:
    kept = KeptSound()
    kept.add(play([(ANNA_HZ, 1.0)]) + np.float32(0.4))

    samples = kept.without_offset(kept.offset)[:]

    assert kept.offset == round(0.4 * 32_768)
    assert samples.mean() == pytest.approx(0.0, abs=2e-5)
    assert kept.rms == pytest.approx(0.3 / np.sqrt(2), rel=1e-3)


def test_samples_are_the_same_however_they_came() -> None:
    samples = np.random.default_rng(0).uniform(-1, 1, 2 * PIECE_SAMPLES + 700).astype(np.float32)
    whole, parts = KeptSound(), KeptSound()

    whole.add(samples)
    for start in range(0, len(samples), 99_991):
        parts.add(samples[start : start + 99_991])

    assert len(whole) == len(parts) == len(samples)
    assert (whole.offset, whole.rms) == (parts.offset, parts.rms)
    span = slice(PIECE_SAMPLES - 10, 2 * PIECE_SAMPLES + 10)
    assert np.array_equal(whole.without_offset(3)[span], parts.without_offset(3)[span])
    assert whole.without_offset(0)[span] == pytest.approx(samples[span], abs=1 / 32_768)
    assert len(whole.without_offset(0)[len(samples) :]) == 0


def test_a_track_without_samples_is_an_empty_sound(tmp_path: Path) -> None:
    assert loaded(write_wav(tmp_path / "empty.wav", np.zeros(0, np.float32))).duration_s == 0.0


def test_the_wav_of_our_extraction_sounds_the_same_without_a_decoder(tmp_path: Path) -> None:
    samples = play([(ANNA_HZ, 1.0), (None, 0.5), (ANNA_HZ, 0.51234)])
    plain = write_wav(tmp_path / "a.wav", samples)
    other = tmp_path / "b.wav"
    other.write_bytes(plain.read_bytes() + b"LIST\x04\0\0\0INFO")  # not what we write, so FFmpeg reads it

    first, second = loaded(plain), loaded(other)

    assert np.array_equal(first.samples, second.samples)
    assert first.warnings == second.warnings == ()


def test_the_wav_of_our_extraction_needs_no_child(tmp_path: Path) -> None:
    plain = write_wav(tmp_path / "a.wav", play([(ANNA_HZ, 1.0)]))
    arriving = ArrivingSound(
        plain, MAX_DURATION_S, threading.Event(), DecoderHere("tests.fakes.decoding:crash")
    )
    assert sum(block.size for block in arriving.raw_blocks() if block is not None) == SAMPLE_RATE_HZ
