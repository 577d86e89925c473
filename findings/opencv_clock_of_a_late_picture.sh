#!/usr/bin/env bash
# OpenCV: the time of a frame is counted from the first frame, not from the beginning of the recording.
#
# Versions: opencv-python-headless 5.0.0.93 and av 18.1.0 (each with its own FFmpeg), numpy 2.4.6, Python 3.11.
# Input: recordings whose sound begins at 0 s and whose first picture is at 2 s. Recorders write this when
#   the camera is switched on late.
# Expected: CAP_PROP_POS_MSEC, "current position of the video file in milliseconds", is 2000 at the first frame.
#   That is where players show the frame and where PyAV places it.
# What happens: it is 0 at the first frame. The start time of the picture track is taken away, and no property gives it back.
# Who is hit: whoever joins OpenCV's frames with the sound or with a transcript. All of the picture is 2 s early.
# Output seen:
#   mp4   PyAV 2.00 2.10 ... 3.90 s, OpenCV 0.00 0.10 ... 1.90 s
#   mkv   PyAV 2.00 2.10 ... 3.90 s, OpenCV 0.00 0.10 ... 1.90 s
#   webm  PyAV 2.00 2.10 ... 3.90 s, OpenCV 0.00 0.10 ... 1.90 s
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" av==18.1.0 \
    opencv-python-headless==5.0.0.93 numpy==2.4.6
PYTHONPATH=$packages python3.11 - "$packages" <<'PY'
import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

RATE_HZ, FRAMES_PER_S, LATE_S = 48_000, 10, 2
CODECS = {"mp4": ("mpeg4", "aac"), "mkv": ("mpeg4", "aac"), "webm": ("libvpx", "libopus")}


def write(path, picture_codec, sound_codec):
    """Write four seconds of sound, with a picture in the last two."""
    with av.open(str(path), "w") as recording:
        picture = recording.add_stream(picture_codec, rate=FRAMES_PER_S)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        sound = recording.add_stream(sound_codec, rate=RATE_HZ, layout="mono")
        resampler = av.AudioResampler(sound.format.name, "mono", RATE_HZ)
        packets = []
        for index in range(2 * FRAMES_PER_S):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), index, np.uint8), format="rgb24")
            frame.pts, frame.time_base = index + LATE_S * FRAMES_PER_S, Fraction(1, FRAMES_PER_S)
            packets += picture.encode(frame)
        for begin in range(0, 4 * RATE_HZ, 960):
            quiet = av.AudioFrame.from_ndarray(np.zeros((1, 960), np.float32), format="fltp", layout="mono")
            quiet.sample_rate = RATE_HZ
            for block in resampler.resample(quiet):
                block.pts, block.time_base = begin, Fraction(1, RATE_HZ)
                packets += sound.encode(block)
        packets += [*picture.encode(None), *sound.encode(None)]
        recording.mux(sorted(packets, key=lambda packet: packet.dts * packet.time_base))


def opencv_times_s(path):
    film, times_s = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG), []
    while film.grab():
        times_s.append(film.get(cv2.CAP_PROP_POS_MSEC) / 1000)
    return times_s


def shown(times_s):
    return f"{times_s[0]:.2f} {times_s[1]:.2f} ... {times_s[-1]:.2f} s"


differences = []
for ending, codecs in CODECS.items():
    path = Path(sys.argv[1]) / f"late.{ending}"
    write(path, *codecs)
    with av.open(str(path)) as recording:
        placed_s = [frame.time for frame in recording.decode(video=0)]
    counted_s = opencv_times_s(path)
    print(f"{ending:<5} PyAV {shown(placed_s)}, OpenCV {shown(counted_s)}")
    differences += [placed - counted for placed, counted in zip(placed_s, counted_s, strict=True)]
assert np.allclose(differences, LATE_S, atol=0.01), "changed"
PY
