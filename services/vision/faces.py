"""Count the faces in a picture about once a second, small ones with a second look at a part of it."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from services.vision.frames import RgbImage

SURE_SCORE = 0.6
"""At 0.5 the detector sees faces in drawings."""
UNSURE_SCORE = 0.35
"""What a face too small for the detector still scores."""
SMALL_FACE_RATIO = 0.06
"""Width of a face in widths of what is looked at, under which the detector's word is worth little: it
scores real faces low, and drawings or the wrong place high."""
CROP_RATIO = 0.5
"""Side of the second look's part of the picture: twice as large, a small face is found again."""
MAX_SECOND_LOOKS = 3
"""A crowd of small boxes is not worth more. Each costs about 8 ms."""
MAX_OVERLAP = 0.3
"""Shared part of the smaller box from which on two boxes are one face."""


class FaceBox(NamedTuple):
    """Where a face is, in pixels, and how sure the detector is."""

    left: float
    top: float
    width: float
    height: float
    score: float

    @property
    def middle(self) -> tuple[float, float]:
        """Middle of the box."""
        return self.left + self.width / 2, self.top + self.height / 2


class FaceDetector(Protocol):
    """Finds all faces in one picture, each picture for itself."""

    def find(self, image: RgbImage) -> list[FaceBox]:
        """Find every face that scores at least `UNSURE_SCORE`."""

    def close(self) -> None:
        """Give back what the model holds."""


class Look(NamedTuple):
    """What one look at the whole picture saw."""

    sample: int
    """Index of the sample that was looked at."""
    face_count: int
    """Faces that are sure and do not overlap."""
    small_width_ratio: float
    """Width of an unsure, small face over the picture's, where no face is sure. Else 0."""
    wide_unsure: bool
    """Whether something of ordinary size is a face perhaps, and none is surely."""

    @property
    def empty(self) -> bool:
        """Whether nothing like a face was seen."""
        return self.face_count == 0 and self.small_width_ratio == 0 and not self.wide_unsure


class FaceCounter:
    """Counts the faces of one recording's pictures. Remembers where the last one was."""

    def __init__(self, detector: FaceDetector, *, sure_score: float = SURE_SCORE) -> None:
        self._detector = detector
        self._sure_score = sure_score
        self._last_face: FaceBox | None = None

    def look(self, image: RgbImage, sample: int) -> Look:
        """Count the faces in one picture."""
        least_px = SMALL_FACE_RATIO * image.shape[1]
        boxes = self._detector.find(image)
        wide = [box for box in boxes if self._sure(box) and box.width >= least_px]
        parts = [
            box for middle in self._doubts(image, boxes, wide) for box in self._find_in_part(image, middle)
        ]
        near = [box for box in parts if self._sure(box) and box.width >= least_px * CROP_RATIO]
        faces = suppress_overlapping(wide + near)
        if faces:
            self._last_face = max(faces, key=lambda box: box.width)
            return Look(sample, len(faces), 0.0, wide_unsure=False)
        widths = [box.width for box in (*boxes, *parts)]
        small = [width for width in widths if width < least_px]
        return Look(sample, 0, max(small, default=0.0) / image.shape[1], wide_unsure=len(small) < len(widths))

    def _sure(self, box: FaceBox) -> bool:
        return box.score >= self._sure_score

    def _doubts(
        self, image: RgbImage, boxes: list[FaceBox], wide: list[FaceBox]
    ) -> list[tuple[float, float]]:
        """Where to look again: at small boxes that seem sure, else where a face may be if none is sure."""
        small = [box for box in boxes if self._sure(box) and box not in wide]
        if small or wide:
            return [box.middle for box in small[:MAX_SECOND_LOOKS]]
        candidate = max(boxes, key=lambda box: box.score, default=self._last_face)
        return [candidate.middle if candidate else (image.shape[1] / 2, image.shape[0] / 2)]

    def _find_in_part(self, image: RgbImage, middle: tuple[float, float]) -> list[FaceBox]:
        height, width = image.shape[:2]
        part_width, part_height = max(1, int(width * CROP_RATIO)), max(1, int(height * CROP_RATIO))
        left = int(np.clip(middle[0] - part_width / 2, 0, width - part_width))
        top = int(np.clip(middle[1] - part_height / 2, 0, height - part_height))
        part = np.ascontiguousarray(image[top : top + part_height, left : left + part_width])
        return [box._replace(left=box.left + left, top=box.top + top) for box in self._detector.find(part)]


def suppress_overlapping(boxes: list[FaceBox]) -> list[FaceBox]:
    """Keep the best-scoring box of each face. One inside another counts as the same face."""
    kept: list[FaceBox] = []
    for box in sorted(boxes, key=lambda candidate: candidate.score, reverse=True):
        if all(_overlap(box, other) < MAX_OVERLAP for other in kept):
            kept.append(box)
    return kept


def _overlap(first: FaceBox, second: FaceBox) -> float:
    width = min(first.left + first.width, second.left + second.width) - max(first.left, second.left)
    height = min(first.top + first.height, second.top + second.height) - max(first.top, second.top)
    smaller = min(first.width * first.height, second.width * second.height)
    return max(0.0, width) * max(0.0, height) / smaller if smaller > 0 else 0.0
