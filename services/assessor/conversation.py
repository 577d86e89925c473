"""One assessment's calls of a model: the same seed for all, and the tokens counted."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from chassis.chat_completions import ChatRequest, Message, Schema
from chassis.chat_replies import ChatReply
from chassis.deadline import Deadline
from services.assessor.answer import MAX_SEED
from services.assessor.language_model import LanguageModel


class Conversation:
    """Calls a model and adds up what that took.

    Args:
        model: The model.
        seed: Seed of every first attempt.
        max_tokens: The most tokens of any reply.
        calls_at_once: How many of its calls may be under way at a time, from 1.
    """

    def __init__(self, model: LanguageModel, seed: int, max_tokens: int, calls_at_once: int = 1) -> None:
        self._model = model
        self._max_tokens = max_tokens
        self._counting = threading.Lock()
        self.calls_at_once = calls_at_once
        self.seed = seed
        self.prompt_token_count = 0
        self.completion_token_count = 0
        self.model_version = model.info.version

    def ask(
        self,
        messages: Sequence[Message],
        *,
        schema: Schema | None,
        max_tokens: int,
        deadline: Deadline,
        seed_offset: int = 0,
        continues: bool = False,
        probabilities: bool = True,
    ) -> ChatReply:
        """Ask the model. Raises what `LanguageModel.complete` raises."""
        reply = self._model.complete(
            ChatRequest(
                messages,
                max_tokens=min(max_tokens, self._max_tokens),
                schema=schema,
                seed=(self.seed + seed_offset) % (MAX_SEED + 1),
                continues=continues,
                probabilities=probabilities,
            ),
            deadline,
        )
        with self._counting:
            self.prompt_token_count += reply.prompt_token_count
            self.completion_token_count += reply.completion_token_count
            self.model_version = self.model_version or reply.model_version
        return reply
