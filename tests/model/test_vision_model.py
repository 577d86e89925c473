"""The vision stage with its real models: a public-domain portrait, and real recordings with known truth."""

from __future__ import annotations

import json
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.vision.targets import ROOM_PX
from benchmarks.vision.targets import in_a_room as shown_in_a_room
from chassis.errors import PreconditionError
from chassis.models import locate
from services.vision.__main__ import build_analyzer
from services.vision.engine import VisionAnalyzer
from services.vision.expression import smile_intensity
from services.vision.faces import FaceCounter
from services.vision.frames import RgbImage
from services.vision.head_pose import head_pose
from services.vision.mediapipe_models import MediaPipeFaceDetector, MediaPipeLandmarker, as_image
from services.vision.report import Outcome, VisionReport
from services.vision.self_test import check_models
from services.vision.settings import VisionSettings
from tests.fakes.vision import write_images

pytestmark = pytest.mark.model

DETECTOR, BUNDLE, OFFICIAL_BUNDLE = (
    "face-detector-full-range",
    "face-landmarker-full-range",
    "face-landmarker",
)


def event_spans(report: VisionReport, kind: str) -> list[Any]:
    return [(o.start_s, o.end_s) for o in report.observations if o.kind == kind]


def near(start_s: float, end_s: float, tolerance_s: float) -> tuple[Any, Any]:
    return pytest.approx(start_s, abs=tolerance_s), pytest.approx(end_s, abs=tolerance_s)


@pytest.fixture(scope="module")
def portrait() -> RgbImage:
    skimage_data = pytest.importorskip("skimage.data", reason="scikit-image brings the portrait")
    return np.ascontiguousarray(skimage_data.astronaut())


@pytest.fixture(scope="module", params=[BUNDLE, OFFICIAL_BUNDLE])
def analyzer(request: pytest.FixtureRequest, models_dir: Path) -> VisionAnalyzer:
    return build_analyzer(VisionSettings(models_dir=models_dir, landmarker_model=request.param))


def looking(analyzer: VisionAnalyzer) -> Callable[[Path], VisionReport]:
    known: dict[Path, VisionReport] = {}

    def report_of(recording: Path) -> VisionReport:
        if recording not in known:
            *_, last = analyzer.analyze(recording, threading.Event())
            assert isinstance(last, VisionReport)
            known[recording] = last
        return known[recording]

    return report_of


@pytest.fixture(scope="module")
def look(analyzer: VisionAnalyzer) -> Callable[[Path], VisionReport]:
    return looking(analyzer)


@pytest.fixture(scope="module")
def look_with_ours(models_dir: Path) -> Callable[[Path], VisionReport]:
    """With our bundle alone: the official detector finds a small face half a second later, and its points
    tremble more, so that two encodings of one still picture differ in how much the head moves."""
    return looking(build_analyzer(VisionSettings(models_dir=models_dir)))


