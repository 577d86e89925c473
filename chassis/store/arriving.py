"""A recording that is still arriving, in the store: one process writes it, others read it as it grows.

arriving/<session>/<position>/state          which arrival it is, and its size and SHA-256 once all has come
arriving/<session>/<position>/<arrival>-<number>    the next bytes, from number 0 on

Each part is an object of its own, so it is the same in a folder and on S3. Without the state nothing of it
counts. It goes first when a recording is given up, by its writer or by its reader, and the other one stops.
Whoever has read the recording to its end removes it. The orchestrator's sweep finds what nobody removes.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import time
import uuid
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass

from chassis.errors import InterviewError, NotFoundError
from chassis.store.media_store import MediaStore

ARRIVING = "arriving"
MAX_PART_BYTES = 4 << 20
MAX_PART_COUNT = 100_000
"""Of one recording. One a second for an hour is 3,600."""
LOOK_INTERVAL_S = 0.4
"""Between two looks for the next part. Each costs two requests."""
STALL_TIMEOUT_S = 60.0
"""Silence after which a recording counts as given up. The gateway ends an upload earlier."""


class ArrivalLostError(Exception):
    """A recording will not arrive any more, or not as it began."""


@dataclass(frozen=True)
class Arrived:
    """What a recording is, once all of it has come."""

    size_bytes: int
    digest: str
    """SHA-256 in lower-case hex."""


def arriving_prefix(session_id: str, position: int | None = None) -> str:
    """Return the store's folder of a session's arriving recordings, or of one of them."""
    folder = f"{ARRIVING}/{session_id}"
    return folder if position is None else f"{folder}/{position}"


class ArrivingWriter:
    """Writes one arriving recording.

    Args:
        store: Where.
        session_id: The session that it is for.
        position: Its answer's position in that session, from 1 on.
    """

    def __init__(self, store: MediaStore, session_id: str, position: int) -> None:
        self._store = store
        self._prefix = arriving_prefix(session_id, position)
        self._arrival = uuid.uuid4().hex
        self._digest = hashlib.sha256()
        self._part_count = 0
        self.size_bytes = 0

    async def begin(self) -> None:
        """Begin. What an earlier upload of the same recording left goes."""
        await self._store.delete_prefix(self._prefix)
        await self._write_state({})

    async def append(self, data: bytes) -> None:
        """Write the next bytes, at most `MAX_PART_BYTES`.

        Raises:
            ArrivalLostError: Nobody reads it any more. What was written of it is gone.
            ValueError: It is too much.
            InterviewError: The store is away or full.
        """
        if len(data) > MAX_PART_BYTES or self._part_count >= MAX_PART_COUNT:
            raise ValueError("an arriving recording has no such part")
        await self._store.put_bytes(_part_key(self._prefix, self._arrival, self._part_count), data)
        self._part_count += 1
        self.size_bytes += len(data)
        self._digest.update(data)
        await self._check_wanted()

    async def finish(self) -> Arrived:
        """Say that all has come.

        Raises:
            ArrivalLostError: Nobody reads it any more. What was written of it is gone.
            InterviewError: The store is away or full.
        """
        await self._check_wanted()
        arrived = Arrived(self.size_bytes, self._digest.hexdigest())
        await self._write_state(
            {"parts": self._part_count, "size_bytes": arrived.size_bytes, "sha256": arrived.digest}
        )
        return arrived

    async def abandon(self) -> None:
        """Give it up, and leave nothing. Readers stop."""
        await remove_arriving(self._store, self._prefix)

    async def _check_wanted(self) -> None:
        # After the write: whoever removed it may have looked for parts before this one was there.
        if not await self._store.exists(f"{self._prefix}/state"):
            await self.abandon()
            raise ArrivalLostError("nobody reads it any more")

    async def _write_state(self, end: dict[str, int | str]) -> None:
        state = {"arrival": self._arrival} | end
        await self._store.put_bytes(f"{self._prefix}/state", json.dumps(state).encode())


class ArrivingReader:
    """Reads one arriving recording. Several may read it at once, each by itself.

    Args:
        store: Where.
        session_id: The session that it is for.
        position: Its answer's position in that session, from 1 on.
        look_interval_s: Between two looks for the next part.
        stall_timeout_s: Silence after which it counts as given up.
    """

    def __init__(
        self,
        store: MediaStore,
        session_id: str,
        position: int,
        *,
        look_interval_s: float = LOOK_INTERVAL_S,
        stall_timeout_s: float = STALL_TIMEOUT_S,
    ) -> None:
        self._store = store
        self._prefix = arriving_prefix(session_id, position)
        self._look_interval_s = look_interval_s
        self._stall_timeout_s = stall_timeout_s
        self._arrival: str | None = None
        self.arrived: Arrived | None = None
        """What it is. None until `parts` has come to the end."""

    async def parts(self) -> AsyncGenerator[bytes, None]:
        """Yield the recording from its first byte on, part by part, and wait for what has not come yet.

        Raises:
            ArrivalLostError: It was given up, another one took its place, it stalled, or it is not what its
                writer says.
            InterviewError: The store is away.
        """
        number, size_bytes, digest = 0, 0, hashlib.sha256()
        while (part := await self._next(number)) is not None:
            number += 1
            size_bytes += len(part)
            digest.update(part)
            yield part
        if self.arrived != Arrived(size_bytes, digest.hexdigest()):
            raise ArrivalLostError("it is not what its writer says")

    async def remove(self) -> None:
        """Remove it, once it is not needed any more. One that took its place stays."""
        with suppress(ArrivalLostError):
            await self._state()
            await remove_arriving(self._store, self._prefix)

    async def _next(self, number: int) -> bytes | None:
        """Return a part, or None behind the last one."""
        give_up_at_s = time.monotonic() + self._stall_timeout_s
        if self._arrival is None:
            await self._state()
        while True:
            assert self._arrival is not None  # noqa: S101 - the state was read
            with suppress(NotFoundError):
                return await self._store.get_bytes(_part_key(self._prefix, self._arrival, number))
            part_count = await self._state()
            if part_count is None:
                if time.monotonic() > give_up_at_s:
                    raise ArrivalLostError("nothing has come for too long")
                await asyncio.sleep(self._look_interval_s * random.uniform(0.8, 1.2))  # noqa: S311
            elif number >= part_count:
                return None

    async def _state(self) -> int | None:
        """Look at the state. Returns how many parts there are, or None while that is not known."""
        try:
            state = json.loads(await self._store.get_bytes(f"{self._prefix}/state"))
        except NotFoundError:
            raise ArrivalLostError("it was given up") from None
        if self._arrival not in (None, state["arrival"]):
            raise ArrivalLostError("another one took its place")
        self._arrival = state["arrival"]
        if "parts" not in state:
            return None
        self.arrived = Arrived(state["size_bytes"], state["sha256"])
        return int(state["parts"])


async def remove_arriving(store: MediaStore, prefix: str) -> None:
    """Remove arriving recordings, the state first: from then on nobody reads them.

    Args:
        store: Where.
        prefix: See `arriving_prefix`.
    """
    with suppress(InterviewError):
        await store.delete(f"{prefix}/state")
    await store.delete_prefix(prefix)


def _part_key(prefix: str, arrival: str, number: int) -> str:
    return f"{prefix}/{arrival}-{number:06d}"
