"""The speaker stage with its real weights, on real recordings with truth."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.speaker.truth import HARD, VOICE_COUNTS, diarization_error, true_turns
from chassis.models import locate
from chassis.playback.loading import load_sound
from services.speaker.__main__ import build_diarizer, silero_weights
from services.speaker.audio import SAMPLE_RATE_HZ, Samples
from services.speaker.embedding import Spectrogram, VoiceEncoder, mel_basis, window_frame_counts
from services.speaker.engine import Diarizer
from services.speaker.observations import Diarization
from services.speaker.settings import SpeakerSettings
from services.speaker.voice_activity import SileroSpeechModel, levelled_blocks
from services.speaker.weights import MEL_COUNT
from tests.fakes.speaker import write_media, write_wav

pytestmark = pytest.mark.model

COUNTED = (
    "jfk.flac",
    "noise_only.flac",
    "silence.flac",
    "single_female.flac",
    "single_male.flac",
    "single_noise10.flac",
    "single_room_change.flac",
    "three_real_falcon.flac",
    "three_voices.flac",
    "two_late_quiet_diff_sex.flac",
    "two_late_short_same_sex.flac",
    "two_real_katie_steve.flac",
)

PLACES = [205, 215, 125, 128, 155]
OF_PYTORCH = [
    [0.2508416, 0.2217253, 0.2142173, 0.2057931, 0.1946467],
    [0.0912674, 0.1777312, 0.0959489, 0.2285303, 0.2090735],
]


@pytest.fixture(scope="module")
def diarizer(models_dir: Path) -> Diarizer:
    return build_diarizer(SpeakerSettings(models_dir=models_dir))


def listen(diarizer: Diarizer, recording: Path) -> Diarization:
    *_, last = diarizer.diarize(recording, threading.Event())
    assert isinstance(last, Diarization)
    return last


def samples_of(recording: Path) -> Samples:
    sound = load_sound(recording, 600.0, threading.Event())
    assert sound is not None
    return sound.samples


def true_voice_count(recordings: Path, name: str) -> int:
    manifest = json.loads((recordings / "audio" / "manifest.json").read_text(encoding="utf-8"))
    counts = {entry["file"]: int(entry["speakers"]) for entry in manifest}
    return (counts | VOICE_COUNTS)[name]


@pytest.mark.recordings
@pytest.mark.parametrize("name", COUNTED)
def test_voices_are_counted_as_the_manifest_says(diarizer: Diarizer, recordings: Path, name: str) -> None:
    found = listen(diarizer, recordings / "audio" / name)

    count = true_voice_count(recordings, name)
    assert found.voice_count == count
    assert bool(found.observations) == (count > 1)
    assert (found.outcome == "NO_SPEECH") == (count == 0)


@pytest.mark.recordings
def test_the_hard_meeting_is_called_unclear_and_not_an_observation(
    diarizer: Diarizer, recordings: Path
) -> None:
    found = listen(diarizer, recordings / "audio" / "two_real_ami.flac")

    assert found.observations == ()
    assert any("unclear" in warning for warning in found.warnings)


@pytest.mark.recordings
def test_every_recording_of_the_manifest_is_looked_at(recordings: Path) -> None:
    manifest = json.loads((recordings / "audio" / "manifest.json").read_text(encoding="utf-8"))

    assert {entry["file"] for entry in manifest} <= {*COUNTED, *HARD}


@pytest.mark.recordings
@pytest.mark.parametrize(
    ("name", "max_error"),
    [
        ("single_female.flac", 0.02),
        ("single_male.flac", 0.02),
        ("single_noise10.flac", 0.05),
        ("single_room_change.flac", 0.05),
        ("two_late_quiet_diff_sex.flac", 0.02),
        ("two_late_short_same_sex.flac", 0.02),
        ("three_voices.flac", 0.02),
        ("three_real_falcon.flac", 0.10),
    ],
)
def test_turns_agree_with_the_reference(
    diarizer: Diarizer, recordings: Path, name: str, max_error: float
) -> None:
    recording = recordings / "audio" / name
    found = listen(diarizer, recording)

    assert diarization_error(true_turns(recording), found.turns, found.duration_s) <= max_error


@pytest.mark.recordings
def test_a_late_quiet_second_voice_is_observed_at_its_time(diarizer: Diarizer, recordings: Path) -> None:
    (observation,) = listen(diarizer, recordings / "interview" / "second_voice.webm").observations

    assert (observation.start_s, observation.end_s) == pytest.approx((25.4, 29.9), abs=0.3)


@pytest.mark.recordings
def test_sound_of_an_mp4_and_a_webm_is_heard_as_its_source(diarizer: Diarizer, recordings: Path) -> None:
    assert listen(diarizer, recordings / "interview" / "one_voice.mp4").voice_count == 1
    assert listen(diarizer, recordings / "interview" / "second_voice.webm").voice_count == 2


@pytest.mark.recordings
@pytest.mark.parametrize("name", ["single_female.flac", "two_late_short_same_sex.flac"])
def test_metamorphoses_that_keep_the_voices_keep_their_count(
    diarizer: Diarizer, recordings: Path, tmp_path: Path, name: str
) -> None:
    samples = samples_of(recordings / "audio" / name)
    silence = np.zeros(10 * SAMPLE_RATE_HZ, np.float32)
    variants: dict[str, Samples] = {
        "silence appended": np.concatenate([samples, silence]),
        "twice": np.concatenate([samples, samples]),
        "6 dB down": samples * np.float32(0.5),
        "offset": (samples * 0.5 + 0.3).astype(np.float32),
    }

    expected = listen(diarizer, recordings / "audio" / name).voice_count
    for what, variant in variants.items():
        found = listen(diarizer, write_wav(tmp_path / "a.wav", variant))
        assert found.voice_count == expected, what


@pytest.mark.recordings
@pytest.mark.parametrize(
    ("ending", "codec", "layout"), [("mp3", "mp3", "stereo"), ("webm", "libopus", "mono")]
)
def test_a_lossy_codec_adds_no_voice(
    diarizer: Diarizer, recordings: Path, tmp_path: Path, ending: str, codec: str, layout: str
) -> None:
    samples = samples_of(recordings / "audio" / "single_male.flac")
    path = tmp_path / f"a.{ending}"

    write_media(path, samples, codec, SAMPLE_RATE_HZ, layout=layout)

    assert listen(diarizer, path).voice_count == 1


@pytest.mark.recordings
def test_two_answers_in_either_order_have_the_same_voices(
    diarizer: Diarizer, recordings: Path, tmp_path: Path
) -> None:
    woman, man = (samples_of(recordings / "audio" / f"single_{who}.flac") for who in ("female", "male"))

    one = listen(diarizer, write_wav(tmp_path / "a.wav", np.concatenate([woman, man])))
    other = listen(diarizer, write_wav(tmp_path / "b.wav", np.concatenate([man, woman])))

    assert one.voice_count == other.voice_count == 2
    assert one.voices[1].speech_s == pytest.approx(other.voices[1].speech_s, abs=0.5)


@pytest.mark.recordings
def test_the_same_recording_gives_the_same_reply(diarizer: Diarizer, recordings: Path) -> None:
    recording = recordings / "audio" / "three_voices.flac"

    assert listen(diarizer, recording) == listen(diarizer, recording)


def test_noise_of_any_colour_is_nobody(diarizer: Diarizer, tmp_path: Path) -> None:
    white = np.random.default_rng(0).standard_normal(15 * SAMPLE_RATE_HZ).astype(np.float32) * np.float32(
        0.05
    )
    red = np.cumsum(white, dtype=np.float64)
    red = red - np.convolve(red, np.full(2000, 1 / 2000), "same")

    quiet_red = np.asarray(red / (np.abs(red).max() * 2), np.float32)
    for noise in (white, quiet_red):
        assert listen(diarizer, write_wav(tmp_path / "a.wav", noise)).voice_count == 0


def test_silero_in_blocks_says_what_it_says_of_the_whole(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    samples = (rng.standard_normal(70 * SAMPLE_RATE_HZ) * 0.05).astype(np.float32)
    model = SileroSpeechModel(silero_weights())
    blocks = list(levelled_blocks(samples, 0))

    in_blocks = np.concatenate(list(model.probabilities(blocks)))
    (whole,) = model.probabilities([np.concatenate(blocks)])

    assert len(blocks) > 2
    assert in_blocks == pytest.approx(whole, abs=1e-4)


@pytest.mark.filterwarnings("ignore")
def test_our_mel_filters_are_librosas() -> None:
    librosa_filters = pytest.importorskip("librosa.filters")

    theirs = librosa_filters.mel(sr=SAMPLE_RATE_HZ, n_fft=400, n_mels=MEL_COUNT)

    assert mel_basis() == pytest.approx(theirs, abs=1e-7)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.recordings
def test_our_embeddings_are_resemblyzers(recordings: Path) -> None:
    try:
        import resemblyzer
    except ImportError as error:
        pytest.skip(f"resemblyzer's own code does not import here: {error}")
    samples = samples_of(recordings / "audio" / "single_female.flac")
    weights = Path(resemblyzer.__file__).with_name("pretrained.pt")
    ours, theirs = VoiceEncoder(weights), resemblyzer.VoiceEncoder("cpu", verbose=False)
    windows = np.array([[1.0, 2.6], [3.0, 4.6], [8.0, 9.1], [15.0, 16.6]])

    embeddings = np.zeros((len(windows), 256), np.float32)
    for batch, vectors in ours.embed(samples, windows):
        embeddings[batch] = vectors

    for (start_s, _), frame_count, embedding in zip(
        windows, window_frame_counts(windows), embeddings, strict=True
    ):
        assert 1 - float(embedding @ _their_embedding(theirs, samples, start_s, int(frame_count))) <= 2e-7


def _their_embedding(encoder: Any, samples: Samples, start_s: float, count: int) -> np.ndarray:
    """Resemblyzer's spectrogram and network on one window, brought to its level of -30 dBFS."""
    import torch
    from resemblyzer.audio import wav_to_mel_spectrogram

    first = round(start_s * 100)
    own = samples[int(start_s * SAMPLE_RATE_HZ) :][: count * 160]
    gain = 10 ** (-30 / 20) / np.sqrt(np.mean(own.astype(np.float64) ** 2))
    mels = wav_to_mel_spectrogram((samples * gain).astype(np.float32))[first : first + count]
    with torch.inference_mode():
        return np.asarray(encoder(torch.from_numpy(mels[None])).numpy()[0])


