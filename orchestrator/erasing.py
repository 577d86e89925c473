"""Deletes a session for good: whichever replica works on it, and whether or not that one still lives.

First a mark is set (see `tombstones`). From then on every writer removes what it writes. Then the session is
stopped, what it left is listed, and all of it is removed, the engine's rows last: until they are gone, a
deletion that broke off can be asked for again. One that nobody asks for again is finished by `finish_begun`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import re
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from weakref import WeakValueDictionary

from chassis.errors import ForbiddenError, InterviewError, NotFoundError, UnavailableError
from chassis.models import sha256_of
from chassis.store import MediaStore, StoredObject
from chassis.store.arriving import arriving_prefix
from interview.v1 import orchestrator_pb2
from orchestrator.audit.log import Audit
from orchestrator.audit.records import BEGUN, OK, Action
from orchestrator.durable.engine import Engine
from orchestrator.sessions import SessionRow
from orchestrator.stages.outputs import session_prefix
from orchestrator.tombstones import Artifact, Receipt, Tombstones
from orchestrator.versions import VersionRow

logger = logging.getLogger(__name__)

SETTLE_TIMEOUT_S = 10.0
"""Steps see within a second that they are cancelled. A child process or a call takes some more to end."""
LOOK_AGAIN_S = (2.0, 10.0, 60.0)
"""When a deletion looks for what a step elsewhere wrote while it was stopping."""
OWNER_LOOKS_S = 2.5
"""Within this time another replica sees that its session is cancelled."""
KINDS: Sequence[tuple[re.Pattern[str], str]] = (
    (re.compile(r"media/"), "media"),
    (re.compile(r"outputs/.*\.wav"), "audio"),
    (re.compile(r"outputs/\d+/(transcribe|translate|assess)-"), "transcript"),
    (re.compile(r"outputs/"), "output"),
    (re.compile(r"results?[./]"), "result"),
)
"""What an object is, by its name below the session's folder. The first that fits counts."""


