"""Brings a portrait to life: small head motion, blinks, a moving jaw, and a face that leaves the picture.

The picture is warped along the face's own landmarks. Each movement's warp is computed once; a frame is
a weighted sum of them, over a picture whose lids are as far down as they should be. Pictures are RGB,
uint8; positions and shifts are pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator
from skimage import data

Picture = NDArray[np.uint8]
Field = NDArray[np.float32]
"""Where each pixel takes its colour from, relative to itself: (height, width, 2)."""
Points = NDArray[np.float64]

WIDTH_PX, HEIGHT_PX = 640, 480
CROP = (slice(0, 240), slice(65, 385))
"""Head and shoulders of the 512×512 portrait, in the picture's 4:3."""
MESH_COUNT = 468
"""Landmarks of the face mesh; the ten after them are the irises."""

UPPER_LIDS = ((33, 246, 161, 160, 159, 158, 157, 173, 133), (362, 398, 384, 385, 386, 387, 388, 466, 263))
LOWER_LIDS = ((33, 7, 163, 144, 145, 153, 154, 155, 133), (362, 382, 381, 380, 374, 373, 390, 249, 263))
"""Edges of both lids from corner to corner, by eye."""
BROWS = (105, 334)
"""Middle of each brow: the skin between it and the lid is what a closing lid stretches."""
BROW_MARGIN_RATIO = 0.8
"""Share of the way from lid to brow that stretches; the brow itself stays where it is."""
LASH_PX = 3.0
"""Lashes stand above the lid's edge, and travel with it."""
LID_STEPS = 5
"""Pictures from open to shut; a lid moves for one or two frames only."""

JAW_TOP, JAW_BOTTOM = 14, 152
"""Lower lip and chin: landmarks between and below them move with the jaw."""
JAW_TRAVEL_PX = 7.0
TURN_DEG = 5.0
"""The turn that the warp is computed for; smaller turns are a share of it."""
HEAD_DEPTH_RATIO = 0.45
"""The axis of the head lies behind the face by this share of its width."""

GRID_PX = 8
BORDER_STEP_PX = 40
SLIDE_S = 0.30
"""Time in which the candidate leaves the picture or comes back."""


@dataclass(frozen=True)
class Pose:
    """How the face is at one moment."""

    shift_x_px: float = 0.0
    shift_y_px: float = 0.0
    yaw_deg: float = 0.0
    lid_closed: float = 0.0
    """0 open, 1 shut."""
    jaw_open: float = 0.0
    """0 closed, 1 as far as it goes."""
    gone: float = 0.0
    """0 in the picture, 1 out of it."""


