"""Changes of a recording that must not change what is seen in it: mirrored, half the bits, other sizes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from chassis.models import locate
from services.vision.__main__ import build_analyzer
from services.vision.engine import VisionAnalyzer
from services.vision.frames import RgbImage, open_picture
from services.vision.head_pose import head_pose
from services.vision.mediapipe_models import MediaPipeLandmarker
from services.vision.report import VisionReport
from services.vision.settings import VisionSettings

pytestmark = [pytest.mark.model, pytest.mark.timeout(600)]

DEMO_CLIP = Path(__file__).resolve().parents[2] / "demo" / "answer-1.mp4"
MAX_SHIFT_S = 0.3
"""How far an event may move."""
FULL_BIT_RATE = 400_000
RATE_HZ = 20

Change = Callable[[RgbImage], RgbImage]


@pytest.fixture(scope="module")
def analyzer(models_dir: Path) -> VisionAnalyzer:
    return build_analyzer(VisionSettings(models_dir=models_dir))


def unchanged(image: RgbImage) -> RgbImage:
    return image


def mirrored(image: RgbImage) -> RgbImage:
    return np.ascontiguousarray(image[:, ::-1])


def made_again(path: Path, change: Change = unchanged, bit_rate: int = FULL_BIT_RATE) -> Path:
    """Encode the clip again, each picture changed."""
    with av.open(str(DEMO_CLIP)) as source, av.open(str(path), "w") as target:
        stream: Any = target.add_stream("libx264", rate=RATE_HZ)
        stream.pix_fmt, stream.bit_rate = "yuv420p", bit_rate
        for index, frame in enumerate(source.decode(video=0)):
            image = change(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))
            shown: Any = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")
            if not index:
                stream.height, stream.width = image.shape[:2]
            shown.pts, shown.time_base = index, Fraction(1, RATE_HZ)
            target.mux(stream.encode(shown))
        target.mux(stream.encode(None))
    return path


def seen(analyzer: VisionAnalyzer, recording: Path) -> VisionReport:
    *_, report = analyzer.analyze(recording, threading.Event())
    assert isinstance(report, VisionReport)
    return report


def yaws_deg(recording: Path, models_dir: Path) -> np.ndarray:
    landmarker = MediaPipeLandmarker(locate("face-landmarker-full-range", models_dir).path)
    found = []
    with (
        closing(landmarker),
        open_picture(recording, threading.Event(), grid_hz=2.0, max_pixels=10**7) as track,
    ):
        assert track is not None
        for frame in track.frames():
            mesh = landmarker.find(frame.image, round(1000 * frame.time_s))
            found.append(np.nan if mesh is None else head_pose(mesh).yaw_deg)
    return np.array(found)


def assert_same_events(one: VisionReport, other: VisionReport) -> None:
    assert [event.kind for event in other.observations] == [event.kind for event in one.observations]
    for first, second in zip(one.observations, other.observations, strict=True):
        assert second.start_s == pytest.approx(first.start_s, abs=MAX_SHIFT_S)
        assert second.end_s == pytest.approx(first.end_s, abs=MAX_SHIFT_S)


def measures(report: VisionReport) -> dict[str, float | None]:
    return {measure.name: measure.value for measure in report.measures}


def assert_same_measures(one: VisionReport, other: VisionReport) -> None:
    before, after = measures(one), measures(other)
    assert after.pop("blink_count") == pytest.approx(before.pop("blink_count"), abs=1)
    assert after.pop("blink_rate") == pytest.approx(before.pop("blink_rate"), abs=3)
    for name in ("head_movement", "yaw_spread", "pitch_spread", "roll_spread"):
        assert after.pop(name) == pytest.approx(before.pop(name), abs=0.5), name
    assert after.pop("gaze_stability_ratio") == pytest.approx(before.pop("gaze_stability_ratio"), abs=0.2)
    for name, value in before.items():
        assert after[name] == pytest.approx(value, abs=0.05), name


def test_a_mirror_turns_the_sign_of_yaw_and_nothing_else(
    analyzer: VisionAnalyzer, tmp_path: Path, models_dir: Path
) -> None:
    plain, mirror = made_again(tmp_path / "a.mp4"), made_again(tmp_path / "b.mp4", mirrored)
    one, other = seen(analyzer, plain), seen(analyzer, mirror)

    assert_same_events(one, other)
    assert_same_measures(one, other)
    before, after = yaws_deg(plain, models_dir), yaws_deg(mirror, models_dir)
    both = np.isfinite(before) & np.isfinite(after)
    assert np.corrcoef(before[both], -after[both])[0, 1] > 0.8
    assert np.median(np.abs(before[both] + after[both])) < 3.0


def test_half_the_bits_move_no_event_by_more_than_a_third_of_a_second(
    analyzer: VisionAnalyzer, tmp_path: Path
) -> None:
    full = made_again(tmp_path / "a.mp4")
    half = made_again(tmp_path / "b.mp4", bit_rate=FULL_BIT_RATE // 2)

    assert half.stat().st_size < 0.75 * full.stat().st_size
    one, other = seen(analyzer, full), seen(analyzer, half)
    assert_same_events(one, other)
    assert_same_measures(one, other)


def test_the_same_recording_twice_gives_the_same_bytes(analyzer: VisionAnalyzer) -> None:
    assert seen(analyzer, DEMO_CLIP) == seen(analyzer, DEMO_CLIP)
