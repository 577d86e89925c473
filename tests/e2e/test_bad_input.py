"""Odd and broken recordings through all seven processes: an answer for each, and nothing left behind."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.system import System
from tests.folders import ROOT
from tests.recordings_made import copy_without_picture, write_recording

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]


@pytest.fixture(autouse=True)
def nothing_left_behind(system: System) -> Iterator[None]:
    yield
    assert system.left_on_disk() == []


def stage(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = document["results"][0]["stages"][name]
    return found


@pytest.mark.parametrize(
    ("name", "content", "status", "code"),
    [
        ("empty.mp4", b"", 400, "FILE_EMPTY"),
        ("text.mp4", b"this is no video, only text with another name" * 100, 415, "NOT_A_VIDEO"),
        ("notes.txt", b"\x00\x00\x00\x20ftypisom" + bytes(500), 400, "FILE_TYPE_INVALID"),
    ],
)
def test_what_is_no_video_is_refused_at_the_door(
    system: System, tmp_path: Path, name: str, content: bytes, status: int, code: str
) -> None:
    (tmp_path / name).write_bytes(content)

    answer = system.upload(tmp_path / name)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["message"]


def test_a_language_that_the_loaded_model_lacks_is_refused_at_the_door(
    system: System, tmp_path: Path
) -> None:
    offered = system.http.get("/languages").json()["languages"]
    recording = write_recording(tmp_path / "answer.mp4")
    missing = next(code for code in ("yue", "xx") if code not in offered)

    answer = system.upload(recording, language=missing)

    assert offered[:2] == ["en", "id"]
    assert (answer.status_code, answer.json()["code"]) == (400, "LANGUAGE_INVALID")
    assert "general" in system.http.get("/rubrics").json()["rubrics"]


def test_a_truncated_mp4_fails_with_a_reason_and_a_document(system: System, tmp_path: Path) -> None:
    whole = write_recording(tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])

    document = system.result_of(tmp_path / "cut.mp4")

    assert document["status"] == "failed"
    assert document["results"][0]["error"]["reason"] == "MEDIA_UNDECODABLE"


def test_a_recording_without_a_single_frame_fails_with_a_reason(system: System, tmp_path: Path) -> None:
    recording = write_recording(tmp_path / "none.mkv", duration_s=0, frame_times_s=[], audio_codec=None)

    document = system.result_of(recording)

    assert document["status"] == "failed"
    assert document["results"][0]["error"]["reason"].startswith("MEDIA_")


def test_a_silent_film_is_looked_at_and_never_heard(system: System, tmp_path: Path) -> None:
    document = system.result_of(write_recording(tmp_path / "film.mp4", audio_codec=None))

    assert stage(document, "vision")["state"] == "done"
    assert stage(document, "transcribe")["outcome"] == "NO_AUDIO"
    assert document["results"][0]["kualitas_jawaban"] is None


def test_sound_without_a_picture_is_heard_and_never_looked_at(system: System, tmp_path: Path) -> None:
    recording = copy_without_picture(ROOT / "demo" / "answer-1.mp4", tmp_path / "sound.mp4")

    document = system.result_of(recording)

    assert document["status"] == "completed"
    assert "nightly report" in document["results"][0]["transkripsi_en"]
    assert stage(document, "vision")["outcome"] == "NO_VIDEO"


def test_silence_is_an_empty_transcript_and_no_score(system: System, tmp_path: Path) -> None:
    document = system.result_of(write_recording(tmp_path / "silence.mp4", duration_s=5))

    answer = document["results"][0]
    assert answer["transcript"]["segments"] == []
    assert answer["transcript"]["outcome"] == "NO_SPEECH"
    assert answer["kualitas_jawaban"] is None


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("one_pixel.mkv", {"size_px": (1, 1), "codec": "ffv1", "audio_codec": "pcm_s16le"}),
        ("portrait.mp4", {"size_px": (360, 640)}),
        ("four_k.mp4", {"size_px": (3840, 2160), "duration_s": 1.0}),
        ("no_duration.webm", {"codec": "libvpx", "audio_codec": "libopus", "options": {"live": "1"}}),
        ("variable_rate.mp4", {"frame_times_s": [0, 0.05, 0.4, 0.41, 1.2, 1.25, 1.9]}),
        ("one_frame.mp4", {"frame_times_s": [0.0]}),
        ("hevc.mov", {"codec": "libx265"}),
        ("vp9.webm", {"codec": "libvpx-vp9", "audio_codec": "libopus"}),
        ("av1.mp4", {"codec": "libsvtav1"}),
        ("two_hundred_and_forty_a_second.mp4", {"rate_hz": 240}),
    ],
)
def test_an_odd_picture_gets_a_report(system: System, tmp_path: Path, name: str, how: dict[str, Any]) -> None:
    document = system.result_of(write_recording(tmp_path / name, **how))

    assert stage(document, "vision")["state"] == "done"
    assert stage(document, "transcribe")["state"] == "done"


def test_eleven_minutes_are_looked_at_to_their_end(system: System, tmp_path: Path) -> None:
    recording = write_recording(tmp_path / "long.mp4", duration_s=660, rate_hz=1)

    document = system.result_of(recording)

    answer = document["results"][0]
    assert [o["end_s"] for o in answer["observations"] if o["kind"] == "no_face"][-1] > 655
    assert answer["transcript"]["duration_s"] == pytest.approx(660, abs=1)


def test_another_container_under_a_video_name_is_read_as_what_it_is(system: System, tmp_path: Path) -> None:
    recording = write_recording(tmp_path / "a.mkv").rename(tmp_path / "a.mp4")

    assert stage(system.result_of(recording), "vision")["state"] == "done"


def test_a_name_with_path_tricks_stays_a_name(system: System, tmp_path: Path) -> None:
    content = write_recording(tmp_path / "a.mp4").read_bytes()
    answer = system.http.post(
        "/upload",
        files=[("videos", ("../../../etc/passwd.mp4", content))],
        data={"questions": ["Why?"], "candidate_name": "Test", "language": "en"},
    )

    assert answer.status_code == 200
    session_id = answer.json()["session_id"]
    stored = [name for name in system.left_on_disk() if "media" in name]
    assert stored == [f"store/sessions/{session_id}/media/1.mp4"]
    system.http.post(f"/sessions/{session_id}/cancel")
    _delete_when_possible(system, session_id)


def _delete_when_possible(system: System, session_id: str) -> None:
    deadline_s = time.monotonic() + 30
    while system.http.delete(f"/sessions/{session_id}").status_code not in (200, 204):
        assert time.monotonic() < deadline_s, "the session could not be deleted"
        time.sleep(0.5)


def test_the_same_submission_twice_is_one_session(system: System, tmp_path: Path) -> None:
    content = write_recording(tmp_path / "a.mp4").read_bytes()
    form = {"questions": ["Why?"], "candidate_name": "Test", "language": "en"}
    sent = [
        system.http.post(
            "/upload", files=[("videos", ("a.mp4", content))], data=form, headers={"Idempotency-Key": "k1"}
        )
        for _ in range(2)
    ]

    assert sent[0].json()["session_id"] == sent[1].json()["session_id"]
    _delete_when_possible(system, sent[0].json()["session_id"])
