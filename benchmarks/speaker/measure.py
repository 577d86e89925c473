"""The speaker stage against the design document's loop and Resemblyzer's own partials.

CPU-seconds at 60 and 300 s, and on recordings with truth: voices counted right, false second voices, error
of the turns. Every pool is pinned to one thread: unpinned, small calls spin threads, and the loop looks far
worse than it is.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from benchmarks.resident import flatness, resident_mib
from benchmarks.speaker.baselines import DESIGN, MAX_DURATION_S, ORIGINAL, OURS, Found, Way, ways
from benchmarks.speaker.truth import HARD, ROOT, KnownRecording, diarization_error, known_recordings
from chassis.playback.loading import load_sound
from services.speaker.audio import SAMPLE_RATE_HZ, Samples

LENGTHS_S = (60, 300)
PEAK_LENGTH_S = 600


@dataclass(frozen=True)
class Score:
    """How one way did on the recordings with truth."""

    exact_ratio: float
    false_second_ratio: float
    """Of the recordings in which at most one person speaks."""
    missed_second_ratio: float
    """Of the recordings in which several speak."""
    error_ratio: float | None
    """Mean error of the turns, where somebody wrote them down."""
    wrong: tuple[str, ...]
    """Recordings whose voices are counted wrong."""


def score(way: Way, known: Sequence[KnownRecording]) -> Score:
    """Run a way on every recording with truth."""
    found = [way(recording.path) for recording in known]
    pairs = list(zip(known, found, strict=True))
    single = [one for recording, one in pairs if recording.voice_count <= 1]
    several = [one for recording, one in pairs if recording.voice_count > 1]
    errors = [_error(recording, one) for recording, one in pairs if recording.turns and one.turns]
    wrong = tuple(recording.path.name for recording, one in pairs if one.voice_count != recording.voice_count)
    return Score(
        1 - len(wrong) / len(pairs),
        statistics.fmean(one.second_voice for one in single),
        statistics.fmean(not one.second_voice for one in several),
        statistics.fmean(errors) if errors else None,
        wrong,
    )


def _error(recording: KnownRecording, found: Found) -> float:
    return diarization_error(recording.turns, found.turns, max(turn.end_s for turn in recording.turns) + 1.0)


def conversation(length_s: float, path: Path) -> Path:
    """Write so many seconds of speech: the recordings one after the other, else the demo clips."""
    known = [recording.path for recording in known_recordings() if recording.voice_count > 0]
    clips = known or sorted((ROOT / "demo").glob("answer-*.mp4"))
    samples: list[Samples] = []
    for clip in clips:
        sound = load_sound(clip, MAX_DURATION_S, threading.Event())
        if sound is not None:
            samples.append(sound.samples)
    joined = np.concatenate(samples)
    count = round(length_s * SAMPLE_RATE_HZ)
    soundfile.write(path, np.tile(joined, 1 + count // joined.size)[:count], SAMPLE_RATE_HZ)
    return path


def costs(compared: dict[str, Way], folder: Path, rounds: int) -> dict[str, dict[int, float]]:
    """Return CPU-seconds of each way by length: the least of some rounds, all ways in turn."""
    found: dict[str, dict[int, float]] = {name: {} for name in compared}
    for length_s in LENGTHS_S:
        path = conversation(length_s, folder / f"{length_s}.wav")
        for _ in range(rounds):
            for name, way in compared.items():
                begin_s = time.process_time()
                way(path)
                took_s = time.process_time() - begin_s
                found[name][length_s] = min(took_s, found[name].get(length_s, took_s))
    return found


def peak_mib(path: Path) -> float:
    """Return the peak resident size of a process of its own that does one recording."""
    command = [sys.executable, "-m", "benchmarks.speaker", "--peak-of", str(path)]
    shown = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=True)
    return float(shown.stdout.splitlines()[-1])


def in_a_row(way: Way, paths: Sequence[Path], file_count: int) -> list[float]:
    """Return this process's resident size after each of `file_count` files."""
    sizes_mib = []
    for index in range(file_count):
        way(paths[index % len(paths)])
        sizes_mib.append(resident_mib("VmRSS"))
    return sizes_mib


def show(out: Console, cost: dict[str, dict[int, float]], scores: dict[str, Score]) -> None:
    """Print the table."""
    lengths = [f"CPU s at {length_s} s" for length_s in LENGTHS_S]
    table = Table("way", *lengths, "counted right", "false second voice", "missed", "error of turns")
    for name, by_length in cost.items():
        row = [f"{by_length[length_s]:.2f}" for length_s in LENGTHS_S]
        if (one := scores.get(name)) is not None:
            row += [
                f"{one.exact_ratio:.0%}",
                f"{one.false_second_ratio:.0%}",
                f"{one.missed_second_ratio:.0%}",
            ]
            row += ["–" if one.error_ratio is None else f"{one.error_ratio:.1%}"]
        table.add_row(name, *row)
    out.print(table)
    if OURS in scores:
        out.print(
            f"counted wrong by ours: {', '.join(scores[OURS].wrong) or 'none'} (hard: {', '.join(HARD)})"
        )


def figures(
    cost: dict[str, dict[int, float]], scores: dict[str, Score], known: Sequence[KnownRecording]
) -> dict[str, float]:
    """Return what the line of JSON says of cost and truth."""
    ours = cost[OURS][LENGTHS_S[-1]]
    line: dict[str, float] = {
        "over_seed": cost[DESIGN][LENGTHS_S[-1]] / ours,
        "over_partials": cost[ORIGINAL][LENGTHS_S[-1]] / ours,
        "recordings": len(known),
    }
    for name, suffix in ((OURS, ""), (DESIGN, "_seed"), (ORIGINAL, "_partials")):
        if (one := scores.get(name)) is None:
            continue
        line |= {
            f"count_exact{suffix}": one.exact_ratio,
            f"false_second_voice{suffix}": one.false_second_ratio,
            f"missed_second_voice{suffix}": one.missed_second_ratio,
        }
        if one.error_ratio is not None:
            line[f"der{suffix}"] = one.error_ratio
    return {name: round(value, 4) for name, value in line.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, print the table, print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=20, help="files in a row for the resident size")
    parser.add_argument("--rounds", type=int, default=2, help="rounds of the cost; the least counts")
    parser.add_argument("--peak-of", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    with threadpool_limits(1), tempfile.TemporaryDirectory() as folder:
        compared = ways()
        if options.peak_of is not None:
            compared[OURS](options.peak_of)
            print(resident_mib("VmHWM"))
            return
        out, known = Console(width=120), known_recordings()
        cost = costs(compared, Path(folder), options.rounds)
        scores = {name: score(way, known) for name, way in compared.items()} if known else {}
        show(out, cost, scores)
        paths = [recording.path for recording in known] or [conversation(20, Path(folder) / "20.wav")]
        line = figures(cost, scores, known) | flatness(out, in_a_row(compared[OURS], paths, options.files))
        line["peak_rss_mib"] = round(peak_mib(conversation(PEAK_LENGTH_S, Path(folder) / "peak.wav")), 1)
        print(json.dumps(line))
