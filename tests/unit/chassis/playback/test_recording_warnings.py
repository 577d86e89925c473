"""Warnings come in the order of time, and not by the thousand."""

from __future__ import annotations

import pytest

from chassis.playback.recording_warnings import MAX_OF_A_KIND, RecordingWarning, clock_time, in_order


def test_what_has_no_place_in_time_comes_first_and_the_rest_by_time() -> None:
    late, early = RecordingWarning("B", "", 9.0, 10.0), RecordingWarning("C", "", 0.0, 1.0)
    about_all = RecordingWarning("A", "")

    assert in_order([late, about_all, early]) == (about_all, early, late)


def test_a_kind_that_comes_a_thousand_times_is_cut_short_and_says_so() -> None:
    many = [RecordingWarning("A", "It pauses.", float(index)) for index in range(1000)]
    kept = in_order([*many, RecordingWarning("B", "", 5.5)])

    assert len(kept) == MAX_OF_A_KIND + 1
    assert kept[-1].message == "It pauses. More of this kind: 980."
    assert [one.kind for one in kept].index("B") == 6


@pytest.mark.parametrize(("time_s", "shown"), [(0.0, "0:00"), (67.9, "1:07"), (3723.0, "1:02:03")])
def test_times_are_written_as_a_player_does(time_s: float, shown: str) -> None:
    assert clock_time(time_s) == shown
