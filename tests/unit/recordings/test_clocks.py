"""One time zero and one clock for every reader, whatever the file's own timestamps do."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from services.speaker.observations import Diarization
from services.transcriber.engine import TranscribeOptions, Transcriber
from services.transcriber.transcript import Transcript
from tests.fakes.speaker import fake_diarizer
from tests.fakes.transcriber import FakeSpeechModel, LoudnessDetector, decoded
from tests.odd_recordings import CASES, RATE_HZ, PictureTrack, SoundTrack, delay_fragments, write
from tests.readers import extract, hear, kinds, look, onset_s, report_of
from tests.recordings_made import write_recording

MEDIA_RECORDER_MP4 = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}


def first_word_s(recording: Path) -> float:
    transcriber = Transcriber(FakeSpeechModel([decoded("hello there", 0.0, 1.0)]), LoudnessDetector())
    *_, last = transcriber.transcribe(recording, TranscribeOptions(), threading.Event())
    assert isinstance(last, Transcript)
    return last.segments[0].words[0].start_s


def first_turn_s(recording: Path) -> float:
    *_, last = fake_diarizer().diarize(recording, threading.Event())
    assert isinstance(last, Diarization)
    return last.turns[0].start_s


@pytest.mark.parametrize("ending", ["mkv", "mp4", "webm"])
def test_a_late_sound_track_gives_words_and_turns_on_the_same_clock_by_every_way(
    tmp_path: Path, ending: str
) -> None:
    recording = write(
        tmp_path / f"a.{ending}", [SoundTrack(seconds=8.0, start_s=1.5)], PictureTrack(seconds=9.5)
    )
    extract(recording)
    wav = tmp_path / "out.wav"

    assert onset_s(hear(recording).samples) == pytest.approx(1.5, abs=0.02)
    assert onset_s(hear(wav).samples) == pytest.approx(1.5, abs=0.02)
    assert first_word_s(recording) == pytest.approx(first_word_s(wav), abs=0.02)
    assert first_turn_s(recording) == pytest.approx(first_turn_s(wav), abs=0.02)
    assert first_turn_s(recording) == pytest.approx(1.5, abs=0.1)


@pytest.mark.parametrize("late_s", [0.02, 0.05, 0.08, 0.3])
def test_sound_that_starts_a_little_late_is_late_by_as_much(tmp_path: Path, late_s: float) -> None:
    """As in the MP4 of Chromium's MediaRecorder, whose sound starts 80 ms after the picture."""
    recording = write(tmp_path / "a.mp4", [SoundTrack(codec="flac")], options=MEDIA_RECORDER_MP4)
    delay_fragments(recording, track_id=2, ticks=round(late_s * RATE_HZ))

    assert onset_s(hear(recording).samples) == pytest.approx(late_s, abs=0.005)
    assert onset_s(extract(recording).samples) == pytest.approx(late_s, abs=0.005)
    assert look(recording)[0][0].time_s == pytest.approx(0.0, abs=0.001)


@pytest.mark.parametrize(("ending", "codec"), [("mkv", ""), ("mp4", ""), ("ts", "mp2"), ("webm", "")])
def test_a_clock_that_begins_at_five_seconds_counts_from_the_first_sample_and_the_offset_is_told(
    tmp_path: Path, ending: str, codec: str
) -> None:
    recording = write(
        tmp_path / f"a.{ending}",
        [SoundTrack(start_s=5.5, codec=codec)],
        PictureTrack(start_s=5.0, codec="libx264" if ending == "ts" else "", seconds=4.0),
    )
    extracted, (frames, facts) = extract(recording), look(recording)

    assert extracted.facts.clock_offset_s >= 4.9
    assert onset_s(extracted.samples) == pytest.approx(0.5, abs=0.05)
    assert onset_s(hear(recording).samples) == pytest.approx(0.5, abs=0.05)
    assert frames[0].time_s == pytest.approx(0.0, abs=0.01)
    assert extracted.facts.duration_s == pytest.approx(4.0, abs=0.2)
    assert "CLOCK_STARTS_LATE" in kinds(extracted.facts.recording_warnings)
    assert "CLOCK_STARTS_LATE" in kinds(facts.warnings)


