"""Sessions with links that an older build of the gateway kept in the store, before the orchestrator fetched.

They were accepted, so none may be lost. They are handed to the orchestrator once. Nothing is written here any
more. This module can go once no store holds `pending/` files.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from chassis.client import RetryPolicy, is_transient
from chassis.errors import DeadlineError, InterviewError
from chassis.store import MediaStore
from gateway.sessions import AnswerDraft, Orchestrator, SessionDraft
from gateway.uploads.submission import create_session

logger = logging.getLogger(__name__)

PENDING_PREFIX = "pending"
RETRY = RetryPolicy(attempt_count=10, first_delay_s=1.0, max_delay_s=60.0)
"""An orchestrator that is away is asked for some minutes. The next start asks again."""


class PendingSessions:
    """What an older build left.

    Args:
        orchestrator: Takes the sessions.
        store: Holds them.
        retry: How an orchestrator that is away is asked again.
    """

    def __init__(self, orchestrator: Orchestrator, store: MediaStore, retry: RetryPolicy = RETRY) -> None:
        self._orchestrator = orchestrator
        self._store = store
        self._retry = retry

    @asynccontextmanager
    async def handed_over(self) -> AsyncIterator[None]:
        """Hand all of them over in the background, while the block runs."""
        task = asyncio.create_task(self.hand_over())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def hand_over(self) -> None:
        """Hand all of them over. One that can't be read or taken stays where it is, and stops nobody."""
        try:
            kept = await self._store.list(PENDING_PREFIX)
        except InterviewError as error:
            logger.warning("the store can't be read", extra={"reason": error.reason})
            return
        for item in kept:
            try:
                draft = _read(await self._store.get_bytes(item.key))
            except (ValueError, KeyError, TypeError, AttributeError, InterviewError):
                logger.warning("a pending session can't be read and stays", extra={"key": item.key})
                continue
            if draft is not None and await self._taken(draft):
                await self._store.delete(item.key)

    async def _taken(self, draft: SessionDraft) -> bool:
        for attempt in range(1, self._retry.attempt_count + 1):
            try:
                await create_session(self._orchestrator, draft)
            except InterviewError as error:
                logger.warning("a pending session was not taken", extra={"reason": error.reason})
                if not (is_transient(error) or isinstance(error, DeadlineError)):
                    return False
                # What an error proposes is meant for people's clients. The policy's longest pause holds.
                await asyncio.sleep(min(self._retry.max_delay_s, self._retry.delay_s(attempt, error)))
            else:
                return True
        return False


def _read(data: bytes) -> SessionDraft | None:
    """Read a session. None for one that was refused for good, which is only kept to be shown."""
    kept: dict[str, Any] = json.loads(data)
    if kept.get("refusal"):
        return None
    answers = tuple(
        AnswerDraft(
            answer["position"],
            answer["question"],
            link=answer["url"],
            unavailable_reason=answer.get("unavailable_reason", ""),
            rubric_id=answer.get("rubric_id", ""),
        )
        for answer in kept["answers"]
    )
    return SessionDraft(
        kept["session_id"],
        kept["candidate_name"],
        kept["language_code"],
        answers,
        kept.get("rubric_id", ""),
    )
