"""A recording's samples as plain columns: a dozen numbers each. The mesh itself is not kept."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import numpy as np

from services.vision.blinks import eye_openness
from services.vision.expression import brow_height, smile_intensity
from services.vision.faces import Look
from services.vision.frames import Frame, RgbImage
from services.vision.gaze import iris_position
from services.vision.head_pose import head_pose
from services.vision.landmarks import Mesh
from services.vision.quality import face_width_ratio, sharpness_score
from services.vision.stretches import Flags, Floats, find_stretches

MIN_UNSURE_LOOKS = 2
_MESH_COLUMNS = ("yaw_deg", "pitch_deg", "roll_deg", "openness", "iris", "smile", "brow", "face_width_ratio")
_COLUMNS = ("time_s", "brightness_ratio", *_MESH_COLUMNS)


@dataclass(frozen=True, slots=True)
class Samples:
    """One value per sample and column. NaN where there is no face to measure."""

    time_s: Floats
    brightness_ratio: Floats
    yaw_deg: Floats
    pitch_deg: Floats
    roll_deg: Floats
    openness: Floats
    iris: Floats
    smile: Floats
    brow: Floats
    face_width_ratio: Floats
    sharpness_score: Floats
    """A value a look, not a sample."""
    looks: tuple[Look, ...]
    """Counts of faces in time order, about one a second."""

    @property
    def measured(self) -> Flags:
        """Samples with a face mesh that no look contradicts."""
        return np.isfinite(self.yaw_deg)


class SampleLog:
    """Collects the samples of one recording."""

    def __init__(self) -> None:
        self._columns = {name: array("d") for name in _COLUMNS}
        self._sharpness = array("d")
        self._looks: list[Look] = []
        self.held_count = 0
        """Samples in which the one before it stands."""

    def __len__(self) -> int:
        return len(self._columns["time_s"])

    def add(self, frame: Frame, mesh: Mesh | None, look: Look | None) -> None:
        """Measure one sample, and drop picture and mesh."""
        image = frame.image
        row = {"time_s": frame.time_s, "brightness_ratio": frame.brightness_ratio}
        if mesh is not None:
            row |= _measure(image, mesh)
        for name, column in self._columns.items():
            column.append(row.get(name, float("nan")))
        if look is not None:
            self._looks.append(look)
            if mesh is not None and (sharpness := sharpness_score(image, mesh)) is not None:
                self._sharpness.append(sharpness)

    def hold(self, frame: Frame) -> None:
        """Add a sample in which nothing changed that the mesh measures: the one before it stands."""
        self.held_count += 1
        for name, column in self._columns.items():
            column.append(column[-1] if name in _MESH_COLUMNS else float("nan"))
        self._columns["time_s"][-1] = frame.time_s
        self._columns["brightness_ratio"][-1] = frame.brightness_ratio

    def samples(self) -> Samples:
        """Hand out the columns. Meshes that the looks contradict are taken out."""
        columns = {name: np.array(column, dtype=np.float64) for name, column in self._columns.items()}
        mesh = np.isfinite(columns["yaw_deg"])
        contradicted = _between_empty_looks(self._looks, len(self)) | _doubtful_runs(mesh, self._looks)
        for name in _MESH_COLUMNS:
            columns[name][contradicted] = np.nan
        return Samples(
            **columns, sharpness_score=np.array(self._sharpness, dtype=np.float64), looks=tuple(self._looks)
        )


def _measure(image: RgbImage, mesh: Mesh) -> dict[str, float]:
    pose = head_pose(mesh)
    return {
        "yaw_deg": pose.yaw_deg,
        "pitch_deg": pose.pitch_deg,
        "roll_deg": pose.roll_deg,
        "openness": eye_openness(mesh),
        "iris": iris_position(mesh),
        "smile": smile_intensity(mesh),
        "brow": brow_height(mesh),
        "face_width_ratio": face_width_ratio(image, mesh),
    }


def _doubtful_runs(mesh: Flags, looks: list[Look]) -> Flags:
    """Runs of meshes that the looks do not confirm. A landmarker follows drawings for a frame or two.

    One look with a sure face confirms a run. A second look that sees at least something does so too.
    """
    doubtful = np.zeros(len(mesh), dtype=np.bool_)
    index = np.arange(len(mesh), dtype=np.float64)
    for run in find_stretches(mesh, index, index + 1):
        within = [look for look in looks if run.first <= look.sample <= run.last]
        sure = any(look.face_count for look in within)
        if not sure and (len(within) < MIN_UNSURE_LOOKS or all(look.empty for look in within)):
            doubtful[run.first : run.last + 1] = True
    return doubtful


def _between_empty_looks(looks: list[Look], count: int) -> Flags:
    flags = np.zeros(count, dtype=np.bool_)
    following: list[Look | None] = [*looks[1:], None]
    for look, next_look in zip(looks, following, strict=True):
        if look.empty and (next_look is None or next_look.empty):
            flags[look.sample : next_look.sample if next_look else count] = True
    return flags
