"""Decodes recordings in child processes: no decoder of pictures or sound runs in a stage itself.

Recordings are hostile input, and decoders have faults. A child has limits of memory, time, files and sizes
(`child_limits.py`). It dies alone: the recording is refused, and other calls go on. What it decodes is
handed over in shared memory, a few pieces ahead, so that decoding and inference overlap as two threads would.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import select
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Protocol, cast

import chassis
from chassis.decoding.child_limits import DEATH_SIGNALS, ONE_THREAD, ChildLimits
from chassis.decoding.decoder_refusals import failed, refusal, too_complex
from chassis.decoding.sealed_memory import sealed_memory
from chassis.errors import CancelledCallError, InvalidInputError, UnavailableError
from chassis.growing import is_growing

CHILD = Path(__file__).with_name("decoder_child.py")
IMPORT_FOLDER = Path(chassis.__file__).resolve().parents[1]
SLOT_COUNT = 6
"""Pieces between child and reader: enough to keep both busy."""
STALL_TIMEOUT_S = 60.0
"""A child that has a free slot says something every second. One that says nothing for so long hangs."""
STOP_POLL_S = 0.1
END_TIMEOUT_S = 2.0
MAX_CHILD_COUNT = 2
MAX_GROWING_COUNT = 4
"""Children that mostly wait for the rest of their recordings. They hold up no others."""
MAX_LINE_BYTES = 8 << 20
"""The longest message has the places of a picture that stands still thousands of times."""
READ_BYTES = 1 << 16
ENVIRONMENT = ONE_THREAD | {"MALLOC_ARENA_MAX": "2"}
"""Arenas of memory reserve address space as threads do."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One message of a decoder."""

    values: Mapping[str, Any]
    """What it says. It comes from a process that reads hostile files: check it."""
    payload: bytearray
    """Pixels or samples. Empty for a message without."""


class Decoder(Protocol):
    """Turns recordings into pieces."""

    def open(
        self, recording: Path, options: Mapping[str, Any], stop: threading.Event
    ) -> AbstractContextManager[Iterator[Piece]]:
        """Begin with a recording. Leaving the block ends the work.

        Args:
            recording: The file.
            options: What the decoding function is told.
            stop: Set when the caller gave up.

        Raises (also while pieces are taken):
            InvalidInputError: The recording can't be decoded or costs too much (`MEDIA_…`).
            CancelledCallError: `stop` was set (`CANCELLED`).
            UnavailableError: No child can be started (`UNAVAILABLE`).
        """
        ...


class ChildDecoder:
    """Runs a function of ours in a child process for each recording.

    Args:
        function: What decodes, as `package.module:name`. It gets a path and options, and yields values and an
            array or None. See `decoder_child.Produce`.
        slot_bytes: Largest array.
        limits: What one recording may cost.
        keeps_spare: Whether a child waits for the next recording, so that it needs no time to start.
        stall_timeout_s: How long a child may say nothing.
        max_child_count: Children at work at once. One more recording waits: together they would take more
            memory than the stage has.
        max_growing_count: Children at work on recordings that still grow, besides.
    """

    def __init__(
        self,
        function: str,
        slot_bytes: int,
        limits: ChildLimits,
        *,
        keeps_spare: bool = False,
        stall_timeout_s: float = STALL_TIMEOUT_S,
        max_child_count: int = MAX_CHILD_COUNT,
        max_growing_count: int = MAX_GROWING_COUNT,
    ) -> None:
        self._function = function
        self._slot_bytes = slot_bytes
        self._limits = limits
        self._keeps_spare = keeps_spare
        self._stall_timeout_s = stall_timeout_s
        self._spare: _Child | None = None
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(max_child_count)
        self._growing_places = threading.BoundedSemaphore(max_growing_count)
        self._prepare()

    @contextmanager
    def open(
        self, recording: Path, options: Mapping[str, Any], stop: threading.Event
    ) -> Iterator[Iterator[Piece]]:
        """See `Decoder`."""
        while not (places := self._places_for(recording)).acquire(timeout=STOP_POLL_S):
            _check(stop)
        try:
            with self._at_work() as child:
                child.begin({"recording": str(recording), "options": dict(options)})
                yield child.pieces(stop, self._stall_timeout_s)
        finally:
            places.release()

    def _places_for(self, recording: Path) -> threading.BoundedSemaphore:
        return self._growing_places if is_growing(recording) else self._places

    @contextmanager
    def _at_work(self) -> Iterator[_Child]:
        child = self._take()
        try:
            yield child
        finally:
            child.close()
            self._prepare()

    def close(self) -> None:
        """End the child that waits."""
        with self._lock:
            spare, self._spare, self._keeps_spare = self._spare, None, False
        if spare is not None:
            spare.close()

    def _take(self) -> _Child:
        with self._lock:
            spare, self._spare = self._spare, None
        if spare is not None and spare.is_alive:
            return spare
        if spare is not None:
            spare.close()
        return _Child(self._function, self._slot_bytes, self._limits)

    def _prepare(self) -> None:
        with self._lock, contextlib.suppress(UnavailableError):
            if self._keeps_spare and self._spare is None:
                self._spare = _Child(self._function, self._slot_bytes, self._limits)


