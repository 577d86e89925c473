"""What a session must look like to be accepted, whether there is room for it, and how pages are named."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from chassis.errors import ExhaustedError, ForbiddenError, InterviewError, InvalidInputError, listed
from chassis.limits import (
    DEFAULT_PAGE_SESSION_COUNT,
    MAX_ANSWER_COUNT,
    MAX_GROUP_CHARACTERS,
    MAX_LINK_CHARACTERS,
    MAX_NAME_CHARACTERS,
    MAX_PAGE_SESSION_COUNT,
    MAX_QUESTION_CHARACTERS,
    MAX_RUBRIC_ID_CHARACTERS,
)
from chassis.store import MediaStore
from interview.v1 import orchestrator_pb2

SESSION_ID = re.compile(r"[0-9a-f]{32}")
DIGEST = re.compile(r"([0-9a-f]{64})?")
LANGUAGE = re.compile(r"([a-z]{2,3}(-[A-Za-z0-9]{2,8})*)?")
RUBRIC_ID = re.compile(rf"[A-Za-z0-9_.-]{{0,{MAX_RUBRIC_ID_CHARACTERS}}}")
RUBRIC_ID_RULE = f"letters, digits, '_', '-' and '.', at most {MAX_RUBRIC_ID_CHARACTERS}"
REASON = re.compile(r"([A-Z][A-Z0-9_]{0,63})?")
PAGE_TOKEN = re.compile(r"([0-9]{1,15})-([0-9]{1,6})")
MAX_TIME_MS = 253_402_300_799_000
"""The last second of the year 9999. No calendar here goes further."""


FULL_RETRY_AFTER_S = 30.0
URI_OF_ANOTHER = (
    "The recording does not lie in its own session's folder. Upload it for this session with UploadRecording."
)

RubricIds = Callable[[], Awaitable[tuple[str, ...]]]
"""Asks the assessor what can be judged by."""
WaitingCount = Callable[[int], Awaitable[int]]
"""Counts what waits for its turn, up to a limit."""


class Admission:
    """Decides whether a session, or a judgement of one, is accepted.

    Args:
        media: The store that recordings must lie in.
        waiting_count: Counts the sessions and reassessments that wait.
        max_waiting_count: How many may wait.
        rubric_ids: Asks the assessor what can be judged by.
    """

    def __init__(
        self, media: MediaStore, waiting_count: WaitingCount, max_waiting_count: int, rubric_ids: RubricIds
    ) -> None:
        self._media = media
        self._waiting_count = waiting_count
        self._max_waiting_count = max_waiting_count
        self._rubric_ids = rubric_ids

    def check_form(self, request: orchestrator_pb2.CreateSessionRequest) -> None:
        """Refuse a session that can't be worked on. See `check_request`."""
        check_request(request, self._media)

    async def check(self, request: orchestrator_pb2.CreateSessionRequest) -> None:
        """Refuse a new session that there is no room for, or whose rubrics nobody knows.

        Raises:
            ExhaustedError: `SESSIONS_FULL`.
            InvalidInputError: `RUBRIC_UNKNOWN`. While the assessor is away, a session is accepted.
        """
        await self.check_room()
        for rubric_id in sorted(rubrics_of(request) - {""}):
            try:
                await self.check_rubric(rubric_id)
            except InvalidInputError:
                raise
            except InterviewError:  # No session is lost because a stage is away; it will be asked again.
                return

    async def check_room(self) -> None:
        """Refuse more work than may wait.

        Raises:
            ExhaustedError: `SESSIONS_FULL`.
        """
        if not await self.has_room():
            raise ExhaustedError(
                "Too many sessions wait already. Submit this one again later.",
                reason="SESSIONS_FULL",
                retry_after_s=FULL_RETRY_AFTER_S,
            )

    async def has_room(self) -> bool:
        """Tell whether more work may wait."""
        return await self._waiting_count(self._max_waiting_count + 1) <= self._max_waiting_count

    async def check_rubric(self, rubric_id: str) -> None:
        """Refuse a rubric that the assessor does not know.

        Raises:
            InvalidInputError: `RUBRIC_UNKNOWN`.
            InterviewError: The assessor can't be asked.
        """
        known = await self._rubric_ids()
        if rubric_id not in known:
            names = listed(sorted(known))
            raise InvalidInputError(
                f"Ask for one of the rubrics {names}.",
                reason="RUBRIC_UNKNOWN",
                fields={"rubric_id": f"one of {names}"},
            )


def rubrics_of(request: orchestrator_pb2.CreateSessionRequest) -> set[str]:
    """Return the rubrics that a session's answers are judged by. An empty one is the default."""
    return {answer.rubric_id or request.rubric_id for answer in request.answers}


def check_session_id(session_id: str) -> None:
    """Refuse what is not a session id.

    Raises:
        InvalidInputError: `SESSION_ID_INVALID`.
    """
    if SESSION_ID.fullmatch(session_id) is None:
        raise InvalidInputError(
            "A session's id has 32 lower-case hex digits. Send the one that the upload returned.",
            reason="SESSION_ID_INVALID",
            fields={"session_id": "32 lower-case hex digits"},
        )


