"""Decodes the sound of one hostile recording that is still arriving, in a process of its own.

`python -I -B decoding.py JOB`. It reads the recording from standard input, from front to end, and writes the
samples to standard output as they come: mono, 16 bit, 16 kHz, the same as `orchestrator/stages/decoding.py`
writes into its WAV once the file is whole. Its exit code is 0 where it came to the end of the sound.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

NOT_FROM_FRONT = 3
"""Exit code: which of several sound tracks is meant can't be told before the end, or there is none."""


def decode(job: dict[str, Any]) -> int:
    """Write the samples of the recording on standard input."""
    import av

    from chassis.containers import DEMUXERS
    from chassis.decoding.claims import check_track_claims
    from chassis.playback.opening import Recording
    from chassis.playback.sound import SoundReader
    from orchestrator.stages.decoding import to_values

    options = {"protocol_whitelist": "pipe", "format_whitelist": DEMUXERS}
    with av.open("pipe:0", mode="r", metadata_errors="ignore", options=options) as container:
        check_track_claims(
            tuple(container.streams),
            max_track_count=job["max_track_count"],
            max_pixel_count=job["max_pixel_count"],
        )
        # A path without a file: nothing is known of a size yet.
        recording = Recording(container, Path(os.devnull))
        if len(recording.tracks.sounds) != 1:
            return NOT_FROM_FRONT
        reader = SoundReader(recording, recording.tracks.sounds[0], job["max_duration_s"])
        for packet in recording.packets():
            for samples in reader.read(packet):
                _write(to_values(samples))
        for samples in reader.finish():
            _write(to_values(samples))
    return 0


def _write(values: Any) -> None:
    sys.stdout.buffer.write(values.astype("<i2").tobytes())
    sys.stdout.buffer.flush()


def main() -> None:
    """Do the job in the first argument."""
    job = json.loads(sys.argv[1])
    sys.path.insert(0, job["import_folder"])  # an isolated Python knows no folder of ours
    from chassis.decoding.child_limits import ChildLimits

    ChildLimits(job["max_memory_bytes"], job["max_cpu_s"]).apply(job["parent_pid"])
    # At once, and without what a library would tidy up: a pipe that broke is no error of ours.
    os._exit(decode(job))


if __name__ == "__main__":
    main()
