"""Head, eyes and mouth from a mesh, and what is made of them over time."""

from __future__ import annotations

import numpy as np
import pytest

from services.vision.blinks import eye_openness, eyes_down, find_blinks, relative_openness
from services.vision.expression import brow_height, smile_intensity
from services.vision.gaze import AwayThresholds, find_away, gaze_deg, iris_position, track_gaze
from services.vision.head_pose import head_pose
from services.vision.self_test import check_models, drawn_face
from services.vision.stretches import MAX_SHOWN_S, Flags, Floats, find_stretches, flags_of, sample_ends_s
from tests.fakes.vision import FakeDetector, FakeLandmarker, Pose, make_mesh

STEP_S = 0.1


def grid(seconds: float) -> tuple[Floats, Floats]:
    times_s = np.round(np.arange(0, seconds, STEP_S), 3)
    return times_s, sample_ends_s(times_s, seconds)


def between(times_s: Floats, start_s: float, end_s: float) -> Flags:
    return (times_s >= start_s - 1e-9) & (times_s < end_s - 1e-9)


@pytest.mark.parametrize("yaw_deg", [-35.0, -10.0, 0.0, 25.0])
def test_yaw_is_positive_where_the_nose_points_to_the_viewers_left(yaw_deg: float) -> None:
    assert head_pose(make_mesh(Pose(yaw_deg=yaw_deg))).yaw_deg == pytest.approx(yaw_deg, abs=0.1)


@pytest.mark.parametrize("pitch_deg", [-20.0, 0.0, 15.0])
def test_pitch_is_positive_where_the_head_is_bowed(pitch_deg: float) -> None:
    assert head_pose(make_mesh(Pose(pitch_deg=pitch_deg))).pitch_deg == pytest.approx(pitch_deg, abs=0.1)


def test_a_mirrored_face_has_the_other_yaw_and_the_same_pitch() -> None:
    left = head_pose(make_mesh(Pose(yaw_deg=20, pitch_deg=10)))
    right = head_pose(make_mesh(Pose(yaw_deg=-20, pitch_deg=10)))

    assert left.yaw_deg == pytest.approx(-right.yaw_deg)
    assert left.pitch_deg == pytest.approx(right.pitch_deg, abs=0.5)


def test_the_eyes_are_as_open_as_they_are_high() -> None:
    assert eye_openness(make_mesh(Pose(openness=0.3))) == pytest.approx(0.3)
    assert eye_openness(make_mesh(Pose(openness=0.05))) == pytest.approx(0.05)


@pytest.mark.parametrize("expected_deg", [-20.0, 0.0, 15.0])
def test_gaze_follows_the_iris(expected_deg: float) -> None:
    iris = np.array([iris_position(make_mesh(Pose(iris=0.4 * float(np.sin(np.radians(expected_deg))))))])

    assert gaze_deg(iris, np.zeros(1))[0] == pytest.approx(expected_deg, abs=0.1)


def test_a_turned_head_that_looks_at_the_camera_looks_at_the_camera() -> None:
    yaw = np.radians(20)
    iris = np.array([0.5 + 0.20 * np.tan(yaw)])

    assert gaze_deg(iris, np.array([20.0]))[0] == pytest.approx(0.0, abs=0.1)


def test_an_impossible_iris_is_no_error() -> None:
    assert gaze_deg(np.array([7.0, np.nan]), np.zeros(2))[0] == 90.0


def test_a_wide_mouth_smiles_more_than_one_at_rest() -> None:
    assert smile_intensity(make_mesh(Pose(mouth=0.5))) == pytest.approx(0.0, abs=0.05)
    assert smile_intensity(make_mesh(Pose(mouth=0.7))) > 0.5


def test_mouth_and_brows_do_not_depend_on_the_heads_turn() -> None:
    ahead, turned = make_mesh(Pose(mouth=0.65)), make_mesh(Pose(mouth=0.65, yaw_deg=30, pitch_deg=10))

    assert smile_intensity(turned) == pytest.approx(smile_intensity(ahead), abs=0.01)
    assert brow_height(turned) == pytest.approx(brow_height(ahead), abs=0.01)


def test_every_blink_is_counted_once() -> None:
    times_s, _ = grid(20)
    openness = np.full(len(times_s), 0.3)
    for start_s in (2.0, 7.5, 12.0):
        openness[between(times_s, start_s, start_s + 0.2)] = 0.08

    blinks = find_blinks(relative_openness(openness, times_s), times_s)

    assert [blink.start_s for blink in blinks] == pytest.approx([2.0, 7.5, 12.0])


def test_narrow_eyes_blink_as_well() -> None:
    times_s, _ = grid(10)
    openness = np.where(between(times_s, 4.0, 4.2), 0.03, 0.12)

    assert len(find_blinks(relative_openness(openness, times_s), times_s)) == 1


