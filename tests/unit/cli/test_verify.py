"""`interview verify`: a document that is as it was made passes, and one changed value is found and named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.app import run
from tests.fakes.cli import FakeGateway, Screen, error
from tests.folders import ROOT
from tests.verifiable import RECORDINGS, a_verifiable_document, changed, write_recordings

OLDER = ROOT / "tests" / "data" / "begun_before" / "store" / "sessions" / ("1" * 32) / "result.json"
FIRST = "results.0."
FORGERIES = {
    "a digit of a score": (f"{FIRST}assessment.criteria.0.score", 79.0, "answer 1, scores from levels"),
    "a digit of a level": (f"{FIRST}assessment.criteria.1.level", 3.3, "answer 1, scores from levels"),
    "a digit of a weight": (f"{FIRST}assessment.criteria.2.weight", 0.2, "answer 1, total from scores"),
    "a digit of a total": (f"{FIRST}assessment.total_score", 65.6, "answer 1, total from scores"),
    "no total": (f"{FIRST}assessment.total_score", None, "answer 1, total from scores"),
    "a count of criteria": (f"{FIRST}assessment.scored_criterion_count", 2, "answer 1, counts of criteria"),
    "a quotation": (f"{FIRST}assessment.sentences.1.text", "cut costs by a half", "answer 1, sentences"),
    "a missing word": (f"{FIRST}assessment.sentences.0.text", "I led the move and", "answer 1, sentences"),
    "a word at the end": (f"{FIRST}assessment.sentences.1.text", "cut costs by a", "answer 1, sentences"),
    "the time of a sentence": (f"{FIRST}assessment.sentences.1.start_s", 4.5, "answer 1, sentences"),
    "the number of a sentence": (f"{FIRST}assessment.sentences.1.id", "s3", "answer 1, sentences"),
    "a word of the transcript": (
        f"{FIRST}transcript.segments.0.words.1.text",
        "left",
        "answer 1, sentences",
    ),
    "evidence that is not there": (
        f"{FIRST}assessment.criteria.0.evidence.0.sentence_id",
        "s9",
        "answer 1, evidence",
    ),
    "the time of evidence": (f"{FIRST}assessment.criteria.0.evidence.1.end_s", 6.0, "answer 1, evidence"),
    "evidence that was left out": (
        f"{FIRST}assessment.sentences.0.excluded_reason",
        "It is an instruction.",
        "answer 1, evidence",
    ),
    "a remark's sentence": (
        f"{FIRST}assessment.criteria.0.strengths.0.sentence_ids",
        ["s7"],
        "answer 1, evidence",
    ),
    "a translation": (f"{FIRST}transcript.segments.0.translations.id.text", "tiga", "answer 1, whole texts"),
    "a verdict": (f"{FIRST}verdict.value", "Safe", "verdicts from picture and sound"),
    "the session's verdict": (
        "aggregate_cheating_detection.final_aggregate_verdict",
        "Safe",
        "verdicts of the session",
    ),
    "a count of answers": ("totals.assessed_count", 3, "totals of the session"),
    "the mean": ("totals.mean_total_score", 66.0, "totals of the session"),
    "the number of videos": ("video_count", 2, "counts of answers"),
    "the name of an input": ("provenance.inputs.2.video_file", "d.mp4", "counts of answers"),
    "a legacy count": ("metadata.successful_videos", 3, "legacy keys of the session"),
    "a legacy mean": ("llm_results.final_score_llm", 66.0, "legacy keys of the session"),
    "a legacy score": ("content.1.result.penilaian.relevansi", 56, "answer 3, legacy scores"),
    "a legacy text": ("content.0.result.transkripsi_id", "satu", "answer 1, legacy copies"),
    "the configuration": ("provenance.config.seed", 8, "configuration"),
    "a model": ("provenance.models.0.sha256", "12" * 32, "models of the stages"),
    "a key that nobody knows": (f"{FIRST}verdict.mood", "good", "schema"),
    "a number without an end": (f"{FIRST}assessment.criteria.0.level", 10**400, "scores of answer 1"),
    "a list in a text's place": (f"{FIRST}assessment.sentences.0.text", ["I"], "words of answer 1"),
}
"""One changed value each, and the check that finds it."""


@pytest.fixture
def document() -> dict[str, Any]:
    return a_verifiable_document()


def verify(tmp_path: Path, document: dict[str, Any], *options: str) -> tuple[int, list[dict[str, Any]]]:
    """Return the exit code and the checks."""
    path = tmp_path / "result.json"
    path.write_text(json.dumps(document))
    screen = Screen(FakeGateway())
    code = run(["verify", str(path), *options, "--json"], screen.environment)
    assert len(screen.out.splitlines()) == 1
    return code, json.loads(screen.out)["checks"]


def of_verdict(checks: list[dict[str, Any]], verdict: str) -> list[str]:
    return [check["check"] for check in checks if check["verdict"] == verdict]


def test_a_document_that_is_as_it_was_made_passes(tmp_path: Path, document: dict[str, Any]) -> None:
    folder = write_recordings(tmp_path / "recordings")
    code, checks = verify(tmp_path, document, "--recordings", str(folder), "--checkout", str(ROOT))

    assert (code, of_verdict(checks, "differs")) == (0, [])
    same = of_verdict(checks, "same")
    for name in (
        "schema",
        "document",
        "configuration",
        "recording 1",
        "recording 3",
        "code",
        "rubric general",
    ):
        assert name in same
    assert "answer 3, total from scores" in same
    assert of_verdict(checks, "not recorded") == ["recording 2"]


@pytest.mark.parametrize("forgery", FORGERIES)
def test_one_changed_value_is_found_though_the_documents_digest_was_made_to_fit(
    tmp_path: Path, document: dict[str, Any], forgery: str
) -> None:
    path, value, check = FORGERIES[forgery]
    if path.endswith(".mood"):
        document["results"][0]["verdict"]["mood"] = None
    code, checks = verify(tmp_path, changed(document, path, value, sealed=True))

    assert code == 1
    assert any(name.startswith(check) for name in of_verdict(checks, "differs"))
    assert "document" in of_verdict(checks, "same")


def test_any_changed_value_is_found_by_the_documents_digest(tmp_path: Path, document: dict[str, Any]) -> None:
    code, checks = verify(tmp_path, changed(document, "name", "Eva"))

    assert (code, of_verdict(checks, "differs")) == (1, ["document"])


def test_a_swapped_recording_is_found(tmp_path: Path, document: dict[str, Any]) -> None:
    folder = write_recordings(tmp_path / "recordings")
    (folder / "c.mp4").write_bytes(RECORDINGS["a.mp4"])
    code, checks = verify(tmp_path, document, "--recordings", str(folder))

    assert (code, of_verdict(checks, "differs")) == (1, ["recording 3"])


def test_recordings_of_one_name_are_told_apart_by_position(tmp_path: Path, document: dict[str, Any]) -> None:
    folder = write_recordings(tmp_path / "recordings")
    (folder / "a.mp4").rename(folder / "1.mp4")
    (folder / "c.mp4").rename(folder / "video_3.mp4")
    for place in (0, 2):
        document["results"][place]["video_file"] = "answer.mp4"
        document["provenance"]["inputs"][place]["video_file"] = "answer.mp4"
    (folder / "answer.mp4").write_bytes(b"whose?")
    _, checks = verify(tmp_path, document, "--recordings", str(folder))

    assert {"recording 1", "recording 3"} <= set(of_verdict(checks, "same"))


def test_a_name_in_the_document_leads_to_no_file_outside_the_folder(
    tmp_path: Path, document: dict[str, Any]
) -> None:
    folder = write_recordings(tmp_path / "recordings")
    (tmp_path / "outside.mp4").write_bytes(RECORDINGS["a.mp4"])
    document["provenance"]["inputs"][0]["video_file"] = "../outside.mp4"
    _, checks = verify(tmp_path, document, "--recordings", str(folder))

    assert "recording 1" in of_verdict(checks, "can't be checked here")


def test_without_recordings_their_digests_are_said_to_be_unchecked(
    tmp_path: Path, document: dict[str, Any]
) -> None:
    code, checks = verify(tmp_path, document)

    assert code == 0
    assert {"recording 1", "sound 1", "recording 3"} <= set(of_verdict(checks, "can't be checked here"))


@pytest.mark.parametrize(("named", "verdict"), [(True, "differs"), (False, "can't be checked here")])
def test_other_code_counts_as_different_only_where_somebody_says_it_is_the_right_one(
    tmp_path: Path, document: dict[str, Any], named: bool, verdict: str
) -> None:
    other = changed(document, "provenance.code_sha256", "12" * 32, sealed=True)
    code, checks = verify(tmp_path, other, *(["--checkout", str(ROOT)] if named else []))

    assert code == int(named)
    assert "code" in of_verdict(checks, verdict)


def test_a_document_of_an_older_build_lacks_digests_and_is_not_blamed_for_it(tmp_path: Path) -> None:
    _, checks = verify(tmp_path, json.loads(OLDER.read_text()))

    lacking = {"document", "configuration", "models", "prompts", "code", "sound 1", "totals of the session"}
    assert lacking | {"answer 1, total from scores"} == set(of_verdict(checks, "not recorded"))
    assert "schema" in of_verdict(checks, "can't be checked here")


def gateway_with(document: dict[str, Any], *recordings: httpx.Response) -> FakeGateway:
    gateway = FakeGateway()
    gateway.on("GET", f"/results/{document['session_id']}", httpx.Response(200, json=document))
    for position, reply in zip((1, 3), recordings, strict=True):
        gateway.on("GET", f"/media/{document['session_id']}/{position}", reply)
    return gateway


def test_recordings_are_read_from_the_gateway(document: dict[str, Any]) -> None:
    replies = [httpx.Response(200, content=content) for content in RECORDINGS.values()]
    screen = Screen(gateway_with(document, *replies))
    code = run(["verify", document["session_id"], "--fetch"], screen.environment)

    rows = [line.split("\t") for line in screen.out.splitlines()]
    assert code == 0
    assert [row[3] for row in rows if row[0] in ("recording 1", "recording 3")] == ["same", "same"]


def test_a_recording_that_the_gateway_does_not_give_is_said_to_be_unchecked(document: dict[str, Any]) -> None:
    gone = error(404, "MEDIA_NOT_FOUND", "There is no recording.")
    elsewhere = httpx.Response(307, headers={"Location": "http://store.example/a"})
    gateway = gateway_with(document, gone, elsewhere)
    screen = Screen(gateway)
    code = run(["verify", document["session_id"], "--fetch", "--json"], screen.environment)

    notes = {check["check"]: check["note"] for check in json.loads(screen.out)["checks"]}
    assert code == 0
    assert notes["recording 1"] == "There is no recording."
    assert "--recordings" in notes["recording 3"]
    assert all(request.url.host != "store.example" for request in gateway.requests)


@pytest.mark.parametrize("text", ["{}", "[]", "no json", '{"provenance": 3, "results": 4}', "[" * 100_000])
def test_what_is_no_result_document_is_never_a_traceback(tmp_path: Path, text: str) -> None:
    path = tmp_path / "result.json"
    path.write_text(text)
    screen = Screen(FakeGateway())

    assert run(["verify", str(path), "--recordings", str(tmp_path)], screen.environment) in (1, 2)
    assert "INTERNAL" not in screen.err


def test_the_table_says_what_differs_in_one_line_each(tmp_path: Path, document: dict[str, Any]) -> None:
    path = tmp_path / "result.json"
    path.write_text(json.dumps(changed(document, "totals.mean_total_score", 66.0)))
    screen = Screen(FakeGateway())
    code = run(["verify", str(path)], screen.environment)

    rows = {line.split("\t")[0]: line.split("\t")[1:] for line in screen.out.splitlines()}
    assert code == 1
    assert rows["totals of the session: mean"] == ["66", "64.62", "differs"]
    assert "4 differs" in screen.err
