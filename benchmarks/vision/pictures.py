"""Makes the pictures of `docs/vision.md`: `python -m benchmarks.vision.pictures`.

From the demo clip, and from the recording of `INTERVIEW_RECORDINGS_DIR` that turns its head.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from matplotlib import rc_context
from matplotlib.figure import Figure

from benchmarks.vision.baselines import model_path
from benchmarks.vision.clip import ROOT, sources
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
SIZE_IN = (9.0, 2.4)
"""Width and height of a chart."""
MS_PER_S = 1000
MESH_BGR, IRIS_BGR, BOX_BGR = (200, 200, 80), (60, 90, 255), (60, 160, 255)
"""Light blue, red and orange."""
JPEG_QUALITY = 85
IRISES = (468, 473)
GREY, BLUE, ORANGE = "#777777", "#2b6cb0", "#dd6b20"
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
        open_picture(
            recording, threading.Event(), grid_hz=options.sample_rate_hz, max_pixels=options.max_pixels
        ) as track,
    ):
        counter = FaceCounter(detector)
        for index, frame in enumerate(track.frames() if track is not None else ()):
            mesh = landmarker.find(frame.image, round(MS_PER_S * frame.time_s) + index)
            log.add(frame, mesh, counter.look(frame.image, index))
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
        cv2.circle(drawn, (round(x), round(y)), 1, MESH_BGR, -1, cv2.LINE_AA)
    for index in IRISES:
        cv2.circle(drawn, (round(mesh[index, 0]), round(mesh[index, 1])), 3, IRIS_BGR, -1, cv2.LINE_AA)
    left, top, right, bottom = eyes_box(mesh, image.shape[1], image.shape[0])
    cv2.rectangle(drawn, (left, top), (right, bottom), BOX_BGR, 1, cv2.LINE_AA)
    return np.asarray(drawn, np.uint8)


def chart(
    path: Path,
    times_s: Floats,
    lines: Sequence[Line],
    bands: Sequence[tuple[float, float, str]],
    marks: Sequence[tuple[float, str]],
) -> None:
    """Draw curves over time with shaded stretches (start, end, kind) and level marks (value, text) as SVG."""
    figure = Figure(figsize=SIZE_IN, layout="constrained")
    axes = figure.add_subplot()
    for start_s, end_s, kind in bands:
        axes.axvspan(start_s, end_s, color=SHADES[kind])
    for value, text in marks:
        axes.axhline(value, color=GREY, linestyle="--", linewidth=1)
        axes.annotate(text, (float(times_s[-1]), value), ha="right", va="bottom", color=GREY)
    for line in lines:
        axes.plot(times_s, line.values, color=line.colour, label=line.name)
    axes.set_xlabel("seconds")
    axes.margins(x=0)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper left", ncols=len(lines), frameon=False)
    # The same picture is the same bytes: no date, and ids that don't depend on chance.
    with rc_context({"svg.hashsalt": path.name}):
        figure.savefig(path, metadata={"Date": None})


def eyes_chart(track: Track, path: Path) -> None:
    """Draw how far the eyes are open, the blinks that are counted, and where nobody is there."""
    times_s = track.samples.time_s
    gone = find_stretches(~track.samples.measured, times_s, track.ends_s)
    bands = [(stretch.start_s, stretch.end_s, "nobody") for stretch in gone]
    bands += [(blink.start_s, blink.end_s, "blink") for blink in find_blinks(track.openness, times_s)]
    line = Line("openness of the eyes, against the person's own open eyes", track.openness, BLUE)
    chart(path, times_s, [line], bands, [(CLOSES_BELOW, "below: a blink")])


def direction_chart(track: Track, path: Path) -> None:
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
    chart(path, times_s, lines, bands, marks)


def main() -> None:
    """Write the pictures."""
    keep_metrics_here()
    PICTURES.mkdir(exist_ok=True)
    answer = look(ROOT / "demo" / "answer-1.mp4")
    photo = PICTURES / "points.jpg"
    cv2.imwrite(str(photo), points(answer), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    eyes_chart(answer, PICTURES / "eyes.svg")
    direction_chart(look(sources()[0][0]), PICTURES / "direction.svg")


if __name__ == "__main__":
    main()
