"""Judges finished sessions by another rubric. Each time makes a new version of the result."""

from __future__ import annotations

import time

from chassis.errors import NotFoundError, PreconditionError
from orchestrator.admission import Admission
from orchestrator.audit.log import Audit
from orchestrator.audit.records import Action
from orchestrator.durable.engine import Engine
from orchestrator.sessions import SessionRow
from orchestrator.tombstones import Tombstones, session_deleted
from orchestrator.versions import Reassessment, VersionRow, first_version, newest, reusable


class Reassessments:
    """The versions of sessions' results.

    Args:
        engine: Keeps and makes them.
        admission: Says what may be asked for.
        tombstones: The marks of deleted sessions.
        audit: Writes down what is begun.
    """

    def __init__(self, engine: Engine, admission: Admission, tombstones: Tombstones, audit: Audit) -> None:
        self._engine = engine
        self._admission = admission
        self._tombstones = tombstones
        self._audit = audit

    async def versions(self, row: SessionRow) -> list[VersionRow]:
        """Return all versions of a session's result, the first one first."""
        return [first_version(row), *await self._engine.versions(row.request.session_id)]

    async def begin(self, row: SessionRow, rubric_id: str) -> tuple[VersionRow, bool]:
        """Have a session judged by a rubric.

        Returns:
            The version, and whether it was there already.

        Raises:
            InvalidInputError: There is no such rubric (`RUBRIC_UNKNOWN`).
            PreconditionError: The session is not completed (`SESSION_NOT_FINISHED`), or being deleted
                (`SESSION_DELETED`).
            ExhaustedError: Too many wait (`SESSIONS_FULL`).
            InterviewError: The assessor can't be asked for its rubrics.
        """
        if row.state != "completed" or not row.records:
            raise PreconditionError(
                "Only a completed session can be judged again. Wait until it has completed.",
                reason="SESSION_NOT_FINISHED",
            )
        later = await self._engine.versions(row.request.session_id)
        if rubric_id and (found := reusable(row, later, rubric_id)) is not None:
            return found, True
        await self._admission.check_rubric(rubric_id)
        await self._admission.check_room()
        async with self._audit.change(Action.REASSESS, row.request.session_id) as change:
            version = await self._submit(row, rubric_id, len(later) + 2)
            change.details["version"] = version.version_id
        return version, False

    async def _submit(self, row: SessionRow, rubric_id: str, version_id: int) -> VersionRow:
        """Submit under the next free number. Another replica may take one meanwhile."""
        while True:
            job = Reassessment.of(row, rubric_id, version_id, time.time())
            await self._engine.submit_reassessment(job)
            if await self._tombstones.stands(row.request.session_id):  # Deleted at the same moment.
                await self._engine.delete_version(row.request.session_id, version_id)
                raise session_deleted()
            versions = await self._engine.versions(row.request.session_id)
            made = next((version for version in versions if version.version_id == version_id), None)
            if made is None:  # Deleted at the same moment.
                raise NotFoundError("The session was deleted. Submit it again.", reason="SESSION_NOT_FOUND")
            if made.rubric_id == rubric_id:
                return made
            version_id += 1

    async def readable(self, row: SessionRow, version_id: int | None) -> VersionRow:
        """Return the version whose document is asked for: the one finished last, unless one is named.

        Raises:
            NotFoundError: There is no such version, or it failed (`RESULT_VERSION_NOT_FOUND`).
            PreconditionError: It is still being made (`SESSION_NOT_FINISHED`).
        """
        versions = await self.versions(row)
        if version_id is None:
            return newest(versions)
        version = next((version for version in versions if version.version_id == version_id), None)
        if version is not None and not version.ended:
            raise PreconditionError(
                "This version of the result is still being made. Ask for the versions to see its state.",
                reason="SESSION_NOT_FINISHED",
            )
        if version is None or (version is not versions[0] and version.state != "completed"):
            raise NotFoundError(
                "The session has no result of this version. Ask for the versions that it has.",
                reason="RESULT_VERSION_NOT_FOUND",
            )
        return version

    async def check_idle(self, session_id: str) -> None:
        """Refuse to run a session again while it is judged again on what it left.

        Raises:
            PreconditionError: `SESSION_NOT_FINISHED`.
        """
        if any(not version.ended for version in await self._engine.versions(session_id)):
            raise PreconditionError(
                "The session is being judged again. Retry it when that has ended.",
                reason="SESSION_NOT_FINISHED",
            )
