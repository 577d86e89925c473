"""Head angles from the axes of the 3-D mesh. Degrees.

Yaw is positive where the nose points to the viewer's left, pitch where the head is bowed, roll where
it is tilted clockwise for the viewer.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from services.vision.landmarks import Mesh, unit

# Three points a side, far apart, so that one badly placed point turns the axis little.
_VIEWER_RIGHT, _VIEWER_LEFT = [263, 454, 362], [33, 234, 133]
_LOWER, _UPPER = [152, 175, 17], [10, 151, 9]


class HeadPose(NamedTuple):
    """Angles of the head against the camera."""

    yaw_deg: float
    pitch_deg: float
    """Has a bias of about 4° that differs from face to face: take the recording's median off."""
    roll_deg: float


def head_pose(mesh: Mesh) -> HeadPose:
    """Measure the head's angles as Euler angles of the mesh's own axes."""
    x_axis = unit(mesh[_VIEWER_RIGHT].mean(axis=0) - mesh[_VIEWER_LEFT].mean(axis=0))
    slanted = mesh[_LOWER].mean(axis=0) - mesh[_UPPER].mean(axis=0)
    y_axis = unit(slanted - float(slanted @ x_axis) * x_axis)
    z_axis = np.cross(x_axis, y_axis)
    return HeadPose(
        yaw_deg=float(np.degrees(np.arctan2(-x_axis[2], np.hypot(x_axis[0], x_axis[1])))),
        pitch_deg=float(np.degrees(np.arctan2(y_axis[2], z_axis[2]))),
        roll_deg=float(np.degrees(np.arctan2(x_axis[1], x_axis[0]))),
    )