class Erasure:
    """Deletes sessions.

    Args:
        engine: Keeps them.
        media: Holds what belongs to them.
        tombstones: The marks of those that were deleted.
        audit: Writes down what is removed.
        settle_timeout_s: How long a deletion waits for steps of this process.
        look_again_s: When a deletion looks for what was written while steps were stopping.
    """

    def __init__(
        self,
        engine: Engine,
        media: MediaStore,
        tombstones: Tombstones,
        audit: Audit,
        *,
        settle_timeout_s: float = SETTLE_TIMEOUT_S,
        look_again_s: Sequence[float] = LOOK_AGAIN_S,
    ) -> None:
        self._engine = engine
        self._media = media
        self._tombstones = tombstones
        self._audit = audit
        self._settle_timeout_s = settle_timeout_s
        self._look_again_s = look_again_s
        self._looking: dict[str, asyncio.Task[None]] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def delete(self, row: SessionRow) -> Receipt:
        """Delete a session, and return what was removed.

        Raises:
            UnavailableError: A stage of it still runs in this process (`SESSION_STOPPING`). The deletion has
                begun. It goes on by itself.
        """
        async with self._turn(row.request.session_id):
            return await self._delete(row)

    def _turn(self, session_id: str) -> asyncio.Lock:
        """Return what one at a time holds. A session that two remove at once would be written down twice."""
        return self._turns.setdefault(session_id, asyncio.Lock())

    async def _delete(self, row: SessionRow) -> Receipt:
        session_id = row.request.session_id
        versions = await self._engine.versions(session_id)
        receipt = await self._tombstones.receipt(session_id)
        if receipt is None:
            # Listed before the mark: from then on, a writer that comes too late removes all that there is.
            found = [*await self._tombstones.expired(session_id), *await self._inventory(row)]
            receipt = Receipt(tuple(found), time.time())
            await self._audit.append(Action.DELETE, session_id, BEGUN)
            await self._tombstones.begin(session_id, receipt)
        self._look_again(session_id)
        await self._stop(row, versions)
        if not await self._engine.settled(session_id, self._settle_timeout_s):
            raise UnavailableError(
                "The session's stages are still stopping. It is deleted when they have ended: "
                "ask again in some seconds.",
                reason="SESSION_STOPPING",
                retry_after_s=SETTLE_TIMEOUT_S,
            )
        found = [*_kept_by_engine(versions), *await self._inventory(row)]
        receipt = replace(receipt, artifacts=_together(receipt.artifacts, found))
        await self._tombstones.note(session_id, receipt)
        await self._remove(session_id)
        logger.info("session is deleted", extra={"artifact_count": len(receipt.artifacts)})
        return receipt

    async def expire(self, row: SessionRow, kinds: Collection[str]) -> int:
        """Remove what a session has of some kinds, note it, and return how many things that were."""
        session_id = row.request.session_id
        found = [artifact for artifact in await self._inventory(row) if artifact.kind in kinds]
        if found:
            together = _together(await self._tombstones.expired(session_id), found)
            receipt = Receipt(together, time.time())
            counts = Counter(f"{artifact.kind}_count" for artifact in found)
            async with self._audit.change(Action.EXPIRE, session_id, receipt_digest=receipt.digest, **counts):
                await self._tombstones.note_expired(session_id, receipt)
                for artifact in found:
                    await self._media.delete(f"{session_prefix(session_id)}/{artifact.name}")
            logger.info("a part of a session has expired", extra={"artifact_count": len(found)})
        return len(found)

    async def check_none(self, session_id: str) -> None:
        """Refuse to go on with a session whose deletion has begun.

        Raises:
            PreconditionError: It has (`SESSION_DELETED`).
        """
        await self._tombstones.check_none(session_id)

    async def finish_begun(self) -> None:
        """Finish the deletions that began somewhere and did not end."""
        for session_id in await self._tombstones.unfinished():
            await self._finish(session_id)

    async def _finish(self, session_id: str) -> None:
        async with self._turn(session_id):
            if session_id not in await self._tombstones.unfinished():
                return  # Another one has ended it.
            row = await self._engine.get(session_id)
            if row is not None:
                await self._delete(row)
                return
            if not await self._tombstones.stands(session_id):  # Killed between the two marks.
                await self._tombstones.begin(session_id, Receipt((), time.time()))
            await self._remove(session_id)

    async def remove_deleted(self, session_id: str) -> None:
        """Remove what was written for a deleted session after all, and its rows, should it have any."""
        await self._remove_objects(session_id)
        if await self._engine.known([session_id]):
            await self._remove_all(session_id)

    async def _stop(self, row: SessionRow, versions: Sequence[VersionRow]) -> None:
        session_id = row.request.session_id
        elsewhere = row.state == "processing" and not self._engine.is_here(session_id)
        if not row.ended:
            await self._engine.cancel(session_id)
        for version in versions:
            if not version.ended:
                await self._engine.cancel_version(session_id, version.version_id)
        if elsewhere:
            # Its owner looks for "cancelled" once a second, and a row that is gone is not: its steps would
            # run to their ends for nothing.
            await asyncio.sleep(OWNER_LOOKS_S)

    async def _remove(self, session_id: str) -> None:
        """Remove all, and write down that it is gone. Until that is done, the deletion has not ended."""
        await self._remove_all(session_id)
        receipt = await self._tombstones.receipt(session_id)
        told: dict[str, str | int] = {}
        if receipt is not None:
            told = {"receipt_digest": receipt.digest, "artifact_count": len(receipt.artifacts)}
        await self._audit.append(Action.DELETE, session_id, OK, **told)
        await self._tombstones.finish(session_id)

    async def _remove_all(self, session_id: str) -> None:
        await self._remove_objects(session_id)
        for version in await self._engine.versions(session_id):
            await self._engine.delete_version(session_id, version.version_id)
        await self._engine.delete(session_id)

    async def _remove_objects(self, session_id: str) -> None:
        await self._media.delete_prefix(session_prefix(session_id))
        await self._media.delete_prefix(arriving_prefix(session_id))

    def _look_again(self, session_id: str) -> None:
        if session_id in self._looking:  # It begins a deletion again itself, and would become two, and four.
            return
        task = asyncio.create_task(self._look(session_id))
        self._looking[session_id] = task
        task.add_done_callback(lambda _: self._looking.pop(session_id))

    async def _look(self, session_id: str) -> None:
        pauses_s = list(self._look_again_s)
        while pauses_s:
            await asyncio.sleep(pauses_s.pop(0))
            if self._engine.closed:  # The next sweep finds what there is.
                return
            try:
                if session_id in await self._tombstones.unfinished():
                    await self._finish(session_id)
                    pauses_s = list(self._look_again_s)  # What comes too late may come after its end.
                await self.remove_deleted(session_id)
                await self._engine.forget()
            except InterviewError as error:
                logger.warning("a deletion goes on later", extra={"reason": error.reason})
            except Exception:
                logger.exception("a deletion goes on later")

    async def _inventory(self, row: SessionRow) -> list[Artifact]:
        prefix = session_prefix(row.request.session_id)
        known = _known_digests(row, self._media)
        found = []
        for item in await self._media.list(prefix):
            name = item.key.removeprefix(f"{prefix}/")
            with contextlib.suppress(FileNotFoundError, NotFoundError):  # A stopping step removed it itself.
                digest = known.get(item.key) or await self._digest(item)
                found.append(Artifact(kind_of(name), name, digest, item.size_bytes))
        return found

    async def _digest(self, item: StoredObject) -> str:
        if (path := self._media.local_path(item.key)) is not None:
            return await asyncio.to_thread(sha256_of, path)
        digest = hashlib.sha256()
        async for block in self._media.read_range(item.key, 0, item.size_bytes):
            digest.update(block)
        return digest.hexdigest()


def receipt_message(session_id: str, receipt: Receipt) -> orchestrator_pb2.DeletionReceipt:
    """Return a receipt as it is sent."""
    return orchestrator_pb2.DeletionReceipt(
        session_id=session_id,
        artifacts=[orchestrator_pb2.DeletedArtifact(**asdict(artifact)) for artifact in receipt.artifacts],
        delete_time_s=receipt.delete_time_s,
    )


def kind_of(name: str) -> str:
    """Return what an object of a session is, by its name below the session's folder."""
    return next((kind for pattern, kind in KINDS if pattern.match(name)), "output")


def _known_digests(row: SessionRow, media: MediaStore) -> Mapping[str, str]:
    """Return the digests of recordings that came with one: they need not be read again."""
    known = {}
    for answer in row.request.answers:
        with contextlib.suppress(ForbiddenError):  # The store was elsewhere when it was accepted.
            known[media.key(answer.uri)] = answer.digest
    return known


def _kept_by_engine(versions: Sequence[VersionRow]) -> list[Artifact]:
    later = [Artifact("state", f"version-{version.version_id}") for version in versions]
    return [Artifact("state", "session"), *later]


def _together(earlier: Sequence[Artifact], found: Sequence[Artifact]) -> tuple[Artifact, ...]:
    """Join what an attempt that broke off found with what is there now."""
    by_name = {artifact.name: artifact for artifact in (*earlier, *found)}
    return tuple(by_name[name] for name in sorted(by_name))
