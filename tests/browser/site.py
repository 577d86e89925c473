"""A gateway that a browser visits: sessions are put there by the test, and every request is written down."""

from __future__ import annotations

import json
import shutil
import time
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.sessions import (
    AnswerDraft,
    AnswerView,
    SessionDraft,
    SessionState,
    SessionView,
    StageState,
    StageView,
)
from tests.browser.playing_orchestrator import PlayingOrchestrator, result
from tests.fakes.orchestrator import STAGES

MAX_FILE_BYTES = 2_000_000


def a_document(answer_count: int = 1) -> dict[str, Any]:
    """Return a result document whose first answer has all that the page shows; the others failed."""
    drafts = tuple(AnswerDraft(position, "Why?") for position in range(1, answer_count + 1))
    return result(SessionDraft("0" * 32, "Ada", "en", drafts))


class RequestLog:
    """Writes down the path of every request.

    Args:
        app: The application.
        paths: Where they are written to.
    """

    def __init__(self, app: ASGIApp, paths: list[str]) -> None:
        self._app = app
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self._paths.append(scope["path"])
        await self._app(scope, receive, send)


@dataclass
class Site:
    """One gateway with what lies behind it."""

    url: str
    orchestrator: PlayingOrchestrator
    store_dir: Path
    paths: list[str]

    def address(self, session_id: str) -> str:
        return f"{self.url}/?session={session_id}"

    def running(self) -> str:
        """Put a session there that works for as long as the test lasts; return its identifier."""
        session_id = uuid.uuid4().hex
        stages = (StageView(STAGES[0], StageState.RUNNING, 0.5, 1), *map(_pending, STAGES[1:]))
        self._keep(SessionView(session_id, SessionState.PROCESSING, 1.0, answers=(AnswerView(1, stages),)))
        return session_id

    def waiting(self) -> str:
        """Put a session there that waits for the transcriber; return its identifier."""
        session_id = uuid.uuid4().hex
        waits = StageView("transcribe", StageState.WAITING, None, 0, "STAGE_AWAY", "", time.time())
        self._keep(SessionView(session_id, SessionState.PROCESSING, 1.0, answers=(AnswerView(1, (waits,)),)))
        return session_id

    def completed(self, document: dict[str, Any], *recordings: Path) -> str:
        """Put a session there that ended with a document; return its identifier."""
        session_id = uuid.uuid4().hex
        folder = self.store_dir / "sessions" / session_id / "media"
        folder.mkdir(parents=True)
        for position, recording in enumerate(recordings, start=1):
            shutil.copy(recording, folder / f"{position}{recording.suffix}")
        stages = tuple(StageView(name, StageState.DONE, 1.0, 1) for name in STAGES)
        answers = tuple(AnswerView(answer["position"], stages) for answer in document["results"])
        view = SessionView(session_id, SessionState.COMPLETED, 1.0, 9.0, answers, 1.0)
        self.orchestrator.results[session_id] = json.dumps(document).encode()
        self._keep(replace(view, candidate_name=document["name"]))
        return session_id

    def end(self, session_id: str, document: dict[str, Any]) -> None:
        """Let a running session end with a document."""
        self.orchestrator.finish(session_id, document)

    def _keep(self, view: SessionView) -> None:
        self.orchestrator.drafts[view.session_id] = SessionDraft(view.session_id, "", "en", ())
        self.orchestrator.set(view)


def _pending(name: str) -> StageView:
    return StageView(name, StageState.PENDING)
