"""How good the face's picture is: its width and its sharpness. Pure."""

from __future__ import annotations

import cv2
import numpy as np

from services.vision.frames import RgbImage
from services.vision.landmarks import Mesh


def face_width_ratio(image: RgbImage, mesh: Mesh) -> float:
    """Width of the face over the width of the picture."""
    picture_width: int = image.shape[1]
    return float(np.ptp(mesh[:, 0])) / picture_width


def sharpness_score(image: RgbImage, mesh: Mesh) -> float | None:
    """Variance of the Laplacian of the face's brightness (0–255). None where the face is off the picture."""
    height, width = image.shape[:2]
    left, top = np.clip(np.floor(mesh[:, :2].min(axis=0)), 0, (width, height)).astype(int)
    right, bottom = np.clip(np.ceil(mesh[:, :2].max(axis=0)), 0, (width, height)).astype(int)
    if right - left < 2 or bottom - top < 2:
        return None
    grey = cv2.cvtColor(image[top:bottom, left:right], cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_64F).var())
