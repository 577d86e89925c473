"""A gateway in memory, and a terminal that remembers what was printed."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from cli.environment import Confirm, Environment, ask_on_terminal
from cli.fetching.fetch import Report
from cli.gateway_client import GatewayClient

SESSION_ID = "0123456789abcdef0123456789abcdef"


def session_state(state: str, **more: Any) -> dict[str, Any]:
    return {
        "session_id": SESSION_ID,
        "status": state,
        "state": state,
        "percent": 100.0 if state == "completed" else 40.0,
        "message": f"is {state}",
        "total_videos": 1,
        "candidate_name": "A. [bold] Name",
        "create_time_s": 0.0,
        "stages": {"transcribe": {"state": "running", "percent": 40.0}},
        "answers": [
            {
                "position": 1,
                "stages": [
                    {"stage": "extract", "state": "done", "percent": 100.0, "attempts": 1, "reason": ""},
                    {"stage": "transcribe", "state": "running", "percent": 40.0, "attempts": 1, "reason": ""},
                ],
            }
        ],
        **more,
    }


TRANSCRIPT = {
    "language": "en",
    "segments": [
        {
            "start_s": 0.5,
            "end_s": 2.0,
            "text": "It broke.",
            "voice": 0,
            "translations": {"id": {"text": "Itu rusak.", "outcome": "OK"}},
        },
        {"start_s": 2.0, "end_s": 3.0, "text": "Say more.", "voice": 1},
    ],
}
NO_FACE = {
    "kind": "no_face",
    "start_s": 3.0,
    "end_s": 6.0,
    "value": 3.0,
    "unit": "s",
    "threshold": 1.0,
    "reason": "no face for 3.0 s",
}
ASSESSMENT = {
    "method": "baseline",
    "outcome": "OK",
    "total_score": 62.5,
    "sentences": [{"id": "s1", "text": "It broke.", "start_s": 0.5, "end_s": 2.0}],
    "criteria": [
        {
            "id": "relevance",
            "outcome": "OK",
            "level": 3.5,
            "score": 62.5,
            "evidence": [{"sentence_id": "s1", "start_s": 0.5, "end_s": 2.0, "other_voice": True}],
            "strengths": [{"text": "Names what happened.", "sentence_ids": ["s1"]}],
            "gaps": [{"text": "No result.", "sentence_ids": []}],
        },
        {"id": "coherence", "outcome": "INSUFFICIENT_EVIDENCE", "level": None, "evidence": []},
    ],
}


def result_document() -> dict[str, Any]:
    """A result document of one answer, which a test may change."""
    answer = {
        "video_file": "one.mp4",
        "pertanyaan": "What happened?",
        "transcript": TRANSCRIPT,
        "observations": [NO_FACE],
        "assessment": ASSESSMENT,
        "stages": {
            "transcribe": {"outcome": "OK"},
            "translate": {"outcome": "NOT_CONFIGURED", "reason": "TRANSLATOR_NOT_CONFIGURED"},
        },
    }
    return copy.deepcopy(
        {"status": "completed", "name": "A. Name", "session_id": SESSION_ID, "results": [answer]}
    )


def error(status: int, code: str, message: str) -> httpx.Response:
    return httpx.Response(status, json={"success": False, "code": code, "message": message})


def event_stream(*states: dict[str, Any]) -> httpx.Response:
    blocks = [f"id: {n}\nevent: session\ndata: {json.dumps(s)}\n\n" for n, s in enumerate(states, 1)]
    return httpx.Response(200, text="".join(blocks), headers={"Content-Type": "text/event-stream"})


class FakeGateway:
    """Answers by (method, path); each answer once, the last one again and again."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], list[httpx.Response | Exception]] = {}
        self.requests: list[httpx.Request] = []
        self.bodies: list[bytes] = []

    def on(self, method: str, path: str, *answers: httpx.Response | Exception) -> None:
        self.answers[method, path] = list(answers)

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.bodies.append(request.read())
        queue = self.answers.get((request.method, request.url.path))
        if queue is None:
            return error(404, "SESSION_NOT_FOUND", "There is no such session.")
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        if isinstance(answer, Exception):
            raise answer
        # A response can be read once; a repeated answer is a fresh one.
        return httpx.Response(answer.status_code, content=answer.content, headers=answer.headers)

    def open(self, base_url: str, api_key: str) -> GatewayClient:
        return GatewayClient(base_url, api_key, httpx.MockTransport(self.handle))


class FakeModelSource:
    """Fetches nothing and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: tuple[list[str], Path] | None = None

    def fetch(self, names: Sequence[str], models_dir: Path, report: Report) -> None:
        self.asked = (list(names), models_dir)
        for name in names:
            report(name, 10, 10)


class Screen:
    """An environment whose output can be read."""

    def __init__(
        self,
        gateway: FakeGateway,
        models: FakeModelSource | None = None,
        *,
        terminal_columns: int | None = None,
        confirm: Confirm = ask_on_terminal,
    ) -> None:
        """None for `terminal_columns` is a pipe."""
        self._out, self._err = io.StringIO(), io.StringIO()
        on_terminal = terminal_columns is not None
        self.environment = Environment(
            out=Console(
                file=self._out, width=terminal_columns or 160, force_terminal=on_terminal, color_system=None
            ),
            err=Console(file=self._err, width=160),
            open_gateway=gateway.open,
            fetch_models=(models or FakeModelSource()).fetch,
            confirm=confirm,
        )

    @property
    def out(self) -> str:
        return self._out.getvalue()

    @property
    def err(self) -> str:
        return self._err.getvalue()
