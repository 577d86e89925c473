#!/usr/bin/env bash
# PyAV: once a frame's `side_data` was read, the frame lives until Python's cyclic garbage collector runs, and the collector
# does not know how large a frame is.
#
# Versions: av 18.1.0 (with its own FFmpeg), numpy 2.4.6, Python 3.11.
# Input: a valid H.264 recording of 250 pictures of 1280×720. A loop looks at each frame's side data (for the display matrix, so
#   that a telephone's picture stands upright) and keeps nothing.
# Expected: a frame is freed when the loop goes on, as all others are.
# What happens: the frame holds its table of side data, and the table holds the frame. Such a pair is three objects to the
#   collector, which begins after 700. So more than a hundred frames are alive at a time, here more than 150 MiB. With a few large
#   objects a process can run into its memory limit.
# Who is hit: whoever asks each frame how it has to be turned, and decodes under a limit. Call gc.collect() every few frames,
#   after gc.freeze(), which makes that cheap.
# Output seen (a part, the numbers vary a little):
#   no look at side data: at most 2 frames alive, 7 MiB more
#   a look at side data: at most 165 frames alive, 219 MiB more
#   a look, and a collection every 8 frames: at most 9 frames alive, 10 MiB more
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" av==18.1.0 numpy==2.4.6
PYTHONPATH=$packages python3.11 - "$packages" <<'PY'
import gc
import re
import sys

import av
import numpy as np

path = f"{sys.argv[1]}/clip.mp4"
with av.open(path, "w") as out:
    stream = out.add_stream("libx264", rate=25, options={"preset": "ultrafast", "threads": "1"})
    stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
    across = np.arange(1280)
    for number in range(250):
        gray = np.broadcast_to((across + 3 * number) % 256, (720, 1280)).astype(np.uint8)
        out.mux(stream.encode(av.VideoFrame.from_ndarray(np.repeat(gray[..., None], 3, 2), format="rgb24")))
    out.mux(stream.encode(None))


def resident_mib():
    with open("/proc/self/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1]) / 1024


def walk(looks, collect_every):
    gc.collect()
    gc.freeze()
    before_mib = most_mib = resident_mib()
    alive = 0
    with av.open(path) as file:
        file.streams.video[0].codec_context.thread_count = 1
        for index, frame in enumerate(file.decode(video=0)):
            if looks:
                assert frame.side_data.get("DISPLAYMATRIX") is None
            if collect_every and index % collect_every == 0:
                gc.collect()
            alive = max(alive, sum(isinstance(one, av.VideoFrame) for one in gc.get_objects()))
            most_mib = max(most_mib, resident_mib())
    return alive, most_mib - before_mib


for words, looks, every in (
    ("no look at side data", False, 0),
    ("a look, and a collection every 8 frames", True, 8),
    ("a look at side data", True, 0),
):
    alive, more_mib = walk(looks, every)
    print(f"{words}: at most {alive} frames alive, {more_mib:.0f} MiB more")
    if looks and not every:
        assert alive > 50 and more_mib > 60, "changed"
    else:
        assert alive <= 20, "changed"
PY
