"""A form with recordings: what it may bring, its recordings on their way to disk, and what it asks for.

Both client shapes are read here: the original's (`videos`) and the design document's (`files`).
"""

from __future__ import annotations

import errno
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from chassis.containers import sniff_extension, storage_extension
from chassis.errors import InvalidInputError, UnavailableError
from chassis.limits import MAX_NAME_CHARACTERS, MAX_QUESTION_CHARACTERS
from gateway.capabilities import check_language
from gateway.errors import missing_field
from gateway.uploads.texts import single_line, single_spaced

SPOOL_RETRY_S = 60.0
MAX_QUESTION_COUNT = 100
"""Upper end of `jumlah_pertanyaan`. It only has to be a sensible number."""
ORIGINAL_FIELD = "videos"
"""Form field of the original's recordings."""
SEED_LANGUAGE = "id"
"""Default of the design document's clients (`files`)."""
ORIGINAL_LANGUAGE = "en"
"""Default of the original's clients (`videos`)."""


@dataclass(frozen=True)
class UploadLimits:
    """What one upload may bring. Sizes in bytes."""

    max_file_bytes: int
    max_file_count: int
    max_field_bytes: int
    max_field_count: int
    max_total_bytes: int


@dataclass(frozen=True)
class ReceivedFile:
    """A recording that has arrived, as a local file that lives as long as the `receive` block."""

    field: str
    name: str
    """As the candidate's machine has it, without folders. For display only."""
    extension: str
    path: Path
    size_bytes: int
    digest: str
    """SHA-256 in lower-case hex."""


@contextmanager
def spool_errors() -> Iterator[None]:
    """Turn what the disk of arriving recordings says into our errors: `SPOOL_FULL`, `SPOOL_UNAVAILABLE`."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise UnavailableError(
            "The upload can't be kept while it arrives. Nothing was accepted. Send it again later."
            " If it fails again, tell the operator.",
            reason="SPOOL_FULL" if full else "SPOOL_UNAVAILABLE",
            retry_after_s=SPOOL_RETRY_S,
        ) from error


class Spool:
    """One file on its way to disk.

    Args:
        field: The form's field that it came in.
        name: Its name, for display.
        extension: The extension that the name claims.
        path: Where it goes.
    """

    def __init__(self, field: str, name: str, extension: str, path: Path) -> None:
        self.field = field
        self.name = name
        self.claimed_extension = extension
        self.path = path
        self.size_bytes = 0
        self.has_ended = False
        """Whether all of it has come. It may still have to be written."""
        self.head = b""
        self._digest = hashlib.sha256()
        self._out: IO[bytes] = path.open("wb")

    def write(self, data: bytes) -> None:
        """Write bytes and count them into the digest. Blocking."""
        self._out.write(data)
        self._digest.update(data)

    def settle(self) -> None:
        """Hand what was written to the system, so that others who read the file see it. Blocking."""
        self._out.flush()

    def close(self) -> None:
        """Close the file."""
        self._out.close()

    def received(self) -> ReceivedFile:
        """Return it as a file that has arrived."""
        sniffed = sniff_extension(self.head) or self.claimed_extension
        extension = storage_extension(self.claimed_extension, sniffed)
        return ReceivedFile(
            self.field, self.name, extension, self.path, self.size_bytes, self._digest.hexdigest()
        )


@dataclass(frozen=True)
class ReceivedForm:
    """A form that has arrived: its recordings and its text fields, each in order."""

    files: tuple[ReceivedFile, ...]
    fields: tuple[tuple[str, str], ...]

    def first(self, name: str) -> str | None:
        """Return the first value of a text field, or None."""
        return next((value for field, value in self.fields if field == name), None)

    def all(self, *names: str) -> tuple[str, ...]:
        """Return all values of some text fields, in order."""
        return tuple(value for field, value in self.fields if field in names)


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
    original_shape = any(file.field == ORIGINAL_FIELD for file in form.files)
    if not form.files:
        raise missing_field("files" if "jumlah_pertanyaan" in query else ORIGINAL_FIELD)
    return Submission(
        candidate_name=single_line(form.first("candidate_name") or query.get("candidate_name", ""))[
            :MAX_NAME_CHARACTERS
        ],
        language_code=read_language(form.fields, query, original_shape, languages),
        questions=_questions(form, query, original_shape),
        files=form.files,
        rubric_ids=_rubrics(form, query),
        warnings=_warnings(form, query),
    )


def read_language(
    fields: Sequence[tuple[str, str]],
    query: Mapping[str, str],
    original_shape: bool,
    languages: Sequence[str],
) -> str:
    """Return the language that a form names (BCP-47), empty to detect it.

    Args:
        fields: Its text fields, as many as have come.
        query: The URL's parameters. The form's own fields win.
        original_shape: Whether it is the original's form.
        languages: Languages that may be named, next to `auto`. See `find_language`.

    Raises:
        InvalidInputError: There is no such language.
    """
    named = next((value for field, value in fields if field == "language"), None)
    default_language = ORIGINAL_LANGUAGE if original_shape else SEED_LANGUAGE
    return check_language(named or query.get("language") or default_language, languages)


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
