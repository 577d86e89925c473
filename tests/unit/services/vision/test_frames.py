"""Decoding: the grid by the frames' own times, rotation, damage, and everything that is no picture."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from chassis.decoding.decoder_here import DecoderHere
from chassis.errors import CancelledCallError, InvalidInputError
from services.vision.frames import FUNCTION, Frame, PictureFacts, open_picture
from tests.child_processes import decoding_children
from tests.fakes.vision import (
    ONE_FACE,
    break_packets,
    level_images,
    write_clip,
    write_images,
    write_sound_only,
)

ENOUGH_PIXELS = 10_000_000


def look(
    path: Path, grid_hz: float = 10.0, max_pixels: int = ENOUGH_PIXELS
) -> tuple[list[Frame], PictureFacts]:
    decoder = DecoderHere(FUNCTION)
    with open_picture(
        path, threading.Event(), grid_hz=grid_hz, max_pixels=max_pixels, decoder=decoder
    ) as track:
        assert track is not None
        return list(track.frames()), track.facts


@pytest.mark.parametrize(("rate_hz", "expected"), [(25, 30), (30, 30), (12, 30), (60, 30), (5, 15), (1, 3)])
def test_ten_frames_a_second_are_looked_at_whatever_the_rate(
    tmp_path: Path, rate_hz: int, expected: int
) -> None:
    frames, facts = look(write_clip(tmp_path / "clip.mp4", [(ONE_FACE, 3.0)], rate_hz=rate_hz))

    assert abs(len(frames) - expected) <= 1
    assert facts.frame_rate_hz == pytest.approx(rate_hz, rel=0.01)
    assert facts.duration_s == pytest.approx(3.0, abs=0.02)


def test_variable_frame_times_are_taken_as_they_are(tmp_path: Path) -> None:
    times_s = [0.0, 0.04, 0.08, 0.5, 0.54, 2.0, 2.25, 2.29, 3.0]
    images = level_images([(ONE_FACE, 9.0)], 1, (64, 48))
    write_images(tmp_path / "clip.mkv", images, 25, times_s=times_s, codec="mjpeg", pix_fmt="yuvj420p")

    frames, facts = look(tmp_path / "clip.mkv")

    assert [round(frame.time_s, 2) for frame in frames] == [0.0, 0.5, 2.0, 2.25, 3.0]
    assert facts.duration_s == pytest.approx(3.0, abs=0.5)


def test_b_frames_do_not_shift_times(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [(ONE_FACE, 2.0)], codec="libx264", options={"bf": "3"})

    frames, _ = look(clip)

    assert frames[0].time_s == pytest.approx(0.0, abs=0.001)
    assert len(frames) == pytest.approx(20, abs=3)
    assert max(np.diff([frame.time_s for frame in frames])) <= 0.2


def test_an_avi_with_b_frames_is_sampled_in_the_order_shown(tmp_path: Path) -> None:
    clip = write_clip(
        tmp_path / "clip.avi", [(ONE_FACE, 4.0)], rate_hz=10, codec="libx264", options={"bf": "3"}
    )

    frames, _ = look(clip)

    assert len(frames) >= 36
    assert np.diff([frame.time_s for frame in frames]) == pytest.approx(0.1, abs=0.21)


@pytest.mark.parametrize("rotation_deg", [90, 180, -90])
def test_rotated_recordings_are_looked_at_upright(tmp_path: Path, rotation_deg: int) -> None:
    upright = np.zeros((96, 64, 3), np.uint8)
    upright[:32, :24] = 255  # a white corner at the top left
    stored = np.ascontiguousarray(np.rot90(upright, -rotation_deg // 90))
    write_images(tmp_path / "clip.mp4", [stored] * 10, 10, rotation_deg=rotation_deg)

    frames, facts = look(tmp_path / "clip.mp4")

    shown = frames[0].image
    assert shown.shape == (96, 64, 3)
    assert (facts.width_px, facts.height_px) == (64, 96)
    assert shown[16, 12].mean() > 200
    assert shown[80, 50].mean() < 50


def test_large_pictures_are_scaled_down_but_reported_as_they_are(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [(ONE_FACE, 0.1)], rate_hz=10, size=(3840, 2160))

    frames, facts = look(clip)

    assert frames[0].image.shape == (720, 1280, 3)
    assert (facts.width_px, facts.height_px) == (3840, 2160)


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 97), (333, 17)])
def test_odd_sizes_are_decoded(tmp_path: Path, size: tuple[int, int]) -> None:
    clip = write_clip(tmp_path / "clip.mov", [(ONE_FACE, 1.0)], size=size, codec="png", pix_fmt="rgb24")

    frames, facts = look(clip)

    assert frames[0].image.shape == (size[1], size[0], 3)
    assert (facts.width_px, facts.height_px) == size


def test_a_single_frame_has_no_frame_rate(tmp_path: Path) -> None:
    frames, facts = look(write_clip(tmp_path / "clip.mp4", [(ONE_FACE, 0.04)]))

    assert len(frames) == 1
    assert facts.frame_rate_hz is None


def test_a_webm_without_a_duration_has_no_total_but_a_measured_length(tmp_path: Path) -> None:
    images = level_images([(ONE_FACE, 2.0)], 25, (64, 48))
    fast, live = {"deadline": "realtime", "cpu-used": "8"}, {"live": "1"}
    write_images(tmp_path / "clip.webm", images, 25, codec="libvpx", options=fast, container_options=live)

    with open_picture(
        tmp_path / "clip.webm", threading.Event(), grid_hz=10, max_pixels=ENOUGH_PIXELS
    ) as track:
        assert track is not None
        frames = list(track.frames())

        assert track.total_s is None
    assert track.facts.duration_s == pytest.approx(2.0, abs=0.05)
    ratios = [frame.read_ratio for frame in frames if frame.read_ratio is not None]
    assert ratios == sorted(ratios)
    assert 0 < ratios[-1] <= 1


def test_damaged_packets_are_skipped_and_counted(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mov", [(ONE_FACE, 2.0)], rate_hz=10, codec="png", pix_fmt="rgb24")
    break_packets(clip, [7, 8, 9])

    frames, facts = look(clip)

    assert facts.corrupt_packet_count == 3
    assert facts.packet_count == 20
    assert [round(frame.time_s, 1) for frame in frames] == [*np.arange(7) / 10, *np.arange(10, 20) / 10]


def test_a_picture_that_is_damaged_throughout_is_undecodable(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mov", [(ONE_FACE, 1.0)], rate_hz=10, codec="png", pix_fmt="rgb24")
    break_packets(clip, range(10))

    with pytest.raises(InvalidInputError) as caught:
        look(clip)

    assert caught.value.reason == "MEDIA_UNDECODABLE"


def test_a_truncated_recording_gives_what_is_there(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mkv", [(ONE_FACE, 4.0)], codec="mjpeg", pix_fmt="yuvj420p")
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])

    frames, _ = look(clip)

    assert 10 <= len(frames) <= 30


@pytest.mark.parametrize(
    "content", [b"", b"this is a text\n" * 100, b"\x00" * 5000, b"#EXTM3U\n/etc/hostname\n"]
)
def test_what_is_no_recording_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "clip.mp4").write_bytes(content)

    with pytest.raises(InvalidInputError) as caught:
        look(tmp_path / "clip.mp4")

    assert caught.value.reason == "MEDIA_UNDECODABLE"
    assert str(tmp_path) not in caught.value.message


def test_a_cut_off_mp4_without_its_index_is_refused(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [(ONE_FACE, 2.0)])
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])

    with pytest.raises(InvalidInputError) as caught:
        look(clip)

    assert caught.value.reason == "MEDIA_UNDECODABLE"


def test_a_recording_of_sound_alone_has_no_picture_track(tmp_path: Path) -> None:
    clip = write_sound_only(tmp_path / "clip.mkv")

    with open_picture(clip, threading.Event(), grid_hz=10, max_pixels=ENOUGH_PIXELS) as track:
        assert track is None


def test_too_many_pixels_are_refused(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [(ONE_FACE, 0.2)], size=(320, 240))

    with pytest.raises(InvalidInputError) as caught:
        look(clip, max_pixels=320 * 240 - 1)

    assert caught.value.reason == "MEDIA_PIXELS_EXCEEDED"


def test_stopping_ends_the_decoder(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [(ONE_FACE, 10.0)])
    stop = threading.Event()

    with open_picture(clip, stop, grid_hz=10, max_pixels=ENOUGH_PIXELS) as track:
        assert track is not None
        frames = track.frames()
        next(frames)
        stop.set()
        with pytest.raises(CancelledCallError):
            list(frames)

    assert decoding_children() == []


def test_a_reader_that_goes_away_ends_the_decoder(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [(ONE_FACE, 10.0)])

    with open_picture(clip, threading.Event(), grid_hz=10, max_pixels=ENOUGH_PIXELS) as track:
        assert track is not None
        frames = track.frames()
        next(frames)
        frames.close()  # type: ignore[attr-defined]

    assert decoding_children() == []
