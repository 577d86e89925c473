"""One assessment's calls of a model: the same seed for all, and the tokens counted."""

from __future__ import annotations

from collections.abc import Sequence

from services.assessor.answer import MAX_SEED
from services.assessor.budget import Budget
from services.assessor.language_model import LanguageModel, Message, Reply, Schema


class Conversation:
    """Calls a model and adds up what that took.

    Args:
        model: The model.
        seed: Seed of every first attempt.
        max_tokens: The most tokens of any reply.
    """

    def __init__(self, model: LanguageModel, seed: int, max_tokens: int) -> None:
        self._model = model
        self._max_tokens = max_tokens
        self.seed = seed
        self.prompt_token_count = 0
        self.completion_token_count = 0
        self.model_version = model.identity.version

    def ask(
        self,
        messages: Sequence[Message],
        *,
        schema: Schema | None,
        max_tokens: int,
        budget: Budget,
        seed_offset: int = 0,
    ) -> Reply:
        """Ask the model. Raises what `LanguageModel.complete` raises."""
        reply = self._model.complete(
            messages,
            schema=schema,
            max_tokens=min(max_tokens, self._max_tokens),
            seed=(self.seed + seed_offset) % (MAX_SEED + 1),
            budget=budget,
        )
        self.prompt_token_count += reply.prompt_token_count
        self.completion_token_count += reply.completion_token_count
        self.model_version = self.model_version or reply.model_version
        return reply
