"""Translates with a language model behind an OpenAI-compatible server.

Segments go in and come out by number, every reply is checked, and a segment that fails is asked for once
more alone. What still fails is absent with its reason. What is doubted is asked for once more as well, and
shown with its doubts where that brings nothing surer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from chassis.chat_completions import ChatRequest, Message
from chassis.chat_refusals import ABOUT_ONE_REQUEST
from chassis.chat_replies import ChatReply, read_json_object, warn_of_broken_schema
from chassis.deadline import Deadline
from chassis.errors import DeadlineError, InvalidInputError, PreconditionError, UnavailableError
from chassis.model_info import ModelInfo
from chassis.texts import encodable
from services.translator import prompt
from services.translator.checks import doubts_of, fault_of, repeated
from services.translator.job import (
    Job,
    Languages,
    Outcome,
    Translation,
    Translations,
    Usage,
    base_language,
    neighbourhood,
)

TOKENS_PER_CHARACTER = 1.0
"""Above what any language with an alphabet needs (English 0.25, Indonesian 0.4), so it cuts loops only."""
BASE_TOKENS = 64
TOKENS_PER_SEGMENT = 16
"""For keys, quotes and the white space that grammars allow."""
RETRY_TEMPERATURE = 0.3
"""A second try at temperature 0 would say the same again."""

UNREADABLE = "The model's reply could not be read."
NO_TIME = "The time was over before it was translated."
SEED = 7
"""Any constant: the same texts get the same translation again."""


class Chat(Protocol):
    """What answers the prompts."""

    @property
    def host(self) -> str:
        """Where it runs."""

    @property
    def known_model(self) -> str:
        """Its model's name, as far as it is known."""

    def complete(self, request: ChatRequest, deadline: Deadline) -> ChatReply:
        """Answer one request."""


class LlmBackend:
    """Translates batches with a language model.

    Args:
        chat: The model.
        language_codes: Languages that it is trusted with, in both directions.
        batch_text_count: Segments in one request.
        batch_characters: Characters in one request, unless a single segment has more.
        calls_at_once: Requests at a time. A server writes several replies together in little more time.
        begins_replies: Whether the JSON around a single segment is written for the model. Its server has to
            go on with a reply that was begun.
    """

    name = "llm"
    prompt_digest = prompt.DIGEST

    def __init__(
        self,
        chat: Chat,
        language_codes: Sequence[str],
        batch_text_count: int,
        batch_characters: int,
        calls_at_once: int = 1,
        *,
        begins_replies: bool = False,
    ) -> None:
        self._chat = chat
        self._begins_replies = begins_replies
        self._languages = tuple(base_language(code) for code in language_codes)
        self._batch_text_count = batch_text_count
        self._batch_characters = batch_characters
        self.calls_at_once = calls_at_once

    def batches(self, job: Job, wanted: Sequence[int]) -> Sequence[Sequence[int]]:
        """Cut by segments and characters."""
        batches: list[list[int]] = [[]]
        characters = 0
        for index in wanted:
            length = len(job.texts[index])
            full = len(batches[-1]) == self._batch_text_count or characters + length > self._batch_characters
            if batches[-1] and full:
                batches.append([])
                characters = 0
            batches[-1].append(index)
            characters += length
        return batches

    def context_of(self, job: Job, index: int) -> str:
        """The question, and the segments that may share a request with it."""
        return "\n".join(neighbourhood(job, index, index, self._batch_text_count - 1))

    def translate(self, job: Job, batch: Sequence[int], deadline: Deadline) -> Translations:
        """Translate one batch, and each segment that came back wrong once more alone.

        Raises:
            InvalidInputError: A language is not listed, or a glossary is asked for.
            PreconditionError: The server refuses the key, the model or all of the requests.
            UnavailableError: The server could not be reached, failed, or sent nothing that can be read.
        """
        self._check(job)
        replies: list[ChatReply] = []
        try:
            translations = self._ask(job, batch, deadline, 0.0, replies)
        except (PreconditionError, UnavailableError) as error:
            if error.reason not in ABOUT_ONE_REQUEST or (len(batch) == 1 and error.code != "UNAVAILABLE"):
                raise
            translations = [_unavailable(error.message)] * len(batch)
        for position, index in enumerate(batch):
            if not translations[position].is_sure:
                translations[position] = self._again(job, index, translations[position], replies, deadline)
        if not replies:
            raise UnavailableError(translations[-1].reason, reason="MODEL_REPLY_INVALID")
        return Translations(
            translations=tuple(translations),
            model=replace(self.model(), version=replies[0].model_version) if replies else self.model(),
            prompt_token_count=sum(reply.prompt_token_count for reply in replies),
            completion_token_count=sum(reply.completion_token_count for reply in replies),
        )

    def languages(self, deadline: Deadline) -> Languages:  # noqa: ARG002 - asks nobody
        """The configured ones."""
        return Languages(self._languages, self._languages)

    def model(self) -> ModelInfo:
        """Name the model as its server does."""
        return ModelInfo(name=self._chat.known_model, device=self._chat.host)

    def usage(self, deadline: Deadline) -> Usage:  # noqa: ARG002 - the protocol has no such question
        """Unknown: these servers count no characters."""
        return Usage()

    def _check(self, job: Job) -> None:
        for field in ("source_language_code", "target_language_code"):
            if base_language(getattr(job, field)) not in self._languages:
                advice = "Choose one that GetCapabilities lists, or add it to TRANSLATOR_LLM_LANGUAGE_CODES"
                raise InvalidInputError(
                    f"The model is not set up for this {field}. {advice}.",
                    reason="LANGUAGE_UNSUPPORTED",
                    fields={field: advice},
                )
        if job.glossary_id:
            advice = "Leave it empty, or use the deepl backend"
            raise InvalidInputError(
                f"Glossaries need the deepl backend. {advice}.",
                reason="GLOSSARY_REFUSED",
                fields={"glossary_id": advice},
            )

    def _ask(
        self,
        job: Job,
        batch: Sequence[int],
        deadline: Deadline,
        temperature: float,
        replies: list[ChatReply],
    ) -> list[Translation]:
        texts = [job.texts[index] for index in batch]
        request = ChatRequest(
            messages=prompt.messages(
                texts,
                job.source_language_code,
                job.target_language_code,
                context=job.context,
                formality=job.formality,
            ),
            schema=prompt.schema(len(texts)),
            max_tokens=_max_tokens(texts),
            seed=SEED,
            temperature=temperature,
        )
        begins = self._begins_replies and len(texts) == 1 and temperature == 0
        if not (begins and self._write_text(request, deadline, replies)):
            replies.append(self._chat.complete(request, deadline))
        return _read(job, texts, replies[-1].text)

    def _write_text(self, request: ChatRequest, deadline: Deadline, replies: list[ChatReply]) -> bool:
        """Let the model write the translation alone, between the beginning and the end of its JSON.

        What is no choice is read instead of written, which costs a third. The reply is added with all of its
        JSON, as if it had been written by the schema.

        Returns:
            Whether there is one to read. The server may not take such a request, and the model may not come
            to the end, or write more than one text.
        """
        begun = replace(
            request,
            messages=[*request.messages, Message("assistant", prompt.REPLY_BEGIN)],
            schema=None,
            continues=True,
            stop=(prompt.REPLY_END,),
        )
        try:
            reply = self._chat.complete(begun, deadline)
        except PreconditionError as error:
            if error.reason != "MODEL_REQUEST_REFUSED":
                raise
            return False
        written = reply.text.removeprefix(prompt.REPLY_BEGIN)  # Some servers give it back.
        replies.append(replace(reply, text=f"{prompt.REPLY_BEGIN}{written}{prompt.REPLY_END}"))
        return not reply.truncated and _is_one_text(replies[-1].text)

    def _again(
        self, job: Job, index: int, first: Translation, replies: list[ChatReply], deadline: Deadline
    ) -> Translation:
        deadline.check_stop()
        if deadline.passed:
            return first
        try:
            (second,) = self._ask(job, (index,), deadline, RETRY_TEMPERATURE, replies)
        except (UnavailableError, PreconditionError, DeadlineError) as error:
            # What the first request brought is kept; only this segment is lost.
            second = _unavailable(NO_TIME if deadline.passed else error.message)
        return first if first.outcome is Outcome.OK and not second.is_sure else second


