"""What an upload may ask for, as the stages say it, and whether there is room. Remembered for a while."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import langcodes
from langcodes.tag_parser import LanguageTagError

from chassis.errors import DeadlineError, ExhaustedError, InterviewError, InvalidInputError, UnavailableError
from gateway.sessions import Capabilities, Orchestrator
from gateway.uploads.texts import single_line

logger = logging.getLogger(__name__)

FRESH_S = 60.0
"""What was told counts for so long: another model is only loaded by a restart of its stage."""
ASK_AGAIN_S = 15.0
"""After an answer that is missing something. Not at once, because asking a stage that hangs takes seconds."""
ROOM_FRESH_S = 1.0
"""So many uploads may begin at once without a question each."""
ROOM_TIMEOUT_S = 2.0
"""An upload is not kept waiting for a stage that hangs."""
ROOM_RETRY_S = 30.0
DETECT = "auto"
"""Leaves the language to the transcriber."""

# fmt: off
SPOKEN_LANGUAGES: tuple[str, ...] = (
    "en", "id", "af", "am", "ar", "as", "az", "ba", "be", "bg", "bn", "bo", "br", "bs", "ca", "cs",
    "cy", "da", "de", "el", "es", "et", "eu", "fa", "fi", "fo", "fr", "gl", "gu", "ha", "haw", "he",
    "hi", "hr", "ht", "hu", "hy", "is", "it", "ja", "jv", "ka", "kk", "km", "kn", "ko", "la", "lb",
    "ln", "lo", "lt", "lv", "mg", "mi", "mk", "ml", "mn", "mr", "ms", "mt", "my", "ne", "nl", "nn",
    "no", "oc", "pa", "pl", "ps", "pt", "ro", "ru", "sa", "sd", "si", "sk", "sl", "sn", "so", "sq",
    "sr", "su", "sv", "sw", "ta", "te", "tg", "th", "tk", "tl", "tr", "tt", "uk", "ur", "uz", "vi",
    "yi", "yo", "zh",
)
# fmt: on
"""Languages of every multilingual Whisper model. They are offered while the transcriber can't be asked."""
FIRST = ("en", "id")
"""Languages that lists begin with."""

_TAG = re.compile(r"([a-z]{2,3})(?:-([a-z]{3}))?(?:-[a-z0-9]{1,8})*")
"""A language, an extended language as in `zh-yue`, and script, region and the like (RFC 5646 §2.1)."""
_BROADER = {"nb": "no"}
"""Bokmål is Norwegian, which CLDR does not say: to CLDR it is the other way round."""


