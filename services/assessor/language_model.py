"""What the assessor needs of a language model."""

from __future__ import annotations

from typing import Protocol

from chassis.chat_completions import ChatClient, ChatRequest
from chassis.chat_replies import ChatReply
from chassis.deadline import Deadline
from chassis.model_info import ModelInfo


class LanguageModel(Protocol):
    """A model that continues a conversation. It blocks. Its deadline bounds it."""

    @property
    def backend(self) -> str:
        """The name of the setting that chose it."""
        ...

    @property
    def info(self) -> ModelInfo:
        """Which model it is, as far as it is known before the first call."""
        ...

    def complete(self, request: ChatRequest, deadline: Deadline) -> ChatReply:
        """Continue a conversation, by a JSON schema if one is given.

        Raises:
            UnavailableError: It can't be reached, is too slow, or its reply can't be read.
            PreconditionError: It refuses us as we are configured.
            ExhaustedError: Its quota is used up.
        """
        ...


class ServedModel:
    """A model behind an OpenAI-compatible server.

    Args:
        backend: The name of the setting that chose it.
        client: Asks it.
        name: Its name in results. Empty takes the one at its server.
        digest: SHA-256 of its weights, where the operator knows it.
        device: Where it runs.
    """

    def __init__(self, backend: str, client: ChatClient, *, name: str, digest: str, device: str) -> None:
        self.backend = backend
        self._client = client
        self._name = name
        self._digest = digest
        self._device = device

    @property
    def info(self) -> ModelInfo:
        """See `LanguageModel.info`."""
        return ModelInfo(self._name or self._client.known_model, digest=self._digest, device=self._device)

    def complete(self, request: ChatRequest, deadline: Deadline) -> ChatReply:
        """See `LanguageModel.complete`."""
        return self._client.complete(request, deadline)
