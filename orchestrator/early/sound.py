"""The sound of a recording that is still arriving: a child process decodes it, a local file takes it.

The file has the samples only. Who listens gets a WAV header first that says "to the end of the stream". The
digest is that of the WAV which `extract` makes of the same sound, so both can be compared.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import struct
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from chassis.decoding.child_limits import ONE_THREAD
from orchestrator.stages.decoding import BYTES_PER_SAMPLE, SAMPLE_RATE_HZ
from orchestrator.stages.extract import IMPORT_FOLDER, MAX_CPU_S, ExtractionLimits

DECODER = Path(__file__).with_name("decoding.py")
CHUNK_BYTES = 1 << 18
BLOCK_BYTES = 1 << 16
UNKNOWN_BYTES = 0xFFFFFFFF
"""Size in a header whose end is not known yet."""
HEADER_BYTES = 44


class SoundLostError(Exception):
    """The sound can't be decoded while its recording arrives. Perhaps it can afterwards."""


def wav_header(sample_bytes: int | None) -> bytes:
    """Return the header of plain sound: mono, 16 bit, 16 kHz. None: until the end of the stream."""
    riff_bytes = UNKNOWN_BYTES if sample_bytes is None else sample_bytes + HEADER_BYTES - 8
    data_bytes = UNKNOWN_BYTES if sample_bytes is None else sample_bytes
    rate, width = SAMPLE_RATE_HZ, BYTES_PER_SAMPLE
    form = struct.pack("<IHHIIHH", 16, 1, 1, rate, rate * width, width, 8 * width)
    return struct.pack("<4sI4s4s", b"RIFF", riff_bytes, b"WAVE", b"fmt ") + form + _data(data_bytes)


def _data(data_bytes: int) -> bytes:
    return struct.pack("<4sI", b"data", data_bytes)


