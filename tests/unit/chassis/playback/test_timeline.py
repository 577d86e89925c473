"""One clock for all tracks, also where a file's timestamps go back."""

from __future__ import annotations

import pytest

from chassis.playback.timeline import Timeline

SOUND, PICTURE = 0, 1
TOLERANCE_S = {SOUND: 0.3, PICTURE: 1.0}


def place(timeline: Timeline, track: int, time_s: float, duration_s: float = 0.1) -> float:
    at_s = time_s + timeline.shift_s(track, time_s, TOLERANCE_S[track])
    timeline.cover(at_s + duration_s)
    return at_s


def play(timeline: Timeline, seconds: float, begin_s: float = 0.0) -> None:
    for index in range(round(seconds * 10)):
        for track in (PICTURE, SOUND):
            place(timeline, track, begin_s + index / 10)


def test_time_zero_is_where_it_is_said_to_be() -> None:
    assert place(Timeline(5.0), SOUND, 5.08) == pytest.approx(0.08)


def test_without_a_known_beginning_the_first_piece_is_time_zero() -> None:
    assert place(Timeline(None), SOUND, 7.0) == 0.0


def test_frames_that_are_stored_out_of_order_are_no_new_recording() -> None:
    timeline = Timeline(0.0)

    stored_s = [0.0, 0.4, 0.2, 0.1, 0.3]

    assert [place(timeline, PICTURE, time_s) for time_s in stored_s] == stored_s
    assert timeline.joints_s == []


def test_a_second_recording_comes_after_the_longest_track_of_the_first() -> None:
    timeline = Timeline(0.0)
    play(timeline, 6.0)
    place(timeline, SOUND, 6.0, duration_s=0.5)

    assert place(timeline, PICTURE, 0.0) == pytest.approx(6.5)
    assert place(timeline, SOUND, 0.03) == pytest.approx(6.53)
    assert timeline.joints_s == [pytest.approx(6.5)]


def test_a_track_that_had_ended_early_joins_the_second_recording() -> None:
    timeline = Timeline(0.0)
    play(timeline, 1.0)
    for index in range(10, 60):
        place(timeline, SOUND, index / 10)
    place(timeline, SOUND, 0.0)

    assert place(timeline, PICTURE, 0.02) == pytest.approx(6.02)


def test_a_straggler_of_the_first_recording_stays_there() -> None:
    timeline = Timeline(0.0)
    play(timeline, 6.0)
    place(timeline, SOUND, 0.0)

    assert place(timeline, PICTURE, 6.0) == pytest.approx(6.0)
    assert place(timeline, PICTURE, 0.0) == pytest.approx(6.0, abs=0.11)


def test_a_clock_that_goes_back_by_a_part_only_goes_on_from_there() -> None:
    timeline = Timeline(0.0)
    play(timeline, 10.0)

    assert place(timeline, SOUND, 7.0) == pytest.approx(10.0)
    assert place(timeline, PICTURE, 7.0) == pytest.approx(10.0)


def test_three_recordings_come_one_after_the_other() -> None:
    timeline = Timeline(2.0)
    for _ in range(3):
        play(timeline, 4.0, begin_s=2.0)

    assert timeline.joints_s == [pytest.approx(4.0), pytest.approx(8.0)]
    assert timeline.end_s == pytest.approx(12.0)


def test_a_jump_forward_is_time_that_passed() -> None:
    timeline = Timeline(0.0)
    play(timeline, 6.0)

    assert place(timeline, SOUND, 1206.0) == 1206.0
