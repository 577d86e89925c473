"""The greedy first pass: what of it is kept."""

from __future__ import annotations

import pytest

from services.transcriber.first_pass import FirstPass
from services.transcriber.settings import TranscriberSettings


def test_a_sure_text_without_loops_is_kept() -> None:
    assert FirstPass().is_sure("I rebuilt the index, and it worked.", -0.1, 1.3)


@pytest.mark.parametrize(
    ("text", "avg_logprob", "compression_ratio"),
    [
        ("I rebuilt the index.", -0.9, 1.3),
        ("I rebuilt the index.", -0.1, 2.3),
        ("and then " * 8, -0.1, 1.3),
        ("I rebuilt the index.", float("nan"), 1.3),
    ],
)
def test_an_improbable_repetitive_or_unscored_text_gets_the_beam(
    text: str, avg_logprob: float, compression_ratio: float
) -> None:
    assert not FirstPass().is_sure(text, avg_logprob, compression_ratio)


def test_the_setting_makes_a_first_pass_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSCRIBER_FIRST_PASS", "beam")
    assert TranscriberSettings().first_pass_rules is None

    monkeypatch.setenv("TRANSCRIBER_FIRST_PASS", "greedy")
    monkeypatch.setenv("TRANSCRIBER_FIRST_PASS_MIN_AVG_LOGPROB", "-0.2")
    assert TranscriberSettings().first_pass_rules == FirstPass(min_avg_logprob=-0.2)
