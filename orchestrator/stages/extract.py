"""The stage `extract`: a recording → its sound and a probe, in a child process with limits.

Recordings are hostile input: no decoder runs in this process. See `decoding.py` for the other side.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import chassis
from chassis.decoding.child_limits import DEATH_SIGNALS, ONE_THREAD
from chassis.errors import InterviewError, InvalidInputError, NotFoundError
from chassis.full_disk import folder_full
from chassis.store import MediaStore
from interview.v1 import media_pb2, orchestrator_pb2
from orchestrator.settings import OrchestratorSettings
from orchestrator.stages.outputs import fingerprint
from orchestrator.stages.remote import Limits
from orchestrator.stages.stage import Call, Defaults, OnProgress, Service, Stage, Task, Upstream
from orchestrator.stages.work_folder import has_room, work_folder
from orchestrator.workflow import EXTRACT

DECODER = Path(__file__).with_name("decoding.py")
IMPORT_FOLDER = Path(chassis.__file__).resolve().parents[1]
FACTS = ("clock_offset_s", "sound_codec", "picture_codec", "sound_track_count", "picture_track_count")
HASH_BLOCK_BYTES = 1 << 20
MAX_CPU_S = 600
"""An hour of 720p takes about 20 CPU-seconds to demux and its sound 15 to decode. 4K some more."""
SOUND_BYTES_PER_S = 32_000
MAX_REPLY_BYTES = 1 << 20
"""The probe has a few hundred bytes, and each of its warnings as many."""


@dataclass(frozen=True)
class ExtractionLimits:
    """What one recording may cost."""

    max_media_bytes: int
    max_duration_s: float
    max_pixel_count: int
    max_track_count: int
    max_memory_bytes: int
    timeout_s: float

    @classmethod
    def of(cls, settings: OrchestratorSettings, timeout_s: float) -> ExtractionLimits:
        """Read them from the settings."""
        return cls(
            max_media_bytes=settings.max_media_bytes,
            max_duration_s=settings.max_duration_s,
            max_pixel_count=settings.max_pixel_count,
            max_track_count=settings.max_track_count,
            max_memory_bytes=settings.extract_max_memory_bytes,
            timeout_s=timeout_s,
        )


@dataclass(frozen=True)
class ExtractRequest:
    """Where the recording lies, and where its sound is to go."""

    media_key: str
    audio_key: str
    digest: str = ""
    """SHA-256 of the recording as it was received. Empty where it is not known."""


class Extract(Stage):
    """See `Stage`."""

    name = EXTRACT
    output_class = orchestrator_pb2.Extraction
    weight = 0.05
    defaults = Defaults(timeout_s=600.0)

    def connect(self, limits: Limits) -> Service:
        """See `Stage`. The work is done here, in a child process."""
        extractor = Extractor(self.parts.media, ExtractionLimits.of(self.parts.settings, self.timeout_s))

        async def extract(request: ExtractRequest, _: OnProgress) -> object:
            return await extractor.extract(request)

        return extract

    async def find_again(self) -> bool:
        """See `Stage`. It is away while its disk is full."""
        settings = self.parts.settings
        # The sound, and a copy of the recording where the store is elsewhere.
        sound_bytes = round(settings.max_duration_s) * SOUND_BYTES_PER_S
        return await asyncio.to_thread(has_room, None, settings.max_media_bytes + sound_bytes)

    async def call(self, task: Task, upstream: Upstream) -> Call:
        """See `Stage`."""
        recording = await upstream.recording(task.answer)
        input_hash = fingerprint(self.name, recording.uri, recording.digest, str(recording.media_bytes))
        request = ExtractRequest(
            media_key=self.parts.media.key(recording.uri),
            audio_key=f"sessions/{task.session.session_id}/outputs/{task.place}/{self.name}-{input_hash}.wav",
            digest=recording.digest,
        )
        return Call(input_hash, lambda on_progress: self.service(request, on_progress))


class Extractor:
    """Extracts the sound of recordings in the store, into the store.

    Args:
        store: Holds the recordings and takes the sound.
        limits: What one recording may cost.
        work_folder: Makes the folder that a recording is worked on in.
        decoder: The program that decodes, in a process of its own.
    """

    def __init__(
        self,
        store: MediaStore,
        limits: ExtractionLimits,
        work_folder: Callable[[], AbstractContextManager[Path]] = work_folder,
        decoder: Path = DECODER,
    ) -> None:
        self._store = store
        self._limits = limits
        self._work_folder = work_folder
        self._decoder = decoder

    async def extract(self, request: ExtractRequest) -> orchestrator_pb2.Extraction:
        """Extract one recording's sound and say what it is.

        Raises:
            InvalidInputError: `MEDIA_UNDECODABLE`, `MEDIA_TOO_LONG`, `MEDIA_TOO_COMPLEX`,
                `MEDIA_TOO_LARGE`, `MEDIA_TOO_SHORT`, `MEDIA_EMPTY`, `MEDIA_CHANGED`, `MEDIA_DECODER_FAILED`.
            NotFoundError: Nothing lies at the key (`MEDIA_NOT_FOUND`).
            UnavailableError: The disk for work is full (`WORK_FOLDER_FULL`).
        """
        with self._work_folder() as folder:
            async with self._local(request.media_key, folder) as source:
                media_digest = await asyncio.to_thread(_digest, source)
                _check_digest(media_digest, request.digest)
                wav = folder / "sound.wav"
                probe = await self._decode(source, wav)
            extraction = _to_message(probe)
            extraction.media_digest = media_digest
            extraction.media_bytes = await self._store.size_bytes(request.media_key) or 0
            if probe["sound"]:
                extraction.audio_digest = await asyncio.to_thread(_digest, wav)
                extraction.audio_key = request.audio_key
                await self._store.put_file(request.audio_key, wav)
        return extraction

    @asynccontextmanager
    async def _local(self, key: str, folder: Path) -> AsyncIterator[Path]:
        size_bytes = await self._store.size_bytes(key)
        if size_bytes is None:
            raise NotFoundError(
                "Nothing lies at the recording's URI. Store the recording again.", reason="MEDIA_NOT_FOUND"
            )
        if size_bytes == 0:
            raise InvalidInputError("The recording is empty. Send its bytes.", reason="MEDIA_EMPTY")
        if size_bytes > self._limits.max_media_bytes:
            raise InvalidInputError(
                f"The recording has more than {self._limits.max_media_bytes:,} bytes. Send a smaller one.",
                reason="MEDIA_TOO_LARGE",
            )
        if (local := self._store.local_path(key)) is not None:
            yield local
            return
        copy = folder / "recording"
        await self._store.get_file(key, copy, max_bytes=self._limits.max_media_bytes)
        yield copy
        copy.unlink()

    async def _decode(self, source: Path, wav: Path) -> dict[str, Any]:
        job = {
            "import_folder": str(IMPORT_FOLDER),
            "source": str(source),
            "wav": str(wav),
            "max_duration_s": self._limits.max_duration_s,
            "max_pixel_count": self._limits.max_pixel_count,
            "max_track_count": self._limits.max_track_count,
            "max_memory_bytes": self._limits.max_memory_bytes,
            "max_cpu_s": min(MAX_CPU_S, self._limits.timeout_s),
            "parent_pid": os.getpid(),
        }
        starting = asyncio.ensure_future(
            asyncio.create_subprocess_exec(
                # -B: what a limit cuts off of a cached module breaks every later import of it.
                *(sys.executable, "-I", "-B", str(self._decoder), json.dumps(job)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                # FFmpeg's messages hold the file's own text: nothing of it belongs in a log.
                stderr=asyncio.subprocess.DEVNULL,
                env=ONE_THREAD,
            )
        )
        try:
            async with asyncio.timeout(self._limits.timeout_s):
                # Shielded: a start that is cancelled halfway leaves its pipe open.
                reply = await _bounded(await asyncio.shield(starting))
        except TimeoutError:
            raise _too_complex() from None
        finally:
            # Goes on to its end, also where this is cancelled once more.
            await asyncio.shield(_ended(starting))
        return _parse(reply, starting.result().returncode)


async def _ended(starting: asyncio.Future[asyncio.subprocess.Process]) -> None:
    """Wait until a child and its pipe have ended, and have it end where it has not."""
    child = await starting
    if child.returncode is None:
        child.kill()
        await child.communicate()


async def _bounded(child: asyncio.subprocess.Process) -> bytes:
    """Return what a child wrote when it ended. One that writes too much did not do its job."""
    reply = b""
    while child.stdout is not None and (block := await child.stdout.read(HASH_BLOCK_BYTES)):
        reply += block
        if len(reply) > MAX_REPLY_BYTES:
            raise _decoder_failed()
    await child.wait()
    return reply


def _parse(reply: bytes, exit_code: int | None) -> dict[str, Any]:
    if exit_code is not None and -exit_code in DEATH_SIGNALS:
        raise _too_complex()
    if exit_code != 0:
        raise _decoder_failed()
    try:
        answer = json.loads(reply)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise _decoder_failed()
    if answer.get("error") == "WORK_FOLDER_FULL":
        raise folder_full()
    if "error" in answer:
        raise InvalidInputError(answer["message"], reason=answer["error"])
    return answer


def _too_complex() -> InterviewError:
    return InvalidInputError(
        "Decoding the recording takes more time or memory than is allowed. Send a plainer file.",
        reason="MEDIA_TOO_COMPLEX",
    )


def _decoder_failed() -> InterviewError:
    return InvalidInputError(
        "The decoder failed on this recording. Export it again as MP4 (H.264 and AAC) and send that.",
        reason="MEDIA_DECODER_FAILED",
    )


def _check_digest(found: str, received: str) -> None:
    if received and found != received.lower():
        raise InvalidInputError(
            "The recording in the store is not the one that was received. Upload it again.",
            reason="MEDIA_CHANGED",
        )


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(HASH_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _to_message(probe: dict[str, Any]) -> orchestrator_pb2.Extraction:
    extraction = orchestrator_pb2.Extraction(
        outcome=media_pb2.OUTCOME_OK,
        duration_s=probe["duration_s"],
        track_count=probe["track_count"],
        container=probe["container"],
        recording_warnings=[media_pb2.RecordingWarning(**one) for one in probe["recording_warnings"]],
        **{name: probe[name] for name in FACTS},
    )
    if probe["sound"]:
        extraction.sound.CopyFrom(orchestrator_pb2.SoundTrack(**probe["sound"]))
    else:
        extraction.outcome = media_pb2.OUTCOME_NO_AUDIO
    if probe["picture"]:
        extraction.picture.CopyFrom(orchestrator_pb2.PictureTrack(**probe["picture"]))
    else:
        extraction.outcome = media_pb2.OUTCOME_NO_VIDEO
    return extraction
