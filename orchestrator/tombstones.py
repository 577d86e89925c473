"""What is left of deleted sessions: a mark by which nothing of them is ever written again.

It lies in the media store, so that every replica and every stage's end sees it, on SQLite and on Postgres,
and so that a database restored from a copy does not bring sessions back:

deleted/<SHA-256 of the id>.json    the mark, with the receipt of the deletion. No id, no name, no words
deleting/<id>                       stands while the deletion goes on, so that another process can finish it
expired/<SHA-256 of the id>.json    what expired of a session that is still there
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from chassis.errors import NotFoundError, PreconditionError
from chassis.store import MediaStore

BEGUN = "deleting"
DELETED = "deleted"
EXPIRED = "expired"


@dataclass(frozen=True)
class Artifact:
    """One thing that a deletion removes. See `DeletedArtifact` of the contract."""

    kind: str
    name: str
    digest: str = ""
    size_bytes: int = 0


@dataclass(frozen=True)
class Receipt:
    """What a deletion removes, and when it began, in seconds since 1970-01-01 UTC."""

    artifacts: tuple[Artifact, ...]
    delete_time_s: float

    def to_json(self) -> bytes:
        """Return what is kept of it."""
        artifacts = [asdict(artifact) for artifact in self.artifacts]
        return json.dumps({"delete_time_s": self.delete_time_s, "artifacts": artifacts}).encode()

    @property
    def digest(self) -> str:
        """SHA-256 of what is kept of it, in lower-case hex."""
        return hashlib.sha256(self.to_json()).hexdigest()


class Tombstones:
    """The marks of deleted sessions.

    Args:
        media: The store that they lie in.
    """

    def __init__(self, media: MediaStore) -> None:
        self._media = media

    async def stands(self, session_id: str) -> bool:
        """Tell whether a session was deleted, or is being deleted."""
        return await self._media.exists(_mark_key(session_id))

    async def check_none(self, session_id: str) -> None:
        """Refuse to go on with a session that was deleted.

        Raises:
            PreconditionError: It was (`SESSION_DELETED`).
        """
        if await self.stands(session_id):
            raise session_deleted()

    async def begin(self, session_id: str, receipt: Receipt) -> None:
        """Mark a session. From now on nothing of it is written any more."""
        # This one first: a mark that nobody finishes would leave a session that can be neither used nor seen.
        await self._media.put_bytes(f"{BEGUN}/{session_id}", b"")
        await self.note(session_id, receipt)

    async def note(self, session_id: str, receipt: Receipt) -> None:
        """Write down what the deletion removes."""
        await self._write(_mark_key(session_id), receipt)

    async def receipt(self, session_id: str) -> Receipt | None:
        """Return what was written down, or None for a session that was not deleted."""
        return await self._read(_mark_key(session_id))

    async def note_expired(self, session_id: str, receipt: Receipt) -> None:
        """Write down what expired of a session, all of it until now."""
        await self._write(_mark_key(session_id, EXPIRED), receipt)

    async def expired(self, session_id: str) -> tuple[Artifact, ...]:
        """Return what expired of a session."""
        found = await self._read(_mark_key(session_id, EXPIRED))
        return found.artifacts if found is not None else ()

    async def finish(self, session_id: str) -> None:
        """Note that everything is gone. The mark stays."""
        await self._media.delete(_mark_key(session_id, EXPIRED))  # The mark's receipt has it.
        await self._media.delete(f"{BEGUN}/{session_id}")

    async def _write(self, key: str, receipt: Receipt) -> None:
        await self._media.put_bytes(key, receipt.to_json())

    async def _read(self, key: str) -> Receipt | None:
        try:
            kept = json.loads(await self._media.get_bytes(key))
        except NotFoundError:
            return None
        return Receipt(tuple(Artifact(**one) for one in kept["artifacts"]), kept["delete_time_s"])

    async def unfinished(self) -> Sequence[str]:
        """Return the sessions whose deletion has begun and not ended."""
        return [item.key.removeprefix(f"{BEGUN}/") for item in await self._media.list(BEGUN)]


def session_deleted() -> PreconditionError:
    """Return the error for a session that was deleted."""
    return PreconditionError(
        "This session was deleted, and its identifier is not accepted again. Send it as a new session "
        "(with another Idempotency-Key).",
        reason="SESSION_DELETED",
    )


def _mark_key(session_id: str, folder: str = DELETED) -> str:
    return f"{folder}/{hashlib.sha256(session_id.encode()).hexdigest()}.json"
