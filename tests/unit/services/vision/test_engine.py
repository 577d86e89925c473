"""The whole look at a recording, with models that read grey levels."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chassis.errors import CancelledCallError, InvalidInputError
from services.vision.engine import VisionAnalyzer, VisionOptions
from services.vision.measures import UNITS
from services.vision.observations import KINDS
from services.vision.report import Measure, Outcome, Progress, VisionReport
from tests.fakes.vision import (
    EVERY_SAMPLE,
    MODELS,
    NOBODY,
    ONE_FACE,
    SPECK,
    TWO_FACES,
    FakeDetector,
    FakeLandmarker,
    Pose,
    fake_analyzer,
    write_clip,
    write_sound_only,
)


def report_of(analyzer: VisionAnalyzer, recording: Path) -> VisionReport:
    *_, last = analyzer.analyze(recording, threading.Event())
    assert isinstance(last, VisionReport)
    return last


def by_name(report: VisionReport) -> dict[str, Measure]:
    return {measure.name: measure for measure in report.measures}


def value(report: VisionReport, name: str) -> float:
    found = by_name(report)[name].value
    assert found is not None
    return found


def events(report: VisionReport, kind: str) -> list[Any]:
    return [(o.start_s, o.end_s) for o in report.observations if o.kind == kind]


def clip(tmp_path: Path, *levels: tuple[int, float], rate_hz: int = 10) -> Path:
    return write_clip(tmp_path / "clip.mp4", levels, rate_hz=rate_hz)


def test_a_quiet_face_is_measured_throughout(tmp_path: Path) -> None:
    report = report_of(fake_analyzer(), clip(tmp_path, (ONE_FACE, 12.0)))

    assert report.outcome is Outcome.OK
    assert report.sampled_frame_count == 120
    assert report.face_ratio == 1.0
    assert [measure.name for measure in report.measures] == list(UNITS)
    assert {measure.outcome for measure in report.measures} == {Outcome.OK}
    assert value(report, "eye_contact_ratio") == 1.0
    assert value(report, "gaze_stability_ratio") == 1.0
    assert value(report, "blink_count") == 0
    assert value(report, "head_movement") == pytest.approx(0.0, abs=1e-6)
    assert by_name(report)["blink_rate"].coverage_ratio == pytest.approx(1.0, abs=0.01)
    assert report.observations == ()
    assert report.warnings == ()
    assert report.models == MODELS


def test_a_face_that_is_gone_is_found_to_a_tenth_of_a_second(tmp_path: Path) -> None:
    report = report_of(
        fake_analyzer(), clip(tmp_path, (ONE_FACE, 6.3), (NOBODY, 3.4), (ONE_FACE, 6.3), rate_hz=30)
    )

    assert events(report, "no_face") == [(pytest.approx(6.3, abs=0.15), pytest.approx(9.7, abs=0.15))]
    assert report.face_ratio == pytest.approx(12.6 / 16, abs=0.02)
    assert by_name(report)["smile_intensity"].coverage_ratio == pytest.approx(12.6 / 16, abs=0.02)


def test_a_second_face_is_counted(tmp_path: Path) -> None:
    report = report_of(fake_analyzer(), clip(tmp_path, (ONE_FACE, 4.0), (TWO_FACES, 3.0), (ONE_FACE, 4.0)))

    assert report.max_face_count == 2
    assert events(report, "second_face") == [(pytest.approx(4.0, abs=0.15), pytest.approx(7.0, abs=1.0))]


def test_a_speck_is_too_small_and_not_nobody(tmp_path: Path) -> None:
    report = report_of(fake_analyzer(), clip(tmp_path, (SPECK, 5.0)))

    assert report.outcome is Outcome.NO_FACE
    assert events(report, "face_too_small") == [(0.0, pytest.approx(5.0, abs=0.05))]
    assert events(report, "no_face") == []


def test_nobody_is_an_outcome_without_figures(tmp_path: Path) -> None:
    report = report_of(fake_analyzer(), clip(tmp_path, (NOBODY, 12.0)))

    assert report.outcome is Outcome.NO_FACE
    assert report.reason
    assert report.face_ratio == 0.0
    absent = [measure for measure in report.measures if measure.name != "face_ratio"]
    assert {(measure.outcome, measure.value) for measure in absent} == {(Outcome.NO_FACE, None)}
    assert all(measure.reason for measure in absent)
    assert len(events(report, "no_face")) == 1
    assert report.quality.face_width_ratio is None
    assert report.quality.sharpness_score is None


def test_under_ten_seconds_of_face_figures_are_absent(tmp_path: Path) -> None:
    turned = fake_analyzer(lambda time_s: Pose(yaw_deg=40 if time_s < 2 else 0))

    report = report_of(turned, clip(tmp_path, (ONE_FACE, 8.0), (NOBODY, 5.0)))

    assert report.outcome is Outcome.OK
    assert by_name(report)["face_ratio"].outcome is Outcome.OK
    assert by_name(report)["blink_rate"].outcome is Outcome.INSUFFICIENT_EVIDENCE
    assert by_name(report)["blink_rate"].value is None
    assert events(report, "looking_away") == []  # nor is the usual direction known


def test_blinks_are_counted_and_set_against_the_face_time(tmp_path: Path) -> None:
    blinking = fake_analyzer(lambda time_s: Pose(openness=0.05 if time_s % 3 < 0.15 and time_s > 1 else 0.3))

    report = report_of(blinking, clip(tmp_path, (ONE_FACE, 20.0), (NOBODY, 20.0)))

    assert value(report, "blink_count") == 6
    assert value(report, "blink_rate") == pytest.approx(18.0, rel=0.02)


def test_too_few_frames_a_second_leave_blinks_absent(tmp_path: Path) -> None:
    report = report_of(fake_analyzer(), clip(tmp_path, (ONE_FACE, 20.0), rate_hz=3))

    assert by_name(report)["blink_rate"].outcome is Outcome.INSUFFICIENT_EVIDENCE
    assert by_name(report)["eye_contact_ratio"].outcome is Outcome.OK
    assert any("frames a second" in warning for warning in report.warnings)


@pytest.mark.parametrize(
    ("away", "unit"),
    [(Pose(yaw_deg=40, iris=0.17), "deg"), (Pose(iris=0.2), "deg"), (Pose(openness=0.1), "ratio")],
    ids=["head", "eyes", "lids"],
)
def test_looking_away_takes_from_eye_contact(tmp_path: Path, away: Pose, unit: str) -> None:
    analyzer = fake_analyzer(lambda time_s: away if 5 <= time_s < 8 else Pose())

    report = report_of(analyzer, clip(tmp_path, (ONE_FACE, 15.0)))

    assert events(report, "looking_away") == [(pytest.approx(5.0), pytest.approx(8.0))]
    assert value(report, "eye_contact_ratio") == pytest.approx(0.8, abs=0.01)
    (found,) = report.observations
    assert found.unit == unit
    assert (found.value > found.threshold) == (unit == "deg")
    assert (value(report, "looking_down_ratio") > 0) == (unit == "ratio")


def test_a_bowed_and_a_raised_head_are_told_apart(tmp_path: Path) -> None:
    analyzer = fake_analyzer(lambda time_s: Pose(pitch_deg=25 if time_s < 3 else -25 if time_s < 5 else 0))

    report = report_of(analyzer, clip(tmp_path, (ONE_FACE, 20.0)))

    assert value(report, "looking_down_ratio") == pytest.approx(0.15, abs=0.01)
    assert value(report, "looking_up_ratio") == pytest.approx(0.10, abs=0.01)


def test_a_moving_head_and_mouth_have_a_spread(tmp_path: Path) -> None:
    def nodding(time_s: float) -> Pose:
        odd = int(time_s) % 2
        return Pose(yaw_deg=10 if odd else -10, mouth=0.7 if odd else 0.5, brow=0.28 if odd else 0.24)

    report = report_of(fake_analyzer(nodding), clip(tmp_path, (ONE_FACE, 20.0)))

    assert value(report, "yaw_spread") == pytest.approx(10.0, abs=0.1)
    assert value(report, "head_movement") == pytest.approx(10.0, abs=0.2)
    assert value(report, "smile_variation") > 0.2
    assert value(report, "brow_movement") == pytest.approx(0.02, abs=0.005)


def test_a_usual_direction_beside_the_camera_is_said(tmp_path: Path) -> None:
    report = report_of(fake_analyzer(lambda _: Pose(iris=0.2)), clip(tmp_path, (ONE_FACE, 12.0)))

    assert value(report, "eye_contact_ratio") == 0.0
    assert any("beside the camera" in warning for warning in report.warnings)


def test_a_recording_without_a_picture_is_an_outcome(tmp_path: Path) -> None:
    report = report_of(fake_analyzer(), write_sound_only(tmp_path / "clip.mkv"))

    assert report.outcome is Outcome.NO_VIDEO
    assert report.face_ratio is None
    assert {measure.outcome for measure in report.measures} == {Outcome.NO_VIDEO}


@pytest.mark.parametrize("seconds", [0.04, 0.2, 1.5])
def test_a_very_short_recording_gives_a_report(tmp_path: Path, seconds: float) -> None:
    report = report_of(fake_analyzer(), clip(tmp_path, (ONE_FACE, seconds), rate_hz=25))

    assert report.outcome is Outcome.OK
    assert report.duration_s == pytest.approx(seconds, abs=0.05)


def test_progress_comes_once_a_second_with_the_length(tmp_path: Path) -> None:
    *progress, _ = fake_analyzer().analyze(clip(tmp_path, (ONE_FACE, 5.0)), threading.Event())

    assert all(isinstance(event, Progress) for event in progress)
    done_s = [event.done_s for event in progress if isinstance(event, Progress)]
    assert done_s == pytest.approx([1.0, 2.0, 3.0, 4.0])
    assert {event.total_s for event in progress if isinstance(event, Progress)} == {5.0}


def test_the_same_recording_gives_the_same_report(tmp_path: Path) -> None:
    analyzer = fake_analyzer(lambda time_s: Pose(yaw_deg=time_s, iris=0.01 * time_s))
    recording = clip(tmp_path, (ONE_FACE, 11.0), (NOBODY, 2.0))

    assert report_of(analyzer, recording) == report_of(analyzer, recording)


def test_the_landmarker_sees_times_that_grow(tmp_path: Path) -> None:
    landmarker = FakeLandmarker()
    times_s = [0.0, 0.1999, 0.2001, 0.3]
    recording = write_clip(
        tmp_path / "clip.mov",
        [(ONE_FACE, 4.0)],
        rate_hz=1,
        times_s=times_s,
        codec="mjpeg",
        pix_fmt="yuvj420p",
    )

    report_of(VisionAnalyzer(lambda: landmarker, FakeDetector, options=EVERY_SAMPLE), recording)

    assert landmarker.times_ms == [0, 200, 201, 300]


def test_models_are_closed_however_it_ends(tmp_path: Path) -> None:
    recording = clip(tmp_path, (ONE_FACE, 5.0))
    landmarkers, detectors = [FakeLandmarker() for _ in range(3)], [FakeDetector() for _ in range(3)]
    supply: Iterator[tuple[FakeLandmarker, FakeDetector]] = iter(zip(landmarkers, detectors, strict=True))
    opened: list[FakeDetector] = []

    def open_landmarker() -> FakeLandmarker:
        landmarker, detector = next(supply)
        opened.append(detector)
        return landmarker

    analyzer = VisionAnalyzer(open_landmarker, lambda: opened[-1])
    stop = threading.Event()

    report_of(analyzer, recording)
    stopped = analyzer.analyze(recording, stop)
    next(stopped)
    stop.set()
    with pytest.raises(CancelledCallError):
        list(stopped)
    left = analyzer.analyze(recording, threading.Event())
    next(left)
    left.close()  # type: ignore[attr-defined]

    assert all(landmarker.closed for landmarker in landmarkers)
    assert all(detector.closed for detector in detectors)
    assert not any(thread.name == "vision-decoder" for thread in threading.enumerate())


def test_what_is_no_recording_is_refused_before_a_model_is_opened(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"no video")

    def open_landmarker() -> FakeLandmarker:
        raise AssertionError("opened for nothing")

    with pytest.raises(InvalidInputError):
        report_of(VisionAnalyzer(open_landmarker, FakeDetector), tmp_path / "clip.mp4")


def test_options_change_what_is_reported(tmp_path: Path) -> None:
    recording = clip(tmp_path, (ONE_FACE, 3.0), (NOBODY, 2.0), (ONE_FACE, 3.0))

    patient = report_of(fake_analyzer(options=VisionOptions(min_no_face_s=3.0, min_face_s=5.0)), recording)

    assert events(patient, "no_face") == []
    assert by_name(patient)["smile_intensity"].outcome is Outcome.OK


def test_every_kind_that_is_announced_is_a_known_word() -> None:
    assert set(KINDS) == {"no_face", "second_face", "looking_away", "face_too_small", "no_picture"}
