"""What a process writes past its log: one JSON object a line, and its last words are kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import Any

import pytest

BEGIN = """
import ctypes, logging, os, subprocess, sys, threading, warnings
from chassis.settings import ProcessSettings
from chassis.telemetry import configure_process_log
configure_process_log(ProcessSettings())
"""


def run(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BEGIN + code],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def entries(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def test_native_lines_are_json_and_the_log_itself_stays_where_it_was() -> None:
    ended = run("logging.info('ours'); os.write(2, b'E0000 00:00:1.5 7 a.cc:1] theirs\\n')")
    assert [entry["message"] for entry in entries(ended.stdout)] == ["ours"]
    assert [entry["level"] for entry in entries(ended.stderr)] == ["ERROR"]


def test_an_abort_keeps_its_last_words_and_says_where() -> None:
    ended = run("os.write(2, b'INFO: before\\nF0000 00:00:1.5 7 a.cc:1] Check failed: x'); os.abort()")
    said = [entry["message"] for entry in entries(ended.stderr)]
    assert ended.returncode == -signal.SIGABRT
    assert any("Check failed: x" in message for message in said)
    assert any("Fatal Python error: Aborted" in message for message in said)
    assert "INFO: before" in said


def test_a_crash_in_native_code_says_where() -> None:
    ended = run("ctypes.string_at(0)")
    assert ended.returncode == -signal.SIGSEGV
    assert any("Segmentation fault" in entry["message"] for entry in entries(ended.stderr))


def test_more_than_a_pipe_holds_does_not_stop_a_writer_that_keeps_the_interpreter_to_itself() -> None:
    code = """
libc = ctypes.PyDLL(None)
block = b'z' * 99 + b'\\n'
for _ in range(20_000):
    libc.write(2, block, len(block))
"""
    assert len(entries(run(code).stderr)) == 20_000


def test_what_a_child_writes_is_json_too() -> None:
    ended = run("subprocess.run([sys.executable, '-S', '-c', 'import os; os.write(2, b\"child\")'])")
    assert [entry["message"] for entry in entries(ended.stderr)] == ["child"]


def test_a_forked_child_writes_through_the_same_pipe() -> None:
    ended = run("pid = os.fork() or (os.write(2, b'forked\\n'), os._exit(0)); os.waitpid(pid, 0)")
    assert [entry["message"] for entry in entries(ended.stderr)] == ["forked"]


def test_the_group_that_is_told_to_stop_still_says_its_last_words() -> None:
    code = """
import signal
signal.signal(signal.SIGTERM, lambda *_: None)
os.setsid()
os.killpg(0, signal.SIGTERM)
os.write(2, b'after the signal\\n')
"""
    assert [entry["message"] for entry in entries(run(code).stderr)] == ["after the signal"]


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("1 / 0", "the process ends after an unforeseen error", "ZeroDivisionError"),
        ("threading.Thread(target=lambda: 1 / 0).start()", "a thread ends after", "ZeroDivisionError"),
    ],
)
def test_an_unforeseen_error_is_one_record(code: str, message: str, kind: str) -> None:
    ended = run(code)
    (entry,) = entries(ended.stdout)
    assert entry["message"].startswith(message)
    assert kind in entry["traceback"]
    assert ended.stderr == ""


def test_a_warning_of_python_is_a_record() -> None:
    (entry,) = entries(run("warnings.warn('old')").stdout)
    assert (entry["level"], entry["logger"]) == ("WARNING", "py.warnings")


def test_raw_leaves_standard_error_alone() -> None:
    assert run("os.write(2, b'as it is\\n')", NATIVE_LOG="raw").stderr == "as it is\n"


def test_a_process_that_can_not_start_says_so_in_one_record() -> None:
    ended = run(
        "from chassis.telemetry import refuse_start\nrefuse_start('MODEL_MISSING: fetch it.', 'json')"
    )
    (entry,) = entries(ended.stdout)
    assert (entry["level"], entry["message"]) == ("CRITICAL", "MODEL_MISSING: fetch it.")
