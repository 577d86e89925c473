"""The ways of looking at a recording that are compared, on the same models, each in our own words.

The original code's: three passes, each with a decoder of its own: every frame with detector and mesh, every
fifth at 640×480 (at most 300), every second for the eyes. The design document's: two passes over every fifth
frame, at most 300. Both read with OpenCV and count frames. The floors: our frames decoded and not looked at,
and the same frames looked at without decoding.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision

from chassis.decoding.decoder import Decoder
from chassis.models import locate
from chassis.settings import default_models_dir
from services.vision.engine import VisionAnalyzer, VisionOptions
from services.vision.faces import FaceCounter
from services.vision.frames import Frame, RgbImage, open_picture
from services.vision.landmarks import Mesh
from services.vision.mediapipe_models import MediaPipeFaceDetector, MediaPipeLandmarker, as_image
from services.vision.report import VisionReport

MS_PER_S = 1000
EVERY, MOST_FRAMES = 5, 300
"""The design document looks at every fifth frame, and stops after so many."""
SMALL_SIZE_PX = (640, 480)
LOOK_EVERY = 10
"""One look at the number of faces in so many samples: once a second."""
DESIGN_GAZE_OFFSET = 0.3
"""The design document's rule: the nose this far from the middle of the eyes, in picture widths."""
NOSE, LEFT_EYE, RIGHT_EYE = 1, 33, 263


@dataclass(frozen=True)
class Seen:
    """What a way saw."""

    frame_count: int
    """Frames that were looked at, over all passes."""
    covered_s: float
    """Seconds of the recording that were looked at."""
    no_face_s: float | None
    """Seconds without a face; None where the way does not say."""
    away_count: int
    """Stretches (ours) or frames (the others) of looking away."""
    looked_ms: frozenset[int] = frozenset()
    """Times of the frames that our landmarker looked at."""


class _Noting:
    """A landmarker that notes when it was asked."""

    def __init__(self, landmarker: MediaPipeLandmarker, looked_ms: set[int]) -> None:
        self._landmarker = landmarker
        self._looked_ms = looked_ms

    def find(self, image: RgbImage, time_ms: int) -> Mesh | None:
        self._looked_ms.add(time_ms)
        return self._landmarker.find(image, time_ms)

    def close(self) -> None:
        self._landmarker.close()


def ours(
    recording: Path, options: VisionOptions | None = None, decoder: Decoder | None = None
) -> tuple[Seen, VisionReport]:
    """Look as the service does."""
    looked_ms: set[int] = set()
    analyzer = VisionAnalyzer(
        lambda: _Noting(MediaPipeLandmarker(model_path("face-landmarker-full-range")), looked_ms),
        face_detector,
        (),
        options,
        decoder,
    )
    *_, report = analyzer.analyze(recording, threading.Event())
    if not isinstance(report, VisionReport):
        raise TypeError("the report must come last")
    gone_s = sum(o.end_s - o.start_s for o in report.observations if o.kind == "no_face")
    away = sum(1 for o in report.observations if o.kind == "looking_away")
    seen = Seen(report.inferred_frame_count, report.duration_s, gone_s, away, frozenset(looked_ms))
    return seen, report


def original(recording: Path) -> Seen:
    """Look as the original code does."""
    looked = gone = 0
    with closing(face_detector()) as detector, closing(_mesh(1)) as mesh:
        for index, time_s, image in _frames(recording):
            looked += 1
            gone += not detector.find(image)
            mesh.detect_for_video(as_image(image), _ms(index, time_s))
    first_count = looked
    with closing(_mesh(1)) as mesh:
        for index, time_s, image in _frames(recording, every=5, most=MOST_FRAMES):
            looked += 1
            mesh.detect_for_video(as_image(_small(image)), _ms(index, time_s))
    with closing(_mesh(1)) as mesh:
        for index, time_s, image in _frames(recording, every=2):
            looked += 1
            mesh.detect_for_video(as_image(image), _ms(index, time_s))
    rate_hz = _rate_hz(recording)
    return Seen(looked, first_count / rate_hz, gone / rate_hz, 0)


