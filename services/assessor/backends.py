"""The two ways to a language model: an OpenAI-compatible server, or Hugging Face's inference providers.

Both run their request in an event loop of their own, so that a deadline or a cancelled call ends it at
once, however slowly the other side drips.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import httpx
import httpx2
from huggingface_hub import AsyncInferenceClient
from huggingface_hub.errors import HfHubHTTPError

from chassis.errors import ExhaustedError, InterviewError, PreconditionError, UnavailableError
from services.assessor.budget import Budget
from services.assessor.language_model import (
    TOP_LOGPROBS,
    Message,
    ModelIdentity,
    Reply,
    Schema,
    invalid_reply,
    read_reply,
)

STOP_POLL_S = 0.2
"""How often a running request looks whether its caller has given up."""
MAX_REPLY_BYTES = 8 * 1024 * 1024
"""A reply of 2,000 tokens with ten alternatives each stays under 3 MB."""
DEFAULT_RETRY_AFTER_S = 5.0
MAX_RETRY_AFTER_S = 300.0


class SchemaDialect(StrEnum):
    """How a server takes a JSON schema."""

    RESPONSE_FORMAT = "response_format"
    """OpenAI, llama.cpp, Ollama, Hugging Face."""
    STRUCTURED_OUTPUTS = "structured_outputs"
    """vLLM's own field."""
    NONE = "none"
    """Not at all: the reply is only checked."""


@dataclass(frozen=True)
class Wire:
    """How requests look and how long they may take."""

    timeout_s: float
    schema_dialect: SchemaDialect = SchemaDialect.RESPONSE_FORMAT
    token_probabilities: bool = True

    def parameters(self, schema: Schema | None, max_tokens: int, seed: int) -> dict[str, Any]:
        """Make the parameters of a request beside its model and messages."""
        parameters: dict[str, Any] = {"max_tokens": max_tokens, "seed": seed, "temperature": 0.0}
        if self.token_probabilities:
            parameters |= {"logprobs": True, "top_logprobs": TOP_LOGPROBS}
        if schema is not None and self.schema_dialect is SchemaDialect.RESPONSE_FORMAT:
            parameters["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "reply", "schema": schema, "strict": True},
            }
        if schema is not None and self.schema_dialect is SchemaDialect.STRUCTURED_OUTPUTS:
            parameters["structured_outputs"] = {"json": schema}
        return parameters


class OpenAIModel:
    """Any server that speaks OpenAI's chat completions: vLLM, llama.cpp, Ollama, OpenAI.

    Args:
        identity: Which model it is.
        base_url: Address up to and including `/v1`.
        api_key: Sent as a bearer token; empty for none.
        wire: How requests look.
    """

    def __init__(self, identity: ModelIdentity, base_url: str, api_key: str, wire: Wire) -> None:
        self.identity = identity
        self._url = f"{base_url.rstrip('/')}/chat/completions"
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._wire = wire
        # Reading the certificates takes a third of a second on a busy machine: once is enough.
        self._certificates = httpx.create_ssl_context()

    def complete(
        self,
        messages: Sequence[Message],
        *,
        schema: Schema | None,
        max_tokens: int,
        seed: int,
        budget: Budget,
    ) -> Reply:
        """See `LanguageModel.complete`."""
        body = {
            "model": self.identity.name,
            "messages": [asdict(message) for message in messages],
            **self._wire.parameters(schema, max_tokens, seed),
        }
        return _run(self._post(body), self._wire.timeout_s, budget)

    async def _post(self, body: Mapping[str, Any]) -> Reply:
        timeout = httpx.Timeout(self._wire.timeout_s)
        try:
            async with (
                httpx.AsyncClient(
                    timeout=timeout, headers=self._headers, verify=self._certificates
                ) as client,
                client.stream("POST", self._url, json=body) as response,
            ):
                if not response.is_success:
                    raise refusal(response.status_code, response.headers)
                return read_reply(json.loads(await _read_bounded(response)))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise unreachable(type(error).__name__) from error
        except ValueError as error:
            raise invalid_reply("not JSON") from error


