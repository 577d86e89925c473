"""Observations in words: what a value says depends on what was observed."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from cli.summary import print_summary


def text_of(**observation: Any) -> str:
    text = io.StringIO()
    one = {"start_s": 1.0, "end_s": 2.5, "reason": "why", **observation}
    print_summary(Console(file=text, width=160), {"results": [{"observations": [one]}]})
    return text.getvalue()


@pytest.mark.parametrize(
    ("kind", "value", "unit", "words"),
    [
        ("second_voice", 0.98, "ratio", "probability 0.98"),
        ("second_voice", 0.98, "probability", "probability 0.98"),
        ("face_too_small", 0.043, "ratio", "4 %"),
        ("second_face", 2.0, "count", "2 faces"),
        ("looking_away", 31.5, "deg", "31.5°"),
        ("no_face", 3.0, "s", "3 s"),
        ("new_kind", 3.0, "px", "3 px"),
    ],
)
def test_a_value_is_read_in_words(kind: str, value: float, unit: str, words: str) -> None:
    assert f"{kind} 1.0–2.5 s  {words}  why" in text_of(kind=kind, value=value, unit=unit)


def test_a_value_that_is_absent_is_left_out() -> None:
    assert "no_face 1.0–2.5 s  why" in text_of(kind="no_face", value=None, unit="s")