def test_the_network_gives_what_pytorch_gives(models_dir: Path) -> None:
    """The values are those of `torch.nn.LSTM` 2.13 with the same weights on the same numbers."""
    mels = (np.random.default_rng(0).random((64, 160, 40), np.float32) ** 8 * 5).astype(np.float32)
    encoder = VoiceEncoder(locate("voice-encoder", models_dir).path)

    vectors = encoder(mels[:2])

    assert vectors[:, PLACES] == pytest.approx(np.array(OF_PYTORCH, np.float32), abs=1e-6)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-6)


def test_silence_has_a_vector_of_numbers(models_dir: Path) -> None:
    vectors = VoiceEncoder(locate("voice-encoder", models_dir).path)(np.zeros((1, 160, 40), np.float32))

    assert np.isfinite(vectors).all()


def test_the_package_of_the_weights_is_not_imported() -> None:
    """It would pull in a second voice detector that needs an old setuptools."""
    import subprocess
    import sys

    unwanted = {"resemblyzer", "webrtcvad", "librosa", "faster_whisper", "torch"}
    code = f"import sys, services.speaker.__main__; print({unwanted} & set(sys.modules))"
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )

    assert shown.stdout.strip() == "set()"


def test_a_spectrogram_is_only_computed_as_far_as_it_is_asked_for() -> None:
    spectrogram = Spectrogram(np.zeros(600 * SAMPLE_RATE_HZ, np.float32))

    spectrogram.frames(0, 160)

    assert spectrogram.computed_blocks == 1
