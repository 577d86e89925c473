"""What a process does that is told to stop while it still loads: it ends at once, since it has no work yet.

The first process of a container needs this. The kernel drops SIGTERM for such a one until it has a handler,
and the container would take its whole grace period. So every `__main__` calls this before its imports,
which take seconds. This module imports next to nothing.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

LOADED_NOTHING = 0
"""A process that would have served ends well: nobody has waited for it."""
LEFT_UNDONE = 128 + signal.SIGTERM
"""Of a command that was to do something. Shells give this status for one that SIGTERM ended."""

_last_words: list[Callable[[], None]] = []


def end_at_once_if_stopped(status: int = LOADED_NOTHING) -> None:
    """Let SIGTERM end this process at once, until another handler takes its place.

    To be called in the main thread. Python runs a handler between two steps of the main thread, and native
    code that loads a model may take a minute over one step. So a thread of its own ends the process too.

    Args:
        status: What the process ends with.
    """

    def end(_: int, __: FrameType | None) -> NoReturn:
        _end(status)

    read_fd, write_fd = os.pipe()
    os.set_blocking(write_fd, False)
    signal.signal(signal.SIGTERM, end)
    signal.set_wakeup_fd(write_fd, warn_on_full_buffer=False)

    def watch() -> None:
        while True:
            numbers = os.read(read_fd, 64)
            # Who serves has a handler of its own, and does not always take the pipe along with it.
            if signal.SIGTERM in numbers and signal.getsignal(signal.SIGTERM) is end:
                _end(status)

    threading.Thread(target=watch, name="early-stop", daemon=True).start()


def before_an_early_end(say: Callable[[], None]) -> None:
    """Have something done before this process ends early, which runs nothing that `atexit` knows.

    Args:
        say: Is quick and raises nothing. It runs in any thread.
    """
    _last_words.append(say)


def _end(status: int) -> NoReturn:
    for say in _last_words:
        say()
    os._exit(status)
