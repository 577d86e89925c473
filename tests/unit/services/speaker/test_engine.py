"""The whole stage on tones: counts, outcomes, observations, progress, stop."""

from __future__ import annotations

import logging
import random
import threading
from pathlib import Path

import numpy as np
import pytest

from chassis.errors import CancelledCallError, InvalidInputError
from services.speaker.audio import Waveform
from services.speaker.embedding import FFT_SAMPLES, HOP_SAMPLES, Spectrogram, mel_basis
from services.speaker.engine import Diarizer, Progress
from services.speaker.observations import Diarization
from tests.fakes.speaker import (
    ANNA_HZ,
    BEN_HZ,
    CLEO_HZ,
    FakeWindowEncoder,
    Score,
    fake_diarizer,
    play,
    write_media,
    write_wav,
)

TWO_VOICES: Score = [(ANNA_HZ, 12.0), (None, 1.0), (BEN_HZ, 5.0), (None, 1.0), (ANNA_HZ, 6.0)]


def listen(diarizer: Diarizer, recording: Path) -> tuple[list[Progress], Diarization]:
    *progress, last = diarizer.diarize(recording, threading.Event())
    assert isinstance(last, Diarization)
    return [event for event in progress if isinstance(event, Progress)], last


def heard(tmp_path: Path, score: Score) -> Diarization:
    return listen(fake_diarizer(), write_wav(tmp_path / "a.wav", play(score)))[1]


def test_one_voice_is_counted_and_nothing_is_observed(tmp_path: Path) -> None:
    found = heard(tmp_path, [(ANNA_HZ, 8.0), (None, 1.0), (ANNA_HZ, 5.0)])

    assert (found.outcome, found.voice_count, found.observations, found.warnings) == ("OK", 1, (), ())
    assert found.second_voice_probability == 0.0
    assert found.speech_s == pytest.approx(13.0, abs=0.4)


def test_a_second_voice_is_observed_at_its_time(tmp_path: Path) -> None:
    found = heard(tmp_path, TWO_VOICES)

    assert found.voice_count == 2
    assert [voice.voice for voice in found.voices] == [0, 1]
    assert found.voices[1].speech_s == pytest.approx(5.0, abs=0.3)
    (observation,) = found.observations
    assert (observation.start_s, observation.end_s) == pytest.approx((13.0, 18.0), abs=0.2)
    assert observation.probability == found.second_voice_probability
    assert observation.probability >= 0.7
    assert "does not tell who" in observation.reason


def test_every_further_voice_is_observed(tmp_path: Path) -> None:
    found = heard(tmp_path, [(ANNA_HZ, 10.0), (None, 1.0), (BEN_HZ, 5.0), (None, 1.0), (CLEO_HZ, 4.0)])

    assert found.voice_count == 3
    assert len(found.observations) == 2


def test_a_doubtful_second_voice_is_a_warning_and_never_an_observation(tmp_path: Path) -> None:
    class AlikeVoices(FakeWindowEncoder):
        def _embedding(self, samples: Waveform, window: np.ndarray) -> np.ndarray:
            embedding = super()._embedding(samples, window)
            embedding[50] = 0.78  # both voices share this much: cosine 0.38 between them
            return embedding / np.float32(np.linalg.norm(embedding))

    score: Score = [(ANNA_HZ, 12.0), (None, 1.0), (BEN_HZ, 1.9)]
    found = listen(fake_diarizer(AlikeVoices()), write_wav(tmp_path / "a.wav", play(score)))[1]

    assert found.second_voice_probability is not None
    assert 0.5 <= found.second_voice_probability < 0.7
    assert found.observations == ()
    assert "unclear" in " ".join(found.warnings)


@pytest.mark.parametrize("samples", [np.zeros(160_000, np.float32), play([(ANNA_HZ, 0.2)]), play([])])
def test_nobody_speaking_is_an_outcome_with_no_voices(tmp_path: Path, samples: np.ndarray) -> None:
    found = listen(fake_diarizer(), write_wav(tmp_path / "a.wav", samples))[1]

    assert (found.outcome, found.voice_count, found.second_voice_probability) == ("NO_SPEECH", 0, None)
    assert found.reason


