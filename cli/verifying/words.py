"""Every sentence that a judgement cites is in the transcript, word for word, at its time and number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from cli.verifying.checks import Check, Checks, Json, Pair, Verdict, compared

LANGUAGES = ("en", "id")
"""Of the two whole texts of an answer."""


@dataclass(frozen=True)
class _Said:
    """A character that was said, and when its word was."""

    char: str
    word: str
    place: int
    start_s: float
    end_s: float


def check_words(answer: Json) -> Checks:
    """Check the sentences, the evidence and the whole texts of an answer that could be read."""
    name = f"answer {answer['position']}"
    yield from compared(f"{name}, sentences in the transcript", _sentences(answer))
    yield from compared(f"{name}, evidence", _evidence(answer["assessment"]))
    yield from compared(f"{name}, whole texts", _texts(answer))
    if answer["assessment"]["method"] is None:
        note = "The answer has no assessment."
        yield Check(f"{name}, evidence", Verdict.NOT_RECORDED, note=note)


def _sentences(answer: Json) -> Iterator[Pair]:
    """Compare the sentences with what was said. They hold all of it in order, but for doubtful segments."""
    said = list(_said(answer["transcript"]["segments"]))
    stream = "".join(one.char for one in said)
    place, astray = 0, False
    sentences = answer["assessment"]["sentences"]
    for number, sentence in enumerate(sentences, start=1):
        yield Pair(f"number of sentence {number}", sentence["id"], f"s{number}")
        text = "".join(sentence["text"].split())
        if astray and not stream.startswith(text, place):
            place = max(place, stream.find(text, place))
        part = said[place : place + len(text)]
        astray = not stream.startswith(text, place)
        if astray:
            yield Pair(sentence["id"], sentence["text"], _spoken(part))
        else:
            yield Pair(f"start of {sentence['id']}", sentence["start_s"], min(one.start_s for one in part))
            yield Pair(f"end of {sentence['id']}", sentence["end_s"], max(one.end_s for one in part))
        place += len(text)
    if sentences and not astray:
        yield Pair("words after the last sentence", "", _spoken(said[place:]))


def _said(segments: list[Json]) -> Iterator[_Said]:
    place = 0
    for segment in segments:
        if segment["flags"] or not segment["text"]:
            continue
        worded = any(word["text"].strip() for word in segment["words"])
        for word in segment["words"] if worded else [segment]:
            for char in "".join(word["text"].split()):
                yield _Said(char, word["text"].strip(), place, word["start_s"], word["end_s"])
            place += 1


def _spoken(part: list[_Said]) -> str:
    return " ".join({one.place: one.word for one in part}.values())


def _evidence(assessment: Json) -> Iterator[Pair]:
    sentences = {sentence["id"]: sentence for sentence in assessment["sentences"]}
    for criterion in assessment["criteria"]:
        for one in criterion["evidence"]:
            identifier = one["sentence_id"]
            label = f"{criterion['id']}, {identifier}"
            sentence = sentences.get(identifier)
            if sentence is None:
                yield Pair(f"{label} exists", identifier, None)
                continue
            times = [sentence["start_s"], sentence["end_s"]]
            yield Pair(f"times of {label}", [one["start_s"], one["end_s"]], times)
            yield Pair(f"{label} was judged", None, sentence["excluded_reason"])
        remarks = chain(criterion["strengths"], criterion["gaps"])
        cited = {identifier for remark in remarks for identifier in remark["sentence_ids"]}
        yield Pair(
            f"sentences of {criterion['id']}'s remarks", sorted(cited), sorted(cited & sentences.keys())
        )


def _texts(answer: Json) -> Iterator[Pair]:
    segments = answer["transcript"]["segments"]
    for language in LANGUAGES:
        parts = [_text_in(segment, language) for segment in segments]
        whole = " ".join(part for part in parts if part) if segments and None not in parts else None
        yield Pair(f"transkripsi_{language}", answer[f"transkripsi_{language}"], whole)


def _text_in(segment: Json, language: str) -> str | None:
    spoken = (segment["language"] or "").lower().partition("-")[0]
    if spoken == language or not segment["text"]:
        return str(segment["text"])
    for code, translation in segment["translations"].items():
        if code.lower().partition("-")[0] == language:
            return None if translation["text"] is None else str(translation["text"])
    return None
