"""Recordings that once went wrong, through all seven processes: what the document says of each is right."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.copied_recordings import Change, copy_changed, copy_with_sounds, join, store_upside_down
from tests.e2e.system import System
from tests.folders import ROOT
from tests.odd_recordings import (
    CASES,
    PictureTrack,
    SoundTrack,
    cut_off,
    disable_track,
    replace_bytes,
    write,
)

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]

ANSWERS_A_SESSION = 5
SPOKEN = CASES / "mirrored_by_matrix.mp4"
"""5 s of a face all the time, that says "Last spring, our nightly report began to fail"."""

FACE_ALL_THE_TIME = 0.99
NOT_KEPT_HERE = (
    "silent_first_track.mkv",
    "silent_first_track_default_second.mp4",
    "two_recordings_joined.webm",
    "picture_stands_20_min.webm",
    "unknown_picture_codec.mp4",
    "mpeg4_mp3.avi",
    "hevc.mov",
    "upside_down_by_matrix.mp4",
)

Make = Callable[[Path], Path]


def two_sounds(target: Path, default: int) -> Path:
    return copy_with_sounds(SPOKEN, target, (0.0,), (1.0,), default=default)


def joined(target: Path) -> Path:
    one = write(target.with_name("one.webm"), [SoundTrack(seconds=3.5)], PictureTrack(seconds=3.0))
    other = write(target.with_name("other.webm"), [SoundTrack(seconds=4.0)], PictureTrack(seconds=4.0))
    return join(target, one, other)


MADE: dict[str, Make] = {
    "silent_first.mkv": lambda target: two_sounds(target, default=0),
    "second_is_default.mp4": lambda target: two_sounds(target, default=1),
    "disabled_first.mp4": lambda target: disable_track(two_sounds(target, default=0), 2),
    "undecodable_first.mp4": lambda target: replace_bytes(two_sounds(target, default=0), b"fLaC", b"zzzz"),
    "opposite_phase.mkv": lambda target: copy_with_sounds(SPOKEN, target, (1.0, -1.0)),
    "unknown_picture.mp4": lambda target: replace_bytes(
        Path(shutil.copy(SPOKEN, target)), b"avc1", b"av02", 5
    ),
    "upside_down.mp4": lambda target: store_upside_down(SPOKEN, target),
    "sound_alone.mp4": lambda target: copy_changed(SPOKEN, target, Change(picture=False)),
    "slept_2_min.mkv": lambda target: copy_changed(SPOKEN, target, Change(jump_at_s=3.0, jump_s=120.0)),
    "late_sound.mkv": lambda target: copy_changed(SPOKEN, target, Change(sound_late_s=1.5)),
    "clock_from_5_s.mp4": lambda target: copy_changed(SPOKEN, target, Change(clock_starts_s=5.0)),
    "joined.webm": joined,
    "cut_off.mp4": lambda target: cut_off(target, ROOT / "demo" / "answer-1.mp4", 200_000),
}
STORED = (
    "mirrored_by_matrix.mp4",
    "camera_stops_after_4_of_13_5_s.webm",
    "sound_changes_channels.mkv",
    "sound_changes_rate.mkv",
    "trimmed_by_edit_list.mp4",
    "trimmed_reencoded.mp4",
)


def answers_to(system: System, recordings: list[Path]) -> dict[str, Any]:
    """Take recordings through the system, five a session."""
    answers: dict[str, Any] = {}
    for begin in range(0, len(recordings), ANSWERS_A_SESSION):
        some = recordings[begin : begin + ANSWERS_A_SESSION]
        document = system.result_of(*some)
        answers |= {path.name: answer for path, answer in zip(some, document["results"], strict=True)}
    return answers


@pytest.fixture(scope="module")
def answers(system: System, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("made")
    made = [make(folder / name) for name, make in MADE.items()]
    return answers_to(system, [*(CASES / name for name in STORED), *made])


@pytest.fixture(scope="module")
def originals(system: System, recordings: Path) -> dict[str, Any]:
    """The recordings as they were found, where they are at hand; most are too large to be kept here."""
    folder = recordings.parent / "cases"
    if not folder.is_dir():
        pytest.skip("the recordings that once went wrong are not here")
    return answers_to(system, [folder / name for name in NOT_KEPT_HERE])


def words(answer: Any) -> str:
    return str(answer["transkripsi_en"] or "").lower()


def kinds(answer: Any) -> list[str]:
    return [warning["kind"] for warning in answer["warnings"]]


def spans(answer: Any, kind: str) -> list[tuple[float, float]]:
    return [(one["start_s"], one["end_s"]) for one in answer["observations"] if one["kind"] == kind]


def first_word_s(answer: Any) -> float:
    return float(answer["transcript"]["segments"][0]["words"][0]["start_s"])


def face_ratio(answer: Any) -> float | None:
    value: float | None = answer["measures"]["face"]["face_ratio"]["value"]
    return value


def verdicts(answer: Any) -> tuple[str | None, str | None, str | None]:
    """Return the verdict on the whole, the picture and the sound."""
    verdict = answer["verdict"]
    return verdict["value"], verdict["picture"]["value"], verdict["sound"]["value"]


@pytest.mark.parametrize(
    ("name", "warned"),
    [
        ("silent_first.mkv", ["SOUND_TRACK_CHOSEN"]),
        ("second_is_default.mp4", ["SOUND_TRACK_CHOSEN"]),
        ("disabled_first.mp4", ["SOUND_TRACK_CHOSEN"]),
        ("undecodable_first.mp4", ["SOUND_UNDECODABLE"]),
        ("opposite_phase.mkv", ["SOUND_OPPOSITE_PHASE"]),
        ("sound_changes_channels.mkv", ["MEDIA_DAMAGED", "SOUND_CHANGES"]),
        ("sound_changes_rate.mkv", ["MEDIA_DAMAGED", "SOUND_CHANGES"]),
        ("mirrored_by_matrix.mp4", []),
    ],
)
def test_the_speech_is_heard_and_what_was_odd_is_told(
    answers: dict[str, Any], name: str, warned: list[str]
) -> None:
    assert "nightly report began to fail" in words(answers[name])
    assert kinds(answers[name]) == warned
    assert verdicts(answers[name]) == ("Safe", "Safe", "Safe")


@pytest.mark.parametrize("name", ["mirrored_by_matrix.mp4", "upside_down.mp4"])
def test_a_face_is_seen_as_players_show_it(answers: dict[str, Any], name: str) -> None:
    assert (face_ratio(answers[name]) or 0.0) > FACE_ALL_THE_TIME
    assert answers[name]["observations"] == []


def test_sound_that_changes_is_heard_to_its_end(answers: dict[str, Any]) -> None:
    for name in ("sound_changes_channels.mkv", "sound_changes_rate.mkv"):
        assert words(answers[name]).endswith("two jobs wrote to the same table.")


def test_what_an_edit_list_hides_changes_no_finding(answers: dict[str, Any]) -> None:
    trimmed, encoded = answers["trimmed_by_edit_list.mp4"], answers["trimmed_reencoded.mp4"]

    assert spans(trimmed, "no_face") == spans(encoded, "no_face") == [(4.4, 8.0)]
    assert verdicts(trimmed) == verdicts(encoded) == ("High Risk", "High Risk", "Safe")
    for answer in (trimmed, encoded):
        assert answer["recording"]["duration_s"] == pytest.approx(15.3, abs=0.05)
        assert answer["measures"]["recording"]["frame_rate"]["value"] == pytest.approx(20.0, abs=0.05)
        assert words(answer).endswith("before i change any code.")
    assert (kinds(trimmed), kinds(encoded)) == (["HIDDEN_PARTS"], [])


def test_two_recordings_in_one_file_are_laid_one_after_the_other_and_told(answers: dict[str, Any]) -> None:
    answer = answers["joined.webm"]

    assert answer["recording"]["duration_s"] == pytest.approx(7.5, abs=0.1)
    assert "RECORDINGS_JOINED" in kinds(answer)


@pytest.mark.parametrize(
    ("name", "warned", "unseen_s", "recording_s"),
    [
        ("camera_stops_after_4_of_13_5_s.webm", "PICTURE_ENDS_EARLY", (4.1, 13.5), 13.5),
        ("slept_2_min.mkv", "PICTURE_STANDS", (4.2, 123.1), 125.3),
    ],
)
def test_time_without_a_picture_is_told_and_is_no_face_seen(
    answers: dict[str, Any], name: str, warned: str, unseen_s: tuple[float, float], recording_s: float
) -> None:
    answer = answers[name]
    share = 1 - (unseen_s[1] - unseen_s[0]) / recording_s

    assert warned in kinds(answer)
    assert spans(answer, "no_picture") == [pytest.approx(unseen_s, abs=0.1)]
    assert face_ratio(answer) == pytest.approx(share, abs=0.02)
    assert answer["verdict"]["picture"]["looked_at_ratio"] == pytest.approx(share, abs=0.02)
    assert verdicts(answer)[:2] == (None, None)
    assert "nightly report" in words(answer)


def test_time_without_sound_is_not_listened_to(answers: dict[str, Any]) -> None:
    sound = answers["slept_2_min.mkv"]["verdict"]["sound"]

    assert "SOUND_MISSING" in kinds(answers["slept_2_min.mkv"])
    assert (sound["value"], sound["outcome"]) == (None, "INSUFFICIENT_EVIDENCE")
    assert sound["looked_at_ratio"] == pytest.approx(5.0 / 125.3, abs=0.01)


@pytest.mark.parametrize("name", ["unknown_picture.mp4", "sound_alone.mp4"])
def test_without_a_picture_the_sound_is_heard_and_nothing_is_called_safe(
    answers: dict[str, Any], name: str
) -> None:
    answer = answers[name]

    assert "nightly report" in words(answer)
    assert verdicts(answer) == (None, None, "Safe")
    assert answer["verdict"]["picture"]["outcome"] == answer["stages"]["vision"]["outcome"] == "NO_VIDEO"
    assert face_ratio(answer) is None
    assert kinds(answer) == (["PICTURE_UNDECODABLE"] if name == "unknown_picture.mp4" else [])


def test_without_sound_the_picture_is_seen_and_nothing_is_called_safe(answers: dict[str, Any]) -> None:
    answer = answers["upside_down.mp4"]

    assert verdicts(answer) == (None, "Safe", None)
    assert answer["verdict"]["sound"]["outcome"] == answer["stages"]["transcribe"]["outcome"] == "NO_AUDIO"


def test_a_file_that_is_cut_off_is_used_as_far_as_it_goes_and_named(answers: dict[str, Any]) -> None:
    answer = answers["cut_off.mp4"]

    assert {"SOUND_MISSING", "MEDIA_TRUNCATED"} <= set(kinds(answer))
    assert answer["recording"]["duration_s"] == pytest.approx(13.5, abs=0.2)
    assert answer["stages"]["transcribe"]["message"] == "No sound could be read from the recording."
    assert verdicts(answer) == (None, None, None)
    assert answer["verdict"]["picture"]["looked_at_ratio"] == pytest.approx(13.5 / 27.3, abs=0.02)


def test_words_stand_where_the_recording_s_own_clock_has_them(answers: dict[str, Any]) -> None:
    plain, offset = answers["mirrored_by_matrix.mp4"], answers["clock_from_5_s.mp4"]

    assert first_word_s(offset) == pytest.approx(first_word_s(plain), abs=0.1)
    assert plain["recording"]["clock_offset_s"] == 0.0
    assert offset["recording"]["clock_offset_s"] == pytest.approx(5.0, abs=0.05)
    assert kinds(offset) == ["CLOCK_STARTS_LATE"]
    late = answers["late_sound.mkv"]
    assert first_word_s(late) == pytest.approx(first_word_s(plain) + 1.5, abs=0.1)
    assert "SOUND_STARTS_LATE" in kinds(late)


@pytest.mark.recordings
@pytest.mark.parametrize(
    ("name", "warned"),
    [
        ("silent_first_track.mkv", {"SOUND_TRACK_CHOSEN"}),
        ("silent_first_track_default_second.mp4", {"SOUND_TRACK_CHOSEN"}),
        ("two_recordings_joined.webm", {"RECORDINGS_JOINED"}),
        ("picture_stands_20_min.webm", {"PICTURE_STANDS", "SOUND_MISSING"}),
        ("unknown_picture_codec.mp4", {"PICTURE_UNDECODABLE"}),
        ("mpeg4_mp3.avi", set()),
        ("hevc.mov", set()),
        ("upside_down_by_matrix.mp4", set()),
    ],
)
def test_a_recording_as_it_was_found_is_heard_and_told_about(
    originals: dict[str, Any], name: str, warned: set[str]
) -> None:
    answer = originals[name]

    assert "nightly report began to fail" in words(answer)
    assert set(kinds(answer)) - {"NOTE"} == warned
    recording = answer["recording"]
    assert recording["container"]
    assert recording["sound_codec"]
    assert recording["picture_codec"]


@pytest.mark.recordings
def test_the_originals_have_the_findings_that_players_would_show(originals: dict[str, Any]) -> None:
    seen = {name: verdicts(answer) for name, answer in originals.items()}

    assert seen["picture_stands_20_min.webm"] == (None, None, None)
    assert seen["unknown_picture_codec.mp4"] == (None, None, "Safe")
    assert face_ratio(originals["picture_stands_20_min.webm"]) == pytest.approx(14 / 1214, abs=0.005)
    assert (face_ratio(originals["upside_down_by_matrix.mp4"]) or 0.0) > FACE_ALL_THE_TIME
    assert originals["two_recordings_joined.webm"]["recording"]["duration_s"] == pytest.approx(20.5, abs=0.1)
