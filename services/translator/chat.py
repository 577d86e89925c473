"""One call to an OpenAI-compatible server: blocking for its caller, bounded by a deadline, cancellable.

The call runs on an event loop of its own, so that a caller who gives up closes the connection and the
server stops generating. No text and no key reaches a log or a message.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal

import httpx

from chassis.errors import InterviewError, PreconditionError, UnavailableError
from services.translator.deadline import Deadline
from services.translator.retrying import retried

STOP_POLL_S = 0.1
"""How often a running call looks at the deadline and at its caller's patience."""
CONNECT_TIMEOUT_S = 5.0
"""A server that is there accepts within milliseconds."""
SEED = 7
"""Any constant: the same texts get the same translation again."""
BUSY_STATUSES = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
AUTH_STATUSES = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)

SchemaStyle = Literal["response_format", "structured_outputs"]
"""How the server is told the reply's schema: as OpenAI has it, or as vLLM has it."""


class RequestRefusedError(Exception):
    """The server takes requests, but not this one: too long for its context, or a field it does not know."""


@dataclass(frozen=True)
class ChatRequest:
    """What is asked of the model."""

    messages: Sequence[Mapping[str, str]]
    schema: Mapping[str, Any]
    """JSON schema of the reply."""
    max_tokens: int
    temperature: float = 0.0


@dataclass(frozen=True)
class ChatReply:
    """What the model said."""

    content: str
    version: str
    """The server's fingerprint of model and build; empty where it says none."""
    prompt_token_count: int
    completion_token_count: int


class ChatServer:
    """An OpenAI-compatible server.

    Args:
        base_url: Its address; `/v1` is added where it names no path.
        api_key: Sent as a bearer token; empty for none.
        model: The model's name there; empty takes the first one that the server lists.
        schema_style: How the schema is sent.
        attempt_timeout_s: Longest time of one attempt.
    """

    def __init__(
        self, base_url: str, api_key: str, model: str, schema_style: SchemaStyle, attempt_timeout_s: float
    ) -> None:
        url = httpx.URL(base_url)
        self._base_url = url if url.path.strip("/") else url.join("/v1")
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._model = model
        self._schema_style = schema_style
        self._attempt_timeout_s = attempt_timeout_s
        self._tls = httpx.create_ssl_context()

    @property
    def host(self) -> str:
        """Host name of the server."""
        return self._base_url.host

    @property
    def known_model(self) -> str:
        """The model's name; empty while it is neither configured nor asked for."""
        # llama.cpp without an alias lists the path of the file.
        return self._model.rsplit("/", 1)[-1] if self._model.startswith("/") else self._model

    def complete(self, request: ChatRequest, deadline: Deadline) -> ChatReply:
        """Ask the model once; what the server can't do right now is repeated.

        Raises:
            RequestRefusedError: The server refuses this request.
            PreconditionError: It refuses the key, or has no such model or address.
            UnavailableError: It could not be reached, failed, or sent what is no chat completion.
        """
        body: dict[str, Any] = {
            "model": self._served_model(deadline),
            "messages": list(request.messages),
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "seed": SEED,
            **self._schema_fields(request.schema),
        }
        return retried(lambda: _reply(self._call("POST", "chat/completions", body, deadline)), deadline)

    def _served_model(self, deadline: Deadline) -> str:
        if not self._model:
            listed = retried(lambda: self._call("GET", "models", None, deadline), deadline)
            try:
                self._model = str(listed["data"][0]["id"])
            except (KeyError, IndexError, TypeError):
                raise PreconditionError(
                    "The language model server lists no model: set TRANSLATOR_LLM_MODEL.",
                    reason="TRANSLATOR_MODEL_MISSING",
                ) from None
        return self._model

    def _schema_fields(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        if self._schema_style == "structured_outputs":
            return {"structured_outputs": {"json": schema}}
        named = {"name": "translations", "strict": True, "schema": schema}
        return {"response_format": {"type": "json_schema", "json_schema": named}}

    def _call(self, method: str, path: str, body: dict[str, Any] | None, deadline: Deadline) -> Any:
        attempt = Deadline(min(self._attempt_timeout_s, deadline.remaining_s))
        response = asyncio.run(self._send(method, path, body, attempt, deadline))
        failure = _failure(response.status_code)
        if failure is not None:
            raise failure
        if response.status_code != HTTPStatus.OK:
            raise RequestRefusedError
        try:
            return response.json()
        except ValueError:
            raise _unavailable("The language model server's reply is not JSON") from None

    async def _send(
        self, method: str, path: str, body: dict[str, Any] | None, attempt: Deadline, deadline: Deadline
    ) -> httpx.Response:
        timeout = httpx.Timeout(None, connect=CONNECT_TIMEOUT_S)
        url = f"{str(self._base_url).rstrip('/')}/{path}"
        async with httpx.AsyncClient(headers=self._headers, timeout=timeout, verify=self._tls) as client:
            call = asyncio.ensure_future(client.request(method, url, json=body))
            try:
                while not call.done():
                    await asyncio.wait({call}, timeout=min(STOP_POLL_S, attempt.remaining_s))
                    deadline.check_stop()
                    if attempt.passed and not call.done():
                        raise _unavailable("The language model server did not answer in time")
                return call.result()
            except httpx.HTTPError:
                raise _unavailable("The language model server could not be reached") from None
            finally:
                call.cancel()
                await asyncio.gather(call, return_exceptions=True)


def _failure(status: int) -> InterviewError | None:
    if status in AUTH_STATUSES:
        return PreconditionError(
            "The language model server refuses the configured key: check TRANSLATOR_LLM_API_KEY.",
            reason="TRANSLATOR_AUTH_FAILED",
        )
    if status == HTTPStatus.NOT_FOUND:
        return PreconditionError(
            "The language model server has no such address or model: check TRANSLATOR_LLM_BASE_URL and "
            "TRANSLATOR_LLM_MODEL.",
            reason="TRANSLATOR_MODEL_MISSING",
        )
    if status in BUSY_STATUSES or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _unavailable(f"The language model server is busy or failed (HTTP {status})")
    return None


def _unavailable(what: str) -> UnavailableError:
    return UnavailableError(f"{what}; try again later.", reason="TRANSLATOR_UNAVAILABLE")


def _reply(raw: Any) -> ChatReply:
    try:
        usage = raw.get("usage") or {}
        return ChatReply(
            content=str(raw["choices"][0]["message"]["content"] or ""),
            version=str(raw.get("system_fingerprint") or ""),
            prompt_token_count=int(usage.get("prompt_tokens") or 0),
            completion_token_count=int(usage.get("completion_tokens") or 0),
        )
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        raise _unavailable("The language model server's reply is no chat completion") from None


def json_object(content: str) -> dict[str, Any] | None:
    """Return the JSON object of a reply, which some servers wrap into a code fence; None without one."""
    try:
        value = json.loads(content[content.find("{") : content.rfind("}") + 1])
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
