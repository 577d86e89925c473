"""From a received form to a durable session: what the two client shapes mean, and the order of effects.

Media first, then the session: an answer 200 means that both are durable. Whatever fails, the media go.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from chassis.errors import (
    DeadlineError,
    InterviewError,
    InvalidInputError,
    NotFoundError,
    PreconditionError,
)
from chassis.limits import MAX_NAME_CHARACTERS, MAX_QUESTION_CHARACTERS
from chassis.store import MediaStore
from gateway.errors import missing_field
from gateway.languages import DETECT, find_language
from gateway.sessions import AnswerDraft, Orchestrator, SessionDraft, SessionView
from gateway.uploads.forms import ReceivedFile, ReceivedForm
from gateway.uploads.texts import single_line, single_spaced

MAX_QUESTION_COUNT = 100
"""Upper end of `jumlah_pertanyaan`. It only has to be a sensible number."""
SEED_LANGUAGE = "id"
"""Default of the design document's clients (`files`)."""
ORIGINAL_LANGUAGE = "en"
"""Default of the original's clients (`videos`)."""


def media_prefix(session_id: str) -> str:
    """Return the store's folder of a session's recordings."""
    return f"sessions/{session_id}/media"


def media_key(session_id: str, position: int, extension: str) -> str:
    """Return the store's key of a recording."""
    return f"{media_prefix(session_id)}/{position}{extension}"


@dataclass(frozen=True)
class Submission:
    """What a form asks for."""

    candidate_name: str
    language_code: str
    questions: tuple[str, ...]
    files: tuple[ReceivedFile, ...]
    rubric_ids: tuple[str, ...]
    """One an answer. Empty: the default."""
    warnings: tuple[str, ...] = ()
    """What the client should know though the upload was accepted, a sentence or two each."""


def read_submission(form: ReceivedForm, query: Mapping[str, str], languages: Sequence[str]) -> Submission:
    """Read a form of either client shape.

    Args:
        form: The form.
        query: The URL's parameters. The form's own fields win.
        languages: Languages that may be named, next to `auto`. See `find_language`.

    Raises:
        RequestValidationError: A required field is absent.
        InvalidInputError: A value is wrong, or the counts don't match.
    """
    original_shape = any(file.field == "videos" for file in form.files)
    if not form.files:
        raise missing_field("files" if "jumlah_pertanyaan" in query else "videos")
    default_language = ORIGINAL_LANGUAGE if original_shape else SEED_LANGUAGE
    language = form.first("language") or query.get("language") or default_language
    return Submission(
        candidate_name=single_line(form.first("candidate_name") or query.get("candidate_name", ""))[
            :MAX_NAME_CHARACTERS
        ],
        language_code=check_language(language, languages),
        questions=_questions(form, query, original_shape),
        files=form.files,
        rubric_ids=_rubrics(form, query),
        warnings=_warnings(form, query),
    )


def check_language(language: str, languages: Sequence[str]) -> str:
    """Return the code of a language among those offered, empty for `auto`.

    Raises:
        InvalidInputError: It is not one of them.
    """
    if language.strip().lower() == DETECT:
        return ""
    code = find_language(language, languages)
    if code is None:
        shown = single_line(language)[:20]
        raise InvalidInputError(
            f"Invalid language: {shown}. Allowed: {DETECT}, {', '.join(languages)}. Name one of them.",
            reason="LANGUAGE_INVALID",
        )
    return code


def _questions(form: ReceivedForm, query: Mapping[str, str], original_shape: bool) -> tuple[str, ...]:
    questions = form.all("questions", "question")
    count = _named_count(form, query)
    if count is not None:
        _check_count(count)
    if not questions:
        if original_shape and count is None:
            raise missing_field("questions")
        return ("",) * len(form.files)
    if len(questions) != len(form.files):
        raise InvalidInputError(
            f"Questions count ({len(questions)}) must match videos count ({len(form.files)})."
            " Send one question a video, in the same order, or none.",
            reason="QUESTION_COUNT_MISMATCH",
        )
    return tuple(check_question(text, number) for number, text in enumerate(questions, start=1))


def _named_count(form: ReceivedForm, query: Mapping[str, str]) -> str | None:
    return form.first("jumlah_pertanyaan") or query.get("jumlah_pertanyaan")


