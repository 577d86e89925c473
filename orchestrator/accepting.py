"""Accepts sessions, once each, and says which recordings one still needs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from chassis.errors import ForbiddenError, PreconditionError
from chassis.store import MediaStore
from interview.v1 import orchestrator_pb2
from orchestrator.admission import Admission
from orchestrator.audit.log import Audit
from orchestrator.audit.records import Action
from orchestrator.durable.engine import Engine
from orchestrator.ownership import check_existing, check_owner
from orchestrator.sessions import SessionRow, position_of
from orchestrator.tombstones import Tombstones, session_deleted
from orchestrator.workflow import first_failure

MEDIA_NOT_FOUND = "MEDIA_NOT_FOUND"


@dataclass(frozen=True)
class Accepted:
    """A session that was accepted, now or before."""

    row: SessionRow
    existing: bool
    """Whether it was there already."""
    missing_positions: Sequence[int]
    """Answers whose recording it still needs, and the store does not have."""


class Accepting:
    """Accepts sessions.

    Args:
        engine: Keeps them.
        admission: Says what is accepted.
        media: Where their recordings lie.
        tombstones: The marks of deleted sessions.
        audit: Writes down what is accepted.
    """

    def __init__(
        self, engine: Engine, admission: Admission, media: MediaStore, tombstones: Tombstones, audit: Audit
    ) -> None:
        self._engine = engine
        self._admission = admission
        self._media = media
        self._tombstones = tombstones
        self._audit = audit

    async def create(self, request: orchestrator_pb2.CreateSessionRequest) -> Accepted:
        """Accept a session, or return the one that exists.

        In one that exists, answers that failed for want of their recording are worked on once it is there.

        Raises:
            InvalidInputError: See `Admission`.
            ForbiddenError: It would be another group's (`GROUP_FORBIDDEN`).
            PreconditionError: It was deleted (`SESSION_DELETED`), is another group's (`SESSION_EXISTS`), or
                has other recordings or questions (`SESSION_DIFFERS`).
            ExhaustedError: Too many wait (`SESSIONS_FULL`).
        """
        self._admission.check_form(request)
        check_owner(request.owner_group)
        session_id = request.session_id
        await self._tombstones.check_none(session_id)
        if (row := await self._engine.get(session_id)) is not None:
            check_existing(row.request.owner_group)
            check_same(request, row.request)
            return await self._existing(row)
        await self._admission.check(request)
        async with self._audit.change(Action.ACCEPT, session_id, answer_count=len(request.answers)):
            row = await self._engine.submit(request)
            if await self._tombstones.stands(
                session_id
            ):  # Another replica accepted and deleted it meanwhile.
                await self._engine.delete(session_id)
                raise session_deleted()
        return Accepted(row, existing=False, missing_positions=await self._missing(row))

    async def _existing(self, row: SessionRow) -> Accepted:
        missing = await self._missing(row)
        if row.ended and not missing and _wanting(row) and await self._idle(row):
            async with self._audit.change(Action.RETRY, row.request.session_id):
                await self._engine.rerun(row.request.session_id)
            row = await self._engine.get(row.request.session_id) or row
        return Accepted(row, existing=True, missing_positions=missing)

    async def _idle(self, row: SessionRow) -> bool:
        versions = await self._engine.versions(row.request.session_id)
        return all(version.ended for version in versions)

    async def _missing(self, row: SessionRow) -> Sequence[int]:
        places = range(1, len(row.request.answers) + 1) if not row.ended else _wanting(row)
        answers = [(place, row.request.answers[place - 1]) for place in places]
        there = await asyncio.gather(*(self._is_there(answer) for _, answer in answers))
        return [
            position_of(place, answer)
            for (place, answer), found in zip(answers, there, strict=True)
            if not found
        ]

    async def _is_there(self, answer: orchestrator_pb2.AnswerInput) -> bool:
        if not answer.uri:  # It has a link, or there is none.
            return True
        try:
            return await self._media.exists(self._media.key(answer.uri))
        except ForbiddenError:  # The store was elsewhere when it was accepted.
            return True


def check_same(
    request: orchestrator_pb2.CreateSessionRequest, known: orchestrator_pb2.CreateSessionRequest
) -> None:
    """Refuse to take a session for the one that exists. Else what is new in it would be lost without a word.

    Raises:
        PreconditionError: `SESSION_DIFFERS`.
    """
    if _said(request) != _said(known) or any(
        one.digest and other.digest and one.digest != other.digest
        for one, other in zip(request.answers, known.answers, strict=True)
    ):
        raise PreconditionError(
            "A session of this id has other recordings, questions or settings. Send yours as a new session, "
            "with another Idempotency-Key.",
            reason="SESSION_DIFFERS",
        )


def _said(request: orchestrator_pb2.CreateSessionRequest) -> tuple[object, ...]:
    # Not where the recordings lie: their digests say whether they are the same.
    answers = [(answer.question, answer.link, answer.rubric_id) for answer in request.answers]
    return request.candidate_name, request.language_code, request.rubric_id, answers


def _wanting(row: SessionRow) -> Sequence[int]:
    """Return the answers, by their places, that failed because their recording was not there."""
    failures = {place: first_failure(records) for place, records in row.records.items()}
    return sorted(
        place for place, failure in failures.items() if failure and failure.reason == MEDIA_NOT_FOUND
    )
