"""A recording that is looked at while it arrives is reported as the finished one is."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from chassis.decoding.decoder import Decoder
from chassis.errors import CancelledCallError, InvalidInputError
from chassis.growing import is_growing, mark_of
from services.vision.engine import VisionAnalyzer, VisionOptions
from services.vision.frames import picture_decoder
from services.vision.report import Progress, VisionReport
from tests.child_processes import decoding_children
from tests.fakes.vision import NOBODY, ONE_FACE, TWO_FACES, fake_analyzer, level_images, write_images
from tests.growing_files import begun, growing

LEVELS = [(ONE_FACE, 6.0), (NOBODY, 2.0), (ONE_FACE, 3.0), (TWO_FACES, 3.0)]
STOP_S = 5.0
CONTAINERS: dict[str, tuple[str, str, dict[str, str]]] = {
    "webm": ("webm", "libvpx", {}),
    "live webm": ("webm", "libvpx", {"live": "1"}),
    "mp4, index first": ("mp4", "libx264", {"movflags": "+faststart"}),
    "mp4, fragments": ("mp4", "libx264", {"movflags": "+frag_keyframe+empty_moov+default_base_moof"}),
    "mpeg-ts": ("ts", "libx264", {}),
}
INDEX_LAST: tuple[str, str, dict[str, str]] = ("mp4", "libx264", {})


def clip(folder: Path, kind: tuple[str, str, dict[str, str]], seconds: float = 1.0) -> Path:
    """Write noisy pictures: FFmpeg wants to see some kilobytes before it says what is in a file."""
    ending, codec, container_options = kind
    path, rng = folder / f"finished.{ending}", np.random.default_rng(0)
    levels = [(level, seconds * length_s) for level, length_s in LEVELS]
    images = [
        np.clip(image + rng.normal(0, 20, image.shape), 0, 255).astype(np.uint8)
        for image in level_images(levels, 25, (96, 64))
    ]
    options = {"g": "25"} | ({"deadline": "realtime", "cpu-used": "8"} if codec == "libvpx" else {})
    write_images(path, images, 25, codec=codec, options=options, container_options=container_options)
    return path


def report(events: Iterable[Progress | VisionReport]) -> VisionReport:
    *_, last = events
    assert isinstance(last, VisionReport)
    return last


def reported(path: Path, looking: VisionAnalyzer | None = None) -> VisionReport:
    return report((looking or analyzer()).analyze(path, threading.Event()))


def analyzer(decoder: Decoder | None = None) -> VisionAnalyzer:
    return fake_analyzer(options=VisionOptions(), decoder=decoder)


@pytest.mark.parametrize("kind", CONTAINERS)
@pytest.mark.parametrize("seed", range(2))
def test_a_recording_that_grows_is_reported_as_the_finished_one(tmp_path: Path, kind: str, seed: int) -> None:
    finished = clip(tmp_path, CONTAINERS[kind])

    with growing(tmp_path / "growing", finished.read_bytes(), seed=seed) as path:
        found = reported(path)

    assert found == reported(finished)
    assert found.outcome == "OK"


@pytest.mark.parametrize("kind", CONTAINERS)
def test_frames_are_looked_at_before_the_rest_has_come(tmp_path: Path, kind: str) -> None:
    content = clip(tmp_path, CONTAINERS[kind]).read_bytes()
    seen: list[Progress | VisionReport] = []
    seen_early: list[bool] = []

    # The second half comes once something was said about the first.
    with growing(tmp_path / "growing", content, goes_on=lambda: len(seen) > 0) as path:
        for event in analyzer().analyze(path, threading.Event()):
            seen.append(event)
            seen_early.append(is_growing(path))

    assert seen_early[0]


def test_an_mp4_with_its_index_last_is_waited_for(tmp_path: Path) -> None:
    finished = clip(tmp_path, INDEX_LAST)

    with growing(tmp_path / "growing", finished.read_bytes()) as path:
        events = analyzer().analyze(path, threading.Event())
        next(events)
        assert not is_growing(path)
        found = report(events)

    assert found == reported(finished)


def test_a_recording_that_ends_as_another_one_is_looked_at_again(tmp_path: Path) -> None:
    """What grew is only believed where the whole file has the same packets."""
    content = clip(tmp_path, CONTAINERS["mp4, fragments"]).read_bytes()
    other = clip(tmp_path, CONTAINERS["webm"], seconds=0.5)
    expected = reported(other)
    path = begun(tmp_path / "growing", content)
    events = analyzer().analyze(path, threading.Event())
    next(events)

    path.write_bytes(other.read_bytes())
    mark_of(path).unlink()

    assert report(events) == expected


def test_what_is_no_recording_is_refused_once_it_is_whole(tmp_path: Path) -> None:
    with (
        growing(tmp_path / "growing", b"hello, I am no recording" * 100) as path,
        pytest.raises(InvalidInputError) as caught,
    ):
        reported(path)

    assert caught.value.reason == "MEDIA_UNDECODABLE"


def test_a_picture_that_is_too_large_is_refused_before_the_rest_has_come(tmp_path: Path) -> None:
    content = clip(tmp_path, CONTAINERS["mp4, fragments"]).read_bytes()
    path = begun(tmp_path / "growing", content[: len(content) * 3 // 4])

    with pytest.raises(InvalidInputError) as caught:
        reported(path, fake_analyzer(options=VisionOptions(max_pixels=1000)))

    assert caught.value.reason == "MEDIA_PIXELS_EXCEEDED"


def test_a_call_that_is_given_up_ends_at_once_and_leaves_no_child(tmp_path: Path) -> None:
    content = clip(tmp_path, CONTAINERS["webm"]).read_bytes()
    path = begun(tmp_path / "growing", content[: len(content) // 2])
    before = decoding_children()
    stop, caught = threading.Event(), []

    def look() -> None:
        try:
            list(analyzer(picture_decoder()).analyze(path, stop))
        except CancelledCallError as error:
            caught.append(error.reason)

    thread = threading.Thread(target=look)
    thread.start()
    thread.join(1.0)
    assert thread.is_alive()
    stop.set()
    thread.join(STOP_S)

    assert caught == ["CANCELLED"]
    assert decoding_children() == before


def test_a_child_decodes_what_grows_as_this_process_does(tmp_path: Path) -> None:
    finished = clip(tmp_path, CONTAINERS["live webm"])

    with growing(tmp_path / "growing", finished.read_bytes(), seed=3) as path:
        found = reported(path, analyzer(picture_decoder()))

    assert found == reported(finished)
