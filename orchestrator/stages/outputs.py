"""Where a session's things lie in the media store, under `sessions/<id>/`.

media/…                                    recordings (the gateway puts them there)
outputs/<place>/<stage>-<hash>.pb       a stage's output, whole. The hash covers input and settings
outputs/<place>/<stage>-<hash>.<digest>.json     how it came about, written before the output, by the output's
                                           digest. So each of two writers has its own
outputs/<place>/<stage>-<hash>.json     the same, of the first who wrote it, for the build before
result.json                                the result document
results/<version>.json                     the same judged again, from version 2 on
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from google.protobuf.message import Message

from chassis.errors import NotFoundError, PreconditionError
from chassis.store import MediaStore
from orchestrator.tombstones import Tombstones
from orchestrator.workflow import StageRecord

M = TypeVar("M", bound=Message)

HASH_CHARACTERS = 32
"""128 bits: no two inputs of one answer's stage ever share a name."""


FIRST_VERSION = 1
"""The session's own result. Later ones are judged by another rubric."""


def fingerprint(*parts: str | bytes) -> str:
    """Hash an input and its settings. Parts can't run into each other."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:HASH_CHARACTERS]


class SessionStore:
    """Stage outputs and results of sessions.

    Nothing is written for a session that was deleted, by whichever replica. What is on its way is removed.

    Args:
        media: The store that they lie in.
        tombstones: The marks of deleted sessions. None: those of the store.
    """

    def __init__(self, media: MediaStore, tombstones: Tombstones | None = None) -> None:
        self._media = media
        self._tombstones = tombstones or Tombstones(media)

    @staticmethod
    def output_key(session_id: str, place: int, stage: str, input_hash: str) -> str:
        """Return the key of a stage's output."""
        return f"sessions/{session_id}/outputs/{place}/{stage}-{input_hash}.pb"

    async def find(self, key: str) -> StageRecord | None:
        """Return how an output came about, or None where there is none."""
        try:
            output = await self._media.get_bytes(key)
        except NotFoundError:
            return None
        try:
            kept = await self._media.get_bytes(_record_key(key, output))
        except NotFoundError:  # The build before kept it under the output's name alone.
            kept = await self._media.get_bytes(_former_record_key(key))
        return StageRecord.from_json(json.loads(kept))

    async def save(self, key: str, output: Message, record: StageRecord) -> None:
        """Keep an output and how it came about. The output's presence vouches for both.

        What is there stays: a replica that was taken for dead may end its call after its successor did. The
        record that stays is that of the output that stays.

        Raises:
            PreconditionError: The session was deleted (`SESSION_DELETED`).
        """
        async with self._unless_deleted(_session_of(key)):
            if await self._media.exists(key):
                return
            data, kept = output.SerializeToString(deterministic=True), json.dumps(record.to_json()).encode()
            # Once: a replica that was frozen in the middle, and thaws, changes nothing that others have read.
            for record_key in (_record_key(key, data), _former_record_key(key)):
                await self._media.put_bytes_once(record_key, kept)
            if not await self._media.put_bytes_once(key, data):
                await self._media.delete(_record_key(key, data))

    async def save_once(self, key: str, output: Message, record: StageRecord, _remaining_s: float) -> None:
        """Save as one attempt of several. See `chassis.client.retrying`."""
        await self.save(key, output, record)

    async def load(self, key: str, message_class: type[M]) -> M:
        """Read an output.

        Raises:
            NotFoundError: There is none (`OBJECT_NOT_FOUND`).
        """
        return message_class.FromString(await self._media.get_bytes(key))

    async def remove(self, key: str) -> None:
        """Remove an output that can't be used."""
        await self._media.delete(key)

    async def save_result(self, session_id: str, document: bytes, version_id: int = FIRST_VERSION) -> None:
        """Write a version of the result document. A reader sees the old one, or the new one whole.

        Of two that write the first one at the same moment, one wins. Only a later run replaces it.

        Raises:
            PreconditionError: The session was deleted (`SESSION_DELETED`).
        """
        async with self._unless_deleted(session_id):
            key = _result_key(session_id, version_id)
            if await self._media.exists(key):
                await self._media.put_bytes(key, document)
            else:
                await self._media.put_bytes_once(key, document)

    async def load_result(self, session_id: str, version_id: int = FIRST_VERSION) -> bytes:
        """Read a version of the result document.

        Raises:
            NotFoundError: It is gone (`RESULT_EXPIRED`).
        """
        try:
            return await self._media.get_bytes(_result_key(session_id, version_id))
        except NotFoundError as error:
            raise NotFoundError(
                "The result was kept for a while and is gone. Submit the session again.",
                reason="RESULT_EXPIRED",
            ) from error

    async def delete_result(self, session_id: str) -> None:
        """Remove the result document, if there is one."""
        await self._media.delete(_result_key(session_id, FIRST_VERSION))

    @asynccontextmanager
    async def _unless_deleted(self, session_id: str) -> AsyncIterator[None]:
        """Write in the block, unless the session was deleted.

        The deletion marks it before it looks for what is to be removed. So what was written before the mark
        is found by the deletion, and what comes after it is found here, as are sound and recordings that the
        stage left before its output.
        """
        try:
            await self._tombstones.check_none(session_id)
            yield
            await self._tombstones.check_none(session_id)
        except PreconditionError:
            await self._media.delete_prefix(session_prefix(session_id))
            raise


def session_prefix(session_id: str) -> str:
    """Return the folder of all that belongs to a session."""
    return f"sessions/{session_id}"


def _session_of(key: str) -> str:
    return key.split("/")[1]


def _record_key(key: str, output: bytes) -> str:
    digest = hashlib.sha256(output).hexdigest()[:HASH_CHARACTERS]
    return f"{key.removesuffix('.pb')}.{digest}.json"


def _former_record_key(key: str) -> str:
    return key.removesuffix(".pb") + ".json"


def _result_key(session_id: str, version_id: int) -> str:
    name = "result" if version_id == FIRST_VERSION else f"results/{version_id}"
    return f"sessions/{session_id}/{name}.json"
