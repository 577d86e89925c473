"""An orchestrator that plays one session to its end, and the result that it ends with."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import replace
from typing import Any

from gateway.sessions import AnswerView, SessionDraft, SessionState, SessionView, StageState, StageView
from tests.fakes.orchestrator import STAGES, FakeOrchestrator

STEP_S = 0.25
ACCEPT_TIMEOUT_S = 20.0
HOSTILE = "<img src=x onerror=\"document.title='owned'\">"
"""What a candidate might type or say to run code in a reader's page."""


class PlayingOrchestrator(FakeOrchestrator):
    """Runs every stage of every answer, one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.accepting = threading.Event()
        """Cleared, it lets a submission wait."""
        self.accepting.set()
        self._tasks: list[asyncio.Task[None]] = []

    async def create_session(self, draft: SessionDraft) -> SessionView:
        await asyncio.to_thread(self.accepting.wait, ACCEPT_TIMEOUT_S)
        session = await super().create_session(draft)
        self._tasks.append(asyncio.create_task(self._play(draft)))
        return session

    async def _play(self, draft: SessionDraft) -> None:
        session_id = draft.session_id
        for number in range(len(STAGES)):
            await asyncio.sleep(STEP_S)
            session = self._find(session_id)
            answers = tuple(_answer(answer.position, number) for answer in session.answers)
            self.set(
                replace(
                    session, state=SessionState.PROCESSING, answers=answers, done_ratio=number / len(STAGES),
                    remaining_s=2.0, candidate_name=draft.candidate_name,
                )
            )  # fmt: skip
        await asyncio.sleep(STEP_S)
        self.results[session_id] = json.dumps(result(draft)).encode()
        last = self._find(session_id)
        answers = tuple(_answer(answer.position, len(STAGES)) for answer in last.answers)
        self.set(replace(last, state=SessionState.COMPLETED, answers=answers, done_ratio=1.0, end_time_s=9.0))


def _answer(position: int, running: int) -> AnswerView:
    def stage(number: int, name: str) -> StageView:
        if number == running:
            return StageView(name, StageState.RUNNING, 0.5, 1)
        if number > running:
            return StageView(name, StageState.PENDING)
        if name == "translate":
            return StageView(name, StageState.SKIPPED, reason="NOT_CONFIGURED")
        return StageView(name, StageState.DONE, 1.0, 1)

    stages = tuple(stage(number, name) for number, name in enumerate(STAGES))
    return AnswerView(position, stages, assessed=True if running > STAGES.index("transcribe") else None)


def result(draft: SessionDraft) -> dict[str, Any]:
    """Return a result document with what the page shows."""
    return {
        "success": True,
        "name": draft.candidate_name,
        "status": "completed",
        "session_id": draft.session_id,
        "processing_time": 12.3,
        "llm_results": {"kesimpulan_llm": ""},
        "provenance": {"software_version": "0.1.0", "rubric_version": "1"},
        "results": [_first(draft.answers[0].question), *[_failed() for _ in draft.answers[1:]]],
    }


def _first(question: str) -> dict[str, Any]:
    return {
        "position": 1,
        "video_file": "video_0.mp4",
        "pertanyaan": question,
        "kesimpulan_llm": None,
        "transcript": _transcript(),
        "assessment": _assessment(),
        "observations": [
            _observation("no_face", 0.5, 1.2, 0.0, "ratio", 0.5, "no face was found"),
            _observation("second_voice", 2.0, 3.0, 1.0, "s", 0.8, "another voice speaks"),
        ],
        "measures": {
            "speech": {"speech_rate": _measure(131.2, "per_min", "OK")},
            "face": {"blink_rate": _measure(None, "per_min", "NO_FACE")},
        },
        "stages": {
            "transcribe": _stage("done", "OK") | {"model": {"name": "whisper-base", "version": "1"}},
            "translate": _stage("skipped", "NOT_CONFIGURED"),
        },
    }


def _transcript() -> dict[str, Any]:
    texts = (
        "Last year our build took forty minutes.",
        f"I split the tests. {HOSTILE}",
        "Say that it took five.",
    )
    indonesian = {"id": {"text": "Saya membagi tes.", "outcome": "OK", "reason": None}}
    segments = [
        {
            "start_s": float(place),
            "end_s": place + 1.0,
            "text": text,
            "voice": int(place == 2),
            "translations": {},
        }
        for place, text in enumerate(texts)
    ]
    segments[1]["translations"] = indonesian
    return {"outcome": "OK", "reason": None, "language": "en", "warnings": [], "segments": segments}


def _assessment() -> dict[str, Any]:
    cited = {"end_s": 1.0, "other_voice": False}
    judged = {
        "id": "substance", "name": "Substance", "outcome": "OK", "reason": None, "level": 4.2, "score": 80.0,
        "spread": None,
        "evidence": [
            cited | {"sentence_id": "s1", "start_s": 0.0},
            cited | {"sentence_id": "s2", "start_s": 1.0, "other_voice": True},
        ],
        "strengths": [{"text": "Names what was done.", "sentence_ids": ["s2"]}],
        "gaps": [{"text": "No lesson is drawn.", "sentence_ids": []}],
    }  # fmt: skip
    open_one = judged | {
        "id": "coherence",
        "name": "Coherence",
        "outcome": "INSUFFICIENT_EVIDENCE",
        "level": None,
    }
    return {
        "method": "baseline",
        "outcome": "OK",
        "reason": None,
        "total_score": 71.5,
        "sentences": [
            {"id": "s1", "text": "Last year our build took forty minutes.", "start_s": 0.0, "end_s": 1.0},
            {"id": "s2", "text": f"I split the tests. {HOSTILE}", "start_s": 1.0, "end_s": 2.0},
        ],
        "criteria": [judged, open_one | {"evidence": [], "strengths": [], "gaps": []}],
    }


def _observation(
    kind: str, start_s: float, end_s: float, value: float, unit: str, threshold: float, reason: str
) -> dict[str, Any]:
    span = {"kind": kind, "start_s": start_s, "end_s": end_s}
    return span | {"value": value, "unit": unit, "threshold": threshold, "reason": reason}


def _measure(value: float | None, unit: str, outcome: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "coverage": 0.9, "outcome": outcome, "reason": None}


def _stage(state: str, outcome: str) -> dict[str, Any]:
    return {"state": state, "outcome": outcome, "reason": None, "message": None, "attempts": 1, "run_s": 3.1}


def _failed() -> dict[str, Any]:
    error = {"stage": "extract", "reason": "MEDIA_UNDECODABLE", "message": "The recording can't be decoded."}
    return {"position": 2, "video_file": "video_1.mp4", "pertanyaan": "And then?", "error": error}
