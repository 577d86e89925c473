"""Words that were spoken against words that were written down."""

from __future__ import annotations

import threading
from pathlib import Path

import jiwer

from services.transcriber.engine import TranscribeOptions, Transcriber
from services.transcriber.transcript import Transcript
from tests.folders import ROOT

WORDS_ONLY = jiwer.Compose(
    [
        jiwer.ToLowerCase(),
        jiwer.SubstituteRegexes({r"[‘’]": "'", r"[^\w\s']": " ", r"\bmr\b": "mister"}),
        jiwer.RemoveMultipleSpaces(),
        jiwer.Strip(),
        jiwer.ReduceToListOfListOfWords(),
    ]
)


def transcript_of(
    transcriber: Transcriber, recording: Path, options: TranscribeOptions | None = None
) -> Transcript:
    *_, last = transcriber.transcribe(recording, options or TranscribeOptions(), threading.Event())
    assert isinstance(last, Transcript)
    return last


def text_of(transcript: Transcript) -> str:
    return " ".join(segment.text for segment in transcript.segments)


def word_errors(said: str | list[str], written: str | list[str]) -> float:
    return float(jiwer.wer(said, written, reference_transform=WORDS_ONLY, hypothesis_transform=WORDS_ONLY))


DEMO = ROOT / "demo"
