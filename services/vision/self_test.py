"""A drawn face that every working model finds, to refuse weights whose output is garbage.

A wrong bundle can give 478 points that only look like a face. Here it is known where they belong.
"""

from __future__ import annotations

from contextlib import closing

import cv2
import numpy as np

from chassis.errors import PreconditionError
from services.vision.faces import SURE_SCORE, FaceDetector
from services.vision.frames import RgbImage
from services.vision.landmarks import POINT_COUNT, Landmarker, Mesh

SIDE_PX = 480
MIDDLE_X = 240
EYE_OFFSET_PX, EYES_Y = 45, 225
MOUTH_Y, CHIN_Y = 325, 395
TOLERANCE_PX = 20
"""Twice what the official bundle is off."""

_SKIN, _HAIR, _SHADE, _DARK = (225, 180, 150), (60, 40, 30), (205, 160, 130), (40, 30, 25)
_BLUR_PX = 2.5

# Points of the mesh and where they are drawn: irises, lips, chin.
_EXPECTED = {
    468: (MIDDLE_X - EYE_OFFSET_PX, EYES_Y),
    473: (MIDDLE_X + EYE_OFFSET_PX, EYES_Y),
    13: (MIDDLE_X, MOUTH_Y),
    152: (MIDDLE_X, CHIN_Y),
}


def drawn_face() -> RgbImage:
    """Draw a face from the front, 480×480 pixels."""
    image = np.full((SIDE_PX, SIDE_PX, 3), (70, 90, 110), np.uint8)
    cv2.ellipse(image, (MIDDLE_X, 190), (125, 140), 0, 0, 360, _HAIR, -1)
    cv2.ellipse(image, (MIDDLE_X, 250), (105, CHIN_Y - 250), 0, 0, 360, _SKIN, -1)
    cv2.rectangle(image, (200, 380), (280, SIDE_PX), _SHADE, -1)
    for side in (-1, 1):
        x = MIDDLE_X + side * EYE_OFFSET_PX
        cv2.ellipse(image, (x, EYES_Y), (22, 11), 0, 0, 360, (250, 250, 250), -1)
        cv2.circle(image, (x, EYES_Y), 10, (70, 50, 40), -1)
        cv2.circle(image, (x, EYES_Y), 4, _DARK, -1)
        cv2.ellipse(image, (x, 200), (28, 10), 0, 200, 340, _HAIR, 5)
    cv2.line(image, (236, EYES_Y), (230, 272), _SHADE, 4)
    cv2.ellipse(image, (MIDDLE_X, 275), (16, 12), 0, 20, 160, (180, 130, 105), 4)
    cv2.ellipse(image, (MIDDLE_X, MOUTH_Y), (38, 13), 0, 0, 360, (185, 85, 85), -1)
    cv2.line(image, (205, MOUTH_Y), (275, MOUTH_Y), (120, 50, 50), 3)
    return np.ascontiguousarray(cv2.GaussianBlur(image, (0, 0), _BLUR_PX), dtype=np.uint8)


def check_models(landmarker: Landmarker, detector: FaceDetector) -> None:
    """Look at the drawn face with both models, which also warms them up, and close them.

    Raises:
        PreconditionError: They don't find it, or place its points elsewhere (`MODEL_UNUSABLE`).
    """
    image = drawn_face()
    with closing(landmarker), closing(detector):
        mesh = landmarker.find(image, 0)
        if mesh is None or mesh.shape != (POINT_COUNT, 3) or _largest_error_px(mesh) > TOLERANCE_PX:
            raise PreconditionError(
                "The face landmarker does not find a drawn face where it is. "
                "Run `interview models fetch face-landmarker-full-range` again.",
                reason="MODEL_UNUSABLE",
            )
        if not any(box.score >= SURE_SCORE for box in detector.find(image)):
            raise PreconditionError(
                "The face detector does not find a drawn face. "
                "Run `interview models fetch face-detector-full-range` again.",
                reason="MODEL_UNUSABLE",
            )


def _largest_error_px(mesh: Mesh) -> float:
    found = mesh[list(_EXPECTED), :2]
    return float(np.linalg.norm(found - np.array(list(_EXPECTED.values())), axis=1).max())
