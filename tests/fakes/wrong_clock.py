"""`python -m orchestrator` on a machine whose clock is set while it runs.

`WRONG_CLOCK_FILE` names a file with the seconds by which the clock is off. While there is none, it is right.
Only our code and the engine see it. gRPC compares Python's time with the machine's, which a test can't set.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

SEEN_BY = ("orchestrator", "dbos")
LOOK_INTERVAL_S = 0.1


class WrongClock:
    """Stands in for `time.time`.

    Args:
        file: Holds the offset.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._right = time.time
        self._offset_s = 0.0
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self) -> None:
        while True:
            if self._file.exists():
                self._offset_s = float(self._file.read_text() or 0.0)
            time.sleep(LOOK_INTERVAL_S)

    def __call__(self) -> float:
        caller = sys._getframe(1).f_globals.get("__name__", "")
        return self._right() + (self._offset_s if caller.startswith(SEEN_BY) else 0.0)


if __name__ == "__main__":
    time.time = WrongClock(Path(os.environ["WRONG_CLOCK_FILE"]))
    from orchestrator.__main__ import main

    sys.argv = sys.argv[:1]
    main()
