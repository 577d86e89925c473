"""Shape of mouth and brows, in eye distances. Lengths only: no feeling is read from them. Pure."""

from __future__ import annotations

import numpy as np

from services.vision.landmarks import CHIN, FOREHEAD, Mesh, eye_distance, unit

_MOUTH_LEFT, _MOUTH_RIGHT = 61, 291
_MOUTH_MIDDLE = [13, 14]
_BROWS = [70, 63, 105, 66, 107, 300, 293, 334, 296, 336]
_EYE_CORNERS = [33, 133, 263, 362]

LIFT_WEIGHT = 1.5
"""How much the corners' lift counts against the mouth's width."""
REST_SHAPE = 0.50
FULL_SHAPE = 0.85
"""Shape of a mouth at rest and in a broad smile: the ends of the scale 0 to 1."""


def smile_intensity(mesh: Mesh) -> float:
    """Width of the mouth and lift of its corners, mapped to 0 (at rest or narrower) … 1 (broad smile)."""
    scale = eye_distance(mesh)
    if scale <= 0:
        return 0.0
    downwards = unit(mesh[CHIN] - mesh[FOREHEAD])
    corners = (mesh[_MOUTH_LEFT] + mesh[_MOUTH_RIGHT]) / 2
    lift = -float((corners - mesh[_MOUTH_MIDDLE].mean(axis=0)) @ downwards) / scale
    width = float(np.linalg.norm(mesh[_MOUTH_LEFT] - mesh[_MOUTH_RIGHT])) / scale
    shape = width + LIFT_WEIGHT * lift
    return float(np.clip((shape - REST_SHAPE) / (FULL_SHAPE - REST_SHAPE), 0.0, 1.0))


def brow_height(mesh: Mesh) -> float:
    """Height of the brows over the eyes along the face's own axis, in eye distances."""
    scale = eye_distance(mesh)
    if scale <= 0:
        return 0.0
    downwards = unit(mesh[CHIN] - mesh[FOREHEAD])
    return -float((mesh[_BROWS].mean(axis=0) - mesh[_EYE_CORNERS].mean(axis=0)) @ downwards) / scale
