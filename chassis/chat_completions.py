"""The one client of language models, for any server that speaks OpenAI's chat completions.

A call blocks its caller, ends with its deadline and closes the connection when the caller gives up, so that
the server stops generating. No text and no key reaches a log or a message.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx

from chassis.chat_refusals import ParameterRefusedError, refusal, unreachable
from chassis.chat_replies import ChatReply, invalid_reply, read_completion
from chassis.deadline import Deadline
from chassis.errors import PreconditionError, UnavailableError
from chassis.retrying import retried
from chassis.texts import encodable

TOP_LOGPROBS = 10
"""Alternatives asked for at each token: six tags and their spellings. Many providers allow 20 at most."""
STOP_POLL_S = 0.1
"""How often a running call looks at the deadline and at its caller's patience."""
CONNECT_TIMEOUT_S = 5.0
"""A server that is there accepts within milliseconds."""
LIMIT_NAMES = ("max_tokens", "max_completion_tokens")
"""What the longest reply is called: by most servers, and by those that have dropped the first name."""
MAX_REPLY_BYTES = 8 * 1024 * 1024
"""A reply of 2,000 tokens with ten alternatives each stays under 3 MB."""
LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})

CONTINUED = {"add_generation_prompt": False, "continue_final_message": True}
"""What vLLM wants in order to go on with a message, and newer llama.cpp. Older ones do it of themselves."""

Schema = Mapping[str, Any]


class SchemaDialect(StrEnum):
    """How a server takes a JSON schema."""

    RESPONSE_FORMAT = "response_format"
    """OpenAI's form, which llama.cpp, Ollama, vLLM and Hugging Face's router take as well."""
    JSON_OBJECT = "json_object"
    """The older form of Text Generation Inference. llama.cpp takes it without a word and enforces nothing."""
    STRUCTURED_OUTPUTS = "structured_outputs"
    """vLLM's own field."""
    NONE = "none"
    """Not at all: the reply is only checked."""


