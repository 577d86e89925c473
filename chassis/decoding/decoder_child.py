"""The child's side of `chassis.decoding.decoder`: `python -I -B decoder_child.py PLAN`.

It limits itself, imports what decodes, and waits for a job on standard input. It answers with a line of JSON
a message. Pictures and sound go through slots of shared memory: a message names its slot, and one byte on
standard input says that a slot is free again. It ends when standard input does. `-B`, because what it imports
would be cached in files that are cut off at its limit, and that nobody could import any more.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import mmap
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

HEARTBEAT_S = 1.0
"""A file that has nothing to show for a while is still being read. Its reader is told so."""

COLLECT_EVERY = 8
"""Arrays between two searches for what only refers to itself. A frame of PyAV is such once its side data
was read. Left to Python, more than 100 of them lay there: 186 MiB of 720p."""

_PR_SET_PDEATHSIG = 1
"""From Linux' `prctl.h`."""

Produce = Callable[[Path, dict[str, Any], Callable[[], None]], Iterable[tuple[dict[str, Any], Any]]]
"""Turns a recording and options into messages: values, and an array or None. It calls the third argument
while there is nothing to say."""


class Channel:
    """What the child says, and the slots that it fills.

    Args:
        plan: Number and size of the slots, and where they are.
        replies: Receives the lines.
        freed: Gives one byte a slot that is free again.
    """

    def __init__(self, plan: dict[str, Any], replies: Any, freed: Any) -> None:
        self._slot_bytes = plan["slot_bytes"]
        self._memory = mmap.mmap(plan["memory_fd"], plan["slot_bytes"] * plan["slot_count"])
        self._free = list(range(plan["slot_count"]))
        self._replies = replies
        self._freed = freed
        self._array_count = 0
        self._told_s = time.monotonic()

    def send(self, values: dict[str, Any], array: Any = None) -> None:
        """Send one message. Waits for a free slot where it comes with an array."""
        if array is not None:
            self._array_count += 1
            if self._array_count % COLLECT_EVERY == 0:
                gc.collect()
            slot = self._fill(array)
            values = values | {"slot": slot, "bytes": array.nbytes}
        self._replies.write(json.dumps(values, allow_nan=False).encode() + b"\n")
        self._told_s = time.monotonic()

    def beat(self) -> None:
        """Say that work goes on, if nothing was said for a while."""
        if time.monotonic() - self._told_s >= HEARTBEAT_S:
            self.send({})

    def _fill(self, array: Any) -> int:
        import numpy as np

        if array.nbytes > self._slot_bytes:
            raise ValueError("the array is larger than a slot")
        if not self._free:
            byte = self._freed.read(1)
            if not byte:
                os._exit(0)  # nobody is there any more
            self._free.append(byte[0])
        slot = self._free.pop()
        place = np.frombuffer(self._memory, np.uint8, array.nbytes, slot * self._slot_bytes)
        np.copyto(place.view(array.dtype).reshape(array.shape), array)
        return slot


def answer(produce: Produce, job: dict[str, Any], channel: Channel) -> None:
    """Do a job, and say how it ended."""
    from chassis.errors import InterviewError

    try:
        for values, array in produce(Path(job["recording"]), job["options"], channel.beat):
            channel.send(values, array)
    except InterviewError as error:
        channel.send({"error": error.reason, "message": error.message})
    except (MemoryError, ImportError):  # a library that can't be loaded for want of memory is an ImportError
        channel.send({"error": "MEDIA_TOO_COMPLEX", "message": "Decoding needs too much memory."})
    else:
        channel.send({"end": True})


def be_ended_first() -> None:
    """Ask the kernel to end this process and not its parent where memory runs out."""
    try:
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    except OSError:  # not Linux, or not allowed
        return


def outlive_the_starting_thread() -> None:
    """Take back the kernel's promise to end us with the thread, not the process, that started us.

    The end of standard input ends us instead, and the limits do.
    """
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, 0, 0, 0, 0)
    except (OSError, AttributeError):  # not Linux
        return


def main() -> None:
    """Follow the plan in the first argument, for one job."""
    plan = json.loads(sys.argv[1])
    sys.path.insert(0, plan["import_folder"])  # an isolated Python knows no folder of ours
    replies = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a library prints is not a message
    be_ended_first()
    from chassis.decoding.child_limits import ChildLimits

    ChildLimits(**plan["limits"]).apply()
    outlive_the_starting_thread()
    produce = getattr(importlib.import_module(plan["module"]), plan["function"])
    gc.freeze()
    channel = Channel(plan, replies, sys.stdin.buffer)
    if line := sys.stdin.buffer.readline():
        answer(produce, json.loads(line), channel)


if __name__ == "__main__":
    main()
