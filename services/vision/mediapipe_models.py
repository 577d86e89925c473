"""MediaPipe's face landmarker and face detector behind this service's own protocols.

The only module that imports MediaPipe. Models are closed explicitly: their threads outlive a
forgotten object. All calls of a process run in one thread of the library's, one after the other.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from chassis.errors import PreconditionError
from services.vision.faces import UNSURE_SCORE, FaceBox
from services.vision.frames import RgbImage
from services.vision.landmarks import Mesh
from services.vision.without_drawings import matplotlib_left_out

with matplotlib_left_out():
    import mediapipe as mp
    from mediapipe.tasks.python import BaseOptions, vision

NOBODY = "http://127.0.0.1:9"
"""The discard port: nothing listens there, so connections are refused at once."""


def keep_metrics_here() -> None:
    """Let nothing out of what MediaPipe reports about its use.

    The library sends metrics to its maker (its own privacy notice says so) and has no switch. Its HTTP
    client heeds the environment's proxy, so it is given one that nobody answers. Call it after every
    client of the process's own is built: those read the environment when they are made.
    """
    os.environ["https_proxy"] = NOBODY
    os.environ["no_proxy"] = "localhost,127.0.0.1"


class MediaPipeLandmarker:
    """`FaceLandmarker` in VIDEO mode with one face: follows it from picture to picture.

    Args:
        bundle: A `face_landmarker.task`.
    """

    def __init__(self, bundle: Path) -> None:
        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(bundle)),
            running_mode=vision.RunningMode.VIDEO,
            num_faces=1,
        )
        with _usable_or_refused():
            self._model = vision.FaceLandmarker.create_from_options(options)
        self._follows = False
        self._last_ms = -1

    def find(self, image: RgbImage, time_ms: int) -> Mesh | None:
        """Find the mesh of the face, None without one."""
        faces = self._look(image, time_ms)
        if not faces and self._follows:
            # It looked only where the face was, however long ago. Now that it is lost, it looks everywhere.
            faces = self._look(image, time_ms)
        self._follows = bool(faces)
        if not faces:
            return None
        height, width = image.shape[:2]
        mesh = np.array([(point.x, point.y, point.z) for point in faces[0]], dtype=np.float64)
        return mesh * (width, height, width)

    def _look(self, image: RgbImage, time_ms: int) -> Any:
        self._last_ms = max(self._last_ms + 1, time_ms)
        return self._model.detect_for_video(as_image(image), self._last_ms).face_landmarks

    def close(self) -> None:
        """Close the model and its threads."""
        self._model.close()


class MediaPipeFaceDetector:
    """`FaceDetector` in IMAGE mode: every picture for itself.

    Args:
        weights: The full-range detector. The short-range one misses small faces.
    """

    def __init__(self, weights: Path) -> None:
        options = vision.FaceDetectorOptions(
            base_options=BaseOptions(model_asset_path=str(weights)),
            running_mode=vision.RunningMode.IMAGE,
            min_detection_confidence=UNSURE_SCORE,
        )
        with _usable_or_refused():
            self._model = vision.FaceDetector.create_from_options(options)

    def find(self, image: RgbImage) -> list[FaceBox]:
        """Find every face that scores at least `UNSURE_SCORE`."""
        return [
            FaceBox(
                left=float(found.bounding_box.origin_x),
                top=float(found.bounding_box.origin_y),
                width=float(found.bounding_box.width),
                height=float(found.bounding_box.height),
                score=float(found.categories[0].score),
            )
            for found in self._model.detect(as_image(image)).detections
        ]

    def close(self) -> None:
        """Close the model and its threads."""
        self._model.close()


def as_image(image: RgbImage) -> mp.Image:
    """Wrap a picture for the library. It reads memory row after row, also of a view that has gaps."""
    return mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(image))


@contextmanager
def _usable_or_refused() -> Iterator[None]:
    try:
        yield
    except (RuntimeError, ValueError, OSError) as error:
        raise PreconditionError(
            "MediaPipe can't load a face model. Run `interview models fetch face-landmarker-full-range "
            "face-detector-full-range` again.",
            reason="MODEL_UNUSABLE",
        ) from error
