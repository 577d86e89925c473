"""Small recordings for the page: what Chromium plays, and what it doesn't."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

FRAME_RATE_HZ = 10
SAMPLE_RATE_HZ = 48_000
BLOCK_SAMPLES = 960


def write_recording(
    path: Path,
    duration_s: int,
    *,
    picture_codec: str = "libvpx",
    sound_codec: str | None = None,
    options: Mapping[str, str] | None = None,
) -> None:
    """Write a picture that gets brighter, with or without a tone.

    Args:
        path: Where to; its extension names the container.
        duration_s: How long it is.
        picture_codec: FFmpeg's name of the encoder.
        sound_codec: The same for the sound; None leaves the sound out.
        options: FFmpeg's options of the container.
    """
    with av.open(str(path), "w", options=dict(options or {})) as container:
        picture: Any = container.add_stream(picture_codec, rate=FRAME_RATE_HZ)
        picture.width, picture.height, picture.pix_fmt = 320, 180, "yuv420p"
        sound: Any = container.add_stream(sound_codec, SAMPLE_RATE_HZ, layout="mono") if sound_codec else None
        frame_count = FRAME_RATE_HZ * duration_s
        for number in range(frame_count):
            shade = np.full((180, 320, 3), 40 + 180 * number // frame_count, np.uint8)
            frame = av.VideoFrame.from_ndarray(shade, "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FRAME_RATE_HZ)
            container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
        if sound is not None:
            _add_tone(container, sound, duration_s)


def _add_tone(container: Any, sound: Any, duration_s: int) -> None:
    for begin in range(0, SAMPLE_RATE_HZ * duration_s, BLOCK_SAMPLES):
        times_s = np.arange(begin, begin + BLOCK_SAMPLES) / SAMPLE_RATE_HZ
        tone = (0.2 * np.sin(2 * np.pi * 440 * times_s)).astype(np.float32)[None]
        frame = av.AudioFrame.from_ndarray(tone, "fltp", "mono")
        frame.rate, frame.pts, frame.time_base = SAMPLE_RATE_HZ, begin, Fraction(1, SAMPLE_RATE_HZ)
        container.mux(sound.encode(frame))
    container.mux(sound.encode(None))
