"""What the suite gives the processes that its tests start, wherever the suite itself was started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.fakes.vision import ONE_FACE, write_clip
from tests.recordings_made import write_recording

READ_HANDLER = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"


def test_a_started_process_heeds_an_interrupt() -> None:
    shown = subprocess.run(
        [sys.executable, "-S", "-c", READ_HANDLER], capture_output=True, text=True, check=True
    )
    assert shown.stdout == "True\n"


def test_making_a_recording_makes_no_thread_a_real_time_one(tmp_path: Path) -> None:
    """What is started afterwards inherits it, and then starves the rest of the machine."""
    before = os.sched_getscheduler(0)
    write_recording(tmp_path / "a.mp4", codec="libsvtav1", duration_s=0.5)
    write_clip(tmp_path / "b.mp4", [(ONE_FACE, 0.5)], codec="libsvtav1")

    assert os.sched_getscheduler(0) == before
