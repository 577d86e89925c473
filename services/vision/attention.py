"""Which samples need the landmarker: where nothing that it measures has changed, the last mesh stands.

A picture is compared with the last one that was looked at, so that slow changes add up until they count.
Everything here is arithmetic on a few hundred pixels. A look costs a hundred times as much.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from services.vision.frames import GreyImage, RgbImage
from services.vision.landmarks import Mesh

Grey = npt.NDArray[np.float32]
"""Brightness, 0 to 255, shape (height, width)."""
Picture = RgbImage | GreyImage
GREY_DIMENSIONS = 2

# Both eyes: corners and lids.
_EYES = (33, 133, 160, 158, 159, 144, 153, 145, 263, 362, 387, 385, 386, 373, 380, 374)
EYES_HALF_WIDTH_RATIO, EYES_HALF_HEIGHT_RATIO = 0.55, 0.16
"""Of the distance between the outermost points: the lids' way down and some sway fit in."""
EYES_SIZE_PX = (32, 10)
"""Width and height that the eyes are compared at: an iris is about three pixels wide."""
WHOLE_SIZE_PX = (64, 36)
"""The same for a picture without a face: somebody who comes in covers many of these pixels."""
CHANGED_SHARE = 0.1
"""The most changed tenth of the pixels tells. Lids and irises are not more of the patch."""
TIME_TOLERANCE_S = 0.02
"""Frames lie beside the steps of the grid by up to half a frame at 25 a second."""
LEAST_CONTRAST = 4.0
"""Brightness steps below which a patch's spread is noise of the camera."""


@dataclass(frozen=True, slots=True)
class AttentionRules:
    """How much must change before a sample is looked at, and how long none may go by unlooked."""

    max_unseen_change: float = 0.45
    """Mean change of the most changed tenth, in standard deviations of the patch. 0 looks at every sample.
    Blinks are from 0.5 (a blurred face of 50 px) to 2.9, a still head's sway and camera noise 0.1 to 0.6."""
    face_interval_s: float = 0.2
    """Longest time between two looks at a face: mouth and brows change outside the eyes."""
    nobody_interval_s: float = 0.5
    """Longest time between two looks at nobody."""


class _Reference(NamedTuple):
    """What was seen at the last look."""

    time_s: float
    shape: tuple[int, ...]
    """Of the picture: one of another size can't be compared."""
    box: tuple[int, int, int, int]
    """Left, top, right, bottom of the part that is compared, in pixels."""
    size_px: tuple[int, int]
    patch: Grey
    interval_s: float


class Attention:
    """Remembers the last look at one recording."""

    def __init__(self, rules: AttentionRules) -> None:
        self._rules = rules
        self._last: _Reference | None = None
        self._moved = False

    def wants(self, image: Picture, time_s: float) -> bool:
        """Whether this picture must be looked at."""
        last = self._last
        if last is None or self._rules.max_unseen_change <= 0 or image.shape != last.shape:
            return True
        # The landmarker smooths over time: after a change one more look sees where it led.
        settling = self._moved
        self._moved = (
            change(last.patch, _patch(image, last.box, last.size_px)) > self._rules.max_unseen_change
        )
        return self._moved or settling or time_s - last.time_s >= last.interval_s - TIME_TOLERANCE_S

    def looked(self, image: Picture, time_s: float, mesh: Mesh | None) -> None:
        """Note what a look saw."""
        height, width = image.shape[:2]
        if mesh is None:
            box, size_px, interval_s = (0, 0, width, height), WHOLE_SIZE_PX, self._rules.nobody_interval_s
        else:
            box, size_px, interval_s = (
                eyes_box(mesh, width, height),
                EYES_SIZE_PX,
                self._rules.face_interval_s,
            )
        self._last = _Reference(time_s, image.shape, box, size_px, _patch(image, box, size_px), interval_s)


def eyes_box(mesh: Mesh, width_px: int, height_px: int) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of a box around both eyes, inside the picture."""
    points = mesh[list(_EYES), :2]
    lowest, highest = points.min(axis=0), points.max(axis=0)
    across = float(highest[0] - lowest[0])
    middle = (lowest + highest) / 2
    half = across * np.array([EYES_HALF_WIDTH_RATIO, EYES_HALF_HEIGHT_RATIO])
    left, top = np.clip(middle - half, 0, (max(0, width_px - 2), max(0, height_px - 2))).astype(int)
    right, bottom = np.clip(middle + half, (left + 2, top + 2), (width_px, height_px)).astype(int)
    return int(left), int(top), int(right), int(bottom)


def change(before: Grey, now: Grey) -> float:
    """Return the mean change of the most changed pixels, in standard deviations of what was there."""
    changes = np.abs(now - before).ravel()
    count = max(1, round(CHANGED_SHARE * changes.size))
    most = np.partition(changes, changes.size - count)[-count:]
    return float(most.mean()) / max(LEAST_CONTRAST, float(before.std()))


def _patch(image: Picture, box: tuple[int, int, int, int], size_px: tuple[int, int]) -> Grey:
    left, top, right, bottom = box
    part = np.ascontiguousarray(image[top:bottom, left:right])
    small = cv2.resize(part, size_px, interpolation=cv2.INTER_AREA)
    grey = small if small.ndim == GREY_DIMENSIONS else cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    return np.asarray(grey, np.float32)