class GrowingSound:
    """A file of samples that grows, one that writes, and several that read.

    Args:
        path: The file.
        max_bytes: Most of it.
        on_lost: Is told that it will not come to its end.
    """

    def __init__(self, path: Path, max_bytes: int, on_lost: Callable[[], None]) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._on_lost = on_lost
        self._changed = asyncio.Condition()
        self._ended = self._lost = False
        self.size_bytes = 0
        path.touch()

    async def append(self, samples: bytes) -> None:
        """Write the next samples.

        Raises:
            SoundLostError: It is too long.
        """
        if self.size_bytes + len(samples) > self._max_bytes:
            raise SoundLostError
        await asyncio.to_thread(_append, self._path, samples)
        self.size_bytes += len(samples)
        await self._tell()

    async def end(self, *, lost: bool = False) -> None:
        """Say that no more comes, because that is all or because it is lost."""
        self._ended, self._lost = True, lost
        if lost:
            self._on_lost()
        await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def is_there(self) -> bool:
        """Wait for the first sample. False where none comes."""
        return await self._past(0)

    async def _past(self, size_bytes: int) -> bool:
        async with self._changed:
            await self._changed.wait_for(lambda: self._ended or self.size_bytes > size_bytes)
        return self.size_bytes > size_bytes and not self._lost

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the sound from its beginning on, as a WAV, whole samples a chunk. Lost, it never ends."""
        yield wav_header(None)
        sent_bytes = 0
        while await self._past(sent_bytes):
            whole_bytes = (self.size_bytes - sent_bytes) // BYTES_PER_SAMPLE * BYTES_PER_SAMPLE
            if not whole_bytes:  # Half a sample. The other half comes with the next block.
                await asyncio.sleep(0.01)
                continue
            chunk = await asyncio.to_thread(_read, self._path, sent_bytes, min(whole_bytes, CHUNK_BYTES))
            sent_bytes += len(chunk)
            yield chunk
        if self._lost:
            # To end here would say that this was all. The call is cancelled by whoever lost it.
            await asyncio.Event().wait()

    async def digest(self) -> str:
        """Wait for the end, and return the SHA-256 of the WAV in lower-case hex.

        Raises:
            SoundLostError: It will not come, or there is no sound.
        """
        async with self._changed:
            await self._changed.wait_for(lambda: self._ended)
        if self._lost or not self.size_bytes:
            raise SoundLostError
        return await asyncio.to_thread(_digest, self._path, self.size_bytes)


class SoundDecoder:
    """Decodes one recording, in a child process with limits.

    Args:
        limits: What it may cost.
        sound: Takes the samples.
        program: What decodes.
    """

    def __init__(self, limits: ExtractionLimits, sound: GrowingSound, program: Path = DECODER) -> None:
        self._limits = limits
        self._sound = sound
        self._program = program

    async def run(self, parts: AsyncIterator[bytes]) -> None:
        """Decode, and tell the sound how it ends. The parts are read to their end whatever becomes of it.

        Raises:
            Exception: What the parts raise.
        """
        starting = asyncio.ensure_future(self._start())
        lost = True
        try:
            # Shielded: a start that is cancelled halfway leaves its pipes open.
            child = await asyncio.shield(starting)
            taking = asyncio.create_task(self._take(child))
            try:
                await _feed(child, parts)
                lost = not await taking
            finally:
                taking.cancel()
                await asyncio.wait({taking})
        finally:
            # Goes on to its end, also where this is cancelled once more.
            await asyncio.shield(_ended(starting))
            await self._sound.end(lost=lost)

    async def _take(self, child: asyncio.subprocess.Process) -> bool:
        """Take the samples. Returns whether they are all that there are."""
        assert child.stdout is not None  # noqa: S101 - it is a pipe
        try:
            while block := await child.stdout.read(BLOCK_BYTES):
                await self._sound.append(block)
        except (OSError, SoundLostError):  # The disk is full, or the child does not keep to its limit.
            child.kill()
            await self._sound.end(lost=True)
            return False
        whole = await child.wait() == 0
        if not whole:
            await self._sound.end(lost=True)
        return whole

    async def _start(self) -> asyncio.subprocess.Process:
        job = {
            "import_folder": str(IMPORT_FOLDER),
            "max_duration_s": self._limits.max_duration_s,
            "max_pixel_count": self._limits.max_pixel_count,
            "max_track_count": self._limits.max_track_count,
            "max_memory_bytes": self._limits.max_memory_bytes,
            "max_cpu_s": min(MAX_CPU_S, self._limits.timeout_s),
            "parent_pid": os.getpid(),
        }
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-B", str(self._program), json.dumps(job)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            # FFmpeg's messages hold the file's own text: nothing of it belongs in a log.
            stderr=asyncio.subprocess.DEVNULL,
            env=ONE_THREAD,
        )


async def _feed(child: asyncio.subprocess.Process, parts: AsyncIterator[bytes]) -> None:
    """Hand the recording to the child as long as it listens."""
    assert child.stdin is not None  # noqa: S101 - it is a pipe
    async for part in parts:
        with contextlib.suppress(OSError, RuntimeError):  # It has ended: who takes its samples says how.
            child.stdin.write(part)
            await child.stdin.drain()
    child.stdin.close()


async def _ended(starting: asyncio.Future[asyncio.subprocess.Process]) -> None:
    """Wait until a child and its pipes have ended, and have it end where it has not."""
    child = await starting
    if child.returncode is None:
        child.kill()
    if child.stdin is not None:
        child.stdin.close()
    await child.communicate()


def _append(path: Path, samples: bytes) -> None:
    with path.open("ab") as file:
        file.write(samples)


def _read(path: Path, begin: int, size_bytes: int) -> bytes:
    with path.open("rb") as file:
        file.seek(begin)
        return file.read(size_bytes)


def _digest(path: Path, size_bytes: int) -> str:
    digest: Any = hashlib.sha256(wav_header(size_bytes))
    with path.open("rb") as file:
        while block := file.read(CHUNK_BYTES):
            digest.update(block)
    return str(digest.hexdigest())