def test_a_pause_of_the_recorder_is_kept_in_sound_and_told(tmp_path: Path) -> None:
    paused = SoundTrack(seconds=4.0, gap_at_s=2.0, gap_s=5.0)
    recording = write(tmp_path / "a.mkv", [paused], PictureTrack(seconds=9.0))
    heard = hear(recording)

    assert heard.duration_s == pytest.approx(9.0, abs=0.1)
    assert kinds(heard.warnings) == ["SOUND_MISSING"]
    assert (heard.warnings[0].start_s, heard.warnings[0].end_s) == pytest.approx((2.0, 7.0), abs=0.1)
    sound = extract(recording).facts.sound
    assert (sound.duration_s, sound.heard_s) == pytest.approx((9.0, 4.0), abs=0.1)


def test_short_gaps_that_a_silent_speaker_leaves_count_as_heard(tmp_path: Path) -> None:
    """Opus encoders may send nothing for 0.4 s of silence."""
    recording = write(tmp_path / "a.mkv", [SoundTrack(seconds=4.0, gap_at_s=2.0, gap_s=0.5)])
    sound = extract(recording).facts.sound

    assert sound.heard_s == sound.duration_s == pytest.approx(4.5, abs=0.05)


def test_many_small_gaps_do_not_add_up(tmp_path: Path) -> None:
    """A recorder that drops 40 ms here and there: the last word is where the picture has it."""
    parts = [SoundTrack(seconds=5.0, gap_at_s=1.0, gap_s=gap_s) for gap_s in (0.04, 0.08)]
    for part in parts:
        recording = write(tmp_path / "a.mkv", [part], PictureTrack(seconds=5.0))

        assert hear(recording).duration_s == pytest.approx(5.0 + part.gap_s, abs=0.025)


def test_two_recordings_in_one_file_come_one_after_the_other_in_sound_and_picture(tmp_path: Path) -> None:
    one = write(tmp_path / "one.webm", [SoundTrack(seconds=3.5)], PictureTrack(seconds=3.0))
    two = write(tmp_path / "two.webm", [SoundTrack(seconds=4.0, quiet_s=1.0)], PictureTrack(seconds=4.0))
    both = tmp_path / "both.webm"
    both.write_bytes(one.read_bytes() + two.read_bytes())
    sound, extracted, (frames, facts) = hear(both), extract(both), look(both)

    assert sound.duration_s == pytest.approx(7.5, abs=0.1)
    assert extracted.facts.duration_s == pytest.approx(7.5, abs=0.1)
    assert onset_s(sound.samples[round(3.7 * 16_000) :]) == pytest.approx(0.8, abs=0.1)
    times_s = np.array([frame.time_s for frame in frames])
    assert len(frames) == pytest.approx(70, abs=3)
    assert times_s[times_s > 3.2][0] == pytest.approx(3.5, abs=0.05)
    assert np.all(np.diff(times_s) > 0)
    for warnings in (sound.warnings, extracted.facts.recording_warnings, facts.warnings):
        (joint,) = (one for one in warnings if one.kind == "RECORDINGS_JOINED")
        assert joint.start_s == pytest.approx(3.5, abs=0.05)


def test_a_browsers_recordings_are_joined_too(tmp_path: Path) -> None:
    one = (CASES / "camera_stops_after_4_of_13_5_s.webm").read_bytes()
    (tmp_path / "both.webm").write_bytes(one + one)
    sound, (frames, facts) = hear(tmp_path / "both.webm"), look(tmp_path / "both.webm")

    assert sound.duration_s == pytest.approx(27.0, abs=0.1)
    assert facts.packet_count == 96
    assert facts.blanks_s[0] == pytest.approx((5.08, 13.5), abs=0.1)
    assert facts.blanks_s[1] == pytest.approx((17.6, 27.0), abs=0.1)
    assert len(frames) == 52


@pytest.mark.parametrize("rate_hz", [1, 2, 10])
def test_few_frames_a_second_that_are_stored_in_another_order_are_one_recording(
    tmp_path: Path, rate_hz: int
) -> None:
    """A shared screen: x264 stores frames up to three places away from where they are shown."""
    recording = write_recording(tmp_path / "a.mp4", duration_s=20, rate_hz=rate_hz)
    sound, (_, facts) = hear(recording), look(recording)

    assert sound.duration_s == pytest.approx(20.0, abs=0.1)
    assert facts.recording_s == pytest.approx(20.0, abs=0.1)
    assert "RECORDINGS_JOINED" not in kinds(extract(recording).facts.warnings)


