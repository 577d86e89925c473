"""Which of several tracks is meant, what mixing would destroy, and what is lost with one track."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from chassis.errors import InvalidInputError
from interview.v1 import media_pb2
from tests.odd_recordings import CASES, PictureTrack, SoundTrack, disable_track, replace_bytes, write
from tests.readers import extract, hear, kinds, look, loud_s

SPEECH, SILENT = SoundTrack(amplitude=0.3), SoundTrack(amplitude=0.0)
QUIET_DESKTOP = SoundTrack(amplitude=0.001)


@pytest.mark.parametrize(
    ("sounds", "number"),
    [
        ([SILENT, SPEECH], 2),
        ([QUIET_DESKTOP, SPEECH], 2),
        ([SPEECH, SILENT], 1),
        ([SPEECH, SoundTrack(amplitude=0.6)], 1),
        ([SILENT, SoundTrack(amplitude=0.1, quiet_s=2.5), SPEECH], 3),
    ],
    ids=["silent first", "nearly silent first", "silent second", "both loud", "the most of three"],
)
def test_the_track_with_speech_is_heard_and_the_choice_is_said(
    tmp_path: Path, sounds: list[SoundTrack], number: int
) -> None:
    recording = write(tmp_path / "a.mkv", sounds)
    sound, extracted = hear(recording), extract(recording)

    assert loud_s(sound.samples) == pytest.approx(3.0, abs=0.1)
    assert loud_s(extracted.samples) == pytest.approx(3.0, abs=0.1)
    assert kinds(sound.warnings) == kinds(extracted.facts.recording_warnings) == ["SOUND_TRACK_CHOSEN"]
    assert f"Number {number} was" in sound.warnings[0].message
    assert extracted.facts.sound_track_count == len(sounds)


@pytest.mark.parametrize("ending", ["mkv", "mp4"])
def test_a_track_that_is_marked_as_default_is_taken_before_an_earlier_one(
    tmp_path: Path, ending: str
) -> None:
    other = SoundTrack(seconds=1.0, default=False)
    recording = write(tmp_path / f"a.{ending}", [other, SPEECH])

    assert loud_s(hear(recording).samples) == pytest.approx(3.0, abs=0.1)


def test_when_all_tracks_are_silent_the_usual_one_is_taken(tmp_path: Path) -> None:
    sound = hear(write(tmp_path / "a.mkv", [SILENT, SoundTrack(seconds=1.0, amplitude=0.0)]))

    assert sound.duration_s == pytest.approx(3.0, abs=0.1)
    assert "Number 1 was" in sound.warnings[0].message


def test_a_disabled_track_of_an_mp4_is_not_played(tmp_path: Path) -> None:
    recording = write(tmp_path / "a.mp4", [SoundTrack(seconds=1.0), SPEECH])
    disable_track(recording, 2)  # the first is the picture

    assert loud_s(hear(recording).samples) == pytest.approx(3.0, abs=0.1)
    assert loud_s(extract(recording).samples) == pytest.approx(3.0, abs=0.1)


def test_a_sound_track_without_a_decoder_is_passed_over_and_named(tmp_path: Path) -> None:
    recording = write(tmp_path / "a.mp4", [SoundTrack(seconds=1.0, codec="flac"), SPEECH])
    replace_bytes(recording, b"fLaC", b"zzzz")
    sound, extracted = hear(recording), extract(recording)

    assert loud_s(sound.samples) == loud_s(extracted.samples) == pytest.approx(3.0, abs=0.1)
    assert kinds(sound.warnings) == kinds(extracted.facts.recording_warnings) == ["SOUND_UNDECODABLE"]


def test_a_picture_without_a_decoder_costs_the_picture_only(tmp_path: Path) -> None:
    recording = tmp_path / "a.mp4"
    shutil.copy(CASES / "trimmed_reencoded.mp4", recording)
    replace_bytes(recording, b"avc1", b"av02", count=5)
    extracted = extract(recording)
    with pytest.raises(InvalidInputError) as refused:
        look(recording)

    assert loud_s(extracted.samples) > 5.0
    assert extracted.facts.outcome == media_pb2.OUTCOME_NO_VIDEO
    assert (extracted.facts.sound_codec, extracted.facts.picture_codec) == ("aac", "av02")
    assert kinds(extracted.facts.recording_warnings) == ["PICTURE_UNDECODABLE"]
    assert "av02" in extracted.facts.recording_warnings[0].message
    assert refused.value.reason == "MEDIA_UNDECODABLE"
    assert "av02" in refused.value.message


def test_sound_without_a_decoder_costs_the_sound_only(tmp_path: Path) -> None:
    recording = write(tmp_path / "a.mp4", [SoundTrack(codec="flac")])
    replace_bytes(recording, b"fLaC", b"zzzz")
    extracted = extract(recording)
    with pytest.raises(InvalidInputError) as refused:
        hear(recording)

    assert extracted.facts.outcome == media_pb2.OUTCOME_NO_AUDIO
    assert extracted.facts.picture.packet_count == 30
    assert kinds(extracted.facts.recording_warnings) == ["SOUND_UNDECODABLE"]
    assert refused.value.reason == "MEDIA_UNDECODABLE"


def test_stereo_in_opposite_phase_is_heard_and_said(tmp_path: Path) -> None:
    recording = write(tmp_path / "a.mkv", [SoundTrack(opposite=True, codec="flac")])
    sound, extracted = hear(recording), extract(recording)

    assert loud_s(sound.samples) == loud_s(extracted.samples) == pytest.approx(3.0, abs=0.1)
    assert kinds(sound.warnings) == kinds(extracted.facts.recording_warnings) == ["SOUND_OPPOSITE_PHASE"]


@pytest.mark.parametrize("name", ["sound_changes_rate.mkv", "sound_changes_channels.mkv"])
def test_sound_that_changes_in_mid_file_is_heard_to_its_end(tmp_path: Path, name: str) -> None:
    shutil.copy(CASES / name, tmp_path / name)
    sound, extracted = hear(tmp_path / name), extract(tmp_path / name)

    assert sound.duration_s == pytest.approx(14.1, abs=0.1)
    assert extracted.facts.outcome == media_pb2.OUTCOME_OK
    assert loud_s(extracted.samples[8 * 16_000 :]) > 2.0
    assert np.abs(sound.samples - extracted.samples).max() < 0.01
    assert "SOUND_CHANGES" in kinds(sound.warnings)
    assert "SOUND_CHANGES" in kinds(extracted.facts.recording_warnings)


def test_codecs_and_container_are_named_so_that_a_page_knows_what_plays(tmp_path: Path) -> None:
    recording = write(
        tmp_path / "a.avi", [SoundTrack(codec="libmp3lame")], PictureTrack(codec="mpeg4", seconds=3.0)
    )
    facts = extract(recording).facts

    assert (facts.container, facts.picture_codec, facts.sound_codec) == ("avi", "mpeg4", "mp3")


def test_an_ordinary_recording_has_no_warnings(tmp_path: Path) -> None:
    for ending in ("mp4", "mov", "webm", "mkv"):
        recording = write(tmp_path / f"a.{ending}")

        assert kinds(hear(recording).warnings) == []
        assert kinds(extract(recording).facts.recording_warnings) == []
        assert kinds(look(recording)[1].warnings) == []
