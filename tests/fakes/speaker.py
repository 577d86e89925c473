"""A world in which every voice is a pure tone: fake models of the speaker stage, and recordings."""

from __future__ import annotations

import struct
import wave
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from chassis.decoding.decoder import Decoder
from chassis.decoding.decoder_here import DecoderHere
from chassis.model_info import ModelInfo
from chassis.playback.loading import FUNCTION
from services.speaker.audio import SAMPLE_RATE_HZ, Samples, Waveform
from services.speaker.clustering import Projection
from services.speaker.embedding import Batch
from services.speaker.engine import Diarizer
from services.speaker.voice_activity import FRAME_SAMPLES, Probabilities
from services.speaker.weights import EMBEDDING_SIZE
from services.speaker.windows import Windows

ANNA_HZ, BEN_HZ, CLEO_HZ = 200.0, 400.0, 800.0
VOICES_HZ = (ANNA_HZ, BEN_HZ, CLEO_HZ)
WAV_OF_UNKNOWN_LENGTH = struct.pack(
    "<4sI8sIHHIIHH4sI",
    b"RIFF", 0xFFFF_FFFF, b"WAVEfmt ", 16, 1, 1, 16_000, 32_000, 2, 16, b"data", 0xFFFF_FFFF,
)  # fmt: skip
"""The head of a plain WAV whose writer does not know yet how long it will be."""
MODEL = ModelInfo("fake-encoder", "1", "ab" * 32, "cpu")

Score = Sequence[tuple[float | None, float]]
"""What is played: (tone in Hz or None for a pause, seconds)."""


class FakeSpeechModel:
    """Hears speech wherever there is sound."""

    def probabilities(self, blocks: Iterable[Samples]) -> Iterator[Probabilities]:
        for block in blocks:
            frames = block.reshape(-1, FRAME_SAMPLES)
            yield (np.sqrt(np.mean(frames**2, axis=1)) > 0.02).astype(np.float32)


class FakeWindowEncoder:
    """Gives each tone an axis of its own."""

    batch_windows = 8

    def __init__(self) -> None:
        self.call_count = 0

    def embed(self, samples: Waveform, windows: Windows) -> Iterator[Batch]:
        self.call_count += 1
        for start in range(0, len(windows), self.batch_windows):
            batch = np.arange(start, min(start + self.batch_windows, len(windows)))
            yield batch, np.stack([self._embedding(samples, windows[i]) for i in batch])

    def _embedding(self, samples: Waveform, window: NDArray[np.float64]) -> NDArray[np.float32]:
        part = samples[int(window[0] * SAMPLE_RATE_HZ) : int(window[1] * SAMPLE_RATE_HZ)]
        times_s = np.arange(len(part)) / SAMPLE_RATE_HZ
        embedding = np.zeros(EMBEDDING_SIZE, np.float32)
        for axis, tone_hz in enumerate(VOICES_HZ):
            embedding[axis] = abs(np.sum(part * np.exp(-2j * np.pi * tone_hz * times_s)))
        return embedding / np.float32(np.linalg.norm(embedding) + 1e-9)


def fake_projection() -> Projection:
    """Keeps the first 64 values as they are."""
    return Projection(np.zeros(EMBEDDING_SIZE), np.eye(EMBEDDING_SIZE, 64))


def fake_diarizer(
    encoder: FakeWindowEncoder | None = None, max_duration_s: float = 600.0, decoder: Decoder | None = None
) -> Diarizer:
    """A diarizer that tells tones apart."""
    encoder = encoder or FakeWindowEncoder()
    decoder = decoder or DecoderHere(FUNCTION)
    return Diarizer(FakeSpeechModel(), encoder, fake_projection(), MODEL, max_duration_s, decoder)


def play(score: Score, rate_hz: int = SAMPLE_RATE_HZ, amplitude: float = 0.3) -> Samples:
    """Make the sound of a score."""
    parts = [np.zeros(0)]
    for tone_hz, duration_s in score:
        times_s = np.arange(round(duration_s * rate_hz)) / rate_hz
        parts.append(amplitude * np.sin(2 * np.pi * tone_hz * times_s) if tone_hz else 0 * times_s)
    return np.concatenate(parts).astype(np.float32)


def write_wav(path: Path, samples: Samples, rate_hz: int = SAMPLE_RATE_HZ, channel_count: int = 1) -> Path:
    """Write 16-bit samples; every channel the same."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channel_count)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(np.repeat((samples * 32767).astype("<i2"), channel_count).tobytes())
    return path


def write_media(
    path: Path,
    samples: Samples | None,
    codec: str,
    rate_hz: int,
    *,
    layout: str = "mono",
    picture: bool = False,
) -> Path:
    """Write a recording in the container that the path's ending names; without samples, a picture only."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=10) if picture else None
        if video is not None:
            video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
            for number in range(10):
                image = av.VideoFrame.from_ndarray(
                    np.full((48, 64, 3), 20 * number, np.uint8), format="rgb24"
                )
                container.mux(video.encode(image))
            container.mux(video.encode(None))
        if samples is not None:
            audio = container.add_stream(codec, rate=rate_hz, layout=layout)
            assert isinstance(audio, av.AudioStream)
            resampler = av.AudioResampler(audio.format.name, layout, rate_hz, audio.frame_size or 1024)
            for frame in [*resampler.resample(_frame(samples, rate_hz, layout)), *resampler.resample(None)]:
                container.mux(audio.encode(frame))
            container.mux(audio.encode(None))
    return path


def _frame(samples: Samples, rate_hz: int, layout: str) -> av.AudioFrame:
    channel_count = av.AudioLayout(layout).nb_channels
    frame = av.AudioFrame.from_ndarray(
        np.repeat(samples[None], channel_count, 0), format="fltp", layout=layout
    )
    frame.sample_rate, frame.pts, frame.time_base = rate_hz, 0, Fraction(1, rate_hz)
    return frame
