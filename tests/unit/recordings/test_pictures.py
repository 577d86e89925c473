"""How a picture is meant to be shown: the whole display matrix and the pixels' shape."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from chassis.playback.picture import AS_STORED, matrix_of
from tests.odd_recordings import PictureTrack, write
from tests.readers import extract, look

MATRICES = {
    "as it is": (1, 0, 0, 1),
    "mirrored": (-1, 0, 0, 1),
    "upside down": (1, 0, 0, -1),
    "half turn": (-1, 0, 0, -1),
    "right turn": (0, 1, -1, 0),
    "left turn": (0, -1, 1, 0),
    "mirrored, right turn": (0, 1, 1, 0),
    "mirrored, left turn": (0, -1, -1, 0),
}


def white_corner(image: NDArray[np.uint8]) -> tuple[bool, bool]:
    """Whether the white corner is (right, below)."""
    bright = np.argwhere(image.mean(axis=2) > 200).mean(axis=0)
    return bool(bright[1] > image.shape[1] / 2), bool(bright[0] > image.shape[0] / 2)


def shown_corner(matrix: tuple[int, int, int, int]) -> tuple[bool, bool]:
    """Where the top left corner goes: x' = a·x + c·y, y' = b·x + d·y with the middle as origin."""
    a, b, c, d = matrix
    return (-a - c) > 0, (-b - d) > 0


@pytest.mark.parametrize("name", MATRICES)
def test_a_picture_is_seen_as_its_whole_matrix_says(tmp_path: Path, name: str) -> None:
    matrix = MATRICES[name]
    recording = write(tmp_path / "a.mp4", [], PictureTrack(matrix=matrix, seconds=1.0))
    frames, facts = look(recording)
    sideways = matrix[0] == 0

    assert white_corner(frames[0].image) == shown_corner(matrix)
    assert frames[0].image.shape == ((64, 48, 3) if sideways else (48, 64, 3))
    assert (facts.width_px, facts.height_px) == ((48, 64) if sideways else (64, 48))
    picture = extract(recording).facts.picture
    assert (picture.width_px, picture.height_px) == (facts.width_px, facts.height_px)


@pytest.mark.parametrize(
    ("aspect", "shown"),
    [(Fraction(4, 3), (85, 48)), (Fraction(3, 4), (64, 64)), (Fraction(1, 1), (64, 48))],
)
def test_pixels_that_are_not_square_are_made_square(
    tmp_path: Path, aspect: Fraction, shown: tuple[int, int]
) -> None:
    recording = write(tmp_path / "a.mkv", [], PictureTrack(pixel_aspect=aspect, seconds=1.0))
    frames, facts = look(recording)

    assert (facts.width_px, facts.height_px) == shown
    assert frames[0].image.shape == (shown[1], shown[0], 3)


def test_a_pixel_shape_that_is_nonsense_is_ignored(tmp_path: Path) -> None:
    recording = write(tmp_path / "a.mkv", [], PictureTrack(pixel_aspect=Fraction(200, 1), seconds=1.0))

    assert look(recording)[0][0].image.shape == (48, 64, 3)


def test_a_frame_without_a_matrix_is_shown_as_it_is_stored() -> None:
    class Bare:
        side_data: dict[str, bytes] = {}  # noqa: RUF012

    assert matrix_of(Bare()) == AS_STORED