def in_a_room(portrait: RgbImage, face_ratio: float) -> RgbImage:
    """The portrait in the middle of a grey 1280×720 picture, its face that share of the width."""
    return shown_in_a_room(portrait, face_ratio * ROOM_PX[0], (ROOM_PX[0] // 2, ROOM_PX[1] // 2))


@pytest.mark.parametrize("bundle", [BUNDLE, OFFICIAL_BUNDLE])
def test_both_bundles_find_the_drawn_face_where_it_is(models_dir: Path, bundle: str) -> None:
    detector = locate(DETECTOR, models_dir)

    check_models(MediaPipeLandmarker(locate(bundle, models_dir).path), MediaPipeFaceDetector(detector.path))


def test_a_part_of_a_picture_reaches_the_library_as_it_is(portrait: RgbImage) -> None:
    part = portrait[:256, 120:330]
    assert np.array_equal(as_image(part).numpy_view(), part)


def test_a_face_that_is_elsewhere_after_a_cut_is_found_at_once(portrait: RgbImage, models_dir: Path) -> None:
    landmarker = MediaPipeLandmarker(locate(BUNDLE, models_dir).path)
    left, right = (np.full((256, 640, 3), 90, np.uint8) for _ in range(2))
    left[:, 20:230], right[:, 400:610] = portrait[:256, 120:330], portrait[:256, 120:330]

    found = [landmarker.find(image, place) for place, image in enumerate((left, right, left, right))]

    landmarker.close()
    assert [mesh is not None and mesh[1, 0] > 320 for mesh in found] == [False, True, False, True]
    assert all(mesh is not None for mesh in found)


def test_a_damaged_bundle_is_refused(models_dir: Path, tmp_path: Path) -> None:
    official = locate(OFFICIAL_BUNDLE, models_dir).path
    damaged = tmp_path / "face_landmarker.task"
    with zipfile.ZipFile(official) as good, zipfile.ZipFile(damaged, "w") as bad:
        for member in good.namelist():
            content = good.read(member)
            if member == "face_landmarks_detector.tflite":
                middle = len(content) // 2
                content = content[:middle] + bytes(200_000) + content[middle + 200_000 :]
            bad.writestr(member, content)
    detector = locate(DETECTOR, models_dir).path

    with pytest.raises(PreconditionError) as caught:
        check_models(MediaPipeLandmarker(damaged), MediaPipeFaceDetector(detector))

    assert caught.value.reason == "MODEL_UNUSABLE"


def test_the_portrait_looks_ahead_and_smiles(portrait: RgbImage, models_dir: Path) -> None:
    landmarker = MediaPipeLandmarker(locate(BUNDLE, models_dir).path)
    mesh = landmarker.find(portrait, 0)
    landmarker.close()

    assert mesh is not None
    assert abs(head_pose(mesh).yaw_deg) < 10
    assert smile_intensity(mesh) > 0.6


def test_a_mirrored_portrait_has_the_other_yaw(portrait: RgbImage, models_dir: Path) -> None:
    yaws_deg = []
    for image in (portrait, np.ascontiguousarray(portrait[:, ::-1])):
        landmarker = MediaPipeLandmarker(locate(BUNDLE, models_dir).path)
        mesh = landmarker.find(image, 0)
        landmarker.close()
        assert mesh is not None
        yaws_deg.append(head_pose(mesh).yaw_deg)

    assert yaws_deg[0] == pytest.approx(-yaws_deg[1], abs=3.0)


@pytest.mark.parametrize("face_ratio", [0.3, 0.1, 0.06, 0.05, 0.04])
def test_small_faces_are_counted_with_the_second_look(
    portrait: RgbImage, models_dir: Path, face_ratio: float
) -> None:
    detector = MediaPipeFaceDetector(locate(DETECTOR, models_dir).path)
    seen = FaceCounter(detector).look(in_a_room(portrait, face_ratio), 0)
    detector.close()

    assert seen.face_count == 1


def test_a_portrait_that_leaves_and_a_second_that_comes_are_found(
    portrait: RgbImage, tmp_path: Path, look_with_ours: Callable[[Path], VisionReport]
) -> None:
    one, nobody = in_a_room(portrait, 0.12), np.full((720, 1280, 3), 120, np.uint8)
    two = nobody.copy()
    two[60:572, 60:572] = two[60:572, 700:1212] = portrait
    recording = tmp_path / "clip.mp4"
    pictures = [one] * 120 + [nobody] * 25 + [one] * 20 + [two] * 40 + [one] * 10
    write_images(recording, pictures, 10, codec="libx264")

    report = look_with_ours(recording)

    assert event_spans(report, "no_face") == [near(12.0, 14.5, 0.3)]
    assert event_spans(report, "second_face") == [near(16.5, 20.5, 1.0)]
    assert report.max_face_count == 2
    assert {measure.outcome for measure in report.measures} == {Outcome.OK}
    assert [len(model.digest) for model in report.models] == [64, 64]


def test_rotation_metadata_changes_nothing_that_is_seen(
    portrait: RgbImage, tmp_path: Path, look_with_ours: Callable[[Path], VisionReport]
) -> None:
    upright, stored = tmp_path / "upright.mp4", tmp_path / "rotated.mp4"
    write_images(upright, [portrait] * 110, 10, codec="libx264")
    lying = np.ascontiguousarray(np.rot90(portrait, -1))
    write_images(stored, [lying] * 110, 10, codec="libx264", rotation_deg=90)

    first, second = look_with_ours(upright), look_with_ours(stored)

    assert (first.face_ratio, second.face_ratio) == (1.0, 1.0)
    values = [{m.name: m.value for m in report.measures} for report in (first, second)]
    for name, value in values[0].items():
        assert values[1][name] == pytest.approx(value, abs=0.05), name


@pytest.mark.recordings
def test_the_truth_of_the_warped_portrait_is_found(
    recordings: Path, look: Callable[[Path], VisionReport]
) -> None:
    truth = {
        name: (start_s, end_s)
        for name, start_s, end_s in json.loads((recordings / "video" / "synth.mp4.json").read_text())
    }

    report = look(recordings / "video" / "synth.mp4")

    assert event_spans(report, "no_face") == [near(*truth["absent"], 0.3)]
    assert event_spans(report, "second_face") == [near(*truth["two_faces"], 1.0)]
    values = {measure.name: measure.value for measure in report.measures}
    assert values["blink_count"] in (
        3.0,
        4.0,
    )  # four of a tenth of a second each; one may fall between samples
    away = event_spans(report, "looking_away")
    assert near(*truth["gaze_left"], 0.5) in away


@pytest.mark.recordings
@pytest.mark.parametrize("name", ["one_voice.mp4", "second_voice.webm"])
def test_other_codecs_of_the_same_picture_give_the_same_events(
    recordings: Path, look: Callable[[Path], VisionReport], name: str
) -> None:
    first, other = look(recordings / "video" / "synth.mp4"), look(recordings / "interview" / name)

    assert [o.kind for o in first.observations] == [o.kind for o in other.observations]
    for one, two in zip(first.observations, other.observations, strict=True):
        assert (two.start_s, two.end_s) == near(one.start_s, one.end_s, 0.3)


@pytest.mark.recordings
def test_two_people_are_two_faces_all_the_time(
    recordings: Path, look: Callable[[Path], VisionReport]
) -> None:
    report = look(recordings / "video" / "intel_female-and-male.mp4")

    assert report.max_face_count == 2
    assert event_spans(report, "second_face") == [near(0.0, 4.7, 0.3)]


@pytest.mark.recordings
def test_one_person_is_one_face(recordings: Path, look: Callable[[Path], VisionReport]) -> None:
    report = look(recordings / "video" / "intel_female.mp4")

    assert (report.face_ratio, report.max_face_count) == (1.0, 1)
    assert report.observations == ()


@pytest.mark.recordings
def test_a_drawing_after_the_face_is_nobody(recordings: Path, look: Callable[[Path], VisionReport]) -> None:
    report = look(recordings / "video" / "pyfeat_face_noface.mov")

    assert event_spans(report, "no_face") == [near(2.4, 6.4, 0.3)]
    assert report.face_ratio == pytest.approx(0.38, abs=0.07)
    assert report.quality.frame_rate_hz == pytest.approx(26.4, abs=0.2)


@pytest.mark.recordings
def test_the_same_recording_gives_the_same_report_beside_others(
    recordings: Path, analyzer: VisionAnalyzer
) -> None:
    recording = recordings / "video" / "pyfeat_face_noface.mov"
    reports: list[object] = []

    def run() -> None:
        *_, last = analyzer.analyze(recording, threading.Event())
        reports.append(last)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run()

    assert reports[0] == reports[1] == reports[2]