def design(recording: Path, *, every: int = EVERY, most: int | None = MOST_FRAMES) -> Seen:
    """Look as the design document does, or at other frames in its way."""
    looked = away = 0
    last_s = 0.0
    with closing(_mesh(2)) as mesh:
        for index, time_s, image in _frames(recording, every=every, most=most):
            looked, last_s = looked + 1, time_s
            faces = mesh.detect_for_video(as_image(image), _ms(index, time_s)).face_landmarks
            away += bool(faces) and _looks_away(faces[0])
    with closing(_mesh(1)) as mesh:
        for index, time_s, image in _frames(recording, every=every, most=most):
            looked += 1
            mesh.detect_for_video(as_image(_small(image)), _ms(index, time_s))
    return Seen(looked, last_s, None, away)


def decode_alone(recording: Path) -> int:
    """Decode our frames, look at none and keep none of them: keeping 1.6 GB would cost more than decoding."""
    options = VisionOptions()
    with open_picture(
        recording, threading.Event(), grid_hz=options.sample_rate_hz, max_pixels=options.max_pixels
    ) as track:
        return 0 if track is None else sum(1 for _ in track.frames())


def decoded(recording: Path) -> list[Frame]:
    """Decode our frames for `inferred`, whose cost is taken without decoding."""
    options = VisionOptions()
    with open_picture(
        recording, threading.Event(), grid_hz=options.sample_rate_hz, max_pixels=options.max_pixels
    ) as track:
        return [] if track is None else list(track.frames())


def inferred(frames: list[Frame], looked_ms: frozenset[int] | None = None) -> None:
    """Look at frames that are decoded already: at all of them, or at those of some times."""
    landmarker = MediaPipeLandmarker(model_path("face-landmarker-full-range"))
    with closing(landmarker), closing(face_detector()) as detector:
        counter = FaceCounter(detector)
        for index, frame in enumerate(frames):
            time_ms = round(frame.time_s * MS_PER_S)
            if looked_ms is None or time_ms in looked_ms:
                landmarker.find(frame.image, time_ms)
            if index % LOOK_EVERY == 0:
                counter.look(frame.image, index)


def _frames(
    recording: Path, *, every: int = 1, most: int | None = None
) -> Iterator[tuple[int, float, RgbImage]]:
    """Read frames with OpenCV, and hand out every so-manieth with its index and its nominal time."""
    capture = cv2.VideoCapture(str(recording))
    rate_hz = capture.get(cv2.CAP_PROP_FPS)
    try:
        index = given = 0
        while most is None or given < most:
            ok, picture = capture.read()
            if not ok:
                return
            if index % every == 0:
                given += 1
                yield index, index / rate_hz, np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
            index += 1
    finally:
        capture.release()


def _rate_hz(recording: Path) -> float:
    capture = cv2.VideoCapture(str(recording))
    try:
        return float(capture.get(cv2.CAP_PROP_FPS))
    finally:
        capture.release()


def _ms(index: int, time_s: float) -> int:
    return max(index, round(MS_PER_S * time_s))


def _small(image: RgbImage) -> RgbImage:
    return np.asarray(cv2.resize(image, SMALL_SIZE_PX))


def _looks_away(points: list[vision.FaceLandmarker]) -> bool:
    middle = (points[LEFT_EYE].x + points[RIGHT_EYE].x) / 2
    return bool(abs(points[NOSE].x - middle) > DESIGN_GAZE_OFFSET)


def model_path(name: str) -> Path:
    """Return where a model of the catalogue lies."""
    return locate(name, default_models_dir()).path


def face_detector() -> MediaPipeFaceDetector:
    """Load the detector that counts faces."""
    return MediaPipeFaceDetector(model_path("face-detector-full-range"))


def _mesh(face_count: int) -> vision.FaceLandmarker:
    return vision.FaceLandmarker.create_from_options(
        vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(model_path("face-landmarker"))),
            running_mode=vision.RunningMode.VIDEO,
            num_faces=face_count,
        )
    )
