"""Translates lists of texts one to one through one backend.

No transport and no network here. A text that could not be translated is absent with its reason. The
original is never passed off as a translation.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from chassis.chat_refusals import ABOUT_ONE_REQUEST
from chassis.deadline import Deadline
from chassis.errors import (
    DeadlineError,
    ExhaustedError,
    InterviewError,
    InvalidInputError,
    PreconditionError,
    UnavailableError,
)
from chassis.model_info import ModelInfo
from chassis.side_by_side import side_by_side
from services.translator.cache import Remembered, TranslationCache, key_of
from services.translator.job import (
    NO_MODEL,
    Backend,
    Job,
    Languages,
    Outcome,
    Translation,
    Translations,
    Usage,
    base_language,
    needs_translation,
)

MAX_TEXTS = 2000
"""Segments of a two-hour interview. More is not one recording."""
MAX_TEXT_CHARACTERS = 10_000
MAX_CONTEXT_CHARACTERS = 10_000
MAX_GLOSSARY_ID_CHARACTERS = 128
LANGUAGE_CODE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
"""Shape of a BCP-47 code. Which ones are translated is the backend's to say."""
REPLY_RESERVE_S = 0.3
"""Kept back from the caller's deadline, so that a partial answer still reaches it."""
RESERVE_RATIO = 0.2
"""No more than this share of a short deadline is kept back."""

MAX_FAILED_REQUESTS = 5
"""Batches in a row that may fail by what they say: from there on it is the model that fails."""
MAX_FAILED_SERVER_CALLS = 2
"""Batches in a row that may fail by their server, each after its own repetitions. Then it is down."""

_FAILURES = (UnavailableError, ExhaustedError, PreconditionError, DeadlineError)


@dataclass(frozen=True)
class Capabilities:
    """What the configured backend is and translates."""

    backend: str
    model: ModelInfo
    languages: Languages


class Translator:
    """Translates jobs. Keeps order and number of their texts.

    Args:
        backend: What translates.
        default_timeout_s: Time for a job whose caller set no deadline.
        cache: Remembers translations for a while.
    """

    def __init__(self, backend: Backend, default_timeout_s: float, cache: TranslationCache) -> None:
        self._backend = backend
        self._default_timeout_s = default_timeout_s
        self._cache = cache

    @property
    def prompt_digest(self) -> str:
        """SHA-256 of the backend's prompt. Empty where it takes none of ours."""
        return self._backend.prompt_digest

    def translate(self, job: Job, timeout_s: float | None, stop: threading.Event) -> Translations:
        """Translate a job.

        Args:
            job: The texts.
            timeout_s: What is left of the caller's deadline. None where it set none.
            stop: Set when the caller gave up. Looked at before every batch.

        Returns:
            One translation for each text. When the backend fails after some batches were translated
            (and billed), the rest is absent with the failure as its reason.

        Raises:
            InvalidInputError: The job is wrong.
            InterviewError: The backend failed before anything was translated.
        """
        check(job)
        if base_language(job.source_language_code) == base_language(job.target_language_code):
            return Translations(tuple(Translation(text) for text in job.texts), billed_character_count=0)
        spoken = [index for index, text in enumerate(job.texts) if needs_translation(text)]
        translations = [Translation(text.strip()) for text in job.texts]
        if not spoken:
            return Translations(tuple(translations), billed_character_count=0)
        worded = replace(job, texts=tuple(job.texts[index].strip() for index in spoken))
        done = self._translate_new(worded, self._deadline(timeout_s, stop))
        for index, translation in zip(spoken, done.translations, strict=True):
            translations[index] = translation
        return replace(done, translations=tuple(translations))

    def capabilities(self, timeout_s: float | None, stop: threading.Event) -> Capabilities:
        """Say what can be translated.

        Raises:
            InterviewError: The backend could not be asked.
        """
        languages = self._backend.languages(self._deadline(timeout_s, stop))
        return Capabilities(self._backend.name, self._backend.model(), languages)

    def usage(self, timeout_s: float | None, stop: threading.Event) -> tuple[str, Usage]:
        """Return the backend's name and how much of its account is used.

        Raises:
            InterviewError: The backend could not be asked.
        """
        return self._backend.name, self._backend.usage(self._deadline(timeout_s, stop))

    def _deadline(self, timeout_s: float | None, stop: threading.Event) -> Deadline:
        given_s = self._default_timeout_s if timeout_s is None else timeout_s
        return Deadline(given_s - min(REPLY_RESERVE_S, RESERVE_RATIO * given_s), stop)

    def _translate_new(self, job: Job, deadline: Deadline) -> Translations:
        """Translate what is not remembered, each text once. What is remembered is not billed again."""
        keys = self._keys(job)
        known = {key: found for key in keys if (found := self._cache.recall(key)) is not None}
        first = {key: index for index, key in reversed(list(enumerate(keys)))}
        wanted = sorted(index for key, index in first.items() if key not in known)
        if not wanted:
            model = known[keys[-1]].model
            return Translations(
                tuple(known[key].translation for key in keys), model, billed_character_count=0
            )
        done = self._translate_batches(job, wanted, deadline)
        made = {keys[index]: made for index, made in zip(wanted, done.translations, strict=True)}
        self._remember(job, wanted, done)
        return replace(
            done,
            translations=tuple(made[key] if key in made else known[key].translation for key in keys),
        )

    def _keys(self, job: Job) -> list[bytes]:
        backend, model = self._backend, self._backend.model()
        return [
            key_of(job, text, backend.context_of(job, index), backend.name, model)
            for index, text in enumerate(job.texts)
        ]

    def _remember(self, job: Job, wanted: Sequence[int], done: Translations) -> None:
        keys = self._keys(job)  # Some backends know their model only after the first call.
        for index, translation in zip(wanted, done.translations, strict=True):
            if translation.outcome is Outcome.OK:
                self._cache.keep(keys[index], Remembered(translation, done.model))

    def _translate_batches(self, job: Job, wanted: Sequence[int], deadline: Deadline) -> Translations:
        """Translate some batches at a time. One that fails is absent, until too many in a row have failed."""
        patience = _Patience()

        def attempt(batch: Sequence[int]) -> Translations:
            deadline.check_stop()
            try:
                if patience.lost is None:
                    return patience.rewarded(self._translate_batch(job, batch, deadline))
            except _FAILURES as error:
                patience.tried(error)
                return _absent(len(batch), error)
            return _absent(len(batch), patience.lost)

        calls = [partial(attempt, batch) for batch in self._backend.batches(job, wanted)]
        replies = side_by_side(calls, self._backend.calls_at_once)
        if patience.first is not None and not any(_any_translated(reply) for reply in replies):
            raise patience.first
        return _joined(replies)

    def _translate_batch(self, job: Job, batch: Sequence[int], deadline: Deadline) -> Translations:
        if deadline.passed:
            raise DeadlineError(
                "The time was over before everything was translated. Allow more, or send fewer texts.",
                reason="DEADLINE_EXCEEDED",
            )
        return self._backend.translate(job, batch, deadline)