def check_request(request: orchestrator_pb2.CreateSessionRequest, store: MediaStore) -> None:
    """Refuse a session that can't be worked on, naming the fields that are wrong.

    Raises:
        InvalidInputError: `SESSION_ID_INVALID`, `SESSION_INVALID`, `MEDIA_URI_FORBIDDEN`.
    """
    check_session_id(request.session_id)
    wrong: dict[str, str] = {}
    if not 1 <= len(request.answers) <= MAX_ANSWER_COUNT:
        wrong["answers"] = f"1 to {MAX_ANSWER_COUNT} answers"
    if LANGUAGE.fullmatch(request.language_code) is None:
        wrong["language_code"] = "a language such as en or id, or empty"
    if RUBRIC_ID.fullmatch(request.rubric_id) is None:
        wrong["rubric_id"] = RUBRIC_ID_RULE
    if len(request.candidate_name) > MAX_NAME_CHARACTERS:
        wrong["candidate_name"] = f"at most {MAX_NAME_CHARACTERS} characters"
    if len(request.owner_group) > MAX_GROUP_CHARACTERS:
        wrong["owner_group"] = f"at most {MAX_GROUP_CHARACTERS} characters"
    positions = [answer.position for answer in request.answers if answer.HasField("position")]
    if len(set(positions)) < len(positions) or any(position < 1 for position in positions):
        wrong["answers.position"] = "from 1 on, each once"
    for place, answer in enumerate(request.answers[:MAX_ANSWER_COUNT]):
        wrong |= {f"answers[{place}].{name}": rule for name, rule in _wrong_in(answer).items()}
    if wrong:
        rules = listed([f"{name}: {rule}" for name, rule in wrong.items()], separator="; ")
        raise InvalidInputError(
            f"The session can't be accepted. Correct {rules}.", reason="SESSION_INVALID", fields=wrong
        )
    _check_uris(request, store)


def _wrong_in(answer: orchestrator_pb2.AnswerInput) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if sum(map(bool, (answer.uri, answer.link, answer.unavailable_reason))) != 1:
        wrong["uri"] = "a recording in the store, or its link, or the reason why there is none"
    if len(answer.link) > MAX_LINK_CHARACTERS:
        wrong["link"] = f"at most {MAX_LINK_CHARACTERS:,} characters"
    if len(answer.question) > MAX_QUESTION_CHARACTERS:
        wrong["question"] = f"at most {MAX_QUESTION_CHARACTERS:,} characters"
    if len(answer.file_name) > MAX_NAME_CHARACTERS:
        wrong["file_name"] = f"at most {MAX_NAME_CHARACTERS} characters"
    if DIGEST.fullmatch(answer.digest) is None:
        wrong["digest"] = "64 lower-case hex digits, or empty"
    if REASON.fullmatch(answer.unavailable_reason) is None:
        wrong["unavailable_reason"] = "UPPER_SNAKE"
    if RUBRIC_ID.fullmatch(answer.rubric_id) is None:
        wrong["rubric_id"] = RUBRIC_ID_RULE
    if answer.media_bytes < 0:
        wrong["media_bytes"] = "0 or more"
    return wrong


def _check_uris(request: orchestrator_pb2.CreateSessionRequest, store: MediaStore) -> None:
    for place, answer in enumerate(request.answers):
        if not answer.uri:
            continue
        # Another session's recording is another's: it would be read, and removed with this session.
        folder = f"sessions/{request.session_id}/media/"
        try:
            if not store.key(answer.uri).startswith(folder):
                raise ForbiddenError(URI_OF_ANOTHER, reason="MEDIA_URI_FORBIDDEN")
        except ForbiddenError as error:
            raise InvalidInputError(
                error.message,
                reason=error.reason,
                fields={f"answers[{place}].uri": f"a URI below {folder} in the configured store"},
            ) from error


def check_page_size(page_size_count: int) -> int:
    """Return how many sessions a page holds.

    Raises:
        InvalidInputError: `PAGE_INVALID`.
    """
    if not 0 <= page_size_count <= MAX_PAGE_SESSION_COUNT:
        raise InvalidInputError(
            f"A page holds 1 to {MAX_PAGE_SESSION_COUNT} sessions. Ask for so many.",
            reason="PAGE_INVALID",
            fields={
                "page_size_count": f"1 to {MAX_PAGE_SESSION_COUNT}, or 0 for {DEFAULT_PAGE_SESSION_COUNT}"
            },
        )
    return page_size_count or DEFAULT_PAGE_SESSION_COUNT


def read_page_token(token: str) -> tuple[int | None, int]:
    """Return a page's newest time in milliseconds, and how many of that millisecond were seen before.

    Raises:
        InvalidInputError: `PAGE_INVALID`.
    """
    if not token:
        return None, 0
    match = PAGE_TOKEN.fullmatch(token)
    if match is None or int(match[1]) > MAX_TIME_MS:
        raise InvalidInputError(
            "The page token is not one of ours. Begin at the first page.",
            reason="PAGE_INVALID",
            fields={"page_token": "`next_page_token` of the page before"},
        )
    return int(match[1]), int(match[2])


def page_token(time_ms: int, seen_count: int) -> str:
    """Name the page that begins at a time. Sessions accepted meanwhile do not shift it."""
    return f"{time_ms}-{seen_count}"
