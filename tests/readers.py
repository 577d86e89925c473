"""One recording through every reader: extraction, the sound of the stages, the picture."""

from __future__ import annotations

import asyncio
import threading
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chassis.decoding.decoder_here import DecoderHere
from chassis.playback.loading import FUNCTION as SOUNDS
from chassis.playback.loading import Sound, load_sound
from chassis.playback.samples import SAMPLE_RATE_HZ
from chassis.store import MediaStore
from interview.v1 import orchestrator_pb2
from orchestrator.stages.extract import ExtractionLimits, Extractor, ExtractRequest
from services.vision.engine import VisionAnalyzer, VisionOptions
from services.vision.frames import FUNCTION as PICTURES
from services.vision.frames import Frame, PictureFacts, open_picture
from services.vision.report import VisionReport
from tests.fakes.vision import fake_analyzer

LIMITS = ExtractionLimits(
    max_media_bytes=10_000_000,
    max_duration_s=3600.0,
    max_pixel_count=3840 * 2160,
    max_track_count=6,
    max_memory_bytes=2 << 30,
    timeout_s=30.0,
)
LOUD = 0.05


@dataclass(frozen=True)
class Extracted:
    """An extraction and the sound that it wrote."""

    facts: orchestrator_pb2.Extraction
    samples: NDArray[np.float32]


def extract(recording: Path) -> Extracted:
    """Take a recording through the real child process."""
    store = MediaStore(recording.parent.as_uri())
    facts = asyncio.run(Extractor(store, LIMITS).extract(ExtractRequest(recording.name, "out.wav")))
    if not facts.audio_key:
        return Extracted(facts, np.zeros(0, np.float32))
    with wave.open(str(recording.parent / "out.wav")) as wav:
        samples = np.frombuffer(wav.readframes(wav.getnframes()), np.int16)
    return Extracted(facts, samples.astype(np.float32) / np.float32(32_768))


def hear(recording: Path) -> Sound:
    """Load a recording's sound as the transcriber and the speaker stage do."""
    sound = load_sound(recording, 3600.0, threading.Event(), DecoderHere(SOUNDS))
    assert sound is not None
    return sound


def look(recording: Path) -> tuple[list[Frame], PictureFacts]:
    """Go through a recording's picture, ten frames a second."""
    decoder = DecoderHere(PICTURES)
    with open_picture(
        recording, threading.Event(), grid_hz=10.0, max_pixels=10_000_000, decoder=decoder
    ) as track:
        assert track is not None
        return list(track.frames()), track.facts


def report_of(recording: Path, analyzer: VisionAnalyzer | None = None) -> VisionReport:
    """Let the vision engine look, on fake models unless others are given."""
    analyzer = analyzer or fake_analyzer(options=VisionOptions())
    *_, last = analyzer.analyze(recording, threading.Event())
    assert isinstance(last, VisionReport)
    return last


def onset_s(samples: NDArray[np.float32]) -> float:
    """When the first loud sample comes."""
    return float(np.flatnonzero(np.abs(samples) > LOUD)[0]) / SAMPLE_RATE_HZ


def loud_s(samples: NDArray[np.float32]) -> float:
    """Seconds in which something is to be heard, in steps of 20 ms."""
    step = SAMPLE_RATE_HZ // 50
    levels = np.abs(samples[: samples.size // step * step]).reshape(-1, step).max(axis=1)
    return float(np.count_nonzero(levels > LOUD)) / 50


def kinds(warnings: object) -> list[str]:
    """The kinds of warnings, of an engine or on the wire."""
    return [one.kind for one in warnings]  # type: ignore[attr-defined]
