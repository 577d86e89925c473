"""Recordings whose voices are known, and how far turns are from the truth."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from services.speaker.turns import Turn

ROOT = Path(__file__).resolve().parents[2]
VOICE_COUNTS = {"jfk.flac": 1}
"""What the manifest leaves out."""
HARD = frozenset({"two_real_ami.flac"})
"""A real meeting whose two voices are too much alike."""
SCORE_FRAME_S = 0.01
COLLAR_S = 0.25
"""Left out on both sides of each true border, as is the custom (NIST)."""


@dataclass(frozen=True)
class TrueTurn:
    """A stretch in which somebody of a name speaks; seconds, half-open."""

    start_s: float
    end_s: float
    name: str


@dataclass(frozen=True)
class KnownRecording:
    """A recording with its truth."""

    path: Path
    voice_count: int

    @property
    def turns(self) -> list[TrueTurn]:
        """Who speaks when; empty where nobody wrote it down."""
        return true_turns(self.path) if self.path.with_suffix(".rttm").exists() else []


def known_recordings() -> list[KnownRecording]:
    """Return the recordings of `INTERVIEW_RECORDINGS_DIR` (else of the folder beside the checkout).

    Returns:
        In the manifest's order; none where they are missing.
    """
    media = Path(os.environ.get("INTERVIEW_RECORDINGS_DIR", str(ROOT.parent / "shared" / "media")))
    manifest = media / "audio" / "manifest.json"
    if not manifest.exists():
        return []
    counts = {entry["file"]: int(entry["speakers"]) for entry in json.loads(manifest.read_text("utf-8"))}
    return [KnownRecording(media / "audio" / name, count) for name, count in (counts | VOICE_COUNTS).items()]


def true_turns(recording: Path) -> list[TrueTurn]:
    """Read the turns beside a recording (`.rttm`)."""
    rows = [line.split() for line in recording.with_suffix(".rttm").read_text(encoding="utf-8").splitlines()]
    return [TrueTurn(float(r[3]), float(r[3]) + float(r[4]), r[7]) for r in rows if r and r[0] == "SPEAKER"]


def diarization_error(truth: Sequence[TrueTurn], turns: Sequence[Turn], duration_s: float) -> float:
    """Return (missed + false alarm + confusion) ÷ speech, with the best assignment of voices to names."""
    times_s = (np.arange(int(duration_s / SCORE_FRAME_S)) + 0.5) * SCORE_FRAME_S
    names = sorted({turn.name for turn in truth})
    said = np.array([_active(times_s, [(t.start_s, t.end_s) for t in truth if t.name == n]) for n in names])
    voices = range(max((turn.voice for turn in turns), default=0) + 1)
    found = np.array(
        [_active(times_s, [(t.start_s, t.end_s) for t in turns if t.voice == v]) for v in voices]
    )
    borders_s = np.array([border for turn in truth for border in (turn.start_s, turn.end_s)])
    scored = np.abs(times_s[:, None] - borders_s[None]).min(axis=1) > COLLAR_S
    said, found = said[:, scored], found[:, scored]
    both = said.astype(int) @ found.T.astype(int)
    rows, columns = linear_sum_assignment(-both)
    wrong = np.maximum(said.sum(0), found.sum(0)).sum() - both[rows, columns].sum()
    return float(wrong / said.sum())


def _active(times_s: NDArray[np.floating], spans: Sequence[tuple[float, float]]) -> NDArray[np.bool_]:
    active = np.zeros(len(times_s), bool)
    for start_s, end_s in spans:
        active |= (times_s >= start_s) & (times_s < end_s)
    return active
