"""Lines of native libraries: which are kept, and that each is one JSON object."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chassis.native_forwarder import CLEAN_END, MAX_LINE_BYTES, Forwarder, level_of

SPARSITY = b"WARNING: [model_load.cc:402] Sparsity tensors may not yet be fully supported."
FATAL = b"F0000 00:00:1795999327.5 7755 graph.cc:181] Check failed: packet is empty"


def forwarded(*lines: bytes, which: str = "errors", end: bool = True) -> list[Any]:
    forwarder = Forwarder(which == "all", True, "VISION_NATIVE_LOG")
    written = [text for line in lines for text in forwarder.take(line + b"\n", 0.0)]
    return [json.loads(text) for text in written + (forwarder.end(1.0) if end else [])]


def messages(*lines: bytes, which: str = "errors") -> list[str]:
    return [entry["message"] for entry in forwarded(*lines, which=which)]


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("W0000 00:00:1795999327.575305    7755 face_landmarker_graph.cc:181] Sets it.", "WARNING"),
        ("I0000 00:00:1795999327.575305    7755 gl_context.cc:369] GL version: 3.2", "INFO"),
        ("E1130 00:38:18.575305    7755 graph.cc:1] Broken.", "ERROR"),
        (FATAL.decode(), "CRITICAL"),
        ("2026-11-30 00:38:18.123456: I tensorflow/core/util.cc:1] Built.", "INFO"),
        ("INFO: Created TensorFlow Lite XNNPACK delegate for CPU.", "INFO"),
        (SPARSITY.decode(), "WARNING"),
        ("ERROR: [compiled_model.cc:1] No such op.", "ERROR"),
        ("Fatal Python error: Aborted", None),
        ("    @ 0x7f6478e5c0a6  (unknown)", None),
    ],
)
def test_a_line_has_the_level_that_it_gives_itself(line: str, level: str | None) -> None:
    assert level_of(line) == level


def test_what_says_it_is_no_error_is_left_out_and_how_to_see_it_is_said_once() -> None:
    said = messages(*[SPARSITY] * 46, CLEAN_END)
    assert len(said) == 1
    assert "VISION_NATIVE_LOG=all" in said[0]


def test_everything_is_a_record_where_everything_is_wanted() -> None:
    entries = forwarded(SPARSITY, FATAL, CLEAN_END, which="all")
    assert [entry["level"] for entry in entries] == ["WARNING", "CRITICAL"]
    assert {entry["logger"] for entry in entries} == {"native"}


def test_what_does_not_say_what_it_is_is_kept() -> None:
    assert messages(b"terminate called without an active exception", CLEAN_END) == [
        "terminate called without an active exception"
    ]


def test_a_process_that_dies_tells_what_was_left_out_before() -> None:
    said = messages(*[SPARSITY] * 46, b"INFO: the last thing it did")
    assert said[-1] == "INFO: the last thing it did"
    assert 10 < len(said) < 30


def test_last_words_need_no_line_end() -> None:
    forwarder = Forwarder(False, True, "X_NATIVE_LOG")
    assert forwarder.take(b"Segmentation", 0.0) == []
    assert json.loads(forwarder.end(1.0)[0])["message"] == "Segmentation"


def test_a_line_that_comes_in_pieces_is_one_record() -> None:
    forwarder = Forwarder(False, True, "X_NATIVE_LOG")
    assert forwarder.take(b"Check ", 0.0) == []
    assert [json.loads(text)["message"] for text in forwarder.take(b"failed\n", 0.0)] == ["Check failed"]


def test_a_line_without_end_is_bounded_and_nothing_of_it_is_lost() -> None:
    forwarder = Forwarder(False, True, "X_NATIVE_LOG")
    written = [text for _ in range(50) for text in forwarder.take(b"x" * 999, 0.0)] + forwarder.end(1.0)
    said = [json.loads(text)["message"] for text in written]
    assert sum(map(len, said)) == 50 * 999
    assert max(map(len, said)) <= MAX_LINE_BYTES


def test_bytes_that_are_no_text_are_still_json() -> None:
    assert messages(b"\xff\xfe broken \x1b[31m", CLEAN_END) == ["\ufffd\ufffd broken \x1b[31m"]


def test_people_get_the_line_as_it_is() -> None:
    assert Forwarder(True, False, "X_NATIVE_LOG").take(SPARSITY + b"\n", 0.0) == [SPARSITY.decode()]