def _warnings(form: ReceivedForm, query: Mapping[str, str]) -> tuple[str, ...]:
    """Return what is odd about a form and no reason to refuse it.

    A wrong `jumlah_pertanyaan` is not refused. The original read it and did nothing with it, its default of
    3 is sent by clients whatever they upload, and a candidate may have left a question out.
    """
    count, file_count = _named_count(form, query), len(form.files)
    if count is None or int(count) == file_count:
        return ()
    said = f"jumlah_pertanyaan is {int(count)}, and the number of videos is {file_count}."
    return (f"{said} All {file_count} are assessed. If one is missing, upload all of them again.",)


def _rubrics(form: ReceivedForm, query: Mapping[str, str]) -> tuple[str, ...]:
    """Return a rubric for each recording: none named, one for all, or one each."""
    named = form.all("rubric", "rubrics") or ((query["rubric"],) if "rubric" in query else ("",))
    if len(named) == 1:
        named *= len(form.files)
    if len(named) != len(form.files):
        raise InvalidInputError(
            f"Rubrics count ({len(named)}) must be one, or match videos count ({len(form.files)})."
            " Name one rubric for all videos, or one a video.",
            reason="RUBRIC_COUNT_MISMATCH",
        )
    return tuple(name.strip() for name in named)


def check_question(text: str, number: int) -> str:
    """Return a question, trimmed.

    Raises:
        InvalidInputError: It is too long.
    """
    question = single_spaced(text)
    if len(question) > MAX_QUESTION_CHARACTERS:
        raise InvalidInputError(
            f"Question {number} is too long. Max: {MAX_QUESTION_CHARACTERS} characters. Shorten it.",
            reason="QUESTION_TOO_LONG",
        )
    return question


def _check_count(text: str) -> None:
    # The files decide how many answers there are. Only nonsense is refused; see `_warnings`.
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= MAX_QUESTION_COUNT:
        raise InvalidInputError(
            f"jumlah_pertanyaan must be a number from 1 to {MAX_QUESTION_COUNT}.",
            reason="QUESTION_COUNT_INVALID",
        )


class Submitter:
    """Makes sessions durable.

    Args:
        orchestrator: Takes the session.
        store: Takes the recordings.
    """

    def __init__(self, orchestrator: Orchestrator, store: MediaStore) -> None:
        self._orchestrator = orchestrator
        self._store = store
        self._in_flight: set[str] = set()

    async def existing(self, session_id: str) -> SessionView | None:
        """Return the session of this identifier, or None."""
        try:
            return await self._orchestrator.get_session(session_id)
        except NotFoundError:
            return None

    @contextmanager
    def only_one(self, session_id: str) -> Iterator[None]:
        """Keep a second upload of the same session out of the block.

        Raises:
            PreconditionError: One is in the block already.
        """
        if session_id in self._in_flight:
            raise PreconditionError(
                "An upload with this Idempotency-Key is under way. Wait for its answer.",
                reason="DUPLICATE_IN_PROGRESS",
            )
        self._in_flight.add(session_id)
        try:
            yield
        finally:
            self._in_flight.discard(session_id)

    async def submit(self, session_id: str, submission: Submission) -> SessionView:
        """Store the recordings and create the session. On any failure nothing of it stays.

        Raises:
            InterviewError: The store or the orchestrator refused or is away.
        """
        try:
            answers = [
                await self._store_answer(session_id, position, question, rubric_id, file)
                for position, (question, rubric_id, file) in enumerate(
                    zip(submission.questions, submission.rubric_ids, submission.files, strict=True), start=1
                )
            ]
            draft = SessionDraft(
                session_id, submission.candidate_name, submission.language_code, tuple(answers)
            )
            return await create_session(self._orchestrator, draft)
        except BaseException:
            # Shielded: a cancelled request still cleans up behind itself.
            await asyncio.shield(self._store.delete_prefix(media_prefix(session_id)))
            raise

    async def _store_answer(
        self, session_id: str, position: int, question: str, rubric_id: str, file: ReceivedFile
    ) -> AnswerDraft:
        key = media_key(session_id, position, file.extension)
        await self._store.put_file(key, file.path)
        return AnswerDraft(
            position=position,
            question=question,
            uri=self._store.uri(key),
            file_name=file.name,
            digest=file.digest,
            media_bytes=file.size_bytes,
            rubric_id=rubric_id,
        )


async def create_session(orchestrator: Orchestrator, draft: SessionDraft) -> SessionView:
    """Create a session. Where the answer was late, ask whether it was created after all.

    Raises:
        InterviewError: It was not created.
    """
    try:
        return await orchestrator.create_session(draft)
    except DeadlineError as late:
        try:
            return await orchestrator.get_session(draft.session_id)
        except InterviewError:
            raise late from None
