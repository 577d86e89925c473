"""Pictures as odd recorders make them: each gives a report of what is shown, or a typed error."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from services.vision.report import Outcome, VisionReport
from tests.fakes.vision import NOBODY, ONE_FACE, break_packets, fake_analyzer, write_clip

SECONDS = 12.0
"""Above the least face time, so that figures are there too."""

ODD: dict[str, dict[str, Any]] = {
    "hevc.mp4": {"codec": "libx265", "options": {"x265-params": "log-level=none"}},
    "vp8.webm": {"codec": "libvpx"},
    "vp9.webm": {"codec": "libvpx-vp9"},
    "av1.mp4": {"codec": "libsvtav1", "options": {"svtav1-params": "lp=1"}},
    "prores.mov": {"codec": "prores_ks", "pix_fmt": "yuv422p10le"},
    "ten_bits.mkv": {"codec": "libx264", "pix_fmt": "yuv420p10le"},
    "alpha.mov": {"codec": "png", "pix_fmt": "rgba"},
    "alpha.webm": {"codec": "libvpx-vp9", "pix_fmt": "yuva420p"},
    "grey.mkv": {"codec": "ffv1", "pix_fmt": "gray"},
    "interlaced.ts": {"codec": "mpeg2video", "options": {"flags": "+ilme+ildct"}},
    "one_a_second.mp4": {"rate_hz": 1},
    "two_hundred_and_forty_a_second.mp4": {"rate_hz": 240},
    "one_pixel.mkv": {"codec": "ffv1", "pix_fmt": "gray", "size": (1, 1)},
    "wide.mp4": {"size": (1920, 16)},
    "portrait.mp4": {"size": (48, 64)},
    "portrait_rotated.mp4": {"rotation_deg": 90},
    "with_sound.mkv": {"audio": True},
    "without_sound.mkv": {"audio": False},
}


def report_of(recording: Path) -> VisionReport:
    *_, last = fake_analyzer().analyze(recording, threading.Event())
    assert isinstance(last, VisionReport)
    return last


def gone(report: VisionReport) -> list[Any]:
    return [(one.start_s, one.end_s) for one in report.observations if one.kind == "no_face"]


@pytest.mark.parametrize("name", ODD)
def test_an_odd_picture_is_seen_as_it_is(tmp_path: Path, name: str) -> None:
    how = {"rate_hz": 12} | ODD[name]
    report = report_of(write_clip(tmp_path / name, [(ONE_FACE, SECONDS - 4), (NOBODY, 4)], **how))

    assert report.outcome is Outcome.OK
    assert report.duration_s == pytest.approx(SECONDS, abs=0.1)
    step_s = 1 / how["rate_hz"]
    assert gone(report) == [(pytest.approx(SECONDS - 4, abs=0.1 + step_s), pytest.approx(SECONDS, abs=0.1))]
    assert report.quality.frame_rate_hz == pytest.approx(how["rate_hz"], rel=0.02)
    assert report.quality.corrupt_packet_count == 0


def test_eight_k_is_scaled_down_and_reported_as_it_is(tmp_path: Path) -> None:
    clip = write_clip(
        tmp_path / "clip.mkv", [(ONE_FACE, 1.0)], rate_hz=2, size=(7680, 4320), codec="mjpeg",
        pix_fmt="yuvj420p",
    )  # fmt: skip

    report = report_of(clip)

    assert (report.quality.width_px, report.quality.height_px) == (7680, 4320)
    assert report.face_ratio == 1.0


def test_a_picture_that_changes_its_size_is_looked_at_to_its_end_with_a_warning(tmp_path: Path) -> None:
    """As a browser's recorder does when the window is resized: two runs of one transport stream."""
    small = write_clip(tmp_path / "a.ts", [(ONE_FACE, 6)], rate_hz=12, codec="libx264")
    large = write_clip(
        tmp_path / "b.ts", [(NOBODY, 6)], rate_hz=12, codec="libx264", size=(160, 120),
        times_s=[6 + index / 12 for index in range(72)],
    )  # fmt: skip
    both = tmp_path / "both.ts"
    both.write_bytes(small.read_bytes() + large.read_bytes())

    report = report_of(both)

    assert gone(report) == [(pytest.approx(6, abs=0.3), pytest.approx(12, abs=0.3))]
    assert any("size" in warning for warning in report.warnings)


def test_packets_lost_in_the_middle_are_counted_and_what_follows_is_seen(tmp_path: Path) -> None:
    clip = write_clip(
        tmp_path / "clip.avi", [(ONE_FACE, 6), (NOBODY, 6)], rate_hz=12, codec="mjpeg", pix_fmt="yuvj420p"
    )
    break_packets(clip, range(30, 40))

    report = report_of(clip)

    assert report.quality.corrupt_packet_count == 10
    assert gone(report) == [(pytest.approx(6, abs=0.15), pytest.approx(12, abs=0.15))]


@pytest.mark.parametrize("seconds", [0.2, 0.5])
def test_a_moment_of_picture_gives_a_report_without_figures(tmp_path: Path, seconds: float) -> None:
    report = report_of(write_clip(tmp_path / "clip.mp4", [(ONE_FACE, seconds)], rate_hz=20))

    assert report.outcome is Outcome.OK
    assert {m.outcome for m in report.measures if m.value is None} == {Outcome.INSUFFICIENT_EVIDENCE}
    assert any(measure.value is None for measure in report.measures)
