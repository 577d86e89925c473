"""The vision stage's figures of the design, measured where there is truth."""

from __future__ import annotations

import hashlib
import math
import threading
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision

from benchmarks.figure import NOT_MEASURED, Figure, counted
from benchmarks.vision.baselines import model_path, ours
from benchmarks.vision.sampling import truths
from services.vision.faces import FaceCounter
from services.vision.frames import RgbImage, open_picture
from services.vision.head_pose import head_pose
from services.vision.landmarks import Mesh
from services.vision.mediapipe_models import MediaPipeFaceDetector, MediaPipeLandmarker, as_image
from services.vision.report import VisionReport

ROOM_PX = (1280, 720)
PORTRAIT_FACE_PX = 103
"""Width of the face in scikit-image's portrait of an astronaut, and its middle, as the detector draws it."""
PORTRAIT_MIDDLE_PX = (223, 119)
GREY = 120
DESIGN_LOWEST_SCORE = 0.74
SMALL_WIDTHS = (0.10, 0.08, 0.06, 0.05, 0.04)
"""Widths of a face in widths of the picture, largest first."""
DISTANT_FACE_PX = 120
"""The size at which the official bundle misses a face that is off the middle."""
OFF_MIDDLE_PX = (250, 500)
STILL_FRAMES = 20
DETECTOR_SHA256 = "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1"
PAIRED_LENGTH_S = 33.0
DETECTOR_MEMBER = "face_detector.tflite"
MAX_PIXELS = 7680 * 4320
WARPED_BLINKS = 4
WARPED_GLANCES_S = ((25.0, 28.0), (28.0, 31.0))
WARPED_AWAY_S = ((10.0, 19.0), *WARPED_GLANCES_S)
"""Where the head or the eyes are turned in the warped portrait; looking away there is not false."""
GLANCE_OVERLAP_S = 2.0

BUNDLE, OFFICIAL, DETECTOR = "face-landmarker-full-range", "face-landmarker", "face-detector-full-range"


def vision_figures(media: Path) -> Iterator[Figure]:
    """Measure what the recordings, the demo clips and a portrait have the truth for."""
    yield _bundle()
    yield from _small_faces()
    yield _distant_face()
    yield _two_faces(media / "video" / "intel_female-and-male.mp4")
    yield _head_pose([media / "video" / "synth.mp4", *(truth.path for truth in truths())])
    reports = {path.name: ours(path)[1] for path in _recordings(media)}
    yield _events("no_face", "≤ 0.3 s", 0.3, reports)
    yield _events("second_face", "≤ 1 s (one look)", 1.0, reports)
    yield from _eyes(reports)
    yield _length(reports["second_voice.webm"])
    yield Figure(
        "smile: area under the curve",
        "0.99",
        NOT_MEASURED,
        None,
        "no labelled faces that may be shared are at hand",
    )


def _recordings(media: Path) -> list[Path]:
    seen = [media / "video" / "synth.mp4", *sorted((media / "interview").iterdir())]
    return [*seen, media / "video" / "pyfeat_face_noface.mov", *(truth.path for truth in truths())]


def _bundle() -> Figure:
    with zipfile.ZipFile(model_path(BUNDLE)) as bundle:
        digest = hashlib.sha256(bundle.read(DETECTOR_MEMBER)).hexdigest()
    return Figure(
        "detector inside the landmark bundle, SHA-256",
        DETECTOR_SHA256[:8] + "…",
        digest[:8] + "…",
        digest == DETECTOR_SHA256,
        "the bundle that set-up makes",
    )


def _portrait() -> RgbImage:
    from skimage import data

    portrait: RgbImage = np.ascontiguousarray(data.astronaut())  # type: ignore[no-untyped-call]
    return portrait


def in_a_room(portrait: RgbImage, face_px: float, middle_px: tuple[int, int]) -> RgbImage:
    """Put the portrait into a grey picture, its face so wide and there."""
    width, height = ROOM_PX
    scale = face_px / PORTRAIT_FACE_PX
    small = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    left, top = (round(place - own * scale) for place, own in zip(middle_px, PORTRAIT_MIDDLE_PX, strict=True))
    room = np.full((height, width, 3), GREY, np.uint8)
    shown = small[max(0, -top) :, max(0, -left) :][: height - max(0, top), : width - max(0, left)]
    room[max(0, top) :, max(0, left) :][: shown.shape[0], : shown.shape[1]] = shown
    return room


