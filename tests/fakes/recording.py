"""Little recordings, made on the spot."""

from __future__ import annotations

import math
import wave
from fractions import Fraction
from pathlib import Path
from typing import Any


def make_tone(path: Path, *, seconds: float = 2.0, rate_hz: int = 16_000) -> Path:
    """Write a WAV with a tone: sound without a picture."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate_hz, 0, "NONE", ""))
        samples = (
            int(8000 * math.sin(2 * math.pi * 220 * i / rate_hz)) for i in range(int(seconds * rate_hz))
        )
        file.writeframes(b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples))
    return path


def make_recording(
    path: Path,
    *,
    seconds: float = 2.0,
    audio: bool = True,
    size: tuple[int, int] = (64, 48),
    rate: int = 10,
    times_s: list[float] | None = None,
    codecs: tuple[str, str] = ("mpeg4", "aac"),
    audio_from_s: float = 0.0,
    index_first: bool = False,
) -> Path:
    """Encode a little recording: moving grey and a tone. An MP4's index is last, unless told otherwise."""
    import av
    import numpy as np

    options = {"movflags": "faststart"} if index_first else {}
    with av.open(str(path), "w", options=options) as container:
        video: Any = container.add_stream(codecs[0], rate=rate)
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        video.codec_context.time_base = Fraction(1, 1000)
        sound: Any = container.add_stream(codecs[1], rate=48_000, layout="mono") if audio else None
        for number, at_s in enumerate(times_s or [i / rate for i in range(int(seconds * rate))]):
            picture = np.full((size[1], size[0], 3), number * 7 % 255, dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = round(at_s * 1000), Fraction(1, 1000)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if sound is not None:
            total = int((seconds - audio_from_s) * 48_000)
            tone = (8000 * np.sin(2 * np.pi * 220 * np.arange(total) / 48_000)).astype(np.int16)
            for begin in range(0, total, 960):
                block = av.AudioFrame.from_ndarray(
                    tone[None, begin : begin + 960], format="s16", layout="mono"
                )
                block.sample_rate, block.time_base = 48_000, Fraction(1, 48_000)
                block.pts = begin + int(audio_from_s * 48_000)
                container.mux(sound.encode(block))
            container.mux(sound.encode(None))
    return path