@dataclass(frozen=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class ChatRequest:
    """What is asked of a model."""

    messages: Sequence[Message]
    max_tokens: int
    """The longest reply."""
    schema: Schema | None = None
    """JSON schema of the reply. None for free text."""
    seed: int = 0
    temperature: float = 0.0
    continues: bool = False
    """Whether the reply goes on with the last message, which is the assistant's own. llama.cpp and vLLM do
    that. Some servers give the message back in front of the reply. Its tokens are the reply's alone."""
    probabilities: bool = True
    """Whether token probabilities are of use, where the server is asked for them at all."""
    stop: Sequence[str] = ()
    """Texts that end the reply and are no part of it. Four at most: many servers take no more."""


@dataclass(frozen=True)
class ChatServer:
    """Where a model is, and how it is spoken to."""

    base_url: str
    """`/v1` is added where it names no path."""
    model: str = ""
    """The model's name there. Empty takes the first one that the server lists."""
    api_key: str = field(default="", repr=False)
    """Sent as a bearer token. Empty for none."""
    schema_dialect: SchemaDialect = SchemaDialect.RESPONSE_FORMAT
    token_probabilities: bool = False
    """Whether to ask for them."""
    attempt_timeout_s: float = 300.0
    """Longest time of one attempt."""


class SlowModelError(UnavailableError):
    """The server took a request and did not answer it in time. It would not the next time either."""


class ChatClient:
    """A model behind an OpenAI-compatible server.

    Args:
        server: The server.

    Raises:
        PreconditionError: The server's address is not an address (`MODEL_NOT_FOUND`).
    """

    def __init__(self, server: ChatServer) -> None:
        self._server = server
        self._base_url = _base_url(server.base_url)
        self._headers = {"Authorization": f"Bearer {server.api_key}"} if server.api_key else {}
        self._model = server.model
        self._limit_name = LIMIT_NAMES[0]
        # Reading the certificates takes a third of a second on a busy machine: once is enough.
        self._certificates = httpx.create_ssl_context()

    @property
    def host(self) -> str:
        """Host name of the server."""
        return self._base_url.host

    @property
    def known_model(self) -> str:
        """The model's name. Empty while it is neither configured nor asked for."""
        # llama.cpp without an alias lists the path of the file.
        return self._model.rsplit("/", 1)[-1] if self._model.startswith("/") else self._model

    def complete(self, request: ChatRequest, deadline: Deadline) -> ChatReply:
        """Ask the model. What the server can't do right now is repeated.

        Raises:
            UnavailableError: It can't be reached, is too slow, or its reply is not a chat completion.
            PreconditionError: It refuses the key, the model or the request.
            ExhaustedError: Its quota is spent.
            DeadlineError: The deadline passed.
            CancelledCallError: The caller gave up.
        """
        model = self._served_model(deadline)
        try:
            return self._ask(model, request, deadline)
        except ParameterRefusedError as error:
            # OpenAI's newer models want the limit under its newer name.
            if (
                error.parameter not in ("max_tokens", "max_completion_tokens")
                or self._limit_name != "max_tokens"
            ):
                raise
            self._limit_name = LIMIT_NAMES[1]
        return self._ask(model, request, deadline)

    def _ask(self, model: str, request: ChatRequest, deadline: Deadline) -> ChatReply:
        body = {
            "model": model,
            "messages": [asdict(message) for message in request.messages],
            self._limit_name: request.max_tokens,
            "seed": request.seed,
            "temperature": request.temperature,
            **(CONTINUED if request.continues else {}),
            **({"stop": list(request.stop)} if request.stop else {}),
            **(self._probability_fields() if request.probabilities else {}),
            **_schema_fields(request.schema, self._server.schema_dialect),
        }
        return read_completion(self._repeated("POST", "chat/completions", body, deadline))

    def _served_model(self, deadline: Deadline) -> str:
        if not self._model:
            listed = self._repeated("GET", "models", None, deadline)
            try:
                self._model = encodable(str(listed["data"][0]["id"]))
            except (KeyError, IndexError, TypeError):
                raise PreconditionError(
                    "The model's server does not list a model. Set LLM_MODEL.", reason="MODEL_NOT_FOUND"
                ) from None
        return self._model

    def _probability_fields(self) -> dict[str, Any]:
        return {"logprobs": True, "top_logprobs": TOP_LOGPROBS} if self._server.token_probabilities else {}

    def _repeated(self, method: str, path: str, body: Any, deadline: Deadline) -> Any:
        content = None if body is None else encodable(json.dumps(body, ensure_ascii=False)).encode()
        return retried(
            lambda: self._attempt(method, path, content, deadline),
            deadline,
            is_passing=lambda error: (
                error.reason != "MODEL_REPLY_INVALID" and not isinstance(error, SlowModelError)
            ),
        )

    def _attempt(self, method: str, path: str, content: bytes | None, deadline: Deadline) -> Any:
        deadline.check()
        attempt_s = min(self._server.attempt_timeout_s, deadline.remaining_s)
        reply = asyncio.run(_watched(self._send(method, path, content), attempt_s, deadline))
        try:
            return json.loads(reply)
        except (ValueError, RecursionError):
            raise invalid_reply("not JSON") from None

    async def _send(self, method: str, path: str, content: bytes | None) -> bytes:
        url = f"{str(self._base_url).rstrip('/')}/{path}"
        headers = {**self._headers, "Content-Type": "application/json"}
        timeout = httpx.Timeout(None, connect=CONNECT_TIMEOUT_S)
        try:
            async with (
                httpx.AsyncClient(headers=headers, timeout=timeout, verify=self._certificates) as client,
                client.stream(method, url, content=content) as response,
            ):
                body = await _read_bounded(response)
                if not response.is_success:
                    raise refusal(response.status_code, response.headers, body)
                return body
        except httpx.HTTPError as error:
            raise unreachable(type(error).__name__) from None


def is_local(url: str) -> bool:
    """Tell whether a server is on this machine, where a request costs little and a token much."""
    return urlsplit(url).hostname in LOCAL_HOSTS


def _is_passing(error: UnavailableError) -> bool:
    """Tell whether the same request may succeed in a moment: the server was busy or away."""
    return error.reason != "MODEL_REPLY_INVALID" and not isinstance(error, SlowModelError)


async def _watched(request: Any, attempt_s: float, deadline: Deadline) -> bytes:
    """Await a request until it is done, its time is over or the caller gives up."""
    attempt = Deadline(attempt_s)
    task: asyncio.Task[bytes] = asyncio.ensure_future(request)
    try:
        while not task.done() and not attempt.passed:
            await asyncio.wait({task}, timeout=min(STOP_POLL_S, attempt.remaining_s))
            if not task.done():
                deadline.check_stop()
        if task.done():
            return task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    deadline.check()
    raise SlowModelError(
        f"The model's server did not reply within {attempt_s:.0f} s. Give it more time, or a smaller model.",
        reason="MODEL_UNAVAILABLE",
    )


async def _read_bounded(response: httpx.Response) -> bytes:
    content = bytearray()
    async for part in response.aiter_bytes():
        content += part
        if len(content) > MAX_REPLY_BYTES:
            raise invalid_reply("too long")
    return bytes(content)


def _schema_fields(schema: Schema | None, dialect: SchemaDialect) -> dict[str, Any]:
    if schema is None or dialect is SchemaDialect.NONE:
        return {}
    if dialect is SchemaDialect.STRUCTURED_OUTPUTS:
        return {"structured_outputs": {"json": schema}}
    if dialect is SchemaDialect.JSON_OBJECT:
        return {"response_format": {"type": "json_object", "value": schema}}
    named = {"name": "reply", "schema": schema, "strict": True}
    return {"response_format": {"type": "json_schema", "json_schema": named}}


def _base_url(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        url = httpx.URL()
    if not url.host:
        raise PreconditionError(
            "The address of the language model is not an address. Set LLM_BASE_URL to one such as http://127.0.0.1:8091/v1.",
            reason="MODEL_NOT_FOUND",
        )
    return url if url.path.strip("/") else url.join("/v1")
