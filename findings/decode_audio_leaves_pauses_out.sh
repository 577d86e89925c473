#!/usr/bin/env bash
# faster-whisper: `decode_audio` leaves out the time in which a recording has no sound packets.
#
# Versions: faster-whisper 1.2.1, av 18.1.0 (with its own FFmpeg), numpy 2.4.6, Python 3.11.
# Input: WebM files with 4 s of Opus sound. One begins at 0 s, one at 2 s, and one pauses for 3 s in the middle:
#   the timestamps of its packets jump. Recorders write this when a microphone begins late or drops out.
# Expected: samples whose index gives the time in the recording. The silence is filled in, or the start is told.
# What happens: the samples of all frames are put one after the other, and the frames' timestamps are not looked at.
#   All three files give 4.0 s of sound. `transcribe` decodes a file in this way too.
#   It was asked for upstream in issue 128 of faster-whisper, which is closed.
# Who is hit: whoever shows words at the time that `transcribe` gives. After a pause each word is early by its length,
#   and `info.duration` is shorter than the recording.
# Output seen:
#   whole    last frame ends at 4.0 s, decode_audio gives 4.0 s
#   late     last frame ends at 6.0 s, decode_audio gives 4.0 s
#   paused   last frame ends at 7.0 s, decode_audio gives 4.0 s
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" faster-whisper==1.2.1 av==18.1.0 numpy==2.4.6
PYTHONPATH=$packages python3.11 - "$packages" <<'PY'
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from faster_whisper import decode_audio

RATE_HZ, WHISPER_HZ, SECONDS = 48_000, 16_000, 4
JUMPS_S = {"whole": {}, "late": {0: 2}, "paused": {2: 3}}


def write(path, jumps_s):
    """Write four seconds of a tone. The timestamps jump by so much at these seconds of the tone."""
    tone = (0.3 * np.sin(2 * np.pi * 300 * np.arange(960) / RATE_HZ)).astype(np.float32)
    with av.open(str(path), "w") as recording:
        sound = recording.add_stream("libopus", rate=RATE_HZ, layout="mono")
        resampler = av.AudioResampler(sound.format.name, "mono", RATE_HZ)
        for begin in range(0, SECONDS * RATE_HZ, 960):
            frame = av.AudioFrame.from_ndarray(tone[None], format="fltp", layout="mono")
            frame.sample_rate = RATE_HZ
            jump_s = sum(length_s for at_s, length_s in jumps_s.items() if begin >= at_s * RATE_HZ)
            for block in resampler.resample(frame):
                block.pts, block.time_base = begin + jump_s * RATE_HZ, Fraction(1, RATE_HZ)
                recording.mux(sound.encode(block))
        recording.mux(sound.encode(None))


seen = {}
for name, jumps_s in JUMPS_S.items():
    path = Path(sys.argv[1]) / f"{name}.webm"
    write(path, jumps_s)
    with av.open(str(path)) as recording:
        *_, last = recording.decode(audio=0)
    end_s, decoded_s = last.time + last.samples / RATE_HZ, len(decode_audio(str(path))) / WHISPER_HZ
    print(f"{name:<8} last frame ends at {end_s:.1f} s, decode_audio gives {decoded_s:.1f} s")
    seen[name] = (round(end_s, 1), round(decoded_s, 1))
assert seen == {"whole": (4.0, 4.0), "late": (6.0, 4.0), "paused": (7.0, 4.0)}, "changed"
PY
