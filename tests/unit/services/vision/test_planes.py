"""Pictures that are handed over as they are stored become what a scaler makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter

from services.vision.brightness import mean_brightness
from services.vision.planes import planes_of, told_planes
from tests.fakes.vision import ONE_FACE, write_clip
from tests.readers import look

SCALER = VideoReformatter()


def decoded(width_px: int, height_px: int, pixel_format: str = "yuv420p", colour_space: int = 2) -> Any:
    """A picture of some colours, as a decoder gives it."""
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 256, (height_px, width_px, 3), dtype=np.uint8)
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=pixel_format)
    frame.colorspace = colour_space
    return frame


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuvj420p"])
@pytest.mark.parametrize("colour_space", [1, 2, 5])
def test_planes_become_the_colours_that_the_decoder_s_scaler_makes(
    pixel_format: str, colour_space: int
) -> None:
    frame = decoded(64, 48, pixel_format, colour_space)
    rows, *kind = planes_of(frame) or pytest.fail("has planes")

    given = told_planes(bytearray(rows.tobytes()), 64, 48, kind)

    assert (given.rgb(SCALER) == SCALER.reformat(frame, format="rgb24").to_ndarray()).all()
    assert given.luma.shape == (48, 64)


@pytest.mark.parametrize("frame", [decoded(63, 48), decoded(64, 48, "yuv444p"), decoded(64, 48, "gray")])
def test_a_picture_of_another_kind_has_no_planes(frame: Any) -> None:
    assert planes_of(frame) is None


@pytest.mark.parametrize(
    ("width_px", "told"),
    [
        (64, ["rgb24", 2, 0]),
        (64, ["yuv420p", 99, 0]),
        (64, ["yuv420p", 2, 99]),
        (63, ["yuv420p", 2, 0]),
        (66, ["yuv420p", 2, 0]),
        (64, ["yuv420p"]),
    ],
)
def test_planes_that_can_t_be_are_not_believed(width_px: int, told: list[Any]) -> None:
    with pytest.raises(ValueError):
        told_planes(bytearray(64 * 72), width_px, 48, told)


@pytest.mark.parametrize(("pixel_format", "colour_range"), [("yuv420p", 1), ("yuvj420p", 2)])
def test_brightness_is_the_same_by_planes_and_by_colours(pixel_format: str, colour_range: int) -> None:
    grey = np.full((48, 64, 3), 100, np.uint8)
    frame = av.VideoFrame.from_ndarray(grey, format="rgb24").reformat(format=pixel_format)
    frame.color_range = colour_range
    planes = planes_of(frame)

    assert planes is not None
    assert mean_brightness(planes.luma, *planes.black_white) == pytest.approx(100 / 255, abs=0.005)
    assert mean_brightness(planes.rgb(SCALER)) == pytest.approx(100 / 255, abs=0.005)


def test_a_recording_s_frames_are_compared_by_their_brightness_alone(tmp_path: Path) -> None:
    frames, _ = look(write_clip(tmp_path / "clip.mp4", [(ONE_FACE, 1.0)], codec="libx264"))

    assert frames[0].compared.ndim == 2
    assert frames[0].image.shape == (*frames[0].compared.shape, 3)
    assert frames[0].image.mean() == pytest.approx(ONE_FACE, abs=3)
    assert frames[0].brightness_ratio == pytest.approx(ONE_FACE / 255, abs=0.01)
