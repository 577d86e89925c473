#!/usr/bin/env bash
# av 18.1.0 (its wheel's libsvtav1), as root on Linux.
#
# One would expect: encoding a clip leaves the calling thread as it was.
# What happens: with `libsvtav1` the calling thread is SCHED_FIFO with priority 99 afterwards, and stays so when the file is
# closed. Every process and thread that it starts later inherits this. Busy ones then starve all others on the machine: a test
# suite that made one AV1 clip as root brought its services to a standstill. libaom-av1 and libx264 change nothing.
# As another user than root the change is not allowed, and nothing happens.
# Who is hit: whoever encodes AV1 in a service or a test that runs as root, as in most containers.
#
# Output seen:
#   libx264 0 0
#   libsvtav1 1 99
set -euo pipefail
if [ "$(id -u)" != 0 ]; then echo "this shows as root only"; exit 0; fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check av==18.1.0 numpy==2.4.6
cat > "$folder/show.py" <<'PY'
import os
import sys

import av
import numpy as np

folder = sys.argv[1]
seen = {}
for codec in ("libx264", "libsvtav1"):
    with av.open(f"{folder}/{codec}.mp4", "w") as out:
        stream = out.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for _ in range(5):
            picture = np.full((64, 64, 3), 128, np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode())
    seen[codec] = (os.sched_getscheduler(0), os.sched_getparam(0).sched_priority)
    print(codec, *seen[codec])
assert seen == {"libx264": (os.SCHED_OTHER, 0), "libsvtav1": (os.SCHED_FIFO, 99)}, seen
PY
"$folder/venv/bin/python" "$folder/show.py" "$folder" 2>/dev/null
