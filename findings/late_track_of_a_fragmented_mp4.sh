#!/usr/bin/env bash
# FFmpeg's MP4 muxer with `empty_moov`: the first packet of a late track is moved to 0 and made long.
#
# Versions: av 18.1.0 (with its own FFmpeg), numpy 2.4.6, Python 3.11.
# Input: sound from 0 s and a picture track whose first frame is at 2 s (a camera that was switched on late).
#   `movflags=frag_keyframe+empty_moov` is the usual choice for a stream. `frag_discont` makes no difference here.
# Expected: the first frame is read back at 2 s. A fragment has a start time of its own (tfdt), so the format can hold it.
# What happens: the first frame is read back at 0 s and lasts 2.1 s. The second frame is in its right place.
#   No error is raised, and no warning is logged. The stream's start time says that picture and sound begin together.
#   With `delay_moov` added, the same packets come back at 2 s.
# Who is hit: whoever measures from such a file when a track begins, or takes the first picture as one of the beginning.
# Output seen:
#   empty_moov                sound from 0.00 s, frames at 0.00 2.10 2.20 s, first one lasts 2.10 s
#   empty_moov+frag_discont   sound from 0.00 s, frames at 0.00 2.10 2.20 s, first one lasts 2.10 s
#   empty_moov+delay_moov     sound from 0.00 s, frames at 2.00 2.10 2.20 s, first one lasts 0.10 s
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" av==18.1.0 numpy==2.4.6
PYTHONPATH=$packages python3.11 - <<'PY'
import io
from fractions import Fraction

import av
import numpy as np

RATE_HZ, FRAMES_PER_S, LATE_S, SECONDS = 48_000, 10, 2, 4


def packets_of(film):
    """Encode four seconds of sound from 0 s and of picture from 2 s, in the order of their times."""
    picture = film.add_stream("mpeg4", rate=FRAMES_PER_S)
    picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
    sound = film.add_stream("pcm_s16le", rate=RATE_HZ, layout="mono")
    packets = []
    for index in range(SECONDS * FRAMES_PER_S):
        frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), index, np.uint8), format="rgb24")
        frame.pts, frame.time_base = index + LATE_S * FRAMES_PER_S, Fraction(1, FRAMES_PER_S)
        packets += picture.encode(frame)
        block = av.AudioFrame.from_ndarray(np.zeros((1, RATE_HZ // 10), np.int16), format="s16", layout="mono")
        block.pts, block.time_base, block.sample_rate = index * RATE_HZ // 10, Fraction(1, RATE_HZ), RATE_HZ
        packets += sound.encode(block)
    packets += [*picture.encode(None), *sound.encode(None)]
    return sorted(packets, key=lambda packet: packet.dts * packet.time_base)


def read_back(flags):
    """Write the film with these flags. Return the start of the sound, the frames' times and the first one's length."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4", container_options={"movflags": f"frag_keyframe+{flags}"}) as film:
        film.mux(packets_of(film))
    file.seek(0)
    times, lengths = {"audio": [], "video": []}, []
    with av.open(file) as film:
        for packet in film.demux():
            if packet.pts is not None:
                times[packet.stream.type].append(round(float(packet.pts * packet.time_base), 2))
                if packet.stream.type == "video":
                    lengths.append(round(float(packet.duration * packet.time_base), 2))
    return times["audio"][0], times["video"][:3], lengths[0]


seen = {}
for flags in ("empty_moov", "empty_moov+frag_discont", "empty_moov+delay_moov"):
    sound_s, frames_s, length_s = seen[flags] = read_back(flags)
    shown = " ".join(f"{time_s:.2f}" for time_s in frames_s)
    print(f"{flags:<25} sound from {sound_s:.2f} s, frames at {shown} s, first one lasts {length_s:.2f} s")
moved = (0.0, [0.0, 2.1, 2.2], 2.1)
kept = (0.0, [2.0, 2.1, 2.2], 0.1)
assert list(seen.values()) == [moved, moved, kept], "changed"
PY