def _small_faces() -> Iterator[Figure]:
    portrait, middle = _portrait(), (ROOM_PX[0] // 2, ROOM_PX[1] // 2)
    rooms = {width: in_a_room(portrait, width * ROOM_PX[0], middle) for width in SMALL_WIDTHS}
    with closing(MediaPipeFaceDetector(model_path(DETECTOR))) as detector:
        scores = {
            width: max((box.score for box in detector.find(room)), default=0.0)
            for width, room in rooms.items()
        }
        found = [
            width for width, room in rooms.items() if FaceCounter(detector).look(room, 0).face_count == 1
        ]
    sure = [scores[width] for width in SMALL_WIDTHS if width >= 0.06]
    on = "one portrait, shrunk in a 1280×720 picture"
    yield Figure(
        "detector's score from 6 % of the width on",
        "0.74–0.94",
        f"{min(sure):.2f}–{max(sure):.2f}",
        min(sure) >= DESIGN_LOWEST_SCORE,
        on,
    )
    yield Figure(
        "narrowest face that is counted, by a second look",
        "under 6 %",
        f"{min(found):.0%}",
        min(found) < 0.06,
        on,
    )


def _distant_face() -> Figure:
    room = in_a_room(_portrait(), DISTANT_FACE_PX, OFF_MIDDLE_PX)
    shares = [_found_ratio(bundle, room) for bundle in (BUNDLE, OFFICIAL)]
    return Figure(
        "samples with a mesh: distant face off the middle (official bundle)",
        "100 % (0–41 %)",
        f"{shares[0]:.0%} ({shares[1]:.0%})",
        shares[0] == 1.0,
        f"a portrait of {DISTANT_FACE_PX} px, {STILL_FRAMES} samples",
    )


def _found_ratio(bundle: str, room: RgbImage) -> float:
    rng = np.random.default_rng(0)
    found = 0
    with closing(MediaPipeLandmarker(model_path(bundle))) as landmarker:
        for index in range(STILL_FRAMES):
            noisy = np.clip(room + rng.normal(0, 2, room.shape), 0, 255).astype(np.uint8)
            found += landmarker.find(noisy, 100 * index) is not None
    return found / STILL_FRAMES


def _two_faces(recording: Path) -> Figure:
    with (
        closing(MediaPipeFaceDetector(model_path(DETECTOR))) as detector,
        open_picture(recording, threading.Event(), grid_hz=2.0, max_pixels=MAX_PIXELS) as track,
    ):
        if track is None:
            raise ValueError(f"{recording.name} has no picture")
        counter = FaceCounter(detector)
        counts = [counter.look(frame.image, index).face_count for index, frame in enumerate(track.frames())]
    mean = float(np.mean(counts))
    return Figure(
        "faces counted where two people sit", "2.00", f"{mean:.2f}", mean == 2.0, f"{len(counts)} looks"
    )


def _head_pose(recordings: Sequence[Path]) -> Figure:
    pairs = np.array([pair for recording in recordings for pair in _yaws_deg(recording)])
    mine, theirs = pairs[:, 0], pairs[:, 1]
    correlation = float(np.corrcoef(mine, theirs)[0, 1])
    error_deg = float(np.median(np.abs(mine - theirs)))
    return Figure(
        "yaw against the official matrix: r, median error",
        "≥ 0.94, ≤ 2.2°",
        f"{correlation:.2f}, {error_deg:.1f}°",
        correlation >= 0.94 and error_deg <= 2.2,
        f"{len(pairs)} samples of {len(recordings)} clips, medians taken off",
    )


def _yaws_deg(recording: Path) -> list[tuple[float, float]]:
    """Yaw by our axes and by the official bundle's matrix, of each sample, each less its median."""
    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(model_path(OFFICIAL))),
        running_mode=vision.RunningMode.VIDEO,
        output_facial_transformation_matrixes=True,
    )
    rows = []
    with (
        vision.FaceLandmarker.create_from_options(options) as model,
        open_picture(recording, threading.Event(), grid_hz=5.0, max_pixels=MAX_PIXELS) as track,
    ):
        if track is None:
            return []
        for frame in track.frames():
            found = model.detect_for_video(as_image(frame.image), round(frame.time_s * 1000))
            if found.face_landmarks:
                mesh = _mesh(found.face_landmarks[0], frame.image)
                rows.append(
                    (head_pose(mesh).yaw_deg, _matrix_yaw_deg(found.facial_transformation_matrixes[0]))
                )
    yaws = np.array(rows) - np.median(np.array(rows), axis=0)
    return [(float(mine), float(theirs)) for mine, theirs in yaws]


