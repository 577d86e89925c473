"""What the suite gives the processes that its tests start, wherever the suite itself was started."""

from __future__ import annotations

import subprocess
import sys

READ_HANDLER = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"


def test_a_started_process_heeds_an_interrupt() -> None:
    shown = subprocess.run(
        [sys.executable, "-S", "-c", READ_HANDLER], capture_output=True, text=True, check=True
    )
    assert shown.stdout == "True\n"
