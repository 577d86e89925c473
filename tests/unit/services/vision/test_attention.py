"""What is looked at and what is not, on pictures made of a few pixels."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from services.vision.attention import Attention, AttentionRules, change, eyes_box
from services.vision.engine import VisionAnalyzer, VisionOptions
from services.vision.frames import RgbImage
from services.vision.report import VisionReport
from tests.fakes.vision import (
    NOBODY,
    ONE_FACE,
    FakeDetector,
    FakeLandmarker,
    Pose,
    make_mesh,
    write_clip,
    write_images,
)

SIZE = (1280, 720)
MESH = make_mesh(Pose())
RULES = AttentionRules()


def picture(
    *, lids: bool = False, shift_px: int = 0, seed: int | None = None, mouth: bool = False
) -> RgbImage:
    """A face's eyes, dark in a light face, at the place of `MESH`; `lids` hides them."""
    image = np.full((SIZE[1], SIZE[0], 3), 150, np.uint8)
    for x in (605, 675):
        if not lids:
            image[355:366, x - 8 + shift_px : x + 8 + shift_px] = 30
    if mouth:
        image[420:450, 600:680] = 40
    if seed is not None:
        noise = np.random.default_rng(seed).normal(0, 4, image.shape)
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    return image


def looked_at(image: RgbImage, rules: AttentionRules = RULES) -> Attention:
    attention = Attention(rules)
    attention.looked(image, 1.0, MESH)
    return attention


def test_the_first_picture_is_looked_at() -> None:
    assert Attention(RULES).wants(picture(), 0.0)


def test_eyes_that_did_not_move_need_no_look_and_the_camera_s_noise_does_not_count() -> None:
    assert not looked_at(picture(seed=1)).wants(picture(seed=2), 1.1)


@pytest.mark.parametrize("now", [picture(lids=True, seed=2), picture(shift_px=6, seed=2)])
def test_a_blink_and_a_glance_are_looked_at(now: RgbImage) -> None:
    assert looked_at(picture(seed=1)).wants(now, 1.1)


def test_a_mouth_waits_for_the_next_regular_look() -> None:
    attention = looked_at(picture())

    assert not attention.wants(picture(mouth=True), 1.1)
    assert attention.wants(picture(mouth=True), 1.2)


def test_after_a_change_one_more_picture_is_looked_at_for_the_landmarker_lags() -> None:
    attention = looked_at(picture())
    wanted = []
    for time_s in (1.1, 1.2, 1.3):
        wanted.append(attention.wants(picture(lids=True), time_s))
        if wanted[-1]:
            attention.looked(picture(lids=True), time_s, MESH)

    assert wanted == [True, True, False]


def test_slow_changes_add_up_until_they_count() -> None:
    attention = looked_at(picture(), AttentionRules(face_interval_s=2.0))
    wanted = [attention.wants(picture(shift_px=shift_px), 1.0 + shift_px / 10) for shift_px in range(9)]

    assert not wanted[0]
    assert wanted[-1]
    assert wanted == sorted(wanted)


def test_somebody_who_comes_into_an_empty_picture_is_looked_at() -> None:
    attention = Attention(RULES)
    empty = np.full((SIZE[1], SIZE[0], 3), 150, np.uint8)
    entered = empty.copy()
    entered[200:700, :300] = 60
    attention.looked(empty, 1.0, None)

    assert not attention.wants(empty, 1.4)
    assert attention.wants(entered, 1.1)
    assert attention.wants(empty, 1.5)


def test_a_picture_of_another_size_is_looked_at() -> None:
    assert looked_at(picture()).wants(picture()[:600], 1.1)


def test_attention_can_be_switched_off() -> None:
    assert looked_at(picture(), AttentionRules(max_unseen_change=0)).wants(picture(), 1.1)


def test_the_box_of_the_eyes_stays_inside_the_smallest_picture() -> None:
    for width_px, height_px in ((2, 2), (64, 48), (1280, 720)):
        left, top, right, bottom = eyes_box(MESH, width_px, height_px)
        assert 0 <= left < right <= width_px
        assert 0 <= top < bottom <= height_px


def test_change_is_in_units_of_what_was_there() -> None:
    before = np.tile(np.array([0.0, 100.0], np.float32), (4, 5))

    assert change(before, before) == 0.0
    assert change(before, before + 50.0) == pytest.approx(1.0)


def report_and_looks(recording: Path, options: VisionOptions) -> tuple[VisionReport, int]:
    landmarker = FakeLandmarker()
    *_, report = VisionAnalyzer(lambda: landmarker, FakeDetector, (), options).analyze(
        recording, threading.Event()
    )
    assert isinstance(report, VisionReport)
    return report, len(landmarker.times_ms)


def test_a_still_face_costs_half_the_looks_and_gives_the_same_report(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "still.mp4", [(ONE_FACE, 12.0), (NOBODY, 3.0)], rate_hz=10)
    every, every_looks = report_and_looks(clip, VisionOptions(attention=AttentionRules(max_unseen_change=0)))
    sparing, sparing_looks = report_and_looks(clip, VisionOptions())

    assert (every_looks, every.inferred_frame_count) == (150, 150)
    assert sparing_looks == sparing.inferred_frame_count < 80
    assert sparing.sampled_frame_count == every.sampled_frame_count
    assert (sparing.measures, sparing.observations) == (every.measures, every.observations)


def test_a_face_of_few_pixels_does_not_break_the_comparison(tmp_path: Path) -> None:
    images = [np.full((2, 2, 3), ONE_FACE, np.uint8)] * 20
    write_images(tmp_path / "tiny.mkv", images, 10, codec="ffv1", pix_fmt="bgr0")
    report, _ = report_and_looks(tmp_path / "tiny.mkv", VisionOptions())

    assert report.sampled_frame_count == 20
