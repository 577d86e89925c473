"""A recording is read while it arrives, and what comes of it is what the whole file gives."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from chassis.decoding.child_limits import ChildLimits
from chassis.decoding.claims import ClaimsGate
from chassis.decoding.decoder import ChildDecoder
from chassis.decoding.decoder_here import DecoderHere
from chassis.errors import CancelledCallError, InvalidInputError
from chassis.growing import AbandonedError, FrontReader, is_growing
from chassis.playback.front import front_reader
from chassis.playback.loading import FUNCTION, ArrivingSound, Sound, load_sound, sound_decoder
from tests import mp4_boxes
from tests.child_processes import decoding_children
from tests.growing_files import begun, growing
from tests.odd_recordings import PictureTrack, SoundTrack, write

MAX_S = 60.0
FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
FAST_START = {"movflags": "faststart"}
HERE = DecoderHere(FUNCTION)


def nothing() -> None:
    """Nobody has to be told."""


def heard(path: Path) -> Sound:
    sound = load_sound(path, MAX_S, threading.Event(), HERE)
    assert sound is not None
    return sound


def plain_header(data_bytes: int) -> bytes:
    sizes = (data_bytes, data_bytes + 36) if data_bytes != 0xFFFFFFFF else (data_bytes, data_bytes)
    return (
        b"RIFF"
        + sizes[1].to_bytes(4, "little")
        + b"WAVEfmt \x10\0\0\0\1\0\1\0"
        + (16_000).to_bytes(4, "little")
        + (32_000).to_bytes(4, "little")
        + b"\2\0\x10\0data"
        + sizes[0].to_bytes(4, "little")
    )


def noise(duration_s: float) -> np.ndarray:
    generator = np.random.default_rng(5)
    return (generator.standard_normal(round(duration_s * 16_000)) * 3000 + 500).astype("<i2")


RECORDINGS: dict[str, Callable[[Path], Path]] = {
    "webm": lambda folder: write(folder / "a.webm"),
    "webm without a picture": lambda folder: write(folder / "a.webm", picture=None),
    "webm with a pause": lambda folder: write(folder / "a.webm", [SoundTrack(gap_at_s=1.0, gap_s=2.0)]),
    "webm with two tracks, the first one silent": lambda folder: write(
        folder / "a.webm", [SoundTrack(amplitude=0.0), SoundTrack(seconds=2.0)]
    ),
    "mkv": lambda folder: write(folder / "a.mkv"),
    "mp4, index first": lambda folder: write(folder / "a.mp4", options=FAST_START),
    "mp4, index last": lambda folder: write(folder / "a.mp4"),
    "mp4 in fragments": lambda folder: write(folder / "a.mp4", options=FRAGMENTED),
    "mp4 in fragments, late": lambda folder: write(
        folder / "a.mp4", [SoundTrack(start_s=1.0)], PictureTrack(start_s=0.5), options=FRAGMENTED
    ),
    "avi": lambda folder: write(folder / "a.avi"),
    "mpeg-ts": lambda folder: write(folder / "a.ts"),
}


@pytest.mark.parametrize("make", RECORDINGS.values(), ids=RECORDINGS.keys())
@pytest.mark.parametrize("seed", [1])
def test_a_growing_recording_sounds_as_the_whole_one(
    make: Callable[[Path], Path], seed: int, tmp_path: Path
) -> None:
    whole = make(tmp_path)
    with growing(tmp_path / "recording", whole.read_bytes(), seed=seed) as path:
        sound = heard(path)

    expected = heard(whole)
    assert np.array_equal(sound.samples, expected.samples)
    assert (sound.warnings, sound.damaged_packet_count) == (expected.warnings, expected.damaged_packet_count)


@pytest.mark.parametrize(
    ("name", "options"), [("a.webm", {}), ("a.mp4", FAST_START), ("a.mp4", FRAGMENTED), ("a.ts", {})]
)
def test_what_can_be_read_from_the_front_is_heard_before_it_is_whole(
    name: str, options: dict[str, str], tmp_path: Path
) -> None:
    whole = write(tmp_path / name, [SoundTrack(20.0)], PictureTrack(20.0), options)
    blocks: list[bool] = []
    with growing(tmp_path / "recording", whole.read_bytes(), goes_on=lambda: bool(blocks)) as path:
        for block in ArrivingSound(path, MAX_S, threading.Event(), HERE).blocks():
            assert block is not None
            blocks += [is_growing(path)] if block.size else []

    assert blocks[0]


@pytest.mark.parametrize("claimed_bytes", [0xFFFFFFFF, 96_000])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_plain_wav_is_read_without_a_decoder_as_it_grows(
    claimed_bytes: int, seed: int, tmp_path: Path
) -> None:
    content = noise(3.0).tobytes()
    whole = tmp_path / "whole.wav"
    whole.write_bytes(plain_header(96_000) + content)
    crash = DecoderHere("tests.fakes.decoding:crash")
    with growing(tmp_path / "recording", plain_header(claimed_bytes) + content, seed=seed) as path:
        sound = load_sound(path, MAX_S, threading.Event(), crash)

    assert sound is not None
    assert np.array_equal(sound.samples, heard(whole).samples)


def test_a_wav_that_ends_early_is_heard_and_told_as_the_whole_file_is(tmp_path: Path) -> None:
    content = plain_header(96_000) + noise(2.0).tobytes()
    whole = tmp_path / "whole.wav"
    whole.write_bytes(content)
    with growing(tmp_path / "recording", content) as path:
        sound = heard(path)

    assert [one.kind for one in sound.warnings] == ["MEDIA_TRUNCATED"]
    assert sound.warnings == heard(whole).warnings
    assert np.array_equal(sound.samples, heard(whole).samples)


def test_what_is_no_recording_is_refused_once_it_is_whole(tmp_path: Path) -> None:
    content = b"no recording at all " * 500
    with growing(tmp_path / "recording", content) as path, pytest.raises(InvalidInputError) as caught:
        heard(path)

    assert caught.value.reason == "MEDIA_UNDECODABLE"


def test_a_sound_that_is_too_long_is_refused_while_it_grows(tmp_path: Path) -> None:
    whole = write(tmp_path / "a.webm", [SoundTrack(seconds=20.0)], picture=None)
    over: list[bool] = []
    with growing(tmp_path / "recording", whole.read_bytes(), goes_on=lambda: bool(over)) as path:
        with pytest.raises(InvalidInputError) as caught:
            load_sound(path, 2.0, threading.Event(), HERE)
        over.append(is_growing(path))

    assert (caught.value.reason, over) == ("MEDIA_TOO_LONG", [True])


@pytest.mark.parametrize("counts", [(30_000_000,), (9_000_000, 9_000_000, 9_000_000)])
def test_a_fragment_that_claims_too_much_is_never_handed_to_the_reader(
    counts: tuple[int, ...], tmp_path: Path
) -> None:
    claims = b"".join(mp4_boxes.fragment(1, count) for count in counts)
    boxes = mp4_boxes.box(b"ftyp", b"isom\0\0\0\0isom") + mp4_boxes.box(b"moov", b"") + claims
    path = begun(tmp_path / "recording", boxes + mp4_boxes.box(b"mdat", bytes(100)))
    reader = FrontReader(path, nothing, ClaimsGate(path))
    with reader, pytest.raises(InvalidInputError) as caught:
        while reader.read(1 << 16):
            pass

    assert caught.value.reason == "MEDIA_TOO_COMPLEX"


def test_a_box_is_handed_out_once_all_of_it_is_there_and_media_as_it_comes(tmp_path: Path) -> None:
    path = tmp_path / "recording"
    content = mp4_boxes.box(b"ftyp", b"isom") + mp4_boxes.box(b"moov", bytes(40))
    path.write_bytes(content + mp4_boxes.box(b"mdat", bytes(100)))
    gate = ClaimsGate(path)

    allowed = [gate(size, False) for size in (4, 13, len(content) - 1, len(content) + 20, len(content) + 100)]

    assert allowed == [0, 12, 12, len(content) + 20, len(content) + 100]
    assert gate.index_is_last is False
    assert gate(path.stat().st_size, True) == path.stat().st_size
    gate.close()


def test_a_recording_with_its_index_last_is_not_read_from_the_front(tmp_path: Path) -> None:
    whole = write(tmp_path / "a.mp4")
    with growing(tmp_path / "recording", whole.read_bytes()) as path:
        assert front_reader(path, nothing) is None
        assert not is_growing(path)


def test_a_reader_of_a_file_that_is_removed_while_it_grows_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "call"
    folder.mkdir()
    with FrontReader(begun(folder / "recording", b"abc"), nothing) as reader:
        assert reader.read(10) == b"abc"
        shutil.rmtree(folder)

        with pytest.raises(AbandonedError):
            reader.read(10)


def test_a_stopped_call_ends_its_child_in_mid_growth(tmp_path: Path) -> None:
    path = begun(tmp_path / "recording", write(tmp_path / "a.webm").read_bytes()[:2000])
    stop, caught = threading.Event(), []

    def work() -> None:
        try:
            load_sound(path, MAX_S, stop, sound_decoder())
        except CancelledCallError as error:
            caught.append(error.reason)

    worker = threading.Thread(target=work)
    worker.start()
    while not decoding_children():
        time.sleep(0.02)
    stop.set()
    worker.join(30)

    assert caught == ["CANCELLED"]
    assert decoding_children() == []


def test_recordings_that_grow_slowly_hold_up_no_whole_one(tmp_path: Path) -> None:
    limits = ChildLimits(max_memory_bytes=1 << 30, max_cpu_s=60.0)
    decoder = ChildDecoder(FUNCTION, 1 << 20, limits, max_child_count=1, max_growing_count=1)
    slow = begun(tmp_path / "slow", b"\x1a\x45\xdf\xa3")
    whole, stop = write(tmp_path / "a.webm"), threading.Event()
    with decoder.open(slow, {"max_duration_s": MAX_S}, stop):
        sound = load_sound(whole, MAX_S, stop, decoder)

    assert sound is not None
    assert sound.duration_s > 2.5


def test_readers_see_the_same_samples_of_every_opening(tmp_path: Path) -> None:
    """FFmpeg itself: what this rests on for every container that is read from the front."""
    whole = write(tmp_path / "a.webm")
    with av.open(str(whole), "r") as one, av.open(FrontReader(whole, nothing), "r") as other:
        packets = [[(p.pts, p.size) for p in opened.demux() if p.size] for opened in (one, other)]

    assert packets[0] == packets[1]
