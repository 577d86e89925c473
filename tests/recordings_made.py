"""Recordings made for tests with PyAV: odd, broken, and plain ones whose truth is exact."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

SAMPLE_RATE_HZ = 16_000
AUDIO_FRAME_SAMPLES = 1024


@contextmanager
def scheduling_kept() -> Iterator[None]:
    """Give the thread its scheduling back: SVT-AV1 makes it a real-time one where it runs as root.

    What a test starts afterwards inherits that, and busy threads then starve all others.
    """
    policy, parameter = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameter)


def write_recording(
    path: Path,
    *,
    duration_s: float = 2.0,
    size_px: tuple[int, int] | None = (64, 64),
    rate_hz: int = 10,
    codec: str = "libx264",
    container: str | None = None,
    audio_codec: str | None = "aac",
    frame_times_s: list[float] | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Write a recording of grey pictures and silence; None leaves the picture or the sound out."""
    with scheduling_kept(), av.open(str(path), "w", format=container, options=options or {}) as out:
        video: Any = None
        if size_px is not None:
            video = out.add_stream(codec, rate=rate_hz)
            video.width, video.height = size_px
            video.pix_fmt = "bgr0" if codec == "ffv1" else "yuv420p"
            video.codec_context.time_base = Fraction(1, 1000)
        audio: Any = None
        if audio_codec is not None:
            rate = 48_000 if audio_codec == "libopus" else SAMPLE_RATE_HZ
            audio = out.add_stream(audio_codec, rate=rate, layout="mono")
        out.start_encoding()  # so that a recording without a frame still has its header
        if video is not None:
            assert size_px is not None
            times_s = frame_times_s or [index / rate_hz for index in range(round(duration_s * rate_hz))]
            grey = np.full((size_px[1], size_px[0], 3), 128, np.uint8)
            for time_s in times_s:
                frame = av.VideoFrame.from_ndarray(grey, format="rgb24")
                frame.pts, frame.time_base = round(time_s * 1000), Fraction(1, 1000)
                out.mux(video.encode(frame))
            out.mux(video.encode())
        if audio is not None:
            _write_silence(out, audio, duration_s)
    return path


def _write_silence(out: Any, audio: Any, duration_s: float) -> None:
    rate = audio.codec_context.sample_rate
    samples = np.zeros((1, AUDIO_FRAME_SAMPLES), np.float32)
    for begin in range(0, round(duration_s * rate), AUDIO_FRAME_SAMPLES):
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, begin, Fraction(1, rate)
        out.mux(audio.encode(frame))
    out.mux(audio.encode())


def copy_without_picture(source: Path, target: Path) -> Path:
    """Copy a recording's sound track alone, as it is."""
    with av.open(str(source)) as inside, av.open(str(target), "w") as out:
        stream = inside.streams.audio[0]
        copied = out.add_stream_from_template(stream)
        for packet in inside.demux(stream):
            if packet.dts is not None:
                packet.stream = copied
                out.mux(packet)
    return target
