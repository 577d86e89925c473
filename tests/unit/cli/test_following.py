"""Following a session: events, what breaks them, and when it gives up."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from httpx_sse import ServerSentEvent
from rich.console import Console

from cli.failures import CommandError, ExitCode
from cli.following import MAX_FAILURES_IN_A_ROW, follow
from cli.progress import StageBoard, byte_bars, state_text
from tests.fakes.cli import SESSION_ID, session_state

AWAY = CommandError("away", code="GATEWAY_UNREACHABLE", exit_code=ExitCode.UNREACHABLE)
UNKNOWN = CommandError("unknown", code="SESSION_NOT_FOUND", exit_code=ExitCode.NOT_FOUND)


def event(state: str, number: int = 1) -> ServerSentEvent:
    return ServerSentEvent("session", json.dumps(session_state(state)), str(number))


class Script:
    """Plays streams and states in turn; an error in either is raised."""

    def __init__(self, streams: list[list[Any]], states: list[Any]) -> None:
        self._streams, self._states = streams, states
        self.resumed_after: list[str] = []
        self.pauses: list[float] = []

    def events(self, session_id: str, after_event_id: str = "") -> Iterator[ServerSentEvent]:
        self.resumed_after.append(after_event_id)
        for item in self._streams.pop(0) if self._streams else []:
            if isinstance(item, Exception):
                raise item
            yield item

    def status(self, session_id: str) -> dict[str, Any]:
        state = self._states.pop(0) if len(self._states) > 1 else self._states[0]
        if isinstance(state, Exception):
            raise state
        return session_state(state)

    def sleep(self, pause_s: float) -> None:
        self.pauses.append(pause_s)


def states_of(script: Script) -> list[str]:
    return [str(state["state"]) for state in follow(script, SESSION_ID, script.sleep)]


def test_a_stream_is_followed_to_its_final_state() -> None:
    script = Script([[event("queued"), event("processing", 2), event("completed", 3)]], ["queued"])
    assert states_of(script) == ["queued", "processing", "completed"]
    assert script.pauses == []


def test_a_broken_stream_is_resumed_after_its_last_event() -> None:
    script = Script([[event("processing", 7), AWAY], [event("completed", 8)]], ["processing"])
    assert states_of(script) == ["processing", "processing", "completed"]
    assert script.resumed_after == ["", "7"]


def test_without_events_the_state_is_polled() -> None:
    script = Script([], ["queued", "processing", "completed"])
    assert states_of(script) == ["queued", "processing", "completed"]
    assert len(script.pauses) == 2


def test_a_problem_event_does_not_end_the_following() -> None:
    script = Script([[ServerSentEvent("problem", "{}")], [event("completed")]], ["processing"])
    assert states_of(script)[-1] == "completed"


def test_an_unknown_session_ends_it_at_once() -> None:
    script = Script([[UNKNOWN]], ["processing"])
    with pytest.raises(CommandError, match="unknown"):
        states_of(script)
    assert script.pauses == []


def test_a_gateway_that_stays_away_is_given_up_after_a_while() -> None:
    script = Script([[AWAY]] * (MAX_FAILURES_IN_A_ROW + 1), [AWAY])
    with pytest.raises(CommandError, match="away"):
        states_of(script)
    assert len(script.pauses) == MAX_FAILURES_IN_A_ROW - 1


def board_text(*sessions: dict[str, Any], terminal: bool) -> str:
    text = io.StringIO()
    console = Console(file=text, force_terminal=terminal, width=120, height=40)
    with StageBoard(console) as board:
        for session in sessions:
            board.show(session)
    return text.getvalue()


def test_without_a_terminal_each_change_is_one_line() -> None:
    session = session_state("processing")
    lines = board_text(session, session, terminal=False).splitlines()
    assert lines == ["answer 1 · extract: done", "answer 1 · transcribe: running"]


def test_on_a_terminal_each_stage_of_each_answer_has_a_bar() -> None:
    text = board_text(session_state("processing"), terminal=True)
    assert "answer 1 · extract" in text
    assert " 40%" in text


def test_more_stages_than_lines_become_one_bar_a_stage() -> None:
    answer = session_state("processing")["answers"][0]
    session = session_state("processing", answers=[{**answer, "position": n} for n in range(1, 21)])
    text = board_text(session, terminal=True)
    assert "all answers · transcribe" in text
    assert "answer 1 ·" not in text


def test_a_transfer_is_announced_once_where_there_is_no_terminal() -> None:
    text = io.StringIO()
    with byte_bars(Console(file=text)) as report:
        for done in (1, 2, 2):
            report("upload", done, 2)
    assert text.getvalue() == "upload: complete\n"


def test_a_stage_that_waits_for_its_service_says_since_when() -> None:
    today = datetime.now().astimezone()
    earlier = datetime(2026, 1, 2, 14, 2).astimezone()

    assert state_text({"state": "running", "waiting_since_s": None}) == "running"
    assert state_text({"state": "done"}) == "done"
    assert (
        state_text({"state": "waiting", "waiting_since_s": today.timestamp()})
        == f"waiting since {today:%H:%M}"
    )
    assert state_text({"state": "waiting", "waiting_since_s": earlier.timestamp()}) == (
        "waiting since 2026-01-02 14:02"
    )


def test_a_waiting_stage_is_announced_once() -> None:
    console = Console(file=io.StringIO(), width=200)
    stage = {
        "stage": "vision",
        "state": "waiting",
        "reason": "STAGE_AWAY",
        "waiting_since_s": 1_700_000_000.0,
    }
    state = session_state("processing", answers=[{"position": 1, "stages": [stage]}])
    with StageBoard(console) as board:
        board.show(state)
        board.show(state)
    (line,) = console.file.getvalue().splitlines()  # type: ignore[attr-defined]

    assert line.startswith("answer 1 · vision: waiting since 2023-11-1")
    assert line.endswith("(STAGE_AWAY)")
