"""Stand-ins for what the translator talks to: a backend, a chat, and two small HTTP servers."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from chassis.chat_completions import ChatRequest
from chassis.chat_replies import ChatReply
from chassis.deadline import Deadline
from chassis.errors import InterviewError, PreconditionError
from chassis.model_info import ModelInfo
from services.translator.job import Job, Languages, Translation, Translations, Usage

KEY = "a-key-that-no-log-may-hold"


@dataclass
class FakeBackend:
    """Upper-cases texts, one batch for each `batch_size`; fails from batch `failing_from` on."""

    batch_size: int = 50
    failure: InterviewError | None = None
    failing_from: int = 0
    name: str = "fake"
    prompt_digest: str = ""
    jobs: list[Job] = field(default_factory=list)
    remaining_s: list[float] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    on_batch: Callable[[], None] = lambda: None
    model_name: str = "fake"
    calls_at_once: int = 1

    def batches(self, job: Job, wanted: Sequence[int]) -> Sequence[Sequence[int]]:
        return [wanted[start : start + self.batch_size] for start in range(0, len(wanted), self.batch_size)]

    def context_of(self, job: Job, index: int) -> str:
        return job.context

    def translate(self, job: Job, batch: Sequence[int], deadline: Deadline) -> Translations:
        if self.failure and len(self.jobs) >= self.failing_from:
            raise self.failure
        self.jobs.append(job)
        self.remaining_s.append(deadline.remaining_s)
        self.on_batch()
        texts = [job.texts[index] for index in batch]
        self.asked += texts
        return Translations(
            tuple(Translation(text.upper()) for text in texts),
            self.model(),
            billed_character_count=sum(len(text) for text in texts),
        )

    def languages(self, deadline: Deadline) -> Languages:
        return Languages(("en", "id"), ("en-US", "id"))

    def model(self) -> ModelInfo:
        return ModelInfo(self.model_name, "1", device="cpu")

    def usage(self, deadline: Deadline) -> Usage:
        return Usage(5, None)


class FailingOn(FakeBackend):
    """Fails at some texts."""

    def __init__(self, failures: dict[str, InterviewError]) -> None:
        super().__init__(batch_size=1)
        self.failures = failures

    def translate(self, job: Job, batch: Sequence[int], deadline: Deadline) -> Translations:
        failure = self.failures.get(job.texts[batch[0]])
        if failure is not None:
            self.asked.append(job.texts[batch[0]])
            raise failure
        return super().translate(job, batch, deadline)


@dataclass
class FakeChat:
    """Answers with the given replies in turn: an object, a raw text, or an error to raise."""

    replies: list[dict[str, Any] | str | Exception]
    requests: list[ChatRequest] = field(default_factory=list)
    host: str = "localhost"
    known_model: str = "fake-model"

    def complete(self, request: ChatRequest, deadline: Deadline) -> ChatReply:
        self.requests.append(request)
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        content = reply if isinstance(reply, str) else json.dumps(reply)
        return ChatReply(content, model_version="build-1", prompt_token_count=10, completion_token_count=5)


REFUSED = PreconditionError("It does not fit into the context.", reason="MODEL_CONTEXT_EXCEEDED")


@dataclass
class Answer:
    """What a fake server does with one request; `None` as body means its usual answer."""

    status: int = 200
    body: bytes | None = None
    delay_s: float = 0.0
    kept_bytes: int | None = None
    """How much of the body is sent before the connection drops. None for all of it."""


@dataclass
class FakeServer:
    """A local HTTP server that plays `script` first and then answers as usual."""

    usual: Callable[[str, dict[str, str], Any], tuple[int, Any]]
    script: list[Answer] = field(default_factory=list)
    requests: list[tuple[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    url: str = ""
    asked: threading.Event = field(default_factory=threading.Event)
    """Set when the first request has come."""

    @contextmanager
    def running(self) -> Iterator[FakeServer]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None: ...

            def do_GET(self) -> None:
                self._answer()

            def do_POST(self) -> None:
                self._answer()

            def _answer(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, body, kept_bytes = fake.answer(self.path, dict(self.headers), raw)
                try:
                    self.send_response(status)
                    is_html = body.startswith(b"<")
                    self.send_header("Content-Type", "text/html" if is_html else "application/json")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body[:kept_bytes])
                except (BrokenPipeError, ConnectionResetError):
                    pass  # the caller's deadline was shorter than our delay, as the test wants

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def answer(self, path: str, headers: dict[str, str], raw: bytes) -> tuple[int, bytes, int | None]:
        try:
            payload: Any = json.loads(raw)
        except ValueError:
            payload = raw.decode()
        self.requests.append((path, payload))
        self.headers.append(headers)
        self.sizes.append(len(raw))
        self.asked.set()
        scripted = self.script.pop(0) if self.script else Answer()
        time.sleep(scripted.delay_s)
        if scripted.status != 200 or scripted.body is not None:
            return scripted.status, scripted.body or b'{"message": "scripted"}', scripted.kept_bytes
        status, body = self.usual(path, headers, payload)
        return status, json.dumps(body).encode(), scripted.kept_bytes


GLOSSARIES = {"g1": {("EN", "ID"), ("ID", "EN")}, "only-german": {("EN", "DE")}}
"""Multilingual glossaries (v3): the pairs of languages that each has a dictionary for."""


def deepl_usual(path: str, headers: dict[str, str], payload: Any) -> tuple[int, Any]:
    """DeepL's protocol: checks the header, the languages, the limits; translates by marking the text."""
    if headers.get("Authorization") != f"DeepL-Auth-Key {KEY}":
        return 403, {"message": "Invalid auth key"}
    if path == "/v2/languages":
        targets = [{"language": code, "name": code} for code in ("EN-US", "ID", "ZH-HANS")]
        return 200, targets if payload == "type=target" else [{"language": "EN", "name": "English"}]
    if path == "/v2/usage":
        return 200, {"character_count": 180_118, "character_limit": 1_250_000}
    if len(payload["text"]) > 50:
        return 400, {"message": "Too many texts"}
    if payload["target_lang"] not in {"EN-US", "EN-GB", "ID", "DE"}:
        return 400, {"message": "Value for 'target_lang' not supported."}
    if (glossary := payload.get("glossary_id")) is not None:
        pair = (payload.get("source_lang"), payload["target_lang"].partition("-")[0])
        if glossary not in GLOSSARIES:
            return 404, {"message": "Not found"}
        if pair not in GLOSSARIES[glossary]:
            detail = f"no dictionary for source_lang {pair[0]} and target_lang {pair[1]}"
            return 400, {"message": "Bad request", "detail": detail}
    return 200, {
        "translations": [
            {
                "detected_source_language": payload.get("source_lang"),
                "text": f"{payload['target_lang']}:{text}",
            }
            | ({"billed_characters": len(text)} if payload.get("show_billed_characters") else {})
            for text in payload["text"]
        ]
    }


def deepl_server(*script: Answer) -> FakeServer:
    """A server that speaks DeepL's protocol."""
    return FakeServer(deepl_usual, list(script))


def chat_server(meanings: dict[str, str], *script: Answer) -> FakeServer:
    """A server that speaks OpenAI's protocol and translates by `meanings`."""

    def usual(path: str, headers: dict[str, str], payload: Any) -> tuple[int, Any]:
        if headers.get("Authorization") not in {None, f"Bearer {KEY}"}:
            return 401, {"error": "wrong key"}
        if path == "/v1/models":
            return 200, {"data": [{"id": "fake-llm"}]}
        *_, asked, last = payload["messages"]
        begun = last["content"] if last["role"] == "assistant" else ""
        segments = json.loads((asked if begun else last)["content"])
        content = json.dumps({key: meanings[text] for key, text in segments.items()})
        if begun:
            content = content.removeprefix(begun).removesuffix(payload["stop"][0])
        return 200, {
            "choices": [{"message": {"role": "assistant", "content": content}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 20, "completion_tokens": 7},
            "system_fingerprint": "b1",
        }

    return FakeServer(usual, list(script))