class KnownCapabilities:
    """Remembers what the orchestrator told.

    Args:
        orchestrator: Is asked.
        allowed_languages: What the operator restricts uploads to. None: no restriction.
        clock: Seconds that only go forward.
    """

    def __init__(
        self,
        orchestrator: Orchestrator,
        allowed_languages: Sequence[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._orchestrator = orchestrator
        self._allowed_languages = tuple(allowed_languages)
        self._clock = clock
        self._known = Capabilities()
        self._away = False
        self._stale_at_s = self._room_stale_at_s = float("-inf")
        self._asking = asyncio.Lock()

    async def current(self) -> Capabilities:
        """Return the languages and the rubrics that an upload may name.

        Nothing is raised. While a stage is away, what it said before counts. Before it has said anything,
        languages are those of every model, and rubrics are empty.
        """
        async with self._asking:  # One asks, the others wait for its answer.
            if self._clock() >= self._stale_at_s:
                await self._ask()
            known = self._known
        languages = offered_languages(self._allowed_languages, known.language_codes)
        return Capabilities(languages, known.rubric_ids)

    async def check_room(self) -> None:
        """Refuse an upload that would not be accepted, before any of it is read.

        Raises:
            ExhaustedError: Too many sessions wait (`SESSIONS_FULL`).
            UnavailableError: The orchestrator is away (`ORCHESTRATOR_UNAVAILABLE`).
        """
        async with self._asking:
            if self._clock() >= self._room_stale_at_s:
                await self._ask_for_room()
            away, full = self._away, not self._known.has_room
        if away:
            raise UnavailableError(
                "The assessment service can't be reached right now. Nothing was accepted."
                " Send the upload again in half a minute.",
                reason="ORCHESTRATOR_UNAVAILABLE",
                retry_after_s=ROOM_RETRY_S,
            )
        if full:
            raise ExhaustedError(
                "Too many sessions wait already. Nothing was accepted. Send the upload again later.",
                reason="SESSIONS_FULL",
                retry_after_s=ROOM_RETRY_S,
            )

    async def _ask_for_room(self) -> None:
        try:
            async with asyncio.timeout(ROOM_TIMEOUT_S):
                await self._ask()
        except TimeoutError:
            # Either a stage does not answer, which is no reason to refuse an upload, or the orchestrator.
            self._away = not await self._answers()
            self._known = replace(self._known, has_room=True)
        self._room_stale_at_s = self._clock() + ROOM_FRESH_S

    async def _answers(self) -> bool:
        try:
            await self._orchestrator.ping()
        except InterviewError:
            return False
        return True

    async def _ask(self) -> None:
        try:
            told = await self._orchestrator.get_capabilities()
        except InterviewError as error:
            logger.warning("capabilities not known", extra={"reason": error.reason})
            told, self._away = Capabilities(), not isinstance(error, DeadlineError)
        else:
            self._away = False
        self._known = Capabilities(
            told.language_codes or self._known.language_codes,
            told.rubric_ids or self._known.rubric_ids,
            told.has_room,
        )
        whole = told.language_codes and told.rubric_ids
        self._stale_at_s = self._clock() + (FRESH_S if whole else ASK_AGAIN_S)


def check_rubrics(named: Sequence[str], known: Sequence[str]) -> None:
    """Refuse rubrics that nobody can judge by, before anything is stored or fetched.

    Args:
        named: Rubrics that an upload names. Empty ones mean the default.
        known: Rubrics that there are. None where nobody can tell, and the assessor will say it.

    Raises:
        InvalidInputError: One is unknown (`RUBRIC_UNKNOWN`).
    """
    if known and any(name and name not in known for name in named):
        raise InvalidInputError(
            f"There is no such rubric. Ask for one of: {', '.join(sorted(known))}.", reason="RUBRIC_UNKNOWN"
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


def offered_languages(allowed: Sequence[str], understood: Sequence[str]) -> tuple[str, ...]:
    """Return the languages that an upload may name, English and Indonesian first.

    Args:
        allowed: What the operator restricts uploads to. None: no restriction.
        understood: What the loaded model understands. None where nobody can tell.
    """
    if not understood:
        return tuple(allowed) or SPOKEN_LANGUAGES
    chosen = (
        {code for tag in allowed if (code := find_language(tag, understood))} if allowed else set(understood)
    )
    return tuple(sorted(chosen, key=lambda code: (code not in FIRST, code)))


def find_language(tag: str, offered: Sequence[str]) -> str | None:
    """Return the offered language that a tag means, or None.

    Region and script don't matter (`id-ID`, `zh_Hant`), nor do old and longer codes (`in`, `iw`, `ind`).
    A language stands for the broader one where only that is offered (`nb` for `no`, `cmn` for `zh`).

    Args:
        tag: A language tag (BCP-47). Underscores are understood.
        offered: Languages to choose from, by BCP-47 or by Whisper's names (`jw`).
    """
    match = _TAG.fullmatch(tag.strip().lower().replace("_", "-"))
    if match is None:
        return None
    language = _canonical(match[2] or match[1])
    by_language = {_canonical(code): code for code in offered}
    broader = _BROADER.get(language) or langcodes.Language.get(language).prefer_macrolanguage().language
    return by_language.get(language) or by_language.get(broader or "")


def _canonical(code: str) -> str:
    # One subtag at a time: `langcodes` keeps every tag that it has seen, and clients can make up many.
    try:
        return langcodes.Language.get(code).language or code
    except LanguageTagError:  # an operator's own list may hold anything
        return code
