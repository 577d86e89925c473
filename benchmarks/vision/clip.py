"""The clip that every way looks at: 1280×720 at 30 a second, from a recording with known truth."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

ROOT = Path(__file__).resolve().parents[2]
RATE_HZ = 30
WIDTH_PX, HEIGHT_PX = 1280, 720
BIT_RATE = 2_500_000
"""What web cameras' recorders take for this size."""


@dataclass(frozen=True)
class Clip:
    """A recording, and what is to be found in it."""

    path: Path
    duration_s: float
    absent_s: tuple[tuple[float, float], ...]
    """When nobody is there."""


def sources() -> tuple[list[Path], tuple[tuple[float, float], ...]]:
    """Return the recordings that the clip is made of, and when nobody is there in the first of them."""
    media = Path(os.environ.get("INTERVIEW_RECORDINGS_DIR", str(ROOT.parent / "shared" / "media")))
    synthetic = media / "video" / "synth.mp4"
    if synthetic.exists():
        return [synthetic, synthetic], ((4.0, 7.0),)
    return sorted((ROOT / "demo").glob("answer-*.mp4")), ((16.4, 19.9),)


def make_clip(folder: Path, duration_s: float) -> Clip:
    """Write the clip: the sources one after the other, each picture for as long as it was shown."""
    path = folder / "clip.mp4"
    paths, absent_s = sources()
    with av.open(str(path), "w") as target:
        stream: Any = target.add_stream("libx264", rate=RATE_HZ)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = (
            WIDTH_PX,
            HEIGHT_PX,
            "yuv420p",
            BIT_RATE,
        )
        begin_s = 0.0
        next_index = 0
        while begin_s < duration_s:
            source = paths[0] if begin_s == 0 else paths[-1]
            next_index, begin_s = _append(target, stream, source, begin_s, next_index, duration_s)
        target.mux(stream.encode(None))
    return Clip(path, duration_s, absent_s)


def _append(
    target: Any, stream: Any, source: Path, begin_s: float, next_index: int, duration_s: float
) -> tuple[int, float]:
    """Append one recording; returns the next frame's index and when the next recording begins."""
    end_s = begin_s
    with av.open(str(source)) as container:
        for frame in container.decode(video=0):
            end_s = begin_s + float(frame.time or 0.0) + 1.0 / RATE_HZ
            while next_index / RATE_HZ < min(end_s, duration_s):
                shown = frame.reformat(width=WIDTH_PX, height=HEIGHT_PX, format="yuv420p")
                shown.pts, shown.time_base = next_index, Fraction(1, RATE_HZ)
                target.mux(stream.encode(shown))
                next_index += 1
    return next_index, end_s
