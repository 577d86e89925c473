"""`interview demo` from its start to its result, held against what is true in the clip."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jiwer
import pytest

from cli.demo_command import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]

COMMAND = (sys.executable, "-c", "from cli.app import main; main()", "demo")
MAX_WORD_ERROR_RATE = 0.05
EDGE_TOLERANCE_S = 0.5


def environment_without_keys() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in ("HF_TOKEN", "DEEPL_API_KEY")}


def processes_that_know(folder: Path) -> list[str]:
    """Processes whose environment or command line names the folder: what a demo in it has started."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            told = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in told:
            found.append(process.name)
    return found


@pytest.fixture(scope="module")
def build_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def finished(build_dir: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "--build-dir", str(build_dir)],
        cwd=ROOT,
        env=environment_without_keys(),
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )


@pytest.fixture(scope="module")
def answers(finished: subprocess.CompletedProcess[str], build_dir: Path) -> list[tuple[Any, Any]]:
    """(truth, result) of each answer."""
    assert finished.returncode == 0, finished.stderr
    truth = json.loads((ROOT / "demo" / "truth.json").read_text(encoding="utf-8"))
    document = json.loads((build_dir / "result.json").read_text(encoding="utf-8"))
    return list(zip(truth["answers"], document["results"], strict=True))


def spans(answer: Any, kind: str) -> list[tuple[float, float]]:
    return [(one["start_s"], one["end_s"]) for one in answer["observations"] if one["kind"] == kind]


def words(text: str) -> str:
    return " ".join(re.sub(r"[^\w' ]", " ", text.lower()).split())


def test_it_says_where_the_result_is_and_leaves_nothing_running(
    finished: subprocess.CompletedProcess[str], build_dir: Path
) -> None:
    assert finished.returncode == 0, finished.stderr
    assert f"result: {build_dir / 'result.json'}" in finished.stdout
    assert processes_that_know(build_dir) == []


def test_every_line_that_a_process_writes_is_a_json_object(
    finished: subprocess.CompletedProcess[str], build_dir: Path
) -> None:
    assert finished.returncode == 0, finished.stderr
    logs = {
        path.stem: path.read_text(encoding="utf-8").splitlines() for path in (build_dir / "logs").iterdir()
    }
    assert len(logs) == 7
    for lines in logs.values():
        assert all(isinstance(json.loads(line), dict) for line in lines)
        assert len(lines) < 100


def test_the_transcript_is_what_was_said(answers: list[tuple[Any, Any]]) -> None:
    for truth, answer in answers:
        said = words(" ".join(utterance["text"] for utterance in truth["utterances"]))
        heard = words(" ".join(segment["text"] for segment in answer["transcript"]["segments"]))
        assert jiwer.wer(said, heard) <= MAX_WORD_ERROR_RATE


def test_the_missing_face_is_found_when_it_is_missing_and_only_then(answers: list[tuple[Any, Any]]) -> None:
    for truth, answer in answers:
        gone = [(span["start_s"], span["end_s"]) for span in truth["no_face"]]
        found = spans(answer, "no_face")
        assert len(found) == len(gone)
        for was, seen in zip(gone, found, strict=True):
            assert seen == pytest.approx(was, abs=EDGE_TOLERANCE_S)


def test_the_second_voice_is_found_when_it_speaks_and_only_then(answers: list[tuple[Any, Any]]) -> None:
    for truth, answer in answers:
        spoken = [(span["start_s"], span["end_s"]) for span in truth["second_voice"]]
        found = spans(answer, "second_voice")
        assert bool(found) == bool(spoken)
        for start_s, end_s in found:
            assert any(start_s < until_s and end_s > since_s for since_s, until_s in spoken)


def test_blinks_are_counted(answers: list[tuple[Any, Any]]) -> None:
    for truth, answer in answers:
        counted = answer["measures"]["face"]["blink_count"]["value"]
        assert counted == pytest.approx(len(truth["blinks_s"]), abs=1)


def test_no_second_face_and_no_glance_aside_is_made_up(answers: list[tuple[Any, Any]]) -> None:
    kinds = {one["kind"] for _, answer in answers for one in answer["observations"]}
    assert kinds == {"no_face", "second_voice"}


def test_what_is_not_configured_is_marked_and_not_invented(answers: list[tuple[Any, Any]]) -> None:
    for _, answer in answers:
        assert answer["stages"]["translate"]["outcome"] == "NOT_CONFIGURED"
        assert answer["transkripsi_id"] is None
        assert answer["outcomes"]["transkripsi_id"] == "NOT_CONFIGURED"
        assert answer["kesimpulan_llm"] is None


def test_the_assessment_is_labelled_as_the_baseline_and_cites_sentences(
    answers: list[tuple[Any, Any]],
) -> None:
    for _, answer in answers:
        assert answer["assessment"]["method"] == "baseline"
        for criterion in answer["assessment"]["criteria"]:
            assert bool(criterion["evidence"]) == (criterion["level"] is not None)


def test_the_concrete_answer_ranks_above_the_vague_one(answers: list[tuple[Any, Any]]) -> None:
    scores = {truth["kind"]: answer["assessment"]["total_score"] for truth, answer in answers}
    assert scores["concrete"] > scores["vague"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_nothing_running(tmp_path: Path, number: signal.Signals) -> None:
    demo = subprocess.Popen(
        [*COMMAND, "--build-dir", str(tmp_path)],
        cwd=ROOT,
        env=environment_without_keys(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert demo.stderr is not None
    for line in demo.stderr:
        if line.endswith(": ready\n"):
            break
    demo.send_signal(number)

    assert "Traceback" not in demo.communicate(timeout=60)[1]
    assert demo.returncode == 130
    deadline_s = time.monotonic() + 5
    while processes_that_know(tmp_path) and time.monotonic() < deadline_s:
        time.sleep(0.1)
    assert processes_that_know(tmp_path) == []
