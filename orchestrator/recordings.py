"""Takes in recordings of sessions that are still to be created, for callers who can't write to the store.

They lie where the gateway puts its own. The sweep removes those whose session is never created (`sweeping`).
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath

import anyio.to_thread

from chassis.containers import (
    ALLOWED_EXTENSIONS,
    MIN_SNIFF_BYTES,
    SNIFF_BYTES,
    sniff_extension,
    storage_extension,
)
from chassis.errors import InterviewError, InvalidInputError, PreconditionError
from chassis.limits import MAX_ANSWER_COUNT, MAX_NAME_CHARACTERS
from chassis.media import MediaInbox
from chassis.models import sha256_of
from chassis.store import MediaStore
from interview.v1 import orchestrator_pb2
from orchestrator.admission import check_session_id
from orchestrator.tombstones import Tombstones

MAX_UPLOAD_COUNT = 4
"""Recordings that arrive at once on this replica. Each is spooled to its disk."""


class Recordings:
    """Stores recordings that are sent in chunks.

    Args:
        inbox: Receives the bytes.
        media: The store.
        find_session: Returns the session of an id, or None where there is none.
        tombstones: The marks of deleted sessions. None: those of the store.
    """

    def __init__(
        self,
        inbox: MediaInbox,
        media: MediaStore,
        find_session: Callable[[str], Awaitable[object | None]],
        tombstones: Tombstones | None = None,
    ) -> None:
        self._inbox = inbox
        self._media = media
        self._find_session = find_session
        self._tombstones = tombstones or Tombstones(media)
        self._arriving: set[tuple[str, int]] = set()

    async def take_in(
        self, requests: AsyncIterator[orchestrator_pb2.UploadRecordingRequest]
    ) -> orchestrator_pb2.UploadRecordingResponse:
        """Receive a recording and store it. Whatever fails, nothing of it stays.

        Raises:
            InvalidInputError: `SESSION_ID_INVALID`, `RECORDING_INVALID`, `NOT_A_VIDEO`, or what
                `MediaInbox` raises.
            PreconditionError: The session exists (`SESSION_EXISTS`) or was deleted (`SESSION_DELETED`), or
                another recording has its position (`RECORDING_EXISTS`).
        """
        with ExitStack() as held:

            async def check(config: orchestrator_pb2.UploadRecordingConfig) -> None:
                _check_config(config)
                held.enter_context(self._only_one(config.session_id, config.position))
                await self._check_no_session(config.session_id)

            async with self._inbox.receive_chunks(requests, check=check, check_head=_check_container) as (
                config,
                recording,
            ):
                return await self._store(config, recording)

    async def _store(
        self, config: orchestrator_pb2.UploadRecordingConfig, recording: Path
    ) -> orchestrator_pb2.UploadRecordingResponse:
        digest = await anyio.to_thread.run_sync(sha256_of, recording)
        key = await self._stored_key(config.session_id, config.position)
        if key is None:
            extension = await anyio.to_thread.run_sync(_extension, config.file_name, recording)
            key = recording_key(config.session_id, config.position, extension)
            await self._check_no_session(config.session_id)  # The upload took a while.
            await self._put(config.session_id, key, recording)
        elif await self._digest_of(key) != digest:
            raise _taken("has a recording already")
        return orchestrator_pb2.UploadRecordingResponse(
            uri=self._media.uri(key), digest=digest, media_bytes=await self._media.size_bytes(key)
        )

    async def _put(self, session_id: str, key: str, recording: Path) -> None:
        """Write the recording whole, or leave nothing, however the call ends."""
        writing = asyncio.ensure_future(self._media.put_file(key, recording))
        try:
            await asyncio.shield(writing)
            await self._tombstones.check_none(session_id)
        except BaseException:
            # A write that was begun goes on behind a cancelled call: it must end before it is undone.
            await asyncio.wait([writing])
            with contextlib.suppress(InterviewError):
                await self._media.delete(key)
            raise

    async def _stored_key(self, session_id: str, position: int) -> str | None:
        """Return the key of the recording at a position, whatever its container."""
        for item in await self._media.list(recording_prefix(session_id)):
            if PurePosixPath(item.key).stem == str(position):
                return item.key
        return None

    async def _digest_of(self, key: str) -> str:
        digest = hashlib.sha256()
        async for block in self._media.read_range(key, 0, await self._media.size_bytes(key) or 0):
            digest.update(block)
        return digest.hexdigest()

    async def _check_no_session(self, session_id: str) -> None:
        await self._tombstones.check_none(session_id)
        if await self._find_session(session_id) is not None:
            raise PreconditionError(
                "There is a session with this id already. Choose another id for a new one.",
                reason="SESSION_EXISTS",
            )

    @contextmanager
    def _only_one(self, session_id: str, position: int) -> Iterator[None]:
        place = (session_id, position)
        if place in self._arriving:
            raise _taken("is being uploaded already")
        self._arriving.add(place)
        try:
            yield
        finally:
            self._arriving.discard(place)


def recording_prefix(session_id: str) -> str:
    """Return the store's folder of a session's recordings."""
    return f"sessions/{session_id}/media"


def recording_key(session_id: str, position: int, extension: str) -> str:
    """Return the store's key of a recording. `extension` begins with a dot."""
    return f"{recording_prefix(session_id)}/{position}{extension}"


def _check_config(config: orchestrator_pb2.UploadRecordingConfig) -> None:
    check_session_id(config.session_id)
    wrong = {}
    if not 1 <= config.position <= MAX_ANSWER_COUNT:
        wrong["position"] = f"1 to {MAX_ANSWER_COUNT}"
    if len(config.file_name) > MAX_NAME_CHARACTERS:
        wrong["file_name"] = f"at most {MAX_NAME_CHARACTERS} characters"
    if wrong:
        rules = "; ".join(f"{name}: {rule}" for name, rule in wrong.items())
        raise InvalidInputError(
            f"The recording can't be taken. Correct {rules}.", reason="RECORDING_INVALID", fields=wrong
        )


async def _check_container(head: bytes) -> None:
    if len(head) < MIN_SNIFF_BYTES or sniff_extension(head) is None:
        raise InvalidInputError(
            "These bytes are not a video, whatever the file's name says. Send MP4, MOV, AVI, MKV or WebM.",
            reason="NOT_A_VIDEO",
        )


def _extension(file_name: str, recording: Path) -> str:
    with recording.open("rb") as file:
        sniffed = sniff_extension(file.read(SNIFF_BYTES))
    assert sniffed is not None, "the head was checked"  # noqa: S101
    claimed = PurePosixPath(file_name).suffix.lower()
    return storage_extension(claimed, sniffed) if claimed in ALLOWED_EXTENSIONS else sniffed


def _taken(why: str) -> PreconditionError:
    return PreconditionError(
        f"This position of the session {why}. Choose another position, or another session id.",
        reason="RECORDING_EXISTS",
    )
