"""Asks a model or DeepL each thing once and keeps the replies in a folder, so that a long run can go on.

What is kept is what came over the wire. The checks are made anew, so a change of theirs asks nothing again.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from chassis.chat_completions import ChatRequest
from chassis.chat_replies import ChatReply
from chassis.deadline import Deadline
from chassis.model_info import ModelInfo
from services.translator.checks import doubts_of
from services.translator.job import Backend, Doubt, Job, Languages, Outcome, Translation, Translations, Usage
from services.translator.llm_backend import Chat


class Folder:
    """Replies on the disk by the hash of what was asked.

    Args:
        folder: Where they lie. It is made when the first one is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.asked_s: list[float] = []
        """The seconds that each new question took."""

    def known_or_asked(self, question: list[Any], ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return the reply that is kept, or ask and keep it. What fails is not kept."""
        digest = hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()
        file = self._folder / f"{digest}.json"
        if file.exists():
            known: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            return known
        began_s = time.monotonic()
        reply = ask()
        self.asked_s.append(time.monotonic() - began_s)
        self._folder.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(".part")
        unfinished.write_text(json.dumps(reply), encoding="utf-8")
        unfinished.replace(file)
        return reply


class RememberingChat:
    """A chat that is asked each thing once.

    Args:
        chat: What is asked.
        model: Its name, for the replies' keys.
        replies: Where they are kept.
    """

    def __init__(self, chat: Chat, model: str, replies: Folder) -> None:
        self._chat = chat
        self._model = model
        self._replies = replies
        self.said: dict[str, list[str]] = {}
        """All replies to each last message of a user, in their order."""

    @property
    def host(self) -> str:
        """Where it runs."""
        return self._chat.host

    @property
    def known_model(self) -> str:
        """Its model's name."""
        return self._model

    def complete(self, request: ChatRequest, deadline: Deadline) -> ChatReply:
        """See `Chat.complete`."""
        messages = [asdict(message) for message in request.messages]
        question: list[Any] = [self._model, messages, request.schema, request.max_tokens, request.seed]
        question += [request.temperature, request.continues, list(request.stop)]
        kept = self._replies.known_or_asked(
            question, lambda: asdict(replace(self._chat.complete(request, deadline), tokens=()))
        )
        reply = ChatReply(**(kept | {"tokens": ()}))
        asked = next(message.content for message in reversed(request.messages) if message.role == "user")
        self.said.setdefault(asked, []).append(reply.text)
        return reply


class RememberingBackend:
    """A backend that is asked for each text once. For one whose replies are translations already.

    Args:
        backend: What is asked.
        server: Where it is, for the replies' keys.
        replies: Where they are kept.
    """

    prompt_digest, calls_at_once = "", 1

    def __init__(self, backend: Backend, server: str, replies: Folder) -> None:
        self._backend = backend
        self._server = server
        self._replies = replies
        self.name = backend.name

    def batches(self, job: Job, wanted: Sequence[int]) -> Sequence[Sequence[int]]:  # noqa: ARG002
        """One text at a time."""
        return [[index] for index in wanted]

    def context_of(self, job: Job, index: int) -> str:
        """See `Backend`."""
        return self._backend.context_of(job, index)

    def translate(self, job: Job, batch: Sequence[int], deadline: Deadline) -> Translations:
        """See `Backend`. The neighbours do not go along, so that a text's reply is its own."""
        (text,) = (job.texts[index] for index in batch)
        alone = replace(job, texts=(text,))
        question = [self.name, self._server, text, job.source_language_code, job.target_language_code]
        question.append(job.glossary_id)

        def ask() -> dict[str, Any]:
            return asdict(self._backend.translate(alone, (0,), deadline).translations[0])

        kept = self._replies.known_or_asked(question, ask)
        doubts: tuple[Doubt, ...] = ()
        if kept["text"] is not None:
            languages = (job.source_language_code, job.target_language_code)
            doubts = doubts_of(text, kept["text"], *languages)
        translation = Translation(kept["text"], Outcome(kept["outcome"]), kept["reason"], doubts)
        return Translations((translation,), self.model())

    def languages(self, deadline: Deadline) -> Languages:
        """See `Backend`."""
        return self._backend.languages(deadline)

    def model(self) -> ModelInfo:
        """See `Backend`."""
        return self._backend.model()

    def usage(self, deadline: Deadline) -> Usage:
        """See `Backend`."""
        return self._backend.usage(deadline)
