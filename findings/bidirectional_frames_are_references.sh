#!/usr/bin/env bash
# PyAV and FFmpeg: `skip_frame = "BIDIR"` also skips B frames that later frames are made from, and spoils those without a word.
#
# Versions: av 18.1.0 (with its own FFmpeg), numpy 2.4.6, Python 3.11.
# Input: H.264 of x264 as it comes, 90 pictures with a moving pattern. x264 keeps some B frames as references (b-pyramid).
# Expected: what is left out is what nobody needs. FFmpeg calls the level "discard all bidirectional frames", one above
#   "discard all non reference frames", so the pictures that do come are those of a whole decoding.
# What happens: pictures come without an error, without `is_corrupt`, and look other than they should: P frames are predicted from the
#   picture that is missing. With NONREF they are exact. Without b-pyramid BIDIR is exact too.
# Who is hit: whoever thins out a video to save time and looks at the pictures with a model. Use NONREF, or key frames alone.
# Output seen:
#   b-pyramid normal, NONREF: 46 of 90 pictures, the worst has inf dB
#   b-pyramid normal, BIDIR: 24 of 90 pictures, the worst has 17.0 dB
#   b-pyramid none, NONREF: 24 of 90 pictures, the worst has inf dB
#   b-pyramid none, BIDIR: 24 of 90 pictures, the worst has inf dB
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" av==18.1.0 numpy==2.4.6
PYTHONPATH=$packages python3.11 - "$packages" <<'PY'
import sys

import av
import numpy as np


def make(path, pyramid):
    with av.open(path, "w") as out:
        options = {"preset": "medium", "crf": "20", "bf": "3", "b-pyramid": pyramid, "threads": "1", "b_strategy": "0"}
        stream = out.add_stream("libx264", rate=30, options=options)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        across, down = np.meshgrid(np.arange(320), np.arange(240))
        for number in range(90):
            gray = 128 + 60 * np.sin((across + 5 * number) / 9) + 50 * np.cos((down - 3 * number) / 7)
            frame = av.VideoFrame.from_ndarray(np.repeat(gray[..., None], 3, 2).astype(np.uint8), format="rgb24")
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def decoded(path, skip):
    with av.open(path) as file:
        stream = file.streams.video[0]
        stream.codec_context.skip_frame = skip
        frames = list(file.decode(stream))
        assert not any(frame.is_corrupt for frame in frames)
        return {frame.pts: frame.to_ndarray(format="gray").astype(float) for frame in frames}


def worst_psnr_db(path, skip):
    whole, thinned = decoded(path, "DEFAULT"), decoded(path, skip)
    worst = max(np.mean((thinned[pts] - whole[pts]) ** 2) for pts in thinned)
    return len(thinned), np.inf if worst == 0 else 10 * np.log10(255**2 / worst)


found = {}
for pyramid in ("normal", "none"):
    path = f"{sys.argv[1]}/{pyramid}.mp4"
    make(path, pyramid)
    for skip in ("NONREF", "BIDIR"):
        count, psnr_db = found[pyramid, skip] = worst_psnr_db(path, skip)
        print(f"b-pyramid {pyramid}, {skip}: {count} of 90 pictures, the worst has {psnr_db:.1f} dB")
assert found["normal", "NONREF"][1] == np.inf
assert found["none", "BIDIR"][1] == np.inf
assert found["normal", "BIDIR"][1] < 35, "changed"
PY
