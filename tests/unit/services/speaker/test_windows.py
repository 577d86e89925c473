"""Windows stay inside speech, and share its seconds among them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.speaker.voice_activity import SpeechStretch
from services.speaker.windows import MAX_STEP_S, MIN_WINDOW_S, WINDOW_S, seconds_of, windows_of


@st.composite
def speech(draw: st.DrawFn) -> list[SpeechStretch]:
    stretches, start_s = [], 0.0
    for _ in range(draw(st.integers(1, 6))):
        start_s += draw(st.floats(0.05, 3.0))
        end_s = start_s + draw(st.floats(0.25, 12.0))
        stretches.append(SpeechStretch(start_s, end_s))
        start_s = end_s
    return stretches


@given(speech())
def test_every_window_lies_in_one_stretch_and_steps_are_short(stretches: list[SpeechStretch]) -> None:
    windows = windows_of(stretches)

    for start_s, end_s in windows:
        assert any(s.start_s - 1e-9 <= start_s and end_s <= s.end_s + 1e-9 for s in stretches)
        assert MIN_WINDOW_S <= end_s - start_s + 1e-9 <= WINDOW_S + 1e-6
    for stretch in stretches:
        starts = [s for s, e in windows if s >= stretch.start_s - 1e-9 and e <= stretch.end_s + 1e-9]
        assert bool(starts) == (stretch.duration_s >= MIN_WINDOW_S)
        assert np.diff(starts).max(initial=0) <= MAX_STEP_S + 1e-9


@given(speech())
def test_the_seconds_of_the_windows_add_up_to_the_speech_that_has_windows(
    stretches: list[SpeechStretch],
) -> None:
    seconds = seconds_of(windows_of(stretches), stretches)

    covered_s = sum(s.duration_s for s in stretches if s.duration_s >= MIN_WINDOW_S)
    assert seconds.sum() == pytest.approx(covered_s)
    assert (seconds > 0).all()


def test_a_short_stretch_is_one_window_of_its_own_length() -> None:
    assert windows_of([SpeechStretch(2.0, 2.9)]).tolist() == [[2.0, 2.9]]


def test_no_speech_is_no_window() -> None:
    assert windows_of([]).shape == (0, 2)
    assert seconds_of(windows_of([]), []).shape == (0,)
