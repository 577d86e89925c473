"""Translates with DeepL through its official library, inside a deadline of ours.

The library alone may block for more than a minute. Here it makes one attempt per call, with a timeout,
and `retrying` repeats it. No text and no key reaches a log or a message.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import deepl

from chassis.deadline import Deadline
from chassis.model_info import ModelInfo
from chassis.retrying import retried
from chassis.texts import encodable
from services.translator.checks import doubts_of
from services.translator.deepl_attempt import UNKNOWN_BILLING, OneAttempt
from services.translator.deepl_refusals import failure_of, unavailable
from services.translator.job import (
    Formality,
    Job,
    Languages,
    Outcome,
    Translation,
    Translations,
    Usage,
    base_language,
    neighbourhood,
)

T = TypeVar("T")

MAX_BATCH_TEXTS = 50
"""DeepL's limit of texts in a request."""
MAX_REQUEST_BYTES = 128 * 1024
"""DeepL's limit of a request's size."""
ENVELOPE_BYTES = 2 * 1024
"""For the request's other fields and headers. They take a few hundred bytes."""
MAX_TEXT_BYTES = 120 * 1024
"""Of a batch's texts as JSON: one text of the longest kind (10,000 emoji, 12 bytes each) still fits."""
MAX_CONTEXT_BYTES = 16 * 1024
"""A few minutes of speech. More context than that changes no sentence."""
NEIGHBOUR_COUNT = 3
"""Segments before and after a batch that go along as context."""
TARGET_VARIANTS = {"en": "EN-US", "pt": "PT-PT"}
"""DeepL refuses these targets without a region. These are what it took when it had none."""
REGIONAL_TARGETS = frozenset({"EN-US", "EN-GB", "ES-419", "PT-BR", "PT-PT", "ZH-HANS", "ZH-HANT"})


class DeeplBackend:
    """Sends batches to DeepL.

    Args:
        api_key: The account's key. One that ends in `:fx` goes to the free plan.
        server_url: Another server. Empty for DeepL's own.
        attempt_timeout_s: Longest silence of the server in one attempt.
    """

    name, prompt_digest, calls_at_once = "deepl", "", 1

    def __init__(self, api_key: str, server_url: str, attempt_timeout_s: float) -> None:
        self._api_key = api_key
        self._server_url = server_url or None
        self._attempt_timeout_s = attempt_timeout_s
        self._languages: Languages | None = None
        # At INFO the library logs URLs, at DEBUG every text: never let it.
        logging.getLogger("deepl").setLevel(logging.WARNING)

    def batches(self, job: Job, wanted: Sequence[int]) -> Sequence[Sequence[int]]:
        """Cut by DeepL's limits of texts and bytes."""
        batches: list[list[int]] = [[]]
        batch_bytes = 0
        for index in wanted:
            text_bytes = _wire_bytes(job.texts[index])
            full = len(batches[-1]) == MAX_BATCH_TEXTS or batch_bytes + text_bytes > MAX_TEXT_BYTES
            if batches[-1] and full:
                batches.append([])
                batch_bytes = 0
            batches[-1].append(index)
            batch_bytes += text_bytes
        return batches

    def context_of(self, job: Job, index: int) -> str:
        """The question and the nearest neighbours. Those further away in its request change little."""
        return "\n".join(neighbourhood(job, index, index, NEIGHBOUR_COUNT))

    def translate(self, job: Job, batch: Sequence[int], deadline: Deadline) -> Translations:
        """Translate one batch.

        Raises:
            PreconditionError: DeepL refuses the key (`TRANSLATOR_AUTH_FAILED`).
            ExhaustedError: The account's characters are used up (`TRANSLATOR_QUOTA_EXCEEDED`).
            InvalidInputError: DeepL refuses a language, the glossary or the texts.
            UnavailableError: DeepL could not be reached or failed (`TRANSLATOR_UNAVAILABLE`).
        """
        texts = [job.texts[index] for index in batch]
        options: dict[str, Any] = {
            "source_lang": base_language(job.source_language_code).upper(),
            "target_lang": _target(job.target_language_code),
            "context": _context(job, batch) or None,
            "glossary": job.glossary_id or None,
            # A plain `more` fails on languages without degrees; `prefer_more` is ignored there.
            "formality": None if job.formality is Formality.UNSPECIFIED else job.formality.value,
        }
        results = self._call(
            lambda client: _checked(client.translate_text(texts, **options), texts),
            deadline,
            with_glossary=bool(job.glossary_id),
        )
        billed = [result.billed_characters for result in results]
        return Translations(
            translations=tuple(
                _translation(job, text, result) for text, result in zip(texts, results, strict=True)
            ),
            model=self.model(),
            billed_character_count=None if UNKNOWN_BILLING in billed else sum(billed),
        )

    def languages(self, deadline: Deadline) -> Languages:
        """Ask DeepL, once.

        Raises:
            InterviewError: As for `translate`.
        """
        if self._languages is None:
            sources = self._call(lambda client: _some(client.get_source_languages()), deadline)
            targets = self._call(lambda client: _some(client.get_target_languages()), deadline)
            self._languages = Languages(
                tuple(_bcp47(x.code) for x in sources), tuple(_bcp47(x.code) for x in targets)
            )
        return self._languages

    def model(self) -> ModelInfo:
        """Name DeepL. Which of its models translated it does not say."""
        return ModelInfo(name="deepl", version=f"deepl-python {deepl.__version__}", device="deepl")

    def usage(self, deadline: Deadline) -> Usage:
        """Ask DeepL for the characters of the account's period.

        Raises:
            InterviewError: As for `translate`.
        """
        character = self._call(lambda client: client.get_usage().character, deadline)
        return Usage(character.count, character.limit)

    def _call(
        self, request: Callable[[deepl.DeepLClient], T], deadline: Deadline, *, with_glossary: bool = False
    ) -> T:
        with self._client(deadline) as client:
            return retried(lambda: _attempt(request, client, with_glossary=with_glossary), deadline)

    @contextmanager
    def _client(self, deadline: Deadline) -> Iterator[deepl.DeepLClient]:
        client = deepl.DeepLClient(self._api_key, server_url=self._server_url)
        client.close()  # type: ignore[no-untyped-call]
        # The library takes its limits from module globals; this is its only seam for limits per call.
        client._client = OneAttempt(deadline, self._attempt_timeout_s)
        client.set_app_info("interview-assessment", "1")
        try:
            yield client
        finally:
            client.close()  # type: ignore[no-untyped-call]


