#!/usr/bin/env bash
# webrtcvad: what is found in a recording depends on the recording that the same object heard before.
#
# Versions: webrtcvad-wheels 2.0.14.post1 (webrtcvad 2.0.10 is the same code without wheels), numpy 2.4.6, Python 3.11.
# Input: 4 s of a quiet, voice-like buzz with pauses, in frames of 30 ms, aggressiveness 3. Once for a new `Vad`, once for a `Vad`
#   that was given 10 s of a loud one before, and once for one that heard noise.
# Expected: the same frames each time. `is_speech(frame, rate)` takes one frame and says yes or no, and there is no word about
#   memory and no `reset`.
# What happens: the object learns what noise and speech are, from all that it was ever given, and keeps it. After the loud
#   recording most of the quiet one counts as speech, and for a new object nearly none of it does.
#   It was asked about upstream in issue 22 of py-webrtcvad.
# Who is hit: services that make one `Vad` at their start. A result depends on who was served before, and can't be had again.
#   Asking about a frame twice moves the model, too. Make a new object for each recording.
# Output seen (frames that count as speech, of 133):
#   new object:             3
#   after a loud recording: 85
#   after noise:            2
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" webrtcvad-wheels==2.0.14.post1 numpy==2.4.6
PYTHONPATH=$packages python3.11 - <<'PY'
import numpy as np
import webrtcvad

RATE_HZ, FRAME = 16_000, 480
noise = np.random.default_rng(1)


def frames(sound):
    samples = (np.clip(sound, -1, 1) * 32767).astype("<i2")
    return [samples[i : i + FRAME].tobytes() for i in range(0, len(samples) - FRAME + 1, FRAME)]


def buzz(length_s, level):
    """Return a tone of 140 Hz with overtones that comes and goes three times a second, over a faint noise."""
    time_s = np.arange(int(length_s * RATE_HZ)) / RATE_HZ
    tone = sum(np.sin(2 * np.pi * 140 * k * time_s) / k for k in range(1, 20)) / 3
    return level * tone * (np.sin(2 * np.pi * 3 * time_s) > 0) + 0.0005 * noise.standard_normal(len(time_s))


quiet = frames(buzz(4, 0.01))
BEFORE = {
    "new object:            ": [],
    "after a loud recording:": frames(buzz(10, 0.5)),
    "after noise:           ": frames(0.05 * noise.standard_normal(10 * RATE_HZ)),
}
found = []
for name, earlier in BEFORE.items():
    vad = webrtcvad.Vad(3)
    for frame in earlier:
        vad.is_speech(frame, RATE_HZ)
    found.append(sum(vad.is_speech(frame, RATE_HZ) for frame in quiet))
    print(name, found[-1])
new, loud, noisy = found
assert loud > 10 * max(new, noisy, 1), "changed"
PY
