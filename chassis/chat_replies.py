"""Reads what language models reply. It reads the chat completion strictly, the JSON in its text leniently.

No reply is ever quoted in a message or a log.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chassis.errors import UnavailableError
from chassis.texts import encodable

logger = logging.getLogger(__name__)

MAX_VERSION_CHARACTERS = 100
MAX_JSON_STARTS = 200
"""Braces that are tried as the beginning of an object. A reply with more of them holds none."""
THOUGHT_END = re.compile(
    r"</(?:think|thinking|thought|reasoning)>|\[/THINK\]|<\|channel\|>final<\|message\|>", re.IGNORECASE
)
"""Where a model's thinking ends and its reply begins."""


@dataclass(frozen=True)
class Token:
    """One token of a reply and what could have stood there, as natural log-probabilities by text."""

    text: str
    alternatives: Mapping[str, float]


@dataclass(frozen=True)
class ChatReply:
    """What a model said."""

    text: str
    tokens: tuple[Token, ...] = ()
    """Empty where the server gives no token probabilities."""
    truncated: bool = False
    """Cut off at the token limit."""
    prompt_token_count: int = 0
    cached_prompt_token_count: int = 0
    """Of them those that the server had read before. 0 where it does not say."""
    completion_token_count: int = 0
    model_version: str = ""
    """The server's fingerprint of model and build. Empty where it says none."""


@dataclass(frozen=True)
class JsonReply:
    """A JSON object in a reply, and where in its text it begins."""

    document: dict[str, Any]
    start: int


def token_places(text: str, tokens: Sequence[Token], start: int = 0) -> list[tuple[int, Token]]:
    """Find where in a reply's text each token begins, in characters.

    llama.cpp lists the tokens of a Markdown fence that it cuts off the text. So the first token need not
    begin at 0. Those of what is cut off have places before or behind the text.

    Args:
        text: The reply's text.
        tokens: Its tokens.
        start: The tokens have to spell the text from here on. What stands before may be spelled otherwise.

    Returns:
        The places, in order. None at all where the tokens do not spell the text.
    """
    spelled = "".join(token.text for token in tokens)
    begin = spelled.rfind(text[start:]) if text[start:] else -1
    if begin < 0:
        return []
    places, position = [], start - begin
    for token in tokens:
        places.append((position, token))
        position += len(token.text)
    return places


def invalid_reply(what: str) -> UnavailableError:
    """Make the error for a reply that can't be used. `what` never quotes the reply."""
    return UnavailableError(
        f"The model's reply can't be used ({what}). Try again, or configure another model.",
        reason="MODEL_REPLY_INVALID",
    )


def warn_of_broken_schema(what: str) -> None:
    """Tell the operator that a reply breaks the schema that was sent with its request."""
    logger.warning(
        "A reply of the model breaks the schema that was sent. If this repeats, its server enforces no "
        "schema. Set LLM_SCHEMA_DIALECT to a form that it keeps to.",
        extra={"breach": what},
    )


def read_json_object(text: str) -> JsonReply | None:
    """Find the JSON object in a reply. None without one.

    A code fence, a sentence before or after it, a byte order mark and a thinking block are passed over. Of
    several objects the last counts: what comes before it are drafts. Whether it keeps to a schema is the
    caller's to check.
    """
    decoder = json.JSONDecoder()
    found = None
    position = thought_end(text)
    for _ in range(MAX_JSON_STARTS):
        position = text.find("{", position)
        if position < 0:
            break
        try:
            document, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            position += 1
        else:
            found = JsonReply(document, position)
            position = end
    return found


def without_thoughts(text: str) -> str:
    """Return a reply without the thinking before it."""
    return text[thought_end(text) :].lstrip("\ufeff").strip()


def thought_end(text: str) -> int:
    """Return where in a reply its thinking ends. 0 where it shows none."""
    return max((match.end() for match in THOUGHT_END.finditer(text)), default=0)


def read_completion(document: object) -> ChatReply:
    """Read a chat completion as OpenAI's protocol defines it. All of its text can be encoded.

    Raises:
        UnavailableError: It is not one (`MODEL_REPLY_INVALID`).
    """
    try:
        choice = document["choices"][0]  # type: ignore[index]
        text = _text_of(choice["message"]["content"])
    except (KeyError, IndexError, TypeError) as error:
        raise invalid_reply("not a chat completion") from error
    if text is None:
        raise invalid_reply("no text in it")
    usage = _mapping(document, "usage")
    return ChatReply(
        text=encodable(text),
        tokens=tuple(_read_tokens(choice)),
        truncated=choice.get("finish_reason") == "length",
        prompt_token_count=_count(usage.get("prompt_tokens")),
        cached_prompt_token_count=_count(_mapping(usage, "prompt_tokens_details").get("cached_tokens")),
        completion_token_count=_count(usage.get("completion_tokens")),
        model_version=_version(document),
    )


def _text_of(content: object) -> str | None:
    """Return a message's text. Some servers send it in parts, beside those of the thinking."""
    if not isinstance(content, list):
        return content if isinstance(content, str) else None
    parts = [part.get("text") for part in content if isinstance(part, Mapping) and part.get("type") == "text"]
    return "".join(part for part in parts if isinstance(part, str)) if parts else None


def _read_tokens(choice: Mapping[str, Any]) -> list[Token]:
    entries = _mapping(choice, "logprobs").get("content")
    try:
        return [Token(encodable(entry["token"]), _alternatives(entry)) for entry in entries or ()]
    except (AttributeError, KeyError, TypeError, ValueError):
        return []  # Odd probabilities are none; the text still counts.


def _alternatives(entry: Mapping[str, Any]) -> dict[str, float]:
    """Read what could have stood in a token's place. Nothing where the server does not say it.

    llama.cpp calls every token that it drafted certain, and lists none beside it.
    """
    listed = entry["top_logprobs"]
    return {encodable(top["token"]): float(top["logprob"]) for top in (*listed, entry)} if listed else {}


def _mapping(document: object, key: str) -> Mapping[str, Any]:
    value = document.get(key) if isinstance(document, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _count(value: object) -> int:
    return value if isinstance(value, int) and value >= 0 else 0


def _version(document: object) -> str:
    version = document.get("system_fingerprint") if isinstance(document, Mapping) else None
    return encodable(version[:MAX_VERSION_CHARACTERS]) if isinstance(version, str) else ""
