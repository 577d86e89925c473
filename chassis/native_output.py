"""Keeps the log in one form although native libraries write to standard error on their own.

MediaPipe, LiteRT and XNNPACK write lines to file descriptor 2, past Python's logging. The descriptor
becomes a pipe, and a small process turns its lines into JSON lines on the standard error that was there
before. A process and not a thread, for two reasons. It survives an abort, so the words before it are kept.
And native code that writes while it holds the interpreter's lock would wait for a thread without end once the
pipe is full.
"""

from __future__ import annotations

import atexit
import faulthandler
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Literal

from chassis.early_stop import before_an_early_end
from chassis.native_forwarder import CLEAN_END

logger = logging.getLogger(__name__)

NativeLog = Literal["errors", "all", "raw"]
"""Which lines are kept: `errors` leaves out those that say they are less, `all`, or `raw`: as they are."""

_FORWARDER = Path(__file__).with_name("native_forwarder.py")
_STANDARD_ERROR = 2
_UNHEARD = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals to the whole group must not end the forwarder before those whose last words it keeps."""


def forward_native_output(which: NativeLog, log_format: str, variable: str) -> None:
    """Let standard error pass through a forwarder from now on. Once a process, before threads.

    Where no forwarder can be started, standard error stays as it is, and the log says so.

    Args:
        which: Lines to keep. `raw` leaves standard error alone.
        log_format: `json` or `text`.
        variable: Name of the variable that sets `which`, for the hint in the log.
    """
    if which == "raw":
        return
    read_fd, write_fd = os.pipe()
    try:
        _start_forwarder(read_fd, [which, log_format, variable])
        os.dup2(write_fd, _STANDARD_ERROR)
    except OSError as error:
        logger.warning("lines of native libraries stay as they are", extra={"why": error.strerror})
        return
    finally:
        os.close(read_fd)
        os.close(write_fd)
    faulthandler.enable()  # a crash in native code then says where, through the same pipe
    atexit.register(_say_goodbye)
    before_an_early_end(_say_goodbye)


def _start_forwarder(read_fd: int, arguments: list[str]) -> None:
    # Isolated and without site packages, which is quick; without our environment, which holds keys.
    environment = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    os.posix_spawn(
        sys.executable,
        [sys.executable, "-I", "-S", str(_FORWARDER), *arguments],
        environment,
        # It writes to our standard error. It must not hold our standard output open after us.
        file_actions=[(os.POSIX_SPAWN_DUP2, read_fd, 0), (os.POSIX_SPAWN_DUP2, _STANDARD_ERROR, 1)],
        setsigmask=_UNHEARD,
    )


def _say_goodbye() -> None:
    try:
        os.write(_STANDARD_ERROR, b"\n" + CLEAN_END + b"\n")
    except OSError:
        return
