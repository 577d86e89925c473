"""The answer as a caller hands it over, and the limits that it has to keep.

Times are seconds from the first sample of the recording, or absent for a written answer.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from chassis.errors import InvalidInputError

MAX_QUESTION_CHARACTERS = 2_000
MAX_ANSWER_CHARACTERS = 100_000
MAX_SEGMENTS = 10_000
"""A segment is a second or more of speech, so this is hours of it."""
MAX_SEED = 2**32 - 1
"""llama.cpp's server reads its seed as an unsigned 32-bit number."""
LANGUAGE_CODE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


@dataclass(frozen=True)
class Word:
    """One spoken word with its times."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Segment:
    """A stretch of the answer. Its words count where there are any, its text otherwise."""

    text: str
    words: tuple[Word, ...] = ()
    start_s: float | None = None
    end_s: float | None = None

    def characters(self) -> int:
        """Length of the longer of its two forms, since either could be read."""
        return max(len(self.text), sum(len(word.text) for word in self.words))


@dataclass(frozen=True)
class Answer:
    """One answer to assess, and how."""

    question: str
    segments: tuple[Segment, ...]
    language_code: str
    reader_language_code: str = ""
    rubric_id: str = ""
    seed: int | None = None


def check_answer(answer: Answer) -> None:
    """Refuse an answer that breaks a documented limit.

    Raises:
        InvalidInputError: The request is wrong as it stands. Its reason says which field.
    """
    if len(answer.question) > MAX_QUESTION_CHARACTERS:
        raise _wrong("QUESTION_TOO_LONG", "question", f"at most {MAX_QUESTION_CHARACTERS} characters")
    if len(answer.segments) > MAX_SEGMENTS:
        raise _wrong("ANSWER_TOO_LONG", "segments", f"at most {MAX_SEGMENTS} segments")
    if sum(segment.characters() for segment in answer.segments) > MAX_ANSWER_CHARACTERS:
        raise _wrong("ANSWER_TOO_LONG", "segments", f"at most {MAX_ANSWER_CHARACTERS} characters together")
    for field in ("language_code", "reader_language_code"):
        code = getattr(answer, field)
        if code and not LANGUAGE_CODE.fullmatch(code):
            raise _wrong("LANGUAGE_INVALID", field, "a BCP-47 code such as `en` or `id`, or empty")
    if answer.seed is not None and not 0 <= answer.seed <= MAX_SEED:
        raise _wrong("SEED_INVALID", "seed", f"a whole number from 0 to {MAX_SEED}")
    if not all(_in_order(start_s, end_s) for start_s, end_s in _spans(answer.segments)):
        raise _wrong("TIMES_INVALID", "segments", "finite times from 0 on, each end not before its start")


def _spans(segments: tuple[Segment, ...]) -> Iterator[tuple[float | None, float | None]]:
    for segment in segments:
        yield segment.start_s, segment.end_s
        yield from ((word.start_s, word.end_s) for word in segment.words)


def _in_order(start_s: float | None, end_s: float | None) -> bool:
    given = [time_s for time_s in (start_s, end_s) if time_s is not None]
    return all(math.isfinite(time_s) and time_s >= 0 for time_s in given) and given == sorted(given)


def _wrong(reason: str, field: str, rule: str) -> InvalidInputError:
    return InvalidInputError(f"Send {field} as {rule}.", reason=reason, fields={field: rule})
