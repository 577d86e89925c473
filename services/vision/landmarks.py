"""The face mesh as the measures see it: 478 points in pixels, and which point is what.

x grows to the right of the picture, y down, z away from the camera. Left and right in names are the
viewer's.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from services.vision.frames import RgbImage

Mesh = npt.NDArray[np.float64]
"""float64, shape (478, 3), pixels of the picture that was looked at. Z in the same scale."""

POINT_COUNT = 478

# Points of the mesh, as numbered by MediaPipe's canonical face.
OUTER_EYE_LEFT, OUTER_EYE_RIGHT = 33, 263
FOREHEAD, CHIN = 10, 152


class Landmarker(Protocol):
    """Finds one face's mesh in the pictures of one recording, which it sees in time order."""

    def find(self, image: RgbImage, time_ms: int) -> Mesh | None:
        """Find the mesh, None without a face. `time_ms` grows strictly from call to call."""

    def close(self) -> None:
        """Give back what the model holds."""


def eye_distance(mesh: Mesh) -> float:
    """Distance of the outer eye corners in 3-D: the scale that a turn of the head leaves alone."""
    return float(np.linalg.norm(mesh[OUTER_EYE_LEFT] - mesh[OUTER_EYE_RIGHT]))


def unit(vector: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The vector at length 1. A null vector stays null."""
    length = np.linalg.norm(vector)
    return vector / length if length > 0 else vector
