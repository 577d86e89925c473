"""Real faces in recordings that once went wrong, seen by the real models."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.vision.__main__ import build_analyzer
from services.vision.engine import VisionAnalyzer
from services.vision.report import VisionReport
from services.vision.settings import VisionSettings
from tests.odd_recordings import CASES
from tests.readers import report_of

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def analyzer(models_dir: Path) -> VisionAnalyzer:
    return build_analyzer(VisionSettings(models_dir=models_dir))


def spans(report: VisionReport) -> list[tuple[str, float, float]]:
    return [(one.kind, round(one.start_s, 1), round(one.end_s, 1)) for one in report.observations]


def test_a_recording_trimmed_without_encoding_has_the_observations_of_an_encoded_one(
    analyzer: VisionAnalyzer,
) -> None:
    trimmed = report_of(CASES / "trimmed_by_edit_list.mp4", analyzer)
    encoded = report_of(CASES / "trimmed_reencoded.mp4", analyzer)

    assert spans(trimmed) == spans(encoded)
    assert trimmed.face_ratio == pytest.approx(encoded.face_ratio, abs=0.01)
    assert (trimmed.duration_s, trimmed.quality.frame_rate_hz) == pytest.approx((15.3, 20.0), abs=0.05)


def test_a_face_mirrored_by_the_matrix_is_seen_all_the_time(analyzer: VisionAnalyzer) -> None:
    report = report_of(CASES / "mirrored_by_matrix.mp4", analyzer)

    assert report.face_ratio == 1.0
    assert spans(report) == []


def test_a_camera_that_stops_leaves_most_of_the_recording_unseen(analyzer: VisionAnalyzer) -> None:
    report = report_of(CASES / "camera_stops_after_4_of_13_5_s.webm", analyzer)

    assert report.face_ratio == pytest.approx(4.1 / 13.5, abs=0.02)
    assert spans(report) == [("no_picture", 4.1, 13.5)]
