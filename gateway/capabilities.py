"""What a session may ask for, as the stages say it. Asked now and then, and remembered."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from chassis.errors import InterviewError, InvalidInputError
from gateway.languages import offered_languages
from gateway.sessions import Capabilities, Orchestrator

logger = logging.getLogger(__name__)

FRESH_S = 60.0
"""What was told counts for so long: another model is only loaded by a restart of its stage."""
ASK_AGAIN_S = 15.0
"""After an answer that is missing something. Not at once, because asking a stage that hangs takes seconds."""


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
        self._stale_at_s = float("-inf")
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

    async def _ask(self) -> None:
        try:
            told = await self._orchestrator.get_capabilities()
        except InterviewError as error:
            logger.warning("capabilities not known", extra={"reason": error.reason})
            told = Capabilities()
        self._known = Capabilities(
            told.language_codes or self._known.language_codes, told.rubric_ids or self._known.rubric_ids
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
