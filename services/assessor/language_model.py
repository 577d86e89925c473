"""What the assessor needs of a language model, and the reading of a reply in OpenAI's shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from chassis.errors import UnavailableError
from services.assessor.budget import Budget

TOP_LOGPROBS = 10
"""Alternatives asked for at each token: six tags and their spellings; many providers allow 20 at most."""

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Token:
    """One token of a reply and what could have stood there, as natural log-probabilities by text."""

    text: str
    alternatives: Mapping[str, float]


@dataclass(frozen=True)
class Reply:
    """What a model said."""

    text: str
    tokens: tuple[Token, ...] = ()
    """Empty where the backend gives no token probabilities."""
    truncated: bool = False
    """Cut off at the token limit."""
    prompt_token_count: int = 0
    completion_token_count: int = 0
    model_version: str = ""


@dataclass(frozen=True)
class ModelIdentity:
    """What stands in a result about the model."""

    backend: str
    name: str
    version: str = ""
    digest: str = ""
    device: str = ""


class LanguageModel(Protocol):
    """A model that continues a conversation. It blocks; its budget bounds it."""

    @property
    def identity(self) -> ModelIdentity:
        """Which model it is."""
        ...

    def complete(
        self,
        messages: Sequence[Message],
        *,
        schema: Schema | None,
        max_tokens: int,
        seed: int,
        budget: Budget,
    ) -> Reply:
        """Continue a conversation, by a JSON schema if one is given.

        Raises:
            UnavailableError: It can't be reached, is too slow, or its reply can't be read.
            PreconditionError: It refuses us as we are configured.
            ExhaustedError: Its quota is used up.
        """
        ...


def invalid_reply(what: str) -> UnavailableError:
    """Make the error for a reply that can't be used; `what` never quotes the reply."""
    return UnavailableError(
        f"The model's reply can't be used ({what}): try again, or configure another model.",
        reason="MODEL_REPLY_INVALID",
    )


def read_reply(document: object) -> Reply:
    """Read a chat completion as OpenAI's protocol defines it.

    Raises:
        UnavailableError: It is not one.
    """
    try:
        choice = document["choices"][0]  # type: ignore[index]
        text = choice["message"]["content"]
    except (KeyError, IndexError, TypeError) as error:
        raise invalid_reply("not a chat completion") from error
    if not isinstance(text, str):
        raise invalid_reply("no text in it")
    usage = _mapping(document, "usage")
    return Reply(
        text=text,
        tokens=tuple(_read_tokens(choice)),
        truncated=choice.get("finish_reason") == "length",
        prompt_token_count=_count(usage.get("prompt_tokens")),
        completion_token_count=_count(usage.get("completion_tokens")),
        model_version=_version(document),
    )


def _read_tokens(choice: Mapping[str, Any]) -> list[Token]:
    entries = _mapping(choice, "logprobs").get("content")
    try:
        return [
            Token(
                entry["token"],
                {top["token"]: float(top["logprob"]) for top in (*entry["top_logprobs"], entry)},
            )
            for entry in entries or ()
        ]
    except (
        KeyError,
        TypeError,
        ValueError,
    ):  # Odd probabilities are no probabilities; the text still counts.
        return []


def _mapping(document: object, key: str) -> Mapping[str, Any]:
    value = document.get(key) if isinstance(document, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _count(value: object) -> int:
    return value if isinstance(value, int) and value >= 0 else 0


def _version(document: object) -> str:
    version = document.get("system_fingerprint") if isinstance(document, Mapping) else None
    return version[:100] if isinstance(version, str) else ""
