#!/usr/bin/env bash
# av 18.1.0.
#
# One would expect: `frame.reformat()` scales in the calling thread, or in threads that all frames share.
# What happens: each frame has a scaler of its own, which starts a thread for each core, and the threads live as long as the frame's
# scaler does. A reader that keeps a few decoded frames soon has dozens of threads, and an address space that grows by 8 MB for
# each. `VideoReformatter().reformat(frame, …, threads=1)`, one for all frames, starts none.
# Who is hit: whoever keeps frames, or limits the address space of a process that decodes.
#
# Output seen, on two cores:
#   frame.reformat, 20 frames kept: 40 threads started
#   one VideoReformatter with threads=1: 0 threads started
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check av==18.1.0 numpy==2.4.6
cat > "$folder/show.py" <<'PY'
import sys
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter


def thread_count():
    return len(list(Path("/proc/self/task").iterdir()))


def frames():
    picture = np.full((720, 1280, 3), 128, np.uint8)
    return [av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p", threads=1) for _ in range(20)]


kept = frames()
before = thread_count()
if sys.argv[1] == "own":
    scaled = [frame.reformat(width=640, height=360, format="rgb24") for frame in kept]
    started = thread_count() - before
    print(f"frame.reformat, 20 frames kept: {started} threads started")
    assert started >= 20
else:
    scaler = VideoReformatter()
    scaled = [scaler.reformat(frame, width=640, height=360, format="rgb24", threads=1) for frame in kept]
    started = thread_count() - before
    print(f"one VideoReformatter with threads=1: {started} threads started")
    assert started == 0
PY
"$folder/venv/bin/python" "$folder/show.py" own
"$folder/venv/bin/python" "$folder/show.py" one
