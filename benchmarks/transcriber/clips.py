"""Speech to transcribe, the truth about some of it, and how words are compared."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jiwer

ROOT = Path(__file__).resolve().parents[2]
WITHOUT_TRUTH = (
    "single_noise10.flac",
    "two_real_katie_steve.flac",
    "three_real_falcon.flac",
    "two_real_ami.flac",
)
"""Recordings whose words nobody wrote down; they count for cost and differences."""
FROM_BOOKS = Path(__file__).with_name("read_from_books.json")
"""What is read in some recordings: texts of old books, put together by hand and by ear."""
JFK = (
    "And so my fellow Americans ask not what your country can do for you, "
    "ask what you can do for your country."
)
WORDS_ONLY = jiwer.Compose(
    [
        jiwer.ToLowerCase(),
        jiwer.SubstituteRegexes({r"[‘’]": "'", r"[^\w\s']": " ", r"\bmr\b": "mister"}),
        jiwer.RemoveMultipleSpaces(),
        jiwer.Strip(),
        jiwer.ReduceToListOfListOfWords(),
    ]
)


@dataclass(frozen=True)
class Clip:
    """One recording; `said` is None where nobody wrote down what is said."""

    path: Path
    said: str | None
    language_code: str = "en"


def speech() -> list[Clip]:
    """Return the demo clips, and the recordings where there are some."""
    demo = json.loads((ROOT / "demo" / "truth.json").read_text(encoding="utf-8"))
    clips = [
        Clip(ROOT / "demo" / a["file"], " ".join(u["text"] for u in a["utterances"])) for a in demo["answers"]
    ]
    media = Path(os.environ.get("INTERVIEW_RECORDINGS_DIR", str(ROOT.parent / "shared" / "media")))
    if not (media / "MANIFEST.md").exists():
        return clips
    audio, read = media / "audio", media / "audio" / "librivox"
    clips += [Clip(read / name, text) for name, text in _texts(read / "transcripts.json").items()]
    clips += [Clip(audio / name, text) for name, text in _texts(FROM_BOOKS).items()]
    clips += [Clip(audio / "jfk.flac", JFK), *(Clip(audio / name, None) for name in WITHOUT_TRUTH)]
    return [*clips, *_indonesian(audio / "indonesian")]


def _texts(path: Path) -> dict[str, str]:
    texts: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return texts


def _indonesian(folder: Path) -> list[Clip]:
    if not (folder / "manifest.json").exists():
        return []
    entries = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return [Clip(folder / entry["file"], entry["transcript"], "id") for entry in entries]


def word_errors(said: Sequence[str], written: Sequence[str]) -> float:
    """Return the share of words that differ."""
    return float(
        jiwer.wer(list(said), list(written), reference_transform=WORDS_ONLY, hypothesis_transform=WORDS_ONLY)
    )
