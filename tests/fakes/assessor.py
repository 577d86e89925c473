"""Stand-ins for the assessor's language model, and answers whose quality is plain."""

from __future__ import annotations

import json
import math
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from chassis.chat_completions import ChatRequest, Message
from chassis.chat_replies import ChatReply, Token
from chassis.deadline import Deadline
from chassis.model_info import ModelInfo
from services.assessor.answer import Answer, Segment
from services.assessor.baseline import Baseline, read_lexicon
from services.assessor.checks import Calibration
from services.assessor.engine import Assessor
from services.assessor.judging import BaselineJudge, ModelJudge
from services.assessor.language_model import LanguageModel
from services.assessor.prompts import read_prompts
from services.assessor.rubric import RUBRICS_DIR, read_rubrics
from services.assessor.tags import Tag

QUESTION = "Tell me about a time you solved a difficult problem at work."
CONCRETE = (
    "Last year our checkout service kept crashing on Friday evenings. "
    "I collected the logs of the last four incidents. "
    "I rewrote one slow query and tested it with a replay of the traffic. "
    "After that the crashes stopped and the response time fell by forty percent. "
    "I learned to look at the data before I change anything."
)
VAGUE = (
    "I think I am a very good problem solver. "
    "I always try to give my best in every situation. "
    "Problems are a part of every job and you have to stay positive. "
    "In general I believe that communication is the key to everything."
)
QUESTION_ID = "Ceritakan saat Anda menyelesaikan masalah sulit di tempat kerja."
CONCRETE_ID = (
    "Tahun lalu sistem kasir di toko kami sering mati pada hari Sabtu. "
    "Saya mencatat waktu setiap kejadian selama dua minggu. "
    "Lalu saya mengganti router dan membuat jadwal pemeliharaan. "
    "Setelah itu antrean berkurang setengahnya. "
    "Dari situ saya belajar mencatat dulu sebelum menebak."
)
VAGUE_ID = (
    "Saya orangnya pekerja keras dan mudah bergaul. "
    "Menurut saya setiap masalah pasti ada jalan keluarnya. "
    "Saya selalu berusaha memberikan yang terbaik."
)


STORY = {"Last": Tag.SITUATION, "I c": Tag.ACTION, "I r": Tag.ACTION, "After": Tag.RESULT, "I l": Tag.LESSON}


def tell(said: str) -> Tag:
    """Tag the sentences of `CONCRETE`; every other one is general."""
    return next((tag for beginning, tag in STORY.items() if said.startswith(beginning)), Tag.GENERAL)


def written(text: str, question: str = QUESTION, language: str = "en", **rest: object) -> Answer:
    """Make an answer without times."""
    return Answer(question, (Segment(text),), language, **rest)  # type: ignore[arg-type]


def deadline(timeout_s: float | None = None) -> Deadline:
    """Make a deadline that nobody cuts short."""
    return Deadline(timeout_s)


def tag_tokens(text: str, probabilities: Mapping[Tag, float]) -> tuple[Token, ...]:
    """Cut a reply into one-character tokens, each first letter of a tag with the given probabilities."""
    alternatives = {str(tag)[:3]: math.log(p) for tag, p in probabilities.items() if p > 0}
    return tuple(Token(letter, alternatives) for letter in text)


class FakeModel:
    """Tags by a function of the sentence, concludes with a fixed text, and remembers what it was asked.

    Args:
        tag: What it says about a sentence.
        conclusion: What it writes about an answer.
        probabilities: Probabilities that it gives with every tag; None for none.
        errors: Raised one after another, a call each, before it works.
        replies: Given one after another, a call each, before it works.
    """

    backend = "openai"
    info = ModelInfo("fake-model", device="server")

    def __init__(
        self,
        tag: Callable[[str], Tag] = lambda _: Tag.GENERAL,
        *,
        conclusion: str = "The candidate tells of a problem. What came of it is missing.",
        probabilities: Mapping[Tag, float] | None = None,
        errors: Sequence[Exception] = (),
        replies: Sequence[ChatReply] = (),
    ) -> None:
        self.asked: list[Sequence[Message]] = []
        self.seeds: list[int] = []
        self._tag = tag
        self._conclusion = conclusion
        self._probabilities = probabilities
        self._errors = list(errors)
        self._replies = list(replies)

    def complete(self, request: ChatRequest, deadline: Deadline) -> ChatReply:
        """See `LanguageModel.complete`."""
        deadline.check()
        self.asked.append(request.messages)
        self.seeds.append(request.seed)
        if self._errors:
            raise self._errors.pop(0)
        if self._replies:
            return self._replies.pop(0)
        if request.schema is None:
            return ChatReply(self._conclusion, prompt_token_count=50, completion_token_count=20)
        text = json.dumps(
            {identifier: self._tag(said) for identifier, said in self._numbered(request.messages)}
        )
        tokens = tag_tokens(text, self._probabilities) if self._probabilities else ()
        return ChatReply(text, tokens, prompt_token_count=100, completion_token_count=10)

    @staticmethod
    def _numbered(messages: Sequence[Message]) -> list[tuple[str, str]]:
        lines = [line.partition(": ") for line in messages[-1].content.splitlines()]
        return [(head, said) for head, _, said in lines if head[:1] == "s" and head[1:].isdigit()]


