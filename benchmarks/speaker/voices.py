"""Speech of five different people out of the recordings, and how it is put together."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np

from benchmarks.speaker.baselines import MAX_DURATION_S
from benchmarks.speaker.rooms import Change
from benchmarks.speaker.truth import TrueTurn, true_turns
from chassis.playback.loading import load_sound
from services.speaker.audio import SAMPLE_RATE_HZ, Samples

LEVEL = 10 ** (-26 / 20)
"""Every voice is brought to -26 dBFS before voices are put together."""
FLOOR = 10 ** (-55 / 20)
PAUSE_S = 0.6
ANSWER_S = 15.0
PEOPLE = {
    "single_female.flac": "A",
    "single_male.flac": "A",
    "two_late_short_same_sex.flac": "A",
    "single_room_change.flac": "A",
}
"""Recordings with enough of one person's clean speech, and who that is there; four different people."""
READER = "librivox"
"""And a fifth: one reader of several files without turns."""
ROOM_CHANGE_S = 15.5
"""Where the other room begins in `single_room_change.flac`."""


def voices(media: Path) -> dict[str, Samples]:
    """Return speech of five different people, each at the same level, without long pauses."""
    audio = media / "audio"
    found = {name: _of_one(audio / name, who) for name, who in PEOPLE.items()}
    reader = [samples_of(path) for path in sorted((audio / READER).glob("*.flac"))]
    found[READER] = _levelled(np.concatenate(reader))
    return found


def samples_of(path: Path) -> Samples:
    """Decode a recording's sound."""
    sound = load_sound(path, MAX_DURATION_S, threading.Event())
    if sound is None:
        raise ValueError(f"{path.name} has no sound")
    return sound.samples


def cut(samples: Samples, start_s: float, end_s: float) -> Samples:
    """Return a stretch."""
    return samples[round(start_s * SAMPLE_RATE_HZ) : round(end_s * SAMPLE_RATE_HZ)]


def pause() -> Samples:
    """Return the silence between two speakers."""
    return np.zeros(round(PAUSE_S * SAMPLE_RATE_HZ), np.float32)


def on_one_floor(samples: Samples) -> Samples:
    """Add the noise of one quiet room, so that no border shows where recordings were put together."""
    floor = np.random.default_rng(0).standard_normal(len(samples)) * FLOOR
    return np.asarray(samples + floor, np.float32)


def interrupted(answer: Samples, other: Samples) -> Samples:
    """Put another voice into the middle of an answer, on one noise floor."""
    first = cut(answer, 0.0, ANSWER_S)
    half = len(first) // 2
    return on_one_floor(np.concatenate([first[:half], pause(), other, pause(), first[half:]]))


def moved(before: Samples, after: Samples, change: Change, rng: np.random.Generator) -> Samples:
    """Let half of an answer come from one place, and half, by the same or another person, from elsewhere."""
    first, second = on_one_floor(before), on_one_floor(after)
    return np.concatenate([first[: len(first) // 2], change(second[len(second) // 2 :], rng)])


def _levelled(samples: Samples) -> Samples:
    return np.asarray(samples * (LEVEL / np.sqrt(np.mean(np.square(samples, dtype=np.float64)))), np.float32)


def _of_one(path: Path, who: str) -> Samples:
    samples = samples_of(path)
    turns = [turn for turn in true_turns(path) if turn.name == who and not _in_other_room(path, turn)]
    parts = [_levelled(cut(samples, turn.start_s, turn.end_s)) for turn in turns]
    return np.concatenate([piece for part in parts for piece in (part, pause())])


def _in_other_room(path: Path, turn: TrueTurn) -> bool:
    return path.name == "single_room_change.flac" and turn.end_s > ROOM_CHANGE_S
