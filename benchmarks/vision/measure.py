"""The vision stage against the original code's way and the design document's, on one clip in one run.

CPU-seconds and wall seconds of each, what each of them looked at and found, the floor (decoding alone,
inference alone), the curve of cost and observations over how often is looked, and the resident size.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from rich.console import Console
from rich.table import Table

from benchmarks.resident import flatness, resident_mib
from benchmarks.vision.baselines import Seen, decode_alone, decoded, design, inferred, original, ours
from benchmarks.vision.clip import ROOT, Clip, make_clip
from benchmarks.vision.sampling import curve
from chassis.decoding.decoder_here import DecoderHere
from services.vision.frames import FUNCTION, picture_decoder
from services.vision.mediapipe_models import keep_metrics_here

T = TypeVar("T")

FLOOR_ROUNDS = 3
"""Ours and its floor are run so often in turn; the round with the middle ratio counts."""


@dataclass(frozen=True)
class Timed(Generic[T]):
    """What something gave, and what it took."""

    value: T
    cpu_s: float
    wall_s: float


def timed(work: Callable[[], T]) -> Timed[T]:
    """Run something; the CPU-seconds are of all threads of this process, and of its children that ended."""
    cpu_s, wall_s = _cpu_s(), time.perf_counter()
    value = work()
    return Timed(value, _cpu_s() - cpu_s, time.perf_counter() - wall_s)


def _cpu_s() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def child_ratios(clip: Clip) -> dict[str, float]:
    """Compare the stage that decodes in a child process with one that decodes in its own.

    The child waits for the recording, as the service's does. It costs the CPU time of a start.
    """
    child = picture_decoder(keeps_spare=True)
    ratios = []
    try:
        for _ in range(FLOOR_ROUNDS):
            here = timed(lambda: ours(clip.path, decoder=DecoderHere(FUNCTION)))
            apart = timed(lambda: ours(clip.path, decoder=child))
            ratios.append((apart.cpu_s / here.cpu_s, apart.wall_s / here.wall_s))
    finally:
        child.close()
    cpu_ratios, wall_ratios = zip(*ratios, strict=True)
    middle = FLOOR_ROUNDS // 2
    return {"child_cpu_ratio": sorted(cpu_ratios)[middle], "child_wall_ratio": sorted(wall_ratios)[middle]}


def alone(arguments: Sequence[str]) -> list[float]:
    """Run this benchmark's own process for one purpose, and return the numbers of its last line."""
    command = [sys.executable, "-m", "benchmarks.vision", *arguments]
    environment = os.environ | {"MALLOC_ARENA_MAX": "2"}  # as the image sets it
    shown = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return [float(number) for number in json.loads(shown.stdout.splitlines()[-1])]


def _round(clip: Clip) -> tuple[Timed[Seen], Timed[int], Timed[None]]:
    """Run ours, decoding alone, and inference alone on the frames that ours looked at."""
    mine = timed(lambda: ours(clip.path)[0])
    reading = timed(lambda: decode_alone(clip.path))
    frames = decoded(clip.path)
    return mine, reading, timed(lambda: inferred(frames, mine.value.looked_ms))


def _floor_ratio(one: tuple[Timed[Seen], Timed[int], Timed[None]]) -> float:
    mine, reading, looked = one
    return mine.cpu_s / (reading.cpu_s + looked.cpu_s)


def compare(out: Console, clip: Clip) -> dict[str, float]:
    """Run every way on the clip, print the table, and return the ratios."""
    rounds = [_round(clip) for _ in range(FLOOR_ROUNDS)]
    mine, reading, looked = sorted(rounds, key=_floor_ratio)[FLOOR_ROUNDS // 2]
    frames = decoded(clip.path)
    every = timed(lambda: inferred(frames))
    theirs = timed(lambda: original(clip.path))
    seed = timed(lambda: design(clip.path))
    table = Table("way", "CPU s", "wall s", "frames", "seconds covered", "no face, s", "looking away")
    rows: dict[str, Timed[Seen]] = {"ours": mine, "original code": theirs, "design document": seed}
    for name, row in rows.items():
        seen = row.value
        gone = "not said" if seen.no_face_s is None else f"{seen.no_face_s:.1f}"
        table.add_row(
            name,
            f"{row.cpu_s:.1f}",
            f"{row.wall_s:.1f}",
            str(seen.frame_count),
            f"{seen.covered_s:.0f}",
            gone,
            str(seen.away_count),
        )
    sampled = len(frames)
    for name, cpu_s, wall_s, count in (
        ("decoding alone", reading.cpu_s, reading.wall_s, sampled),
        ("inference alone, where ours looks", looked.cpu_s, looked.wall_s, mine.value.frame_count),
        ("inference alone, every sample", every.cpu_s, every.wall_s, sampled),
    ):
        table.add_row(name, f"{cpu_s:.1f}", f"{wall_s:.1f}", str(count), "", "", "")
    out.print(table)
    return {
        "over_original": theirs.cpu_s / mine.cpu_s,
        "over_original_wall": theirs.wall_s / mine.wall_s,
        "over_seed_per_covered_second": (seed.cpu_s / seed.value.covered_s)
        / (mine.cpu_s / mine.value.covered_s),
        "floor_ratio": _floor_ratio((mine, reading, looked)),
        "full_floor_ratio": mine.cpu_s / (reading.cpu_s + every.cpu_s),
        "covered_ratio": mine.value.covered_s / clip.duration_s,
        "cpu_s_per_min": 60 * mine.cpu_s / clip.duration_s,
    }


def in_a_row(recording: Path, file_count: int) -> list[float]:
    """Return this process's resident size after each of `file_count` files."""
    sizes_mib = []
    for _ in range(file_count):
        ours(recording)
        sizes_mib.append(resident_mib("VmRSS"))
    return sizes_mib


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, print the tables, print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the clip")
    parser.add_argument("--files", type=int, default=5, help="short files in a row for the resident size")
    parser.add_argument("--peak-of", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--row-of", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    keep_metrics_here()
    if options.peak_of is not None:
        ours(options.peak_of)
        print(json.dumps([resident_mib("VmHWM")]))
        return
    if options.row_of is not None:
        print(json.dumps(in_a_row(options.row_of, options.files)))
        return
    out = Console(width=110)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as short_folder:
        clip, short = make_clip(Path(folder), options.seconds), make_clip(Path(short_folder), 10.0)
        figures = compare(out, clip) | child_ratios(clip) | curve(out)
        (figures["peak_rss_mib"],) = alone(["--peak-of", str(clip.path)])
        sizes_mib = alone(["--row-of", str(short.path), "--files", str(options.files)])
        figures |= flatness(out, sizes_mib)
    print(json.dumps({name: round(value, 3) for name, value in figures.items()}))
