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
    "single_female.flac",
    "two_late_short_same_sex.flac",
    "single_room_change.flac",
    "single_noise10.flac",
    "three_voices.flac",
    "two_late_quiet_diff_sex.flac",
    "two_real_katie_steve.flac",
    "three_real_falcon.flac",
    "two_real_ami.flac",
    "single_male.flac",
)
"""Recordings whose words nobody wrote down; they count for cost and differences."""
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
    said: dict[str, str] = json.loads((read / "transcripts.json").read_text(encoding="utf-8"))
    clips += [Clip(read / name, text) for name, text in said.items()]
    return [*clips, Clip(audio / "jfk.flac", JFK), *(Clip(audio / name, None) for name in WITHOUT_TRUTH)]


def word_errors(said: Sequence[str], written: Sequence[str]) -> float:
    """Return the share of words that differ."""
    return float(
        jiwer.wer(list(said), list(written), reference_transform=WORDS_ONLY, hypothesis_transform=WORDS_ONLY)
    )