def test_noise_between_the_two_heights_is_one_blink() -> None:
    times_s, _ = grid(10)
    openness = np.full(len(times_s), 0.3)
    openness[40:45] = [0.1, 0.2, 0.1, 0.2, 0.1]

    assert len(find_blinks(relative_openness(openness, times_s), times_s)) == 1


def test_shut_eyes_are_no_blink_but_lowered() -> None:
    times_s, ends_s = grid(20)
    relative = relative_openness(np.where(between(times_s, 5, 7), 0.05, 0.3), times_s)

    assert find_blinks(relative, times_s) == []
    assert flags_seconds(eyes_down(relative, times_s, ends_s)) == pytest.approx(2.0)


def flags_seconds(flags: Flags) -> float:
    return float(flags.sum()) * STEP_S


def test_a_face_that_vanishes_with_shut_eyes_did_not_blink() -> None:
    times_s, _ = grid(10)
    openness = np.full(len(times_s), 0.3)
    openness[50:52] = 0.05
    openness[52:60] = np.nan

    assert find_blinks(relative_openness(openness, times_s), times_s) == []


def away(gaze: Floats, yaw: Floats, times_s: Floats, ends_s: Floats) -> list[tuple[float, float]]:
    iris = 0.5 + 0.4 * np.sin(np.radians(gaze)) + 0.20 * np.tan(np.radians(yaw))
    track = track_gaze(iris, yaw, np.zeros(len(times_s), dtype=np.bool_))
    found = find_away(track, times_s, ends_s, AwayThresholds())
    return [(round(stretch.start_s, 2), round(stretch.end_s, 2)) for stretch in found]


def test_looking_aside_is_found_with_its_times() -> None:
    times_s, ends_s = grid(20)
    gaze = np.where(between(times_s, 5, 7), 20.0, 0.0)

    assert away(gaze, np.zeros(len(times_s)), times_s, ends_s) == [(5.0, 7.0)]


def test_a_short_glance_is_not_looking_away() -> None:
    times_s, ends_s = grid(20)
    gaze = np.where(between(times_s, 5, 5.5), 20.0, 0.0)

    assert away(gaze, np.zeros(len(times_s)), times_s, ends_s) == []


def test_glances_a_moment_apart_are_one() -> None:
    times_s, ends_s = grid(20)
    gaze = np.where(between(times_s, 5, 5.5) | between(times_s, 5.7, 6.3), 20.0, 0.0)

    assert away(gaze, np.zeros(len(times_s)), times_s, ends_s) == [(5.0, 6.3)]


def test_a_turned_head_looks_away_from_thirty_degrees_on() -> None:
    times_s, ends_s = grid(20)
    eyes_on_camera = np.zeros(len(times_s))

    assert away(eyes_on_camera, np.where(between(times_s, 5, 7), 25.0, 0.0), times_s, ends_s) == []
    assert away(eyes_on_camera, np.where(between(times_s, 5, 7), 35.0, 0.0), times_s, ends_s) == [(5.0, 7.0)]


def test_a_camera_beside_the_screen_is_the_usual_direction() -> None:
    times_s, ends_s = grid(20)

    assert away(np.full(len(times_s), 6.0), np.full(len(times_s), 20.0), times_s, ends_s) == []


def test_eyes_that_never_come_near_the_camera_are_away_all_the_time() -> None:
    times_s, ends_s = grid(20)

    assert away(np.full(len(times_s), 25.0), np.zeros(len(times_s)), times_s, ends_s) == [(0.0, 20.0)]


def test_one_frame_does_not_stand_for_longer_than_a_second() -> None:
    times_s = np.array([0.0, 0.1, 8.0])

    assert sample_ends_s(times_s, 8.1) == pytest.approx([0.1, 0.1 + MAX_SHOWN_S, 8.1])


def test_stretches_and_flags_are_each_others_inverse() -> None:
    times_s, ends_s = grid(3)
    flags = between(times_s, 0, 0.3) | between(times_s, 1, 2) | between(times_s, 2.9, 3)

    stretches = find_stretches(flags, times_s, ends_s)

    assert [round(stretch.length_s, 2) for stretch in stretches] == [0.3, 1.0, 0.1]
    assert (flags_of(stretches, len(flags)) == flags).all()


def test_a_landmarker_that_places_the_drawn_face_elsewhere_is_refused() -> None:
    from chassis.errors import PreconditionError

    landmarker, detector = FakeLandmarker(), FakeDetector()

    with pytest.raises(PreconditionError) as caught:
        check_models(landmarker, detector)

    assert caught.value.reason == "MODEL_UNUSABLE"
    assert landmarker.closed
    assert detector.closed
    assert drawn_face().shape == (480, 480, 3)
