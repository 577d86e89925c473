#!/usr/bin/env bash
# FFmpeg (PyAV): a fragmented MP4 that grows ends early, without an error, if its reader can seek. If it can't, all of it is read.
#
# Versions: av 18.1.0 (with its own FFmpeg), numpy 2.4.6, Python 3.11.
# Input: recordings of which half is there when the reader opens them. The rest comes while it reads. The source waits at the end
#   of what is there, so it never gives an end that is none. Once it can only be read, once it can be read and sought in.
# Expected: fragments are there for this: each is complete in itself, and what follows needs nothing of what came before. A source
#   that can do more is not worse. WebM and an MP4 with its index first, beside it, are read to their end in both ways.
# What happens: a fragmented MP4 that can be sought in is looked through to its end when it is opened, and what the file ends at then is
#   its end for good. The reader is told that the recording is over: no error, no warning, and the duration is that of the first half.
#   FFmpeg's own option for files that grow (`follow`) ends there too.
# Who is hit: who shows or transcribes an upload while it comes, from a file on a disk. The transcript of a half looks like one of a whole.
#   Hand FFmpeg an object that can read and nothing else. Then the duration is the first fragments' and says nothing.
# Output seen (packets read of those in the finished file):
#   webm              read only 100 of 100, with seek 100 of 100
#   mp4, index first  read only 100 of 100, with seek 100 of 100
#   mp4, fragments    read only 100 of 100, with seek  47 of 100
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" av==18.1.0 numpy==2.4.6
PYTHONPATH=$packages python3.11 - "$packages" <<'PY'
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

FORMATS = {
    "webm": ("webm", "libvpx", {}),
    "mp4, index first": ("mp4", "mpeg4", {"movflags": "+faststart"}),
    "mp4, fragments": ("mp4", "mpeg4", {"movflags": "frag_keyframe+empty_moov+default_base_moof"}),
}
noise = np.random.default_rng(0)


class ReadOnly:
    """A file that grows. Who reads at its end waits, until it is whole."""

    def __init__(self, path, is_whole):
        self._file, self._is_whole = path.open("rb"), is_whole

    def read(self, count):
        while True:
            whole = self._is_whole.is_set()
            content = self._file.read(count)
            if content or whole:
                return content
            time.sleep(0.02)


class WithSeek(ReadOnly):
    def seek(self, offset, whence=0):
        return self._file.seek(offset, whence)

    def tell(self):
        return self._file.tell()


def write(path, name, codec, options):
    """Write ten seconds of noise, a fragment a second where there are fragments."""
    with av.open(str(path), "w", format=name, options=options) as recording:
        picture = recording.add_stream(codec, rate=10)
        picture.width, picture.height, picture.pix_fmt = 160, 120, "yuv420p"
        picture.bit_rate, picture.gop_size = 400_000, 10
        for index in range(100):
            frame = av.VideoFrame.from_ndarray(noise.integers(0, 255, (120, 160, 3), np.uint8), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 10)
            recording.mux(picture.encode(frame))
        recording.mux(picture.encode(None))


def packet_count(recording):
    return sum(packet.size > 0 for packet in recording.demux(video=0))


def read_while_it_grows(content, path, kind):
    """Open the first half, let the second one come, and count the packets that are handed out."""
    path.write_bytes(content[: len(content) // 2])
    is_whole = threading.Event()
    with av.open(kind(path, is_whole)) as recording:
        with path.open("ab") as file:
            file.write(content[len(content) // 2 :])
        is_whole.set()
        return packet_count(recording)


counts = {}
for name, how in FORMATS.items():
    path = Path(sys.argv[1]) / "recording"
    write(path, *how)
    content = path.read_bytes()
    with av.open(str(path)) as recording:
        whole = packet_count(recording)
    only, sought = (read_while_it_grows(content, path, kind) for kind in (ReadOnly, WithSeek))
    print(f"{name:<17} read only {only:3} of {whole}, with seek {sought:3} of {whole}")
    counts[name] = only == whole, sought == whole
assert counts == {"webm": (True, True), "mp4, index first": (True, True), "mp4, fragments": (True, False)}, "changed"
PY
