"""Takes the word that a recording is on its way: who may say it, of which session, and what becomes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from chassis.errors import InvalidInputError, PreconditionError
from chassis.limits import MAX_ANSWER_COUNT
from interview.v1 import orchestrator_pb2
from orchestrator.admission import LANGUAGE, check_session_id
from orchestrator.early.work import Coming, EarlyWork
from orchestrator.ownership import check_owner
from orchestrator.tombstones import Tombstones


class Following:
    """Has recordings worked on while they arrive.

    Args:
        work: Does it.
        find_session: Returns the session of an id, or None where there is none.
        tombstones: The marks of deleted sessions.
    """

    def __init__(
        self,
        work: EarlyWork,
        find_session: Callable[[str], Awaitable[object | None]],
        tombstones: Tombstones,
    ) -> None:
        self._work = work
        self._find_session = find_session
        self._tombstones = tombstones

    async def follow(self, request: orchestrator_pb2.FollowRecordingRequest) -> bool:
        """Begin to work on a recording, if there is room.

        Returns:
            Whether it is worked on.

        Raises:
            InvalidInputError: `SESSION_ID_INVALID`, `RECORDING_INVALID`.
            ForbiddenError: The session would be another group's (`GROUP_FORBIDDEN`).
            PreconditionError: The session exists (`SESSION_EXISTS`) or was deleted (`SESSION_DELETED`).
        """
        check_session_id(request.session_id)
        wrong = {}
        if not 1 <= request.position <= MAX_ANSWER_COUNT:
            wrong["position"] = f"1 to {MAX_ANSWER_COUNT}"
        if LANGUAGE.fullmatch(request.language_code) is None:
            wrong["language_code"] = "a language such as en or id, or empty"
        if wrong:
            rules = "; ".join(f"{name}: {rule}" for name, rule in wrong.items())
            raise InvalidInputError(
                f"The recording can't be followed. Correct {rules}.", reason="RECORDING_INVALID", fields=wrong
            )
        check_owner(request.owner_group)
        await self._tombstones.check_none(request.session_id)
        if await self._find_session(request.session_id) is not None:
            raise PreconditionError(
                "There is a session with this id already, so its recordings are not on their way.",
                reason="SESSION_EXISTS",
            )
        return self._work.follow(Coming(request.session_id, request.position, request.language_code))
