"""Makes the pictures of `docs/vision.md`: `python -m benchmarks.seeing.pictures`.

From the demo clip, and from the recording of `INTERVIEW_RECORDINGS_DIR` that turns its head.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.seeing.clip import ROOT, sources
from benchmarks.seeing.ways import model_path
from services.vision.attention import eyes_box
from services.vision.blinks import CLOSES_BELOW, DOWN_BELOW, eyes_down, find_blinks, relative_openness
from services.vision.engine import VisionOptions
from services.vision.faces import FaceCounter
from services.vision.frames import RgbImage, open_picture
from services.vision.gaze import AWAY_GAZE_DEG, AWAY_YAW_DEG, AwayThresholds, find_away, track_gaze
from services.vision.landmarks import Mesh
from services.vision.mediapipe_models import MediaPipeFaceDetector, MediaPipeLandmarker, keep_metrics_here
from services.vision.samples import SampleLog, Samples
from services.vision.stretches import find_stretches, sample_ends_s

PICTURES = ROOT / "docs" / "pictures"
WIDTH_PX, HEIGHT_PX, MARGIN_PX = 900, 220, 44
TICK_S = 5
JPEG_QUALITY = 85
IRISES = (468, 473)
INK, GREY, BLUE, ORANGE = "#222", "#999", "#2b6cb0", "#dd6b20"
SHADES = {"nobody": "#e2e8f0", "blink": "#feebc8", "away": "#fed7d7"}

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Track:
    """What was seen in one recording."""

    samples: Samples
    ends_s: Floats
    openness: Floats
    first: tuple[RgbImage, Mesh]
    """The first picture with a face."""


@dataclass(frozen=True)
class Line:
    """One curve and how it is drawn."""

    name: str
    values: Floats
    colour: str


def look(recording: Path) -> Track:
    """Look at every sample of a recording."""
    options, log = VisionOptions(), SampleLog()
    first: tuple[RgbImage, Mesh] | None = None
    landmarker = MediaPipeLandmarker(model_path("face-landmarker-full-range"))
    detector = MediaPipeFaceDetector(model_path("face-detector-full-range"))
    with (
        closing(landmarker),
        closing(detector),
        open_picture(recording, grid_hz=options.sample_rate_hz, max_pixels=options.max_pixels) as track,
    ):
        counter = FaceCounter(detector)
        for index, frame in enumerate(track.frames(threading.Event()) if track is not None else ()):
            mesh = landmarker.find(frame.image, round(1000 * frame.time_s) + index)
            log.add(frame.time_s, frame.image, mesh, counter.look(frame.image, index))
            if mesh is not None and first is None:
                first = frame.image, mesh
    if first is None:
        raise ValueError(f"no face in {recording}")
    samples = log.samples()
    ends_s = sample_ends_s(samples.time_s, float(samples.time_s[-1]) + 1 / options.sample_rate_hz)
    return Track(samples, ends_s, relative_openness(samples.openness, samples.time_s), first)


def points(track: Track) -> npt.NDArray[np.uint8]:
    """Draw what the measures rest on into a picture: the mesh, the irises, the part that is compared."""
    image, mesh = track.first
    drawn = np.ascontiguousarray(image[:, :, ::-1]).copy()
    for x, y, _ in mesh:
        cv2.circle(drawn, (round(x), round(y)), 1, (200, 200, 80), -1, cv2.LINE_AA)
    for index in IRISES:
        cv2.circle(drawn, (round(mesh[index, 0]), round(mesh[index, 1])), 3, (60, 90, 255), -1, cv2.LINE_AA)
    left, top, right, bottom = eyes_box(mesh, image.shape[1], image.shape[0])
    cv2.rectangle(drawn, (left, top), (right, bottom), (60, 160, 255), 1, cv2.LINE_AA)
    return np.asarray(drawn, np.uint8)


def chart(
    times_s: Floats,
    lines: Sequence[Line],
    bands: Sequence[tuple[float, float, str]],
    marks: Sequence[tuple[float, str]],
    title: str,
) -> str:
    """Draw curves over time with shaded stretches (start, end, kind) and level marks (value, text) as SVG."""
    values = np.concatenate([line.values[np.isfinite(line.values)] for line in lines])
    least, most = float(min(values.min(), *(value for value, _ in marks))), float(values.max())
    most = max(most, *(value for value, _ in marks))
    end_s = float(times_s[-1])

    def place(time_s: float, value: float) -> tuple[float, float]:
        across = MARGIN_PX + (WIDTH_PX - 2 * MARGIN_PX) * time_s / end_s
        down = HEIGHT_PX - MARGIN_PX - (HEIGHT_PX - 2 * MARGIN_PX) * (value - least) / (most - least)
        return round(across, 1), round(down, 1)

    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH_PX} {HEIGHT_PX}" role="img" '
        f'font-family="sans-serif" font-size="12"><title>{title}</title>'
    )
    parts = [head, f'<rect width="{WIDTH_PX}" height="{HEIGHT_PX}" fill="white"/>']
    for start_s, stop_s, kind in bands:
        (left, top), (right, _) = place(start_s, most), place(stop_s, most)
        parts.append(
            f'<rect x="{left}" y="{top}" width="{max(2.0, round(right - left, 1))}" '
            f'height="{HEIGHT_PX - 2 * MARGIN_PX}" fill="{SHADES[kind]}"/>'
        )
    for value, text in marks:
        left, level = place(0.0, value)
        parts.append(
            f'<path d="M{left} {level}H{WIDTH_PX - MARGIN_PX}" stroke="{GREY}" stroke-dasharray="4 4"/>'
            f'<text x="{left + 4}" y="{level - 4}" fill="{GREY}">{text}</text>'
        )
    for line in lines:
        parts += [
            f'<polyline points="{run}" fill="none" stroke="{line.colour}" stroke-width="1.6"/>'
            for run in _runs(times_s, line.values, place)
        ]
    for second in range(0, int(end_s) + 1, TICK_S):
        left, _ = place(second, least)
        parts.append(f'<text x="{left}" y="{HEIGHT_PX - 24}" fill="{INK}">{second} s</text>')
    for number, line in enumerate(lines):
        parts.append(f'<text x="{MARGIN_PX + 220 * number}" y="20" fill="{line.colour}">{line.name}</text>')
    return "\n".join([*parts, "</svg>\n"])


def _runs(times_s: Floats, values: Floats, place: Callable[[float, float], tuple[float, float]]) -> list[str]:
    """Return the points of each run without gaps."""
    index = np.arange(len(times_s), dtype=np.float64)
    runs = find_stretches(np.isfinite(values), index, index + 1)
    return [
        " ".join("{},{}".format(*place(times_s[i], values[i])) for i in range(run.first, run.last + 1))
        for run in runs
    ]


def eyes_chart(track: Track) -> str:
    """Draw how far the eyes are open, the blinks that are counted, and where nobody is there."""
    times_s = track.samples.time_s
    gone = find_stretches(~track.samples.measured, times_s, track.ends_s)
    bands = [(stretch.start_s, stretch.end_s, "nobody") for stretch in gone]
    bands += [(blink.start_s, blink.end_s, "blink") for blink in find_blinks(track.openness, times_s)]
    line = Line("openness of the eyes, against the person's own open eyes", track.openness, BLUE)
    return chart(times_s, [line], bands, [(CLOSES_BELOW, "below: a blink")], "Eyes over time")


def direction_chart(track: Track) -> str:
    """Draw where head and eyes point, and what counts as looking away."""
    samples, times_s = track.samples, track.samples.time_s
    with np.errstate(invalid="ignore"):
        iris = np.where(track.openness >= DOWN_BELOW, samples.iris, np.nan)
    gaze = track_gaze(iris, samples.yaw_deg, eyes_down(track.openness, times_s, track.ends_s))
    away = find_away(gaze, times_s, track.ends_s, AwayThresholds())
    lines = [
        Line("head, degrees off the usual", gaze.yaw_off_deg, BLUE),
        Line("eyes, degrees off the usual", gaze.gaze_off_deg, ORANGE),
    ]
    marks = [(AWAY_YAW_DEG, "head: away from here on"), (AWAY_GAZE_DEG, "eyes: away from here on")]
    bands = [(stretch.start_s, stretch.end_s, "away") for stretch in away]
    return chart(times_s, lines, bands, marks, "Head and eyes over time")


def main() -> None:
    """Write the pictures."""
    keep_metrics_here()
    PICTURES.mkdir(exist_ok=True)
    answer = look(ROOT / "demo" / "answer-1.mp4")
    photo = PICTURES / "points.jpg"
    cv2.imwrite(str(photo), points(answer), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    (PICTURES / "eyes.svg").write_text(eyes_chart(answer), encoding="utf-8")
    (PICTURES / "direction.svg").write_text(direction_chart(look(sources()[0][0])), encoding="utf-8")


if __name__ == "__main__":
    main()
