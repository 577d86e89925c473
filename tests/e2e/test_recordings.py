"""The real recordings through all seven processes, against what their manifest says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jiwer
import pytest

from tests.e2e.system import System
from tests.recordings_made import copy_without_picture

pytestmark = [pytest.mark.e2e, pytest.mark.recordings, pytest.mark.timeout(1800)]

ANSWERS_A_SESSION = 5
HARD_FOR_COUNTING = {"two_real_ami.flac"}
"""Marked hard in the manifest: far-field talk whose voices merge."""
JFK = (
    "And so my fellow Americans ask not what your country can do for you ask what you can do for your country"
)
MAX_WORD_ERROR_RATE = 0.08
EDGE_TOLERANCE_S = 0.5


def answers_to(system: System, files: list[Path], folder: Path) -> dict[str, Any]:
    """Take files through the system, five a session; sound files travel in a video container."""
    as_videos = {
        file: copy_without_picture(file, folder / f"{file.stem}.mkv") if file.suffix == ".flac" else file
        for file in files
    }
    answers: dict[str, Any] = {}
    for begin in range(0, len(files), ANSWERS_A_SESSION):
        some = files[begin : begin + ANSWERS_A_SESSION]
        document = system.result_of(*(as_videos[file] for file in some))
        answers |= {file.name: answer for file, answer in zip(some, document["results"], strict=True)}
    return answers


@pytest.fixture(scope="module")
def heard(recordings: Path, system: System, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    files = sorted((recordings / "audio").glob("*.flac"))
    return answers_to(system, files, tmp_path_factory.mktemp("sound"))


@pytest.fixture(scope="module")
def seen(recordings: Path, system: System, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    files = [*(recordings / "interview").glob("*.*"), *(recordings / "video").glob("*.m??")]
    return answers_to(system, sorted(files), tmp_path_factory.mktemp("pictures"))


def spans(answer: Any, kind: str) -> list[tuple[float, float]]:
    return [(one["start_s"], one["end_s"]) for one in answer["observations"] if one["kind"] == kind]


def words(text: str) -> str:
    return " ".join(re.sub(r"[^\w' ]", " ", text.lower().replace("mr.", "mister")).split())


def least_wer_from_any_word_on(said: str, written: str) -> float:
    """Return the word error rate of what is written from the word on where it fits best.

    A search for the first words would find no beginning where one of them is the error.
    """
    each = written.split()
    return min(jiwer.wer(said, " ".join(each[begin:])) for begin in range(len(each)))


def test_voices_are_counted_as_the_manifest_counts_them(heard: dict[str, Any], recordings: Path) -> None:
    manifest = json.loads((recordings / "audio" / "manifest.json").read_text(encoding="utf-8"))
    truth = {entry["file"]: entry["speakers"] for entry in manifest if entry["file"] not in HARD_FOR_COUNTING}

    counted = {name: heard[name]["cheating_detection"]["audio"]["num_speakers"] for name in truth}

    assert counted == truth


def test_no_second_voice_is_reported_where_one_person_speaks(heard: dict[str, Any], recordings: Path) -> None:
    manifest = json.loads((recordings / "audio" / "manifest.json").read_text(encoding="utf-8"))
    single = [entry["file"] for entry in manifest if entry["speakers"] <= 1]

    assert {name: spans(heard[name], "second_voice") for name in single} == {name: [] for name in single}


@pytest.mark.parametrize("name", ["noise_only.flac", "silence.flac"])
def test_where_nobody_speaks_nothing_is_written_and_nothing_scored(heard: dict[str, Any], name: str) -> None:
    answer = heard[name]

    assert answer["transcript"]["segments"] == []
    assert answer["transcript"]["outcome"] == "NO_SPEECH"
    assert answer["kualitas_jawaban"] is None


def test_what_was_said_is_written_down(heard: dict[str, Any], recordings: Path) -> None:
    assert jiwer.wer(words(JFK), words(heard["jfk.flac"]["transkripsi_en"])) == 0.0

    manifest = json.loads((recordings / "audio" / "manifest.json").read_text(encoding="utf-8"))
    (entry,) = [entry for entry in manifest if entry["file"] == "single_male.flac"]
    # The recording holds other prompts before these four; the manifest's first two are not in it.
    said = words(entry["transcript"][entry["transcript"].index("The Norsemen") :])
    written = words(heard["single_male.flac"]["transkripsi_en"])
    assert least_wer_from_any_word_on(said, written) <= MAX_WORD_ERROR_RATE


def test_librivox_sentences_are_written_down(
    recordings: Path, system: System, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = recordings / "audio" / "librivox"
    truth = json.loads((folder / "transcripts.json").read_text(encoding="utf-8"))
    answers = answers_to(system, sorted(folder.glob("*.flac")), tmp_path_factory.mktemp("librivox"))

    said = [words(truth[name]) for name in sorted(truth)]
    written = [words(answers[name]["transkripsi_en"]) for name in sorted(truth)]

    assert jiwer.wer(said, written) <= MAX_WORD_ERROR_RATE


@pytest.mark.parametrize("name", ["synth.mp4", "one_voice.mp4", "second_voice.webm"])
def test_absence_and_a_second_face_are_seen_when_they_are_there(seen: dict[str, Any], name: str) -> None:
    ((gone_s, back_s),) = spans(seen[name], "no_face")
    assert gone_s == pytest.approx(4, abs=EDGE_TOLERANCE_S)
    assert back_s == pytest.approx(7, abs=EDGE_TOLERANCE_S)

    ((two_s, one_s),) = spans(seen[name], "second_face")
    assert two_s == pytest.approx(7, abs=1.0)  # the faces are counted once a second
    assert one_s == pytest.approx(10, abs=1.0)


def test_the_second_voice_of_an_interview_is_heard_and_the_single_one_stays_single(
    seen: dict[str, Any],
) -> None:
    assert spans(seen["one_voice.mp4"], "second_voice") == []
    ((begin_s, end_s), *_) = spans(seen["second_voice.webm"], "second_voice")
    assert begin_s == pytest.approx(25.4, abs=1.0)
    assert end_s == pytest.approx(29.9, abs=1.0)


def test_two_people_in_the_picture_are_seen_all_the_time(seen: dict[str, Any]) -> None:
    together_s = sum(
        end_s - begin_s for begin_s, end_s in spans(seen["intel_female-and-male.mp4"], "second_face")
    )
    assert together_s > 3.5
    assert spans(seen["intel_female.mp4"], "second_face") == []


def test_a_drawn_face_is_no_face(seen: dict[str, Any]) -> None:
    ((gone_s, _),) = spans(seen["pyfeat_face_noface.mov"], "no_face")
    assert gone_s == pytest.approx(2.4, abs=EDGE_TOLERANCE_S)