class Portrait:
    """The portrait of Eileen Collins (NASA, public domain) that comes with scikit-image.

    Args:
        landmarker: Path of `face_landmarker.task`, which says where the face is.
    """

    def __init__(self, landmarker: Path) -> None:
        portrait = cv2.resize(_astronaut()[CROP], (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_CUBIC)
        picture: Picture = np.asarray(portrait, np.uint8)
        mesh = _landmarks(picture, landmarker)
        face = mesh[:, :2]
        self._shift_x = _field(face, face + np.array([1.0, 0.0]))
        self._shift_y = _field(face, face + np.array([0.0, 1.0]))
        self._turn = _field(face, _turned(mesh, TURN_DEG))
        self._jaw = _field(face, _jaw_dropped(face))
        rows, columns = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX].astype(np.float32)
        self._here: Field = np.stack([columns, rows], axis=-1)
        self._by_lid = [_lids_lowered(picture, face, step / LID_STEPS) for step in range(LID_STEPS + 1)]
        self._wall = _wall()

    def frame(self, pose: Pose) -> Picture:
        """Return the picture of the face in a pose."""
        field = (
            pose.shift_x_px * self._shift_x
            + pose.shift_y_px * self._shift_y
            + pose.yaw_deg / TURN_DEG * self._turn
            + pose.jaw_open * self._jaw
        )
        blinking = self._by_lid[round(pose.lid_closed * LID_STEPS)]
        source = self._here + field.astype(np.float32)
        nothing: Any = None  # the second map; OpenCV's types know no call without one
        picture = cv2.remap(blinking, source, nothing, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return self._slid_out(np.asarray(picture, np.uint8), pose.gone)

    def _slid_out(self, picture: Picture, gone: float) -> Picture:
        shift_px = round(gone * WIDTH_PX)
        if shift_px == 0:
            return picture
        shown = self._wall.copy()
        shown[:, shift_px:] = picture[:, : WIDTH_PX - shift_px]
        return shown


def gone_at(time_s: float, absence_s: tuple[float, float] | None) -> float:
    """Return how far the face is out of the picture at a time, 0 to 1.

    The absence begins and ends in the middle of the slides, when half of the picture is out.
    """
    if absence_s is None:
        return 0.0
    leaving = (time_s - absence_s[0]) / SLIDE_S + 0.5
    returning = (absence_s[1] - time_s) / SLIDE_S + 0.5
    return float(np.clip(min(leaving, returning), 0.0, 1.0))


def _astronaut() -> Picture:
    untyped: Any = data
    return np.asarray(untyped.astronaut(), np.uint8)


def _landmarks(picture: Picture, landmarker: Path) -> Points:
    options = vision.FaceLandmarkerOptions(base_options=BaseOptions(model_asset_path=str(landmarker)))
    with vision.FaceLandmarker.create_from_options(options) as model:
        found = model.detect(mp.Image(image_format=mp.ImageFormat.SRGB, data=picture)).face_landmarks
    if not found:
        raise RuntimeError("the landmarker finds no face in the portrait")
    return np.array([(p.x * WIDTH_PX, p.y * HEIGHT_PX, p.z * WIDTH_PX) for p in found[0][:MESH_COUNT]])


def _turned(mesh: Points, yaw_deg: float) -> Points:
    width_px = float(np.ptp(mesh[:, 0]))
    axis = mesh.mean(axis=0) + np.array([0.0, 0.0, width_px * HEAD_DEPTH_RATIO])
    yaw = np.radians(yaw_deg)
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    return np.asarray(((mesh - axis) @ turn.T + axis)[:, :2])


def _jaw_dropped(face: Points) -> Points:
    top, bottom = face[JAW_TOP, 1], face[JAW_BOTTOM, 1]
    share = np.clip((face[:, 1] - top) / (0.3 * (bottom - top)), 0.0, 1.0)
    return np.asarray(face + np.stack([np.zeros(len(face)), JAW_TRAVEL_PX * share], axis=1))


def _lids_lowered(picture: Picture, face: Points, closed: float) -> Picture:
    """Return the picture with both eyes closed so far, column by column of each eye."""
    lowered = picture.copy()
    for upper, lower, brow in zip(UPPER_LIDS, LOWER_LIDS, BROWS, strict=True):
        stretch_px = BROW_MARGIN_RATIO * (face[list(upper), 1].mean() - face[brow, 1])
        for column in range(int(face[upper[0], 0]) + 1, int(face[upper[-1], 0])):
            edge = float(np.interp(column, face[list(upper), 0], face[list(upper), 1])) + 1.0
            floor = float(np.interp(column, face[list(lower), 0], face[list(lower), 1])) + 1.0
            _lower_one_column(picture[:, column], lowered[:, column], edge, floor, stretch_px, closed)
    return lowered


def _lower_one_column(
    column: Picture, lowered: Picture, edge: float, floor: float, stretch_px: float, closed: float
) -> None:
    """Take the lid's edge down towards the floor: skin above it stretches, the eye below it is covered."""
    top = edge - stretch_px
    lid = edge + closed * (floor - edge)
    # The skin of the lid without its lashes covers the eye; the lashes arrive at the lid's new edge.
    anchors_to = (top, lid - LASH_PX, lid, max(floor, lid + 0.01))
    anchors_from = (top, edge - LASH_PX, edge, edge + (1 - closed) * (floor - edge) + 0.01)
    rows = np.arange(int(top) + 1, int(floor) + 1)
    source = np.interp(rows, anchors_to, anchors_from)
    below = np.floor(source).astype(int)
    share = (source - below)[:, None]
    lowered[rows] = ((1 - share) * column[below] + share * column[below + 1]).astype(np.uint8)


def _field(face: Points, moved: Points) -> Field:
    """Return the warp that takes the face's landmarks to where they moved, with the border at rest."""
    along_x = [(x, y) for x in range(0, WIDTH_PX + 1, BORDER_STEP_PX) for y in (0, HEIGHT_PX)]
    along_y = [(x, y) for y in range(0, HEIGHT_PX + 1, BORDER_STEP_PX) for x in (0, WIDTH_PX)]
    border = np.array(sorted({*along_x, *along_y}), float)
    at = np.vstack([moved, border])
    shift = np.vstack([face - moved, np.zeros_like(border)])
    at, kept = np.unique(np.round(at, 1), axis=0, return_index=True)
    rows, columns = np.mgrid[0 : HEIGHT_PX + 1 : GRID_PX, 0 : WIDTH_PX + 1 : GRID_PX]
    grid = np.stack([columns.ravel(), rows.ravel()], axis=1).astype(float)
    warp = RBFInterpolator(at, shift[kept], neighbors=40, smoothing=1.0, kernel="linear")(grid)
    coarse = warp.reshape(*rows.shape, 2).astype(np.float32)
    pixels_x, pixels_y = np.meshgrid(
        np.arange(WIDTH_PX, dtype=np.float32) / GRID_PX, np.arange(HEIGHT_PX, dtype=np.float32) / GRID_PX
    )
    return np.asarray(cv2.remap(coarse, pixels_x, pixels_y, cv2.INTER_LINEAR), np.float32)


def _wall() -> Picture:
    """Return what is behind the candidate: a plain wall, a little darker to the floor."""
    top, bottom = np.array([196.0, 192.0, 184.0]), np.array([150.0, 146.0, 140.0])
    share = np.linspace(0.0, 1.0, HEIGHT_PX)[:, None, None]
    return np.broadcast_to((1 - share) * top + share * bottom, (HEIGHT_PX, WIDTH_PX, 3)).astype(np.uint8)
