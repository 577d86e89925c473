"""The first pass at a window's own length: what of it is kept."""

from __future__ import annotations

import pytest

from services.transcriber.first_pass import FirstPass
from services.transcriber.settings import TranscriberSettings


def test_a_sure_text_without_loops_is_kept() -> None:
    assert FirstPass().is_sure("I rebuilt the index, and it worked.", -0.1, 1.3, -0.4)


@pytest.mark.parametrize(
    ("text", "avg_logprob", "compression_ratio", "overrun_s"),
    [
        ("I rebuilt the index.", -1.1, 1.3, 0.0),
        ("I rebuilt the index.", -0.1, 2.3, 0.0),
        ("I rebuilt the index.", -0.1, 1.3, 3.5),
        ("and then " * 8, -0.1, 1.3, 0.0),
        ("I rebuilt the index.", float("nan"), 1.3, 0.0),
        (" ", -0.1, 0.5, -3.0),
    ],
    ids=["improbable", "repetitive", "past the end", "a loop", "unscored", "nothing"],
)
def test_what_is_doubtful_is_heard_again(
    text: str, avg_logprob: float, compression_ratio: float, overrun_s: float
) -> None:
    assert not FirstPass().is_sure(text, avg_logprob, compression_ratio, overrun_s)


def test_the_setting_makes_a_first_pass_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSCRIBER_FIRST_PASS", "padded")
    assert TranscriberSettings().first_pass_rules is None

    monkeypatch.setenv("TRANSCRIBER_FIRST_PASS", "own_length")
    monkeypatch.setenv("TRANSCRIBER_FIRST_PASS_MIN_AVG_LOGPROB", "-0.2")
    assert TranscriberSettings().first_pass_rules == FirstPass(min_avg_logprob=-0.2)
