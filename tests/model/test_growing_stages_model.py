"""With real models both stages say of what grew what they say of the finished recording."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from chassis.playback.loading import load_sound
from services.speaker.__main__ import build_diarizer
from services.speaker.engine import Diarizer
from services.speaker.listening import Listening
from services.speaker.observations import Diarization
from services.speaker.settings import SpeakerSettings
from services.speaker.voice_activity import speech_stretches
from services.speaker.windows import windows_of
from services.vision.__main__ import build_analyzer
from services.vision.engine import VisionAnalyzer
from services.vision.report import VisionReport
from services.vision.settings import VisionSettings
from tests.fakes.speaker import WAV_OF_UNKNOWN_LENGTH, write_wav
from tests.folders import ROOT
from tests.growing_files import growing

pytestmark = [pytest.mark.model, pytest.mark.timeout(1200)]

DEMO = ROOT / "demo" / "answer-2.mp4"
"""It has two voices."""


@pytest.fixture(scope="module")
def diarizer(models_dir: Path) -> Diarizer:
    return build_diarizer(SpeakerSettings(models_dir=models_dir))


@pytest.fixture(scope="module")
def analyzer(models_dir: Path) -> VisionAnalyzer:
    return build_analyzer(VisionSettings(models_dir=models_dir))


def diarized(diarizer: Diarizer, path: Path) -> Diarization:
    *_, last = diarizer.diarize(path, threading.Event())
    assert isinstance(last, Diarization)
    return last


def reported(analyzer: VisionAnalyzer, path: Path) -> VisionReport:
    *_, last = analyzer.analyze(path, threading.Event())
    assert isinstance(last, VisionReport)
    return last


def run(steps: Iterator[int]) -> np.ndarray:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            assert isinstance(end.value, np.ndarray)
            return end.value


def copied(source: Path, path: Path, options: dict[str, str]) -> Path:
    """Put the same packets into another container."""
    with av.open(str(source)) as old, av.open(str(path), "w", container_options=options) as new:
        streams = {stream.index: new.add_stream_from_template(stream) for stream in old.streams}
        for packet in old.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                new.mux(packet)
    return path


@pytest.mark.parametrize("seed", range(2))
def test_what_is_heard_in_random_pieces_is_what_is_heard_of_the_whole(diarizer: Diarizer, seed: int) -> None:
    sound = load_sound(DEMO, 600.0, threading.Event())
    assert sound is not None
    rng = random.Random(seed)
    quiet = sound.samples * np.float32(0.05)  # the level of what has come is wrong at first
    samples = np.concatenate([quiet, *[sound.samples] * 3])
    found = []
    for grows in (False, True):
        listening = Listening(diarizer._speech_model, diarizer._encoder, threading.Event())
        start = 0
        while start < len(samples):
            length = rng.randrange(1, 90_000) if grows else len(samples)
            listening.add(samples[start : start + length])
            start += length
            if grows:
                list(listening.work_ahead())
        probabilities = run(listening.probabilities())
        windows = windows_of(speech_stretches(probabilities, listening.sound.duration_s))
        found.append((probabilities, windows, run(listening.embeddings(windows))))

    assert len(found[0][1]) > 60
    for one, other in zip(*found, strict=True):
        assert np.array_equal(one, other)


def test_a_wav_that_is_streamed_has_the_voices_of_the_finished_one(
    diarizer: Diarizer, tmp_path: Path
) -> None:
    sound = load_sound(DEMO, 600.0, threading.Event())
    assert sound is not None
    finished = write_wav(tmp_path / "finished.wav", np.tile(sound.samples, 2))
    content = WAV_OF_UNKNOWN_LENGTH + finished.read_bytes()[44:]

    with growing(tmp_path / "growing", content, pause_s=0.1) as path:
        found = diarized(diarizer, path)

    assert found == diarized(diarizer, finished)
    assert found.voice_count == 2


@pytest.mark.parametrize(
    ("ending", "options"),
    [
        ("mp4", {"movflags": "+faststart"}),
        ("mp4", {"movflags": "+frag_keyframe+empty_moov+default_base_moof"}),
        ("mkv", {}),
        ("ts", {}),
    ],
    ids=["mp4, index first", "mp4, fragments", "matroska", "mpeg-ts"],
)
def test_a_recording_that_grows_is_seen_and_heard_as_the_finished_one(
    diarizer: Diarizer, analyzer: VisionAnalyzer, tmp_path: Path, ending: str, options: dict[str, str]
) -> None:
    finished = copied(DEMO, tmp_path / f"finished.{ending}", options)
    content = finished.read_bytes()

    with growing(tmp_path / "heard", content, seed=2, pause_s=0.05) as path:
        heard = diarized(diarizer, path)
    with growing(tmp_path / "seen", content, seed=3, pause_s=0.05) as path:
        seen = reported(analyzer, path)

    assert heard == diarized(diarizer, finished)
    assert seen == reported(analyzer, finished)
    assert seen.outcome == "OK"
