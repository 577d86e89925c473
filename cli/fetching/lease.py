"""One loader at a time on a volume, also one that many machines share.

The lease is a file that its holder touches. It saves work and holds nothing else together: each loader writes
a file of its own, checks it, and renames it into its place. So two loaders that both believe in their lease,
which a file system without locks can bring about, both end with the right files.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

LEASE = ".loading"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class LeaseTimes:
    """How long a loader waits for another one, in seconds."""

    beat_s: float = 5.0
    """How often the holder touches its lease."""
    stale_after_s: float = 120.0
    """A holder whose lease has not been touched for so long is dead. NFS may show an old time for 60 s."""
    longest_wait_s: float = 3600.0
    """After this the files are loaded beside a living holder, which may be hanging."""
    poll_s: float = 0.5


@contextmanager
def lease(folder: Path, is_done: Callable[[], bool], times: LeaseTimes) -> Iterator[bool]:
    """Wait until this loader is the only one, or another one has done the work.

    Args:
        folder: The folder that is loaded into. It exists.
        is_done: Tells whether there is nothing to load any more.
        times: How long to wait.

    Yields:
        Whether the lease is held. Without it there may be a living loader, whose files are to be left alone.
    """
    path = folder / LEASE
    handle = _wait(path, is_done, times)
    if handle is None:
        yield False
        return
    stop = threading.Event()
    beating = threading.Thread(target=_beat, args=(handle, times.beat_s, stop), daemon=True)
    beating.start()
    try:
        yield True
    finally:
        stop.set()
        beating.join()
        if _is_ours(path, handle):
            path.unlink(missing_ok=True)
        handle.close()


def _wait(path: Path, is_done: Callable[[], bool], times: LeaseTimes) -> IO[str] | None:
    give_up_s = time.monotonic() + times.longest_wait_s
    seen, seen_s = "", time.monotonic()
    while (handle := _take(path)) is None:
        if is_done() or time.monotonic() > give_up_s:
            return None
        now = _sign_of_life(path)
        if now != seen:
            seen, seen_s = now, time.monotonic()
        # Only our own clock is asked: those of two machines, and of the file server, may differ.
        if now and (time.monotonic() - seen_s > times.stale_after_s or _died_here(path)):
            _break(path, now)
            continue
        time.sleep(times.poll_s)
    return handle


def _take(path: Path) -> IO[str] | None:
    try:
        handle = os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o644), "w+")
    except FileExistsError:
        return None
    with suppress(OSError):  # A file system without locks. Then a dead holder is told by its silence.
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    json.dump({"loader": secrets.token_hex(8), "boot": _boot_id()}, handle)
    handle.flush()
    return handle


def _beat(handle: IO[str], beat_s: float, stop: threading.Event) -> None:
    while not stop.wait(beat_s):
        with suppress(OSError):
            os.utime(handle.fileno())


def _sign_of_life(path: Path) -> str:
    """Return something that changes with each beat. Empty where there is no lease."""
    try:
        with path.open() as lease_file:  # To open it has NFS ask the server.
            return f"{os.fstat(lease_file.fileno()).st_mtime_ns} {lease_file.read()}"
    except OSError:
        return ""


def _died_here(path: Path) -> bool:
    """Tell whether a holder on this machine has died: the kernel has let go of its lock."""
    try:
        with path.open("r+") as lease_file:
            if json.load(lease_file)["boot"] != _boot_id():
                return False
            fcntl.flock(lease_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    except (OSError, ValueError, KeyError):  # Held, gone, or not written out yet.
        return False


def _break(path: Path, seen: str) -> None:
    """Remove a dead holder's lease. Of several that wait, one does so."""
    aside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with suppress(OSError):
        path.rename(aside)
        if _sign_of_life(aside) != seen:  # Another one broke it, and took a lease of its own meanwhile.
            with suppress(OSError):
                os.link(aside, path)
        aside.unlink()


def _is_ours(path: Path, handle: IO[str]) -> bool:
    with suppress(OSError):
        return os.path.samestat(path.stat(), os.fstat(handle.fileno()))
    return False


def _boot_id() -> str:
    with suppress(OSError):
        return BOOT_ID.read_text().strip()
    return secrets.token_hex(8)  # Nobody else's, so that nobody is taken for dead.
