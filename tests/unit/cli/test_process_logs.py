"""What a person is told of the processes' logs: readiness, sessions, errors, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.process_logs import LogTail, last_words, told

SESSION = "26a93f602928118210b7facb74ebc050"


def record(message: str, logger: str = "x", level: str = "INFO", **more: Any) -> dict[str, Any]:
    return {"level": level, "logger": logger, "message": message, **more}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (record("serving", "chassis.server", port=50054), "vision: ready"),
        (
            record("serving", "gateway.listening", url="http://127.0.0.1:7860"),
            "vision: ready, the page is at http://127.0.0.1:7860",
        ),
        (
            record("session begins", session_id=SESSION, answer_count=1),
            f"session {SESSION}: begins, 1 answer",
        ),
        (
            record("session begins", session_id=SESSION, answer_count=2),
            f"session {SESSION}: begins, 2 answers",
        ),
        (
            record("session ends", session_id=SESSION, state="completed", reason=""),
            f"session {SESSION}: completed",
        ),
        (
            record("session ends", session_id=SESSION, state="failed", reason="MEDIA_UNDECODABLE"),
            f"session {SESSION}: failed (MEDIA_UNDECODABLE)",
        ),
        (record("it broke\nbadly", level="ERROR"), "vision: it broke badly"),
        (record("stage", session_id=SESSION), None),
        (record("slow", level="WARNING"), None),
        (record("serving", "somebody.else"), None),
        ({"message": "a line that is not JSON"}, None),
    ],
)
def test_a_record_is_told_in_a_line_or_not_at_all(given: dict[str, Any], said: str | None) -> None:
    assert told("vision", given) == said


def test_last_words_are_the_messages_alone() -> None:
    log = json.dumps(record("one")) + "\n" + json.dumps(record("These are wrong:\n  A: b")) + "\nplain\n"
    assert last_words(log, 2) == "These are wrong: A: b plain"


def test_last_words_are_the_errors_where_there_are_any() -> None:
    lines = [record("begins"), record("the port is taken", level="ERROR"), record("ends")]
    assert last_words("\n".join(map(json.dumps, lines)), 5) == "the port is taken"


def test_lines_are_read_once_and_only_when_they_are_whole(tmp_path: Path) -> None:
    log = tmp_path / "one.log"
    tail = LogTail(log)
    assert list(tail.records()) == []
    with log.open("w", encoding="utf-8") as writer:
        writer.write('{"message": "first"}\n{"mess')
        writer.flush()
        assert list(tail.records()) == [{"message": "first"}]
        writer.write('age": "second"}\n')
    assert list(tail.records()) == [{"message": "second"}]
    assert list(tail.records()) == []


def test_a_line_without_end_does_not_fill_the_memory(tmp_path: Path) -> None:
    log = tmp_path / "one.log"
    log.write_bytes(b"x" * (3 << 20) + b"\n" + b'{"message": "after"}\n')
    assert list(LogTail(log).records())[-1] == {"message": "after"}
