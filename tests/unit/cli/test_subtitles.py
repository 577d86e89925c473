"""Subtitles: what players read, timed by the words, in lines that fit the screen."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from cli.app import run
from cli.subtitles import MAX_LINE_CHARS, cues_of, to_srt, to_vtt
from tests.fakes.cli import FakeGateway, Screen

SENTENCE = "Last spring our nightly report began to fail, and the sales team had no figures in the morning."


def segment(text: str, start_s: float, end_s: float, **more: Any) -> dict[str, Any]:
    """A segment whose words share its time evenly."""
    parts = text.split()
    step_s = (end_s - start_s) / max(1, len(parts))
    words = [
        {"start_s": start_s + i * step_s, "end_s": start_s + (i + 1) * step_s, "text": part}
        for i, part in enumerate(parts)
    ]
    spoken = {"start_s": start_s, "end_s": end_s, "text": text, "language": "en", "words": words}
    return spoken | {"translations": {}} | more


def transcript(*segments: dict[str, Any]) -> dict[str, Any]:
    return {"language": "en", "segments": list(segments)}


TWO = transcript(
    segment(SENTENCE, 0.8, 6.28, translations={"id": {"text": "Laporan malam kami mulai gagal."}}),
    segment("R&D <b>fixed</b> it. --> Done.", 3600.0, 3601.2),
)


def test_srt_is_what_players_expect() -> None:
    cues = cues_of(
        transcript(segment("I rebuilt the index. It worked.", 1.0, 4.0), segment("Yes.", 5.0, 5.2))
    )

    assert to_srt(cues) == (
        "1\n00:00:01,000 --> 00:00:03,000\nI rebuilt the index.\n\n"
        "2\n00:00:03,000 --> 00:00:04,000\nIt worked.\n\n"
        "3\n00:00:05,000 --> 00:00:06,000\nYes.\n"
    )


def test_vtt_holds_none_of_the_speakers_markup() -> None:
    cues = cues_of(transcript(segment("R&D <b>fixed</b> it --> all.", 3600.0, 3601.25)))

    assert to_vtt(cues) == (
        "WEBVTT\n\n01:00:00.000 --> 01:00:01.250\nR&amp;D &lt;b&gt;fixed&lt;/b&gt; it --&gt; all.\n"
    )


def test_a_long_sentence_is_cut_where_two_lines_are_full_and_keeps_its_times() -> None:
    cues = cues_of(transcript(segment(SENTENCE, 0.8, 6.2)))

    assert [cue.lines for cue in cues] == [
        ("Last spring our nightly report began to", "fail, and the sales team had no figures in"),
        ("the morning.",),
    ]
    assert cues[0].start_s == pytest.approx(0.8)
    assert cues[0].end_s == pytest.approx(cues[1].start_s)
    assert cues[-1].end_s == pytest.approx(cues[-1].start_s + 1.0)  # 0.6 s of words, kept to be read


@pytest.mark.parametrize("text", [SENTENCE * 5, "x" * 500, "那" * 200, "a " * 300, "word " + "y" * 43])
def test_no_line_is_too_long_and_no_word_is_lost(text: str) -> None:
    cues = cues_of(transcript(segment(text, 0.0, 60.0)))

    assert all(len(cue.lines) <= 2 and max(map(len, cue.lines)) <= MAX_LINE_CHARS for cue in cues)
    assert "".join("".join(cue.lines) for cue in cues).replace(" ", "") == text.replace(" ", "")
    assert all(cue.start_s < cue.end_s for cue in cues)
    assert all(a.end_s <= b.start_s for a, b in pairwise(cues))


def test_nothing_stands_on_the_screen_through_a_pause() -> None:
    spoken = segment("Well", 0.0, 0.5)
    spoken["words"].append({"start_s": 4.0, "end_s": 4.5, "text": "yes"})

    assert [(cue.start_s, cue.end_s) for cue in cues_of(transcript(spoken))] == [(0.0, 1.0), (4.0, 5.0)]


def test_slow_speech_is_cut_after_seven_seconds() -> None:
    cues = cues_of(transcript(segment("one two three four", 0.0, 12.0)))

    assert [cue.lines for cue in cues] == [("one two",), ("three four",)]


def test_a_translation_shares_its_segments_time_and_a_missing_one_leaves_a_gap() -> None:
    translated = segment("It broke.", 2.0, 4.0, translations={"id": {"text": "Itu rusak.", "outcome": "OK"}})
    absent = segment("Then?", 5.0, 6.0, translations={"id": {"text": None, "outcome": "SERVICE_UNAVAILABLE"}})

    (cue,) = cues_of(transcript(translated, absent), "id")
    assert (cue.start_s, cue.end_s, cue.lines) == (2.0, 4.0, ("Itu rusak.",))


def test_what_was_said_in_the_wanted_language_needs_no_translation() -> None:
    indonesian = segment("Itu rusak.", 0.0, 1.0, language="id", translations={"en": {"text": "It broke."}})

    cues = cues_of(transcript(indonesian, segment("Then I fixed it.", 2.0, 3.0)), "en")
    assert [cue.lines for cue in cues] == [("It broke.",), ("Then I fixed it.",)]


@pytest.fixture
def screen() -> Screen:
    return Screen(FakeGateway())


def written(folder: Path, document: object) -> str:
    path = folder / "result.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return str(path)


def test_the_command_prints_the_answer_that_was_asked_for(tmp_path: Path, screen: Screen) -> None:
    long = " ".join(["[red]:smile:"] * 3)
    answers = [{"transcript": None}, {"transcript": transcript(segment(long, 0.0, 2.0))}]
    path = written(tmp_path, {"results": answers})

    assert run(["subtitles", path, "--answer", "2", "--format", "vtt"], screen.environment) == 0
    assert screen.out == f"WEBVTT\n\n00:00:00.000 --> 00:00:02.000\n{long}\n"


def test_an_answer_without_words_is_not_said_to_lack_a_language(tmp_path: Path, screen: Screen) -> None:
    path = written(tmp_path, {"results": [{"transcript": None}]})

    assert run(["subtitles", path], screen.environment) == 4
    assert "There are no words of this answer." in screen.err
    assert "--language" not in screen.err


@pytest.mark.parametrize(
    ("document", "arguments", "reason", "exit_code"),
    [
        ({"results": [{"transcript": transcript()}]}, [], "SUBTITLES_EMPTY", 4),
        ({"results": [{"transcript": TWO}]}, ["--language", "fr"], "SUBTITLES_EMPTY", 4),
        ({"results": []}, [], "ANSWER_UNKNOWN", 2),
        ([1, 2], [], "RESULT_INVALID", 2),
        ({"results": [{"transcript": {"segments": [{"words": [{}]}]}}]}, [], "RESULT_INVALID", 2),
    ],
)
def test_what_gives_no_subtitles_says_why(
    tmp_path: Path, screen: Screen, document: object, arguments: list[str], reason: str, exit_code: int
) -> None:
    assert run(["subtitles", written(tmp_path, document), *arguments], screen.environment) == exit_code
    assert f"({reason})" in screen.err
    assert screen.out == ""


def test_a_file_that_is_not_there_is_said(screen: Screen) -> None:
    assert run(["subtitles", "/nowhere/result.json"], screen.environment) == 2
    assert "(FILE_NOT_FOUND)" in screen.err