def test_what_an_edit_list_hides_is_not_assessed(tmp_path: Path) -> None:
    names = ("trimmed_by_edit_list.mp4", "trimmed_reencoded.mp4")
    for name in names:
        shutil.copy(CASES / name, tmp_path / name)
    trimmed, encoded = (extract(tmp_path / name) for name in names)
    frames, facts = look(tmp_path / names[0])
    expected, _ = look(tmp_path / names[1])

    assert trimmed.facts.duration_s == pytest.approx(15.3, abs=0.05)
    assert trimmed.facts.picture.frame_rate_hz == pytest.approx(20.0, abs=0.1)
    assert facts.frame_rate_hz == pytest.approx(20.0, abs=0.1)
    assert facts.recording_s == pytest.approx(15.3, abs=0.05)
    # Which of two frames a step of the grid takes hangs on how they were encoded.
    assert [frame.time_s for frame in frames] == pytest.approx([one.time_s for one in expected], abs=0.06)
    differences = [
        np.abs(a.image.astype(int) - b.image).mean() for a, b in zip(frames, expected, strict=True)
    ]
    assert np.median(differences) < 2.0
    shared = min(trimmed.samples.size, encoded.samples.size)
    assert np.corrcoef(trimmed.samples[:shared], encoded.samples[:shared])[0, 1] > 0.95
    assert kinds(trimmed.facts.recording_warnings) == ["HIDDEN_PARTS"]


def test_a_picture_that_sleeps_is_told_and_counts_as_no_face(tmp_path: Path) -> None:
    times_s = [*np.arange(0, 5, 0.1), *np.arange(1205, 1210, 0.1)]
    recording = write(
        tmp_path / "a.webm",
        [SoundTrack(seconds=10.0, gap_at_s=5.0, gap_s=1200.0)],
        PictureTrack(times_s=[float(time_s) for time_s in times_s]),
    )
    report, facts = report_of(recording), extract(recording).facts

    assert report.duration_s == pytest.approx(1210.0, abs=0.2)
    assert report.face_ratio == pytest.approx(11 / 1210, abs=0.001)
    assert report.picture_s == pytest.approx(11.0, abs=0.2)
    (still,) = (one for one in report.observations if one.kind == "no_picture")
    assert (still.start_s, still.end_s) == pytest.approx((5.9, 1205.0), abs=0.1)
    assert kinds(report.recording_warnings) == ["PICTURE_STANDS"]
    assert kinds(facts.recording_warnings) == ["PICTURE_STANDS", "SOUND_MISSING"]
    assert facts.picture.frame_rate_hz == pytest.approx(10.0, abs=0.1)


def test_a_camera_that_stops_leaves_the_rest_unseen(tmp_path: Path) -> None:
    name = "camera_stops_after_4_of_13_5_s.webm"
    shutil.copy(CASES / name, tmp_path / name)
    facts, (frames, seen) = extract(tmp_path / name).facts, look(tmp_path / name)

    assert facts.duration_s == pytest.approx(13.5, abs=0.05)
    assert facts.picture.duration_s == pytest.approx(4.1, abs=0.1)
    assert seen.recording_s == pytest.approx(13.5, abs=0.05)
    (blank_s,) = seen.blanks_s
    assert blank_s == pytest.approx((4.1, 13.5), abs=0.1)
    assert kinds(seen.warnings) == kinds(facts.recording_warnings) == ["PICTURE_ENDS_EARLY"]
    assert frames[-1].time_s < 4.1


def test_a_face_is_seen_only_where_there_is_a_picture(tmp_path: Path) -> None:
    recording = write(tmp_path / "a.webm", [SoundTrack(seconds=12.0)], PictureTrack(seconds=4.0))
    report = report_of(recording)

    assert report.duration_s == pytest.approx(12.0, abs=0.1)
    assert report.face_ratio == pytest.approx(4 / 12, abs=0.02)
    assert [one.kind for one in report.observations] == ["no_picture"]


def test_sound_that_ends_early_is_told(tmp_path: Path) -> None:
    heard = hear(write(tmp_path / "a.mp4", [SoundTrack(seconds=3.0)], PictureTrack(seconds=8.0)))

    assert kinds(heard.warnings) == ["SOUND_ENDS_EARLY"]
    assert (heard.warnings[0].start_s, heard.warnings[0].end_s) == pytest.approx((3.0, 8.0), abs=0.1)
