"""Hostile recordings in the extraction's child: they end as an answer, in bounds, and reach nothing else."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests import decoding_child
from tests.decoding_child import Surroundings, decode_all, watched
from tests.fakes.recording import make_recording
from tests.folders import ROOT
from tests.hostile_recordings import (
    bombs,
    growing_picture,
    malformed,
    mutated,
    playlists,
    polyglots,
    write_all,
)

CLIP = ROOT / "demo" / "answer-1.mp4"
MUTATION_COUNT = int(os.environ.get("INTERVIEW_HOSTILE_FILES", "100"))
"""Set it to look longer. Then every run makes other files."""
SEED = os.environ.get("INTERVIEW_HOSTILE_SEED", "")
CHILD_BYTES = 400 << 20
"""What the child takes with its libraries and an ordinary recording is about 150 MB."""
LEFT_BY_THE_TEST = ["files", "secret.mp4", "sound.wav"]
BOMB_REASONS = ("MEDIA_TOO_COMPLEX", "MEDIA_TOO_LONG", "MEDIA_UNDECODABLE")


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make_recording(tmp_path_factory.mktemp("video") / "a.mp4", seconds=1.0).read_bytes()


def decoded(files: Mapping[str, Path], folder: Path, **changes: Any) -> dict[str, dict[str, Any]]:
    answers = decode_all(list(files.values()), folder, **changes)
    assert len(answers) == len(files), f"the child died of {list(files)[len(answers)]}"
    return dict(zip(files, answers, strict=True))


def reasons(answers: Mapping[str, dict[str, Any]]) -> dict[str, str]:
    return {name: answer.get("error", "") for name, answer in answers.items()}


def assert_untouched(surroundings: Surroundings) -> None:
    assert not surroundings.was_opened()
    assert not surroundings.was_connected()


def test_the_watch_sees_who_opens_and_who_connects(tmp_path: Path, video: bytes) -> None:
    with watched(tmp_path, video) as surroundings:
        assert_untouched(surroundings)
        surroundings.secret.read_bytes()
        socket.create_connection(surroundings.listener.getsockname()).close()

        assert surroundings.was_opened()
        assert surroundings.was_connected()
        assert_untouched(surroundings)


@pytest.mark.parametrize("suffix", [".mp4", ""])
def test_files_that_ask_for_another_one_get_neither_file_nor_address(
    tmp_path: Path, video: bytes, suffix: str
) -> None:
    with watched(tmp_path, video) as surroundings:
        contents = playlists(str(surroundings.secret), surroundings.address)
        files = write_all(tmp_path / "files", contents, suffix)
        if not suffix:  # A name that the reader would know its format by.
            files |= {
                f"named_{name}": path.rename(path.with_suffix(ending))
                for name, ending in (("hls_file", ".m3u8"), ("concat", ".ffconcat"), ("dash", ".mpd"))
                if (path := files.pop(name))
            }
        found = reasons(decoded(files, tmp_path))

        assert_untouched(surroundings)
    assert set(found.values()) == {"MEDIA_UNDECODABLE"}, found


def test_files_that_are_two_things_are_recordings_or_nothing(tmp_path: Path, video: bytes) -> None:
    with watched(tmp_path, video) as surroundings:
        files = write_all(
            tmp_path / "files", polyglots(video, str(surroundings.secret), surroundings.address)
        )
        found = reasons(decoded(files, tmp_path))

        assert_untouched(surroundings)
    assert set(found.values()) <= {"", "MEDIA_UNDECODABLE"}, found
    assert found["playlist_in_box"] == found["playlist_after_mp4"] == found["zip_after_mp4"] == ""


def test_files_that_claim_what_they_do_not_have_cost_next_to_nothing(tmp_path: Path) -> None:
    answers = decoded(write_all(tmp_path / "files", bombs()), tmp_path)
    found = reasons(answers)

    assert {name: reason for name, reason in found.items() if reason not in BOMB_REASONS} == {}
    assert {found[name] for name in ("fragments", "many_samples", "tracks", "boxes", "edits")} == {
        "MEDIA_TOO_COMPLEX"
    }
    assert max(answer["peak_bytes"] for answer in answers.values()) < CHILD_BYTES


def test_a_picture_that_is_larger_than_its_file_says_is_not_decoded(tmp_path: Path) -> None:
    files = {"grown": growing_picture(tmp_path / "grown.avi", claimed=(64, 48), real=(4_000, 3_000))}
    found = decoded(files, tmp_path)["grown"]
    allowed = decoded(files, tmp_path, max_pixel_count=20_000_000)["grown"]

    assert found["error"] == "MEDIA_TOO_COMPLEX"
    assert found["peak_bytes"] < CHILD_BYTES
    assert (allowed["picture"]["width_px"], allowed["picture"]["height_px"]) == (4_000, 3_000)


@pytest.mark.timeout(1_800)
def test_wrong_sizes_and_changed_bytes_end_as_an_answer(tmp_path: Path, video: bytes) -> None:
    contents = malformed(video)
    seed = int(SEED) if SEED else 11
    originals = {
        "own": video,
        "clip": CLIP.read_bytes(),
        "avi": make_recording(tmp_path / "a.avi", seconds=1.0, codecs=("mpeg4", "pcm_s16le")).read_bytes(),
        "webm": make_recording(tmp_path / "a.webm", seconds=1.0, codecs=("libvpx", "libopus")).read_bytes(),
    }
    for name, original in originals.items():
        copies = mutated(original, MUTATION_COUNT // len(originals), seed)
        contents |= {f"{name}_{number}": copy for number, copy in enumerate(copies)}
    with watched(tmp_path, video) as surroundings:
        answers = decoded(write_all(tmp_path / "files", contents), tmp_path)

        assert_untouched(surroundings)
    known = {"", *BOMB_REASONS, "MEDIA_TOO_SHORT"}
    assert set(reasons(answers).values()) <= known
    assert max(answer["peak_bytes"] for answer in answers.values()) < decoding_child.MEMORY_BYTES / 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.avi", "a.webm", *LEFT_BY_THE_TEST]
