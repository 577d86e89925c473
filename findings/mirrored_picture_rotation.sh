#!/usr/bin/env bash
# PyAV and OpenCV: a mirrored picture is reported as turned, and OpenCV turns it upside down.
#
# Versions: av 18.1.0 and opencv-python-headless 5.0.0.93 (each with its own FFmpeg), numpy 2.4.6, Python 3.11.
# Input: MP4 files whose track header holds a display matrix. Selfie recorders and editors write such matrices.
# Expected: a mirror is not a rotation. PyAV's `rotation` is 0 for every mirror, or an error. OpenCV, which turns pictures
#   by default, mirrors them too or leaves them alone.
# What happens: PyAV gives -180 for a left-right mirror and 0 for an upside-down one. Both numbers are in the documented range,
#   and nothing says that they are not the whole truth. OpenCV turns the left-right picture by 180 degrees, so a face stands
#   on its head. It leaves the upside-down picture upside down. The true matrix is in PyAV's side data DISPLAYMATRIX.
# Who is hit: each reader that rights pictures by the angle alone (face detection, thumbnails, transcoding).
# Output seen (where the picture's white corner belongs, and where OpenCV shows it):
#   plain        PyAV rotation    0  corner belongs top left, OpenCV shows it top left
#   turned       PyAV rotation -180  corner belongs bottom right, OpenCV shows it bottom right
#   left-right   PyAV rotation -180  corner belongs top right, OpenCV shows it bottom right
#   upside-down  PyAV rotation    0  corner belongs bottom left, OpenCV shows it top left
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" av==18.1.0 \
    opencv-python-headless==5.0.0.93 numpy==2.4.6
PYTHONPATH=$packages python3.11 - "$packages" <<'PY'
import sys
from pathlib import Path

import av
import cv2
import numpy as np
from av.sidedata.sidedata import Type

WIDTH, HEIGHT = 64, 48
ONE = 1 << 16
MATRICES = {"plain": (1, 1), "turned": (-1, -1), "left-right": (-1, 1), "upside-down": (1, -1)}


def write(path, across, down):
    """Write a grey film with a white corner at the top left and this matrix."""
    pixels = np.full((HEIGHT, WIDTH, 3), 50, np.uint8)
    pixels[:16, :16] = 255
    with av.open(str(path), "w") as film:
        track = film.add_stream("mpeg4", rate=10)
        track.width, track.height, track.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        track.set_display_matrix([across * ONE, 0, 0, 0, down * ONE, 0, 0, 0, 1 << 30])
        for _ in range(3):
            film.mux(track.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        film.mux(track.encode(None))


def corner(pixels):
    """Say in which corner the white patch is."""
    rows, columns = np.nonzero(pixels > 150)
    return f"{'top' if rows.mean() < HEIGHT / 2 else 'bottom'} {'left' if columns.mean() < WIDTH / 2 else 'right'}"


seen = []
for name, (across, down) in MATRICES.items():
    path = Path(sys.argv[1]) / f"{name}.mp4"
    write(path, across, down)
    with av.open(str(path)) as film:
        frame = next(film.decode(video=0))
    if (across, down) != (1, 1):
        matrix = np.frombuffer(bytes(frame.side_data[Type.DISPLAYMATRIX]), "<i4")
        assert (matrix[0], matrix[4]) == (across * ONE, down * ONE), "the file holds another matrix"
    belongs = corner(frame.to_ndarray(format="gray")[::down, ::across])
    _, pixels = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG).read()
    shown = corner(pixels[..., 0])
    print(f"{name:<12} PyAV rotation {frame.rotation:4}  corner belongs {belongs}, OpenCV shows it {shown}")
    seen.append((frame.rotation, belongs, shown))
assert seen == [
    (0, "top left", "top left"),
    (-180, "bottom right", "bottom right"),
    (-180, "top right", "bottom right"),
    (0, "bottom left", "top left"),
], "changed"
PY