def _read(job: Job, texts: Sequence[str], content: str) -> list[Translation]:
    found = read_json_object(content)
    reply = {} if found is None else found.document
    keys = [str(number) for number in range(1, len(texts) + 1)]
    if set(reply) != set(keys) or not all(isinstance(value, str) for value in reply.values()):
        warn_of_broken_schema("no object" if found is None else "not one text for each number")
        return [_unavailable(UNREADABLE)] * len(texts)
    meanings = [encodable(reply[key]).strip() for key in keys]
    twice = repeated(texts, meanings)
    return [
        _untrusted("it stands for another segment as well")
        if position in twice
        else _checked(job, text, meanings[position])
        for position, text in enumerate(texts)
    ]


def _is_one_text(content: str) -> bool:
    """Tell whether a reply's JSON is an object of a single text."""
    found = read_json_object(content)
    return found is not None and found.start == 0 and list(found.document) == ["1"]


def _checked(job: Job, source: str, text: str) -> Translation:
    languages = (base_language(job.source_language_code), base_language(job.target_language_code))
    fault = fault_of(source, text, *languages)
    if fault is not None:
        return _untrusted(fault)
    return Translation(text, doubts=doubts_of(source, text, *languages))


def _untrusted(fault: str) -> Translation:
    return Translation.absent(
        Outcome.INSUFFICIENT_EVIDENCE, f"The model's translation can't be trusted: {fault}."
    )


def _unavailable(reason: str) -> Translation:
    return Translation.absent(Outcome.SERVICE_UNAVAILABLE, reason)


def _max_tokens(texts: Sequence[str]) -> int:
    characters = sum(len(text) for text in texts)
    return BASE_TOKENS + TOKENS_PER_SEGMENT * len(texts) + round(TOKENS_PER_CHARACTER * characters)