PROMPTS = read_prompts()
RUBRICS = read_rubrics(RUBRICS_DIR)
BASELINE_JUDGE = BaselineJudge(Baseline(read_lexicon()))


def make_assessor(
    model: LanguageModel | None = None, *, fallback_to_baseline: bool = False, tags_one_by_one: bool = False
) -> Assessor:
    """Put an assessor together as the process does, with another model."""
    judge = None
    if model is not None:
        judge = ModelJudge(
            model,
            prompts=PROMPTS,
            calibration=Calibration(models={}),
            seed=7,
            max_tokens=512,
            tags_one_by_one=tags_one_by_one,
        )
    return Assessor(
        model_judge=judge,
        baseline_judge=BASELINE_JUDGE,
        rubrics=RUBRICS,
        language_codes=sorted(PROMPTS),
        fallback_to_baseline=fallback_to_baseline,
    )


@dataclass
class Scripted:
    """What the fake chat server does with one request; without a body it answers by the schema."""

    status: int = 200
    body: bytes | None = None
    delay_s: float = 0.0
    drip_s: float = 0.0
    """Pause after each byte of the body."""
    headers: dict[str, str] = field(default_factory=dict)


class FakeChatServer:
    """A local HTTP server that speaks OpenAI's protocol: it plays a script first, then tags by `tell`.

    Args:
        script: What it does with the first requests.
        logprobs: Whether it gives token probabilities.
    """

    def __init__(self, *script: Scripted, logprobs: bool = True) -> None:
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.asked = threading.Event()
        self.url = ""
        self._script = list(script)
        self._logprobs = logprobs

    @contextmanager
    def running(self) -> Iterator[FakeChatServer]:
        """Serve on a free port as long as the block lasts."""
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *_: Any) -> None:  # noqa: A002
                """Say nothing."""

            def do_GET(self) -> None:
                fake.list_models(self)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
                fake.answer(self, body)

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        # A test that fails before it stops the server must not keep the whole run from ending.
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}/v1"
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def answer(self, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        """Answer one request, by the script as long as it lasts."""
        self.requests.append(body)
        self.headers.append({key.lower(): value for key, value in handler.headers.items()})
        self.paths.append(handler.path)
        self.asked.set()
        turn = self._script.pop(0) if self._script else Scripted()
        time.sleep(turn.delay_s)
        content = turn.body if turn.body is not None else json.dumps(self._complete(body)).encode()
        with suppress(BrokenPipeError, ConnectionResetError):  # the caller's deadline was shorter
            handler.send_response(turn.status)
            for key, value in {"Content-Type": "application/json", **turn.headers}.items():
                handler.send_header(key, value)
            handler.send_header("Content-Length", str(len(content)))
            handler.end_headers()
            for byte in [content] if not turn.drip_s else [content[i : i + 1] for i in range(len(content))]:
                handler.wfile.write(byte)
                time.sleep(turn.drip_s)

    def list_models(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer the question for the models that are served."""
        content = json.dumps({"data": [{"id": "listed-model"}]}).encode()
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def _complete(self, body: dict[str, Any]) -> dict[str, Any]:
        messages = [Message(**message) for message in body["messages"]]
        if body.get("continue_final_message"):
            return _continued(messages)
        schema = body.get("response_format") or body.get("structured_outputs")
        text = FakeModel(tell).complete(ChatRequest(messages, 1, schema), deadline()).text
        logprobs = {"content": list(_logprobs(text))} if self._logprobs and schema else None
        return completion(text, logprobs)


def completion(text: str, logprobs: Any = None, finish_reason: str = "stop") -> dict[str, Any]:
    """Make a chat completion in OpenAI's shape."""
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "fake-model",
        "system_fingerprint": "build-1",
        "choices": [
            {
                "index": 0,
                "finish_reason": finish_reason,
                "message": {"role": "assistant", "content": text},
                "logprobs": logprobs,
            }
        ],
        "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
    }


def _continued(messages: Sequence[Message]) -> dict[str, Any]:
    """Go on with a reply by its next tag, as llama.cpp does: what was begun stands in front of it."""
    begun = messages[-1].content
    asked_about = begun.rsplit('"', 3)[1]
    said = next(
        line.partition(": ")[2]
        for line in messages[-2].content.splitlines()
        if line.startswith(f"{asked_about}: ")
    )
    tag = str(tell(said))
    return completion(begun + tag, {"content": list(_logprobs(tag))}, "length")


def _logprobs(text: str) -> Iterator[dict[str, Any]]:
    """Cut a reply into its words, each almost certain."""
    for token in re.findall(r"[a-z]+|[^a-z]+", text):
        top = [{"token": token, "logprob": -0.01}, {"token": "general", "logprob": -5.0}]
        yield {"token": token, "logprob": -0.01, "top_logprobs": top}
