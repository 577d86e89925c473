#!/usr/bin/env bash
# MediaPipe: a picture that is a view of another array is read wrongly, without an error.
#
# Versions: mediapipe 1.2.2, numpy 2.4.6, Python 3.11.
# Input: `mp.Image` of a part of a picture (`frame[:40, 20:60]`), of a transposed one, and of a copy of that part.
# Expected: the pixels that the array shows, or an error. Version 0.10.9 refused such arrays with a TypeError
#   (issue 5251 of mediapipe).
# What happens: the memory is read from the view's first byte on, row by row without a gap. A part of a picture becomes a
#   sheared one, with pixels from outside the part. A transposed picture becomes noise. No error and no warning.
#   The class's text says "stores the pixel data continuously", and nothing checks it.
# Who is hit: whoever crops, mirrors, turns or swaps the colours of a frame by indexing before a detector sees it. Faces are not found,
#   or in wrong places. Code that relied on the TypeError to notice is silent since the update.
#   `np.ascontiguousarray` helps, and costs nothing where there is nothing to do.
# Output seen (pixels that differ from what the array shows):
#   copy of a part: 0 of 1600
#   part:           1560 of 1600
#   transposed:     9900 of 10000
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" mediapipe==1.2.2 numpy==2.4.6
PYTHONPATH=$packages python3.11 - 2>/dev/null <<'PY'
import mediapipe as mp
import numpy as np

# Every pixel has a colour of its own, so each one in a wrong place shows.
down, across = np.mgrid[:100, :100]
frame = np.stack([down, across, down + across], axis=2).astype(np.uint8)
PICTURES = {
    "copy of a part:": frame[:40, 20:60].copy(),
    "part:          ": frame[:40, 20:60],
    "transposed:    ": frame.transpose(1, 0, 2),
}
wrong = []
for name, picture in PICTURES.items():
    image = mp.Image(image_format=mp.ImageFormat.SRGB, data=picture)
    differ = (image.numpy_view() != picture).any(axis=2)
    wrong.append(int(differ.sum()))
    print(f"{name} {wrong[-1]} of {differ.size}")
assert wrong[0] == 0, "changed"
assert wrong[1] > 1000 and wrong[2] > 5000, "changed"
PY
