"""Recordings that are cut off or damaged: what is there is used, and the reader is told by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from chassis.containers import MAX_PIECES, missing_bytes, pieces_of_matroska
from chassis.errors import InvalidInputError
from tests.odd_recordings import PictureTrack, SoundTrack, cut_off, write
from tests.readers import extract, hear, kinds, look, loud_s

ROOT = Path(__file__).resolve().parents[3]
INDEX_FIRST = {"movflags": "faststart"}


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    return write(tmp_path / "whole.mp4", [SoundTrack(seconds=20.0)], PictureTrack(seconds=20.0), INDEX_FIRST)


def test_a_cut_off_mp4_is_used_as_far_as_it_goes_and_said_to_be_cut_off(tmp_path: Path, whole: Path) -> None:
    cut = cut_off(tmp_path / "cut.mp4", whole, round(whole.stat().st_size * 0.6))
    sound, extracted, (frames, facts) = hear(cut), extract(cut), look(cut)

    assert 5.0 < loud_s(sound.samples) < 15.0
    assert 5.0 < loud_s(extracted.samples) < 15.0
    assert len(frames) > 50
    for warnings in (sound.warnings, extracted.facts.recording_warnings, facts.warnings):
        assert "MEDIA_TRUNCATED" in kinds(warnings)


def test_a_demo_clip_cut_before_its_sound_shows_all_of_the_picture_that_is_left(tmp_path: Path) -> None:
    cut = cut_off(tmp_path / "cut.mp4", ROOT / "demo" / "answer-1.mp4", 200_000)
    extracted, (frames, _) = extract(cut), look(cut)

    assert kinds(extracted.facts.recording_warnings) == ["SOUND_MISSING", "MEDIA_TRUNCATED"]
    assert extracted.facts.sound_codec == "aac"
    assert extracted.facts.duration_s == pytest.approx(13.5, abs=0.2)
    assert frames[-1].time_s > 12.5
    assert kinds(hear(cut).warnings) == ["SOUND_MISSING", "MEDIA_TRUNCATED"]


def test_an_mp4_cut_before_its_index_is_refused_with_the_reason(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.mp4")
    cut = cut_off(tmp_path / "cut.mp4", whole, whole.stat().st_size // 2)

    for read in (hear, extract, look):
        with pytest.raises(InvalidInputError) as refused:
            read(cut)
        assert refused.value.reason == "MEDIA_UNDECODABLE"
        assert "cut off" in refused.value.message


@pytest.mark.parametrize("ending", ["mkv", "avi", "wav", "webm", "mov"])
def test_a_file_that_is_cut_off_is_known_by_its_own_sizes(tmp_path: Path, ending: str) -> None:
    sound = SoundTrack(codec={"wav": "pcm_s16le", "avi": "libmp3lame"}.get(ending, ""))
    whole = write(tmp_path / f"a.{ending}", [sound], None if ending == "wav" else PictureTrack())
    size = whole.stat().st_size

    assert missing_bytes(whole) == 0
    for share in (0.3, 0.9):
        cut = cut_off(tmp_path / f"cut.{ending}", whole, round(size * share))
        assert 0 < missing_bytes(cut) <= size - cut.stat().st_size + 1


def test_what_a_phone_writes_behind_an_mp4_is_not_a_missing_part(tmp_path: Path) -> None:
    recording = write(tmp_path / "a.mp4")
    recording.write_bytes(recording.read_bytes() + b"\x7f\0\0\0SEFH" + bytes(40))

    assert missing_bytes(recording) == 0
    assert kinds(hear(recording).warnings) == []


def test_a_browsers_recording_without_sizes_is_not_said_to_be_cut_off(tmp_path: Path) -> None:
    live = write(tmp_path / "a.webm", options={"live": "1"})
    fragments = write(tmp_path / "b.mp4", options={"movflags": "frag_keyframe+empty_moov"})

    assert missing_bytes(live) == missing_bytes(fragments) == 0


def test_a_rest_that_can_not_be_read_is_said(tmp_path: Path) -> None:
    one, two = write(tmp_path / "one.webm", options={"live": "1"}), write(tmp_path / "two.webm")
    both = tmp_path / "both.webm"
    both.write_bytes(one.read_bytes() + two.read_bytes())

    assert kinds(hear(both).warnings) == kinds(look(both)[1].warnings) == ["MEDIA_DAMAGED"]
    assert kinds(extract(both).facts.recording_warnings) == ["MEDIA_DAMAGED"]


@pytest.mark.parametrize("content", [b"", b"R", b"RIFF", b"\x1a\x45\xdf\xa3", b"\0\0\0\x18ftyp", b"text"])
def test_sizes_of_what_is_no_recording_are_no_crash(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)

    assert missing_bytes(tmp_path / "a") >= 0


def test_a_file_of_empty_segments_is_not_walked_through_to_its_end(tmp_path: Path) -> None:
    segment = b"\x18\x53\x80\x67\x80"
    recording = tmp_path / "a.mkv"
    recording.write_bytes(b"\x1a\x45\xdf\xa3\x80" + segment * (2 * MAX_PIECES))

    assert missing_bytes(recording) == 0
    with recording.open("rb") as file:
        assert sum(1 for _ in pieces_of_matroska(file, recording.stat().st_size)) == MAX_PIECES