class _Patience:
    """How often batches may still fail. Several of them may end at the same time."""

    def __init__(self) -> None:
        self._counting = threading.Lock()
        self._failed_in_a_row = 0
        self.first: InterviewError | None = None
        """The first failure."""
        self.lost: InterviewError | None = None
        """The failure from which on nothing more is tried."""

    def rewarded(self, done: Translations) -> Translations:
        """Count a batch that succeeded, and return it."""
        with self._counting:
            self._failed_in_a_row = 0
        return done

    def tried(self, error: InterviewError) -> None:
        """Count a batch that failed."""
        with self._counting:
            self._failed_in_a_row += 1
            self.first = self.first or error
            if self._failed_in_a_row >= _most_in_a_row(error):
                self.lost = self.lost or error


def check(job: Job) -> None:
    """Refuse a job that no backend could do.

    Raises:
        InvalidInputError: Too many texts, a text or context that is too long, or a malformed code.
    """
    if len(job.texts) > MAX_TEXTS:
        raise _invalid("TEXTS_TOO_MANY", "texts", f"Send at most {MAX_TEXTS} texts in one request")
    for index, text in enumerate(job.texts):
        if len(text) > MAX_TEXT_CHARACTERS:
            raise _invalid(
                "TEXT_TOO_LONG",
                f"texts[{index}]",
                f"Cut it into texts of up to {MAX_TEXT_CHARACTERS} characters",
            )
    if len(job.context) > MAX_CONTEXT_CHARACTERS:
        raise _invalid("TEXT_TOO_LONG", "context", f"Shorten it to {MAX_CONTEXT_CHARACTERS} characters")
    if len(job.glossary_id) > MAX_GLOSSARY_ID_CHARACTERS:
        raise _invalid(
            "GLOSSARY_REFUSED", "glossary_id", "Send the identifier that the backend gave the glossary"
        )
    for field in ("source_language_code", "target_language_code"):
        if not LANGUAGE_CODE.fullmatch(getattr(job, field)):
            raise _invalid("LANGUAGE_CODE_INVALID", field, "Send a BCP-47 code such as `en` or `id`")


def _invalid(reason: str, field: str, advice: str) -> InvalidInputError:
    return InvalidInputError(f"The field {field} is wrong. {advice}.", reason=reason, fields={field: advice})


def _most_in_a_row(error: InterviewError) -> int:
    """Return after how many failures of a kind in a row the rest is not tried."""
    if error.reason in ABOUT_ONE_REQUEST:
        return MAX_FAILED_REQUESTS
    return MAX_FAILED_SERVER_CALLS if isinstance(error, UnavailableError) else 1


def _any_translated(reply: Translations) -> bool:
    return any(translation.outcome is Outcome.OK for translation in reply.translations)


def _absent(text_count: int, error: InterviewError) -> Translations:
    absent = Translation.absent(Outcome.SERVICE_UNAVAILABLE, error.message)
    return Translations((absent,) * text_count, billed_character_count=0)


def _joined(replies: list[Translations]) -> Translations:
    billed = [reply.billed_character_count for reply in replies]
    return Translations(
        translations=tuple(translation for reply in replies for translation in reply.translations),
        model=next((reply.model for reply in replies if reply.model.name), NO_MODEL),
        billed_character_count=None if None in billed else sum(count or 0 for count in billed),
        prompt_token_count=sum(reply.prompt_token_count for reply in replies),
        completion_token_count=sum(reply.completion_token_count for reply in replies),
    )