def _mesh(points: Sequence[Any], image: RgbImage) -> Mesh:
    height, width = image.shape[:2]
    return np.array([(p.x, p.y, p.z) for p in points], np.float64) * (width, height, width)


def _matrix_yaw_deg(matrix: Any) -> float:
    """Yaw of the face's own x axis, positive where the nose points to the viewer's left."""
    x_axis = np.asarray(matrix)[:3, 0]
    return math.degrees(math.atan2(x_axis[2], math.hypot(x_axis[0], x_axis[1])))


def _events(kind: str, design: str, bar_s: float, reports: dict[str, VisionReport]) -> Figure:
    """Compare spans with the truth of the recordings that have one; as many must be found as are true."""
    errors_s: list[float] = []
    false = missed = 0
    for name, true_spans in _true_spans(kind).items():
        seen = [(one.start_s, one.end_s) for one in reports[name].observations if one.kind == kind]
        false += max(0, len(seen) - len(true_spans))
        missed += max(0, len(true_spans) - len(seen))
        for mine, truth in zip(seen, true_spans, strict=False):
            errors_s += [abs(a - b) for a, b in zip(mine, truth, strict=True)]
    return Figure(
        f"{kind}: largest error of an edge; missed, false",
        design,
        f"{max(errors_s):.2f} s; {missed}, {false}",
        max(errors_s) <= bar_s and not missed and not false,
        f"{len(errors_s) // 2} events in {len(_true_spans(kind))} clips",
    )


def _true_spans(kind: str) -> dict[str, list[tuple[float, float]]]:
    portrait = {"no_face": [(4.0, 7.0)], "second_face": [(7.0, 10.0)]}[kind]
    known = dict.fromkeys(("synth.mp4", "one_voice.mp4", "second_voice.webm"), portrait)
    known["pyfeat_face_noface.mov"] = [(2.4, 6.4)] if kind == "no_face" else []
    for truth in truths():
        known[truth.path.name] = list(truth.absent_s) if kind == "no_face" else []
    return known


def _eyes(reports: dict[str, VisionReport]) -> Iterator[Figure]:
    made = truths()
    blinks = sum(_value(reports[truth.path.name], "blink_count") for truth in made)
    true_blinks = sum(truth.blink_count for truth in made)
    warped = _value(reports["synth.mp4"], "blink_count")
    recall = (blinks + warped) / (true_blinks + WARPED_BLINKS)
    yield Figure(
        "blinks counted (the design's: recall at ten a second)",
        "0.91–0.98",
        f"{recall:.2f}: {blinks:.0f} of {true_blinks} drawn, {warped:.0f} of {WARPED_BLINKS} warped",
        0.91 <= recall <= 1.0,
        "demo clips, warped portrait",
    )
    away = [(o.start_s, o.end_s) for o in reports["synth.mp4"].observations if o.kind == "looking_away"]
    found = sum(any(_overlap_s(span, one) > GLANCE_OVERLAP_S for one in away) for span in WARPED_GLANCES_S)
    false = sum(all(_overlap_s(span, one) == 0 for span in WARPED_AWAY_S) for one in away)
    yield Figure(
        "looking away: glances found, false ones",
        "0.79, 0 of 40",
        f"{counted(found, len(WARPED_GLANCES_S))}, {false} false",
        found / len(WARPED_GLANCES_S) >= 0.79 and false == 0,
        "warped portrait: one glance of about 20°, one of about 9° (under the threshold of 10°)",
    )


def _overlap_s(one: tuple[float, float], other: tuple[float, float]) -> float:
    return max(0.0, min(one[1], other[1]) - max(one[0], other[0]))


def _value(report: VisionReport, name: str) -> float:
    (value,) = [measure.value for measure in report.measures if measure.name == name]
    return value or 0.0


def _length(report: VisionReport) -> Figure:
    return Figure(
        "length of a webm without one in its header",
        "by its frames' times",
        f"{report.duration_s:.1f} s of {PAIRED_LENGTH_S:.0f} s",
        abs(report.duration_s - PAIRED_LENGTH_S) < 0.2,
        "second_voice.webm",
    )