class HuggingFaceModel:
    """A model at one of Hugging Face's inference providers.

    Args:
        identity: Which model it is; its device names the provider.
        token: The access token.
        provider: The provider, pinned, so that the same request always goes to the same place.
        endpoint_url: Address of a dedicated endpoint instead of a provider; empty for none.
        wire: How requests look.
    """

    def __init__(
        self, identity: ModelIdentity, token: str, provider: str, endpoint_url: str, wire: Wire
    ) -> None:
        self.identity = identity
        self._token = token
        self._provider = provider
        self._endpoint_url = endpoint_url
        self._wire = wire

    def complete(
        self,
        messages: Sequence[Message],
        *,
        schema: Schema | None,
        max_tokens: int,
        seed: int,
        budget: Budget,
    ) -> Reply:
        """See `LanguageModel.complete`."""
        parameters = self._wire.parameters(schema, max_tokens, seed)
        if "structured_outputs" in parameters:  # not a parameter of the client's own
            parameters["extra_body"] = {"structured_outputs": parameters.pop("structured_outputs")}
        return _run(self._chat(messages, parameters), self._wire.timeout_s, budget)

    async def _chat(self, messages: Sequence[Message], parameters: Mapping[str, Any]) -> Reply:
        try:
            async with self._client() as client:
                completion = await client.chat_completion(
                    [asdict(message) for message in messages], model=self.identity.name, **parameters
                )
        except HfHubHTTPError as error:
            raise refusal(error.response.status_code, error.response.headers) from error
        except httpx2.HTTPError as error:
            raise unreachable(type(error).__name__) from error
        except json.JSONDecodeError as error:
            raise invalid_reply("not JSON") from error
        except (TypeError, ValueError, AttributeError) as error:
            # The client's own refusals (a provider without this model) and replies that it can't read.
            raise UnavailableError(
                "The provider's reply can't be read: check that it serves the configured model.",
                reason="MODEL_REPLY_INVALID",
            ) from error
        return read_reply(_plain(completion))

    def _client(self) -> AsyncInferenceClient:
        if self._endpoint_url:
            return AsyncInferenceClient(
                base_url=self._endpoint_url, token=self._token, timeout=self._wire.timeout_s
            )
        return AsyncInferenceClient(
            provider=self._provider,  # type: ignore[arg-type]
            token=self._token,
            timeout=self._wire.timeout_s,
        )


def refusal(status: int, headers: Mapping[str, str]) -> InterviewError:
    """Turn an HTTP status that is no success into the error that callers get."""
    if status in (401, 403):
        return PreconditionError(
            "Configure a key that the model's provider accepts for this model.", reason="MODEL_AUTH_FAILED"
        )
    if status == 402:
        return ExhaustedError(
            "Raise the quota at the model's provider, or configure another one.",
            reason="MODEL_QUOTA_EXCEEDED",
        )
    if status == 404:
        return PreconditionError("Configure a model that the provider serves.", reason="MODEL_NOT_FOUND")
    if status == 429:
        return UnavailableError(
            "Try again later: the model's provider limits its requests.",
            reason="MODEL_RATE_LIMITED",
            retry_after_s=_retry_after_s(headers),
        )
    if status in (408, 409, 425) or status >= 500:
        return unreachable(f"HTTP {status}")
    return PreconditionError(
        f"Check the assessor's model settings: the provider refuses the request (HTTP {status}).",
        reason="MODEL_REQUEST_REFUSED",
    )


def unreachable(why: str) -> UnavailableError:
    """Make the error for a model that does not answer."""
    return UnavailableError(
        f"Try again later, or check that the model's server runs: it does not answer ({why}).",
        reason="MODEL_UNAVAILABLE",
    )


def _run(request: Coroutine[Any, Any, Reply], timeout_s: float, budget: Budget) -> Reply:
    try:
        left_s = budget.left_s(timeout_s)
    except InterviewError:
        request.close()
        raise
    return asyncio.run(_watched(request, left_s, budget))


async def _watched(request: Coroutine[Any, Any, Reply], left_s: float, budget: Budget) -> Reply:
    """Await a request until it is done, `left_s` are over or the caller gives up."""
    task = asyncio.ensure_future(request)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + left_s
    while not task.done() and loop.time() < deadline and not budget.stopped():
        await asyncio.wait({task}, timeout=min(STOP_POLL_S, max(0.0, deadline - loop.time())))
    if task.done():
        return task.result()
    task.cancel()
    await asyncio.wait({task})
    budget.check()
    raise unreachable(f"no reply within {left_s:.0f} s")


async def _read_bounded(response: httpx.Response) -> bytes:
    content = bytearray()
    async for part in response.aiter_bytes():
        content += part
        if len(content) > MAX_REPLY_BYTES:
            raise invalid_reply("too long")
    return bytes(content)


def _retry_after_s(headers: Mapping[str, str]) -> float:
    try:
        return min(max(float(headers.get("retry-after", "")), 0.0), MAX_RETRY_AFTER_S)
    except ValueError:  # Absent, or a date, which providers do not send.
        return DEFAULT_RETRY_AFTER_S


def _plain(value: Any) -> Any:
    """Turn the client's dataclasses, which are dictionaries as well, into plain data."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