class _Child:
    """One child process, for one recording."""

    def __init__(self, function: str, slot_bytes: int, limits: ChildLimits) -> None:
        self._slot_bytes = slot_bytes
        self._received = bytearray()
        module, _, name = function.partition(":")
        memory_fd = sealed_memory(slot_bytes * SLOT_COUNT)
        try:
            self._memory = mmap.mmap(memory_fd, slot_bytes * SLOT_COUNT, prot=mmap.PROT_READ)
            plan = {
                "import_folder": str(IMPORT_FOLDER),
                "module": module,
                "function": name,
                "limits": asdict(limits),
                "slot_count": SLOT_COUNT,
                "slot_bytes": slot_bytes,
                "memory_fd": memory_fd,
            }
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-B", str(CHILD), json.dumps(plan)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # FFmpeg's messages hold the file's own text: nothing of it belongs in a log.
                stderr=subprocess.DEVNULL,
                env=ENVIRONMENT | {n: v for n, v in os.environ.items() if n == "LD_LIBRARY_PATH"},
                pass_fds=(memory_fd,),
                bufsize=0,
            )
        except OSError as error:
            raise UnavailableError(
                "No process for decoding can be started right now. Try again later.", reason="UNAVAILABLE"
            ) from error
        finally:
            os.close(memory_fd)
        self._jobs, self._replies = (
            cast(IO[bytes], self._process.stdin),
            cast(IO[bytes], self._process.stdout),
        )
        self._end = weakref.finalize(self, _end, self._process, self._memory)
        self._readable = select.poll()
        self._readable.register(self._replies, select.POLLIN)

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def begin(self, job: Mapping[str, Any]) -> None:
        self._tell(json.dumps(job).encode() + b"\n")

    def pieces(self, stop: threading.Event, stall_timeout_s: float) -> Iterator[Piece]:
        while True:
            values = _parsed(self._line(stop, stall_timeout_s))
            if "error" in values:
                raise refusal(values)
            if values.get("end") is True:
                return
            payload = self._payload(values)
            if values or payload:
                yield Piece(values, payload)

    def close(self) -> None:
        """End the process, and wait until it has ended. Whoever forgets it ends it with the object."""
        self._end()

    def _tell(self, data: bytes) -> None:
        with contextlib.suppress(OSError):  # it is gone: reading tells why
            self._jobs.write(data)

    def _payload(self, values: dict[str, Any]) -> bytearray:
        slot, size_bytes = values.pop("slot", None), values.pop("bytes", 0)
        if slot is None:
            return bytearray()
        if slot not in range(SLOT_COUNT) or size_bytes not in range(self._slot_bytes + 1):
            raise failed()
        begin = slot * self._slot_bytes
        # A copy: what the child may still write to is not looked at.
        payload = bytearray(memoryview(self._memory)[begin : begin + size_bytes])
        self._tell(bytes([slot]))
        return payload

    def _line(self, stop: threading.Event, stall_timeout_s: float) -> bytes:
        end_s = time.monotonic() + stall_timeout_s
        while (length := self._received.find(b"\n")) < 0 or stop.is_set():
            _check(stop)
            if not self._readable.poll(STOP_POLL_S * 1000):
                if time.monotonic() > end_s:
                    raise too_complex()
                continue
            data = self._replies.read(READ_BYTES)
            if not data:
                raise self._death()
            self._received += data
            if len(self._received) > MAX_LINE_BYTES:
                raise failed()
        line = bytes(self._received[:length])
        del self._received[: length + 1]
        return line

    def _death(self) -> InvalidInputError:
        try:
            status = self._process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            return failed()
        return too_complex() if -status in DEATH_SIGNALS else failed()


def _end(process: subprocess.Popen[bytes], memory: mmap.mmap) -> None:
    jobs, replies = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
    with contextlib.suppress(OSError):
        jobs.close()
    if process.poll() is None:
        process.kill()
    process.wait()
    replies.close()
    memory.close()


def _check(stop: threading.Event) -> None:
    if stop.is_set():
        raise CancelledCallError("The caller gave up before the recording was done.", reason="CANCELLED")


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        values = json.loads(line)
    except ValueError:
        raise failed() from None
    if not isinstance(values, dict):
        raise failed()
    return values