@pytest.mark.parametrize("score", [[(ANNA_HZ, 1.0), (None, 3.0)], [(ANNA_HZ, 0.3), (None, 1.0)] * 3])
def test_too_little_speech_gives_no_count(tmp_path: Path, score: Score) -> None:
    found = heard(tmp_path, score)

    assert (found.outcome, found.voice_count) == ("INSUFFICIENT_EVIDENCE", None)
    assert found.second_voice_probability is None
    assert "speech" in found.reason


def test_under_three_seconds_a_second_voice_cannot_be_ruled_out(tmp_path: Path) -> None:
    found = heard(tmp_path, [(ANNA_HZ, 2.0), (None, 1.0)])

    assert (found.outcome, found.voice_count, found.second_voice_probability) == ("OK", 1, None)
    assert "second voice" in found.warnings[0]


def test_a_picture_without_sound_is_an_outcome(tmp_path: Path) -> None:
    found = listen(fake_diarizer(), write_media(tmp_path / "a.mp4", None, "", 0, picture=True))[1]

    assert (found.outcome, found.voice_count, found.duration_s) == ("NO_AUDIO", None, 0.0)


def test_silence_appended_adds_no_voice(tmp_path: Path) -> None:
    found = heard(tmp_path, [*TWO_VOICES, (None, 20.0)])

    assert (found.voice_count, len(found.observations)) == (2, 1)


def test_the_same_file_gives_the_same_reply(tmp_path: Path) -> None:
    assert heard(tmp_path, TWO_VOICES) == heard(tmp_path, TWO_VOICES)


@pytest.mark.parametrize("ending", ["webm", "mp4", "flac"])
def test_a_corrupt_file_is_a_typed_error_or_a_result(tmp_path: Path, ending: str) -> None:
    codec = {"webm": "libopus", "mp4": "aac", "flac": "flac"}[ending]
    whole = write_media(tmp_path / f"a.{ending}", play([(ANNA_HZ, 2.0)], 48_000), codec, 48_000).read_bytes()
    rng = random.Random(0)
    for _ in range(12):
        content = bytearray(whole)
        for _ in range(10):
            content[rng.randrange(len(content))] = rng.randrange(256)
        (tmp_path / "corrupt").write_bytes(content)

        try:
            _, found = listen(fake_diarizer(), tmp_path / "corrupt")
        except InvalidInputError as error:
            assert error.reason == "MEDIA_UNDECODABLE"
        else:
            assert found.outcome in {"OK", "INSUFFICIENT_EVIDENCE", "NO_SPEECH"}


def test_progress_grows_to_the_end(tmp_path: Path) -> None:
    wav = write_wav(tmp_path / "a.wav", play([(ANNA_HZ, 80.0)]))

    progress, _ = listen(fake_diarizer(), wav)

    ratios = [event.done_ratio for event in progress if event.done_ratio is not None]
    assert len(ratios) > 5
    assert ratios == sorted(ratios)
    assert ratios[-1] == 1.0
    assert progress[-1].done_s == progress[-1].total_s == 80.0


def test_it_stops_within_one_step_when_told(tmp_path: Path) -> None:
    wav = write_wav(tmp_path / "a.wav", play([(ANNA_HZ, 80.0)]))
    stop = threading.Event()
    events = fake_diarizer().diarize(wav, stop)
    next(events)
    stop.set()

    with pytest.raises(CancelledCallError) as caught:
        next(events)

    assert caught.value.reason == "CANCELLED"


def test_nothing_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        heard(tmp_path, TWO_VOICES)

    assert caplog.records == []


def test_a_spectrogram_in_blocks_is_the_spectrogram_of_the_whole() -> None:
    samples = np.random.default_rng(0).standard_normal(70 * 16_000).astype(np.float32) * np.float32(0.1)
    centred = np.pad(samples.astype(np.float64), FFT_SAMPLES // 2)
    starts = range(0, len(samples) + 1, HOP_SAMPLES)
    taper = np.sin(np.pi * np.arange(FFT_SAMPLES) / FFT_SAMPLES) ** 2
    frames = np.stack([centred[start : start + FFT_SAMPLES] for start in starts])
    whole = np.abs(np.fft.rfft(frames * taper)) ** 2 @ mel_basis().T

    mels = Spectrogram(samples).frames(0, len(whole))

    assert np.allclose(mels, whole, rtol=1e-4, atol=1e-7)


def test_frames_beyond_the_recording_are_silence() -> None:
    mels = Spectrogram(np.ones(16_000, np.float32)).frames(90, 30)

    assert mels.shape == (30, 40)
    assert (mels[11:] == 0).all()