def _attempt(
    request: Callable[[deepl.DeepLClient], T], client: deepl.DeepLClient, *, with_glossary: bool
) -> T:
    try:
        return request(client)
    except deepl.DeepLException as error:
        # The library's messages quote the reply, which may quote a text: only its status goes on.
        raise failure_of(error.http_status_code, str(error), with_glossary=with_glossary) from None
    except (AttributeError, KeyError, TypeError, ValueError):
        # What the library raises on a reply that is not what DeepL documents.
        raise unavailable("DeepL's reply could not be read") from None


def _some(languages: list[deepl.Language]) -> list[deepl.Language]:
    """Pass on languages. The library makes an empty list of whatever else came with status 200."""
    if not languages:
        raise ValueError("no languages")
    return languages


def _checked(results: Any, texts: Sequence[str]) -> list[deepl.TextResult]:
    """Pass on a reply that holds one text for each of ours. The library returns whatever came."""
    if not isinstance(results, list) or len(results) != len(texts):
        raise ValueError("not one translation for each text")
    if not all(isinstance(result.text, str) for result in results):
        raise ValueError("a translation is not a text")
    return results


def _translation(job: Job, source: str, result: deepl.TextResult) -> Translation:
    text = encodable(result.text).strip()
    languages = (base_language(job.source_language_code), base_language(job.target_language_code))
    if text:
        return Translation(text, doubts=doubts_of(source, text, *languages))
    return Translation.absent(Outcome.INSUFFICIENT_EVIDENCE, "DeepL returned no text for it.")


def _context(job: Job, batch: Sequence[int]) -> str:
    """Put together the question, the batch itself and its neighbours: DeepL takes each text for itself."""
    texts_bytes = sum(_wire_bytes(job.texts[index]) for index in batch)
    room_bytes = min(MAX_CONTEXT_BYTES, MAX_REQUEST_BYTES - ENVELOPE_BYTES - texts_bytes)
    lines: list[str] = []
    for line in neighbourhood(job, batch[0], batch[-1], NEIGHBOUR_COUNT):
        room_bytes -= _wire_bytes(line)
        if room_bytes < 0:
            break
        if line:
            lines.append(line)
    return "\n".join(lines)


def _wire_bytes(text: str) -> int:
    """Bytes of a text as the library sends it: escaped JSON, quotes and comma."""
    return len(json.dumps(text)) + 2


def _target(code: str) -> str:
    upper = code.strip().replace("_", "-").upper()
    base = base_language(code)
    return upper if upper in REGIONAL_TARGETS else TARGET_VARIANTS.get(base, base.upper())


def _bcp47(code: str) -> str:
    base, _, variant = code.partition("-")
    cased = variant.title() if len(variant) == len("Hans") else variant.upper()
    return f"{base.lower()}-{cased}" if variant else base.lower()
