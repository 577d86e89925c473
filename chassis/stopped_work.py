"""Work that was told to stop and goes on: a thread that hangs in native code holds its place for good.

Nothing in Python can end such a thread. The server asks here how long one has been going on, and lets the
whole process end, because only a new process has all its places again.
"""

from __future__ import annotations

import concurrent.futures
import time
from collections.abc import Callable
from typing import Any


class StoppedWork:
    """Knows which work was told to stop and has not ended.

    Args:
        clock: Seconds that only ever grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told_s: dict[concurrent.futures.Future[Any], float] = {}

    def note(self, work: concurrent.futures.Future[Any]) -> None:
        """Remember work that was told to stop just now. It is forgotten when it ends. Any thread may call."""
        self._told_s[work] = self._clock()
        work.add_done_callback(lambda ended: self._told_s.pop(ended, None))

    def count(self) -> int:
        """Return how many pieces of work go on although they were told to stop."""
        return len(self._told_s)

    def longest_s(self) -> float:
        """Return for how many seconds the oldest of them goes on. 0 where there is none."""
        return self._clock() - min(self._told_s.copy().values(), default=self._clock())

    def wait(self, timeout_s: float) -> bool:
        """Wait until all of it has ended. Return whether it has. Blocking."""
        return not concurrent.futures.wait(list(self._told_s), timeout_s).not_done


OF_THIS_PROCESS = StoppedWork()
"""What all pools of threads of this process report to, and what its server looks at."""
