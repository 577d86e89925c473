"""The shipped clip: small enough, and its truth is about these very bytes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import av
import pytest

from cli.demo_command import ROOT, read_submission

CLIP_DIR = ROOT / "demo"
MAX_CLIP_BYTES = 2_000_000


@pytest.fixture
def truth() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((CLIP_DIR / "truth.json").read_text(encoding="utf-8"))
    return document


def test_the_truth_is_about_these_recordings(truth: dict[str, Any]) -> None:
    for answer in truth["answers"]:
        assert hashlib.sha256((CLIP_DIR / answer["file"]).read_bytes()).hexdigest() == answer["sha256"]


def test_what_is_submitted_is_what_the_truth_describes(truth: dict[str, Any]) -> None:
    submission = read_submission(CLIP_DIR)
    assert [path.name for path in submission.recordings] == [answer["file"] for answer in truth["answers"]]
    assert list(submission.questions) == [answer["question"] for answer in truth["answers"]]


def test_the_clip_is_small_and_short(truth: dict[str, Any]) -> None:
    files = [CLIP_DIR / answer["file"] for answer in truth["answers"]]
    assert sum(path.stat().st_size for path in files) < MAX_CLIP_BYTES
    assert 30 <= sum(answer["duration_s"] for answer in truth["answers"]) <= 60


def test_each_recording_has_a_picture_and_a_sound_of_its_stated_length(truth: dict[str, Any]) -> None:
    for answer in truth["answers"]:
        with av.open(str(CLIP_DIR / answer["file"])) as container:
            assert container.streams.video[0].codec_context.name == "h264"
            assert container.streams.audio[0].codec_context.name == "aac"
            assert float(container.duration or 0) / av.time_base == pytest.approx(
                answer["duration_s"], abs=0.1
            )


def test_every_stage_has_something_true_to_find(truth: dict[str, Any]) -> None:
    concrete, vague = truth["answers"]
    assert (concrete["kind"], vague["kind"]) == ("concrete", "vague")
    assert any(span["end_s"] - span["start_s"] >= 2.5 for span in concrete["no_face"])
    assert all(4 <= span["end_s"] - span["start_s"] <= 6 for span in vague["second_voice"])
    assert (concrete["voice_count"], vague["voice_count"]) == (1, 2)


def test_every_ingredient_has_its_licence(truth: dict[str, Any]) -> None:
    assert all(one["source"] and one["licence"] for one in truth["ingredients"])


def test_no_path_of_the_machine_that_made_it_is_in_the_files() -> None:
    for path in CLIP_DIR.glob("*.mp4"):
        assert str(Path.home()).encode() not in path.read_bytes()
