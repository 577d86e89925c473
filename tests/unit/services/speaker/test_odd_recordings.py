"""Sound as odd recorders make it, through the whole stage: a diarization, or a typed error."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from chassis.errors import InvalidInputError
from services.speaker.audio import SAMPLE_RATE_HZ, Samples
from services.speaker.observations import Diarization
from tests.fakes.speaker import ANNA_HZ, BEN_HZ, fake_diarizer, play, write_media, write_wav

SCORE = [(ANNA_HZ, 6.0), (None, 1.0), (BEN_HZ, 4.0), (None, 1.0), (ANNA_HZ, 4.0)]
"""One voice, another one, the first again."""


def heard(recording: Path) -> Diarization:
    *_, last = fake_diarizer().diarize(recording, threading.Event())
    assert isinstance(last, Diarization)
    return last


@pytest.mark.parametrize(
    ("name", "codec", "rate_hz", "layout"),
    [
        ("telephone.wav", "pcm_s16le", 8_000, "mono"),
        ("studio.wav", "pcm_s24le", 192_000, "stereo"),
        ("float.wav", "pcm_f32le", 48_000, "mono"),
        ("double.wav", "pcm_f64le", 44_100, "mono"),
        ("surround.flac", "flac", 48_000, "5.1"),
        ("surround.mp4", "aac", 48_000, "5.1"),
        ("cinema.mkv", "ac3", 48_000, "5.1"),
        ("apple.mov", "alac", 44_100, "stereo"),
        ("browser.webm", "libopus", 48_000, "mono"),
        ("podcast.mp3", "mp3", 44_100, "stereo"),
    ],
)
def test_the_voices_of_any_sound_track_are_told_apart(
    tmp_path: Path, name: str, codec: str, rate_hz: int, layout: str
) -> None:
    path = tmp_path / name
    write_media(path, play(SCORE, rate_hz), codec, rate_hz, layout=layout)

    found = heard(path)

    assert found.voice_count == 2
    (observation,) = found.observations
    assert (observation.start_s, observation.end_s) == pytest.approx((7.0, 11.0), abs=0.5)


def with_holes(samples: Samples) -> Samples:
    samples = samples.copy()
    samples[::1000] = np.nan
    samples[1::1000] = np.inf
    return samples


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda samples: samples * 0.5 + 0.4, id="a constant offset"),
        pytest.param(lambda samples: np.clip(samples * 20, -1, 1), id="clipping"),
        pytest.param(lambda samples: samples * 8, id="beyond full scale"),
        pytest.param(with_holes, id="no numbers"),
        pytest.param(lambda samples: samples * 0.005, id="hardly audible"),
    ],
)
def test_badly_set_recorders_change_no_count(tmp_path: Path, change: Callable[[Samples], Samples]) -> None:
    samples = np.asarray(change(play(SCORE)), np.float32)
    path = tmp_path / "recording.wav"
    write_media(path, samples, "pcm_f32le", SAMPLE_RATE_HZ)

    assert heard(path).voice_count == 2


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.2])
def test_a_moment_of_sound_holds_nobody(tmp_path: Path, seconds: float) -> None:
    found = heard(write_wav(tmp_path / "recording.wav", play([(ANNA_HZ, seconds)])))

    assert (found.outcome, found.voice_count) == ("NO_SPEECH", 0)


def test_packets_lost_in_the_middle_are_said_and_the_rest_is_heard(tmp_path: Path) -> None:
    path = tmp_path / "recording.mp4"
    write_media(path, play(SCORE, 48_000), "aac", 48_000)
    content = bytearray(path.read_bytes())
    middle = len(content) // 3
    content[middle : middle + 2000] = b"\xff" * 2000
    path.write_bytes(content)

    found = heard(path)

    assert found.voice_count == 2
    assert [one.kind for one in found.recording_warnings] == ["MEDIA_DAMAGED"]


def test_a_track_of_an_unknown_codec_is_refused(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "recording.wav", play(SCORE))
    content = bytearray(path.read_bytes())
    content[20:22] = b"\x34\x12"  # the format tag of no codec
    path.write_bytes(content)

    with pytest.raises(InvalidInputError) as caught:
        heard(path)

    assert caught.value.reason == "MEDIA_UNDECODABLE"
