"""What only the gateway sees, for the audit log: recordings that it hands out, keys, and people who sign in.

Nobody waits for it. Notes go to the orchestrator within `SEND_S`. Repeats within `REPEAT_S` become one
number: a player asks for a recording in many pieces, and whoever guesses keys must not fill the log. While
the orchestrator is away they wait here, a bounded number of kinds. A gateway that is killed loses those that
wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from chassis.api_keys import KeyBook, KeyHolder
from chassis.counted import Counted
from chassis.errors import InterviewError, InvalidInputError
from gateway.audit_log import AuditLog, AuditNote
from gateway.callers import current_client

logger = logging.getLogger(__name__)

SEND_S = 1.0
REPEAT_S = 60.0
LAST_SEND_TIMEOUT_S = 3.0
MAX_WAITING_COUNT = 1_000
"""Kinds of notes. What goes beyond is counted in one."""
MAX_SENT_COUNT = 500
"""At once. The orchestrator takes no more than 1,000."""
MAX_NAMES_CHARACTERS = 1_800
"""Of the names of keys in one note."""


class AuditNotes:
    """Notes on their way to the log.

    Args:
        log: Returns the log. Asked for when there is something to send.
        clock: Seconds that only go forward.
    """

    def __init__(self, log: Callable[[], AuditLog], clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._waiting: Counted[AuditNote] = Counted(REPEAT_S, MAX_WAITING_COUNT, clock)

    def media_read(self, session_id: str, position: int) -> None:
        """Note that the present caller gets a recording, or a part of it."""
        client = current_client.get()
        details = (("position", str(position)),)
        self._waiting.add(
            AuditNote("media.read", "ok", client.who, client.group, session_id=session_id, details=details)
        )

    def key_refused(self, reason: str, who: str) -> None:
        """Note that a key was refused. `who` is its holder, where that is known."""
        self._waiting.add(AuditNote("key.refused", reason, who))

    def signed_in(self, who: str) -> None:
        """Note that a person has signed in."""
        self._waiting.add(AuditNote("person.signed_in", "ok", who))

    def sign_in_refused(self, reason: str) -> None:
        """Note that a sign-in was refused. Whose it was is not known, or not to be believed."""
        self._waiting.add(AuditNote("sign_in.refused", reason, ""))

    def keys_read(self, before: KeyBook | None, now: KeyBook) -> None:
        """Note what the file of keys holds, or how it has changed."""
        told = {"digest": _digest_of(now), "key_count": str(len(now.holders))}
        if before is not None:
            told |= _changes(before, now)
        self._waiting.add(
            AuditNote(
                "keys.read" if before is None else "keys.changed",
                who="system:gateway",
                details=tuple(sorted(told.items())),
            )
        )

    async def send(self, *, everything: bool = False) -> None:
        """Send what is due.

        Raises:
            InterviewError: It can't be sent. It is kept.
        """
        due = self._waiting.take(everything=everything)
        if dropped_count := self._waiting.take_dropped():
            due.append((AuditNote("notes.dropped", who="system:gateway"), dropped_count))
        while due:
            try:
                await self._log().note(due[:MAX_SENT_COUNT])
            except InvalidInputError as error:
                # They would be refused again, and keep all others from the log.
                logger.error("notes for the audit log are refused: %s", error.message)
            except BaseException:
                self._waiting.give_back(due)
                raise
            del due[:MAX_SENT_COUNT]

    @asynccontextmanager
    async def sent(self) -> AsyncIterator[None]:
        """Send notes in the background, while the block runs, and the last ones at its end."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            with contextlib.suppress(InterviewError, TimeoutError):
                async with asyncio.timeout(LAST_SEND_TIMEOUT_S):
                    await self.send(everything=True)

    async def _run(self) -> None:
        away = False
        while True:
            await asyncio.sleep(SEND_S)
            try:
                await self.send()
                away = False
            except InterviewError as error:
                if not away:
                    logger.warning("notes for the audit log wait", extra={"reason": error.reason})
                away = True
            except Exception:
                logger.exception("notes for the audit log wait")


def _changes(before: KeyBook, now: KeyBook) -> dict[str, str]:
    """Return the names of keys that came, went, were revoked, or are other ones than before."""
    old, new = _by_name(before), _by_name(now)
    both = [name for name in new if name in old and new[name] != old[name]]
    revoked = [name for name in both if new[name].revoked and not old[name].revoked]
    found = {
        "added": [name for name in new if name not in old],
        "removed": [name for name in old if name not in new],
        "revoked": revoked,
        "changed": [name for name in both if name not in revoked],
    }
    return {what: _listed(names) for what, names in found.items() if names}


def _by_name(book: KeyBook) -> dict[str, KeyHolder]:
    return {holder.name: holder for holder in book.holders}


def _listed(names: Iterable[str]) -> str:
    """Return names with blanks between them, cut to what fits."""
    shown, length = [], 0
    rest = sorted(names)
    for name in rest:
        length += len(name) + 1
        if length > MAX_NAMES_CHARACTERS:
            break
        shown.append(name)
    left_count = len(rest) - len(shown)
    return " ".join([*shown, *([f"and {left_count} more"] if left_count else [])])


def _digest_of(book: KeyBook) -> str:
    """Return the digest of who may do what with which key. It says whether two files grant the same."""
    granted = sorted(holder.model_dump_json() for holder in book.holders)
    return hashlib.sha256(json.dumps(granted).encode()).hexdigest()
