"""The transcriber: cost and word errors against the library, the service over a socket, resident size.

Real weights on the demo clips, and on the recordings of `INTERVIEW_RECORDINGS_DIR` where they are. Speed is
in CPU-seconds of this process, because wall time on a shared machine says more about the neighbours.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import grpc
from faster_whisper import decode_audio
from rich.console import Console
from rich.table import Table

from benchmarks.resident import flatness, resident_mib
from benchmarks.transcriber.arms import (
    DEFAULTS,
    DESIGN,
    LANGUAGE,
    OTHER,
    OURS,
    SAME,
    Writer,
    arms,
    service,
)
from benchmarks.transcriber.clips import ROOT, Clip, speech, word_errors
from benchmarks.transcriber.sharing import batches, callers, gpu_throughput, short_behind_long, speech_of
from benchmarks.transcriber.spelling import as_said
from interview.v1 import transcriber_pb2_grpc
from services.transcriber.audio import SAMPLE_RATE_HZ

MODELS = {"whisper-base": "", "whisper-tiny.en": "_tiny_en"}
"""What they add to the names in the line of JSON; the first is the service's default."""
DEMO_CLIP_COUNT = 2
START_TIMEOUT_S = 120.0
ROW_CLIP_COUNT = 5
"""Files in a row are the shortest: what one leaves behind does not depend on its length."""

Figures = dict[str, dict[str, float]]
"""Of each arm: cost, word errors, difference."""


@dataclass(frozen=True)
class Run:
    """What one arm made of one clip, and what it took."""

    text: str
    wall_s: float
    cpu_s: float


def timed(write: Writer, clip: Clip) -> Run:
    """Run one arm on one recording."""
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    text = write(clip.path, clip.language_code)
    return Run(text, time.perf_counter() - wall_s, time.process_time() - cpu_s)


def compare(writers: dict[str, Writer], clips: Sequence[Clip]) -> dict[str, list[Run]]:
    """Run every arm on every clip, arm by arm within a clip, so that all meet the same neighbours."""
    runs: dict[str, list[Run]] = {name: [] for name in writers}
    for clip in clips:
        for name, write in writers.items():
            runs[name].append(timed(write, clip))
    return runs


def figures_of(runs: dict[str, list[Run]], clips: Sequence[Clip]) -> Figures:
    """Return cost, word errors and the difference from ours, for each arm."""
    known = [index for index, clip in enumerate(clips) if clip.said is not None]
    said = [as_said(clips[index].said or "", clips[index].language_code) for index in known]
    ours = _said_by(runs[OURS], clips)
    return {
        name: {
            "cpu_s": sum(run.cpu_s for run in mine),
            # A single decoding loop can double an arm's sum; the median tells what a usual clip costs.
            "usual_over_ours": statistics.median(
                run.cpu_s / our.cpu_s for run, our in zip(mine, runs[OURS], strict=True)
            ),
            "wall_s": sum(run.wall_s for run in mine),
            "wer": word_errors(said, [_said_by(mine, clips)[index] for index in known]),
            "difference": word_errors(_said_by(mine, clips), ours),
        }
        for name, mine in runs.items()
    }


def _said_by(runs: Sequence[Run], clips: Sequence[Clip]) -> list[str]:
    return [as_said(run.text, clip.language_code) for run, clip in zip(runs, clips, strict=True)]


@contextmanager
def running_service(model: str) -> Iterator[tuple[int, Writer]]:
    """Start a transcriber process; yields its process id and a writer."""
    with running_at(model) as (pid, address), grpc.insecure_channel(address) as channel:
        yield pid, service(transcriber_pb2_grpc.TranscriberServiceStub(channel))


@contextmanager
def running_at(model: str) -> Iterator[tuple[int, str]]:
    """Start a transcriber process; yields its process id and its address once it serves."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        "TRANSCRIBER_PORT": str(port),
        "TRANSCRIBER_MODEL": model,
        "TRANSCRIBER_LOG_LEVEL": "WARNING",
    }
    command = [sys.executable, "-m", "services.transcriber"]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment, stdout=sys.stderr)
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            grpc.channel_ready_future(channel).result(timeout=START_TIMEOUT_S)
        yield process.pid, f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def overhead(
    remote: Writer, direct: dict[str, Writer], clips: Sequence[Clip], rounds: int
) -> list[dict[str, float]]:
    """Return wall seconds of the service and of direct calls, a row for each clip and round.

    A row's runs follow each other at once, so they meet the same neighbours; who goes first changes with
    the round, so that a neighbour who comes or goes does not always meet the same arm.
    """
    writers = {"service": remote, **direct}
    for write in writers.values():
        write(clips[0].path)
    names = list(writers)
    orders = [names[turn:] + names[:turn] for turn in range(len(names))]
    return [
        {name: timed(writers[name], clip).wall_s for name in orders[turn % len(orders)]}
        for turn in range(rounds)
        for clip in clips
    ]


def usual_ratio(rows: Sequence[dict[str, float]], arm: str, baseline: str) -> float:
    """Return the median of `arm` over `baseline`, each ratio of one row: outliers of either don't count."""
    return statistics.median(row[arm] / row[baseline] for row in rows)


def in_a_row(pid: int, write: Writer, clips: Sequence[Clip], file_count: int) -> list[float]:
    """Return the service's resident size after each of `file_count` files."""
    sizes_mib = []
    for index in range(file_count):
        write(clips[index % len(clips)].path)
        sizes_mib.append(resident_mib("VmRSS", pid))
    return sizes_mib


def show(out: Console, model: str, figures: Figures, speech_s: float) -> None:
    """Print one model's table."""
    table = Table("arm", "CPU s", "CPU s per s", "wall s", "WER", "changed by ours", title=model)
    for name, row in figures.items():
        costs = (row["cpu_s"], row["cpu_s"] / speech_s, row["wall_s"])
        table.add_row(
            name, *(f"{cost:.2f}" for cost in costs), f"{row['wer']:.1%}", f"{row['difference']:.1%}"
        )
    out.print(table)


def ratios(figures: Figures, suffix: str) -> dict[str, float]:
    """Return what the line of JSON says of one model."""
    ours, default, design = figures[OURS], figures[DEFAULTS], figures[DESIGN]
    values = {
        "over_seed": design["cpu_s"] / ours["cpu_s"],
        "over_seed_usual_clip": design["usual_over_ours"],
        "over_default": default["cpu_s"] / ours["cpu_s"],
        "over_same_settings": figures[SAME]["cpu_s"] / ours["cpu_s"],
        "over_other_first_pass": figures[OTHER]["cpu_s"] / ours["cpu_s"],
        "word_difference_other_first_pass": figures[OTHER]["difference"],
        "word_difference": default["difference"],
        "wer_media": ours["wer"],
        "wer_default": default["wer"],
        "wer_seed": design["wer"],
    }
    return {name + suffix: round(value, 4) for name, value in values.items()}


def serve(out: Console, model: str, writers: dict[str, Writer], clips: Sequence[Clip]) -> dict[str, float]:
    """Run the service, and return its overhead, its fairness, and how its resident size moved."""
    chosen = arguments()
    with running_service(model) as (_, remote):
        rows = overhead(
            remote, {name: writers[name] for name in (OURS, SAME)}, clips[:DEMO_CLIP_COUNT], chosen.rounds
        )
        throughput = callers(remote, clips)
        with TemporaryDirectory() as folder:
            behind = short_behind_long(remote, clips, Path(folder))
    table = Table("the demo clips", "wall s, median of rounds", title="the service over a socket")
    for name in rows[0]:
        table.add_row(name, f"{statistics.median(row[name] for row in rows):.2f}")
    out.print(table)
    return {
        "service_over_direct": round(usual_ratio(rows, "service", SAME), 3),
        "service_over_engine": round(usual_ratio(rows, "service", OURS), 3),
        "callers_8": round(throughput, 3),
        "short_behind_long": round(behind, 2),
    }


def memory(out: Console, model: str, clips: Sequence[Clip]) -> dict[str, float]:
    """Run a fresh service over files in a row and one long file, and return how its resident size moved."""
    chosen = arguments()
    shortest = sorted(clips, key=lambda clip: clip.path.stat().st_size)[:ROW_CLIP_COUNT]
    with running_service(model) as (pid, remote), TemporaryDirectory() as folder:
        sizes_mib = in_a_row(pid, remote, shortest, chosen.files)
        peak_mib = resident_mib("VmHWM", pid)
        long = lengthy(pid, remote, clips, Path(folder)) if chosen.minutes else {}
    return {**long, "peak_rss_mib": round(peak_mib, 1), **flatness(out, sizes_mib)}


def lengthy(pid: int, write: Writer, clips: Sequence[Clip], folder: Path) -> dict[str, float]:
    """Return what one long file takes, in memory above what was resident before."""
    minutes = arguments().minutes
    path = speech_of(clips, 60 * minutes, folder / "lengthy.wav")
    before_mib, begin_s = resident_mib("VmRSS", pid), time.perf_counter()
    word_count = len(write(path).split())
    return {
        "long_file_min": minutes,
        "long_file_words": word_count,
        "long_file_wall_s": round(time.perf_counter() - begin_s, 1),
        "long_file_peak_rss_mib": round(resident_mib("VmHWM", pid), 1),
        "long_file_rss_before_mib": round(before_mib, 1),
    }


def show_gpu(out: Console, throughput: dict[int, float] | None) -> None:
    """Print what batches gain on a GPU, or that there was none to measure it on."""
    table = Table("batch size", "throughput over 1", title="16 callers on a GPU")
    for size, ratio in (throughput or {}).items():
        table.add_row(str(size), f"{ratio:.2f}")
    if throughput is None:
        table.add_row("1 to 32", "not measured: no GPU")
    out.print(table)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10, help="files in a row for the resident size")
    parser.add_argument("--minutes", type=float, default=0.0, help="length of one long file; 0 for none")
    parser.add_argument("--memory-only", action="store_true", help="files in a row and the long file alone")
    parser.add_argument("--rounds", type=int, default=9, help="rounds of service against direct call")
    return parser.parse_args()


def measured(
    out: Console, model: str, writers: dict[str, Writer], clips: Sequence[Clip], suffix: str
) -> dict[str, float]:
    """Compare the arms on recordings of one language, and return what the line of JSON says of it."""
    figures = figures_of(compare(writers, clips), clips)
    show(out, model, figures, seconds_of(clips))
    return ratios(figures, suffix)


def seconds_of(clips: Sequence[Clip]) -> float:
    """Return how long recordings are together."""
    return float(sum(decode_audio(str(clip.path)).size for clip in clips)) / SAMPLE_RATE_HZ


def main() -> None:
    """Run, print the tables, print the figures as JSON."""
    arguments()  # a wrong command line fails before minutes of work
    out, clips = Console(width=110), speech()
    line: dict[str, float] = {"clips": len(clips), "speech_s": round(seconds_of(clips), 1)}
    if arguments().memory_only:
        print(json.dumps(line | memory(out, next(iter(MODELS)), clips)))
        return
    english = [clip for clip in clips if clip.language_code == LANGUAGE]
    indonesian = [clip for clip in clips if clip.language_code != LANGUAGE]
    for model, suffix in MODELS.items():
        writers = arms(model)
        line |= measured(out, model, writers, english, suffix)
        if not suffix and indonesian:
            line |= measured(out, f"{model}, Indonesian", writers, indonesian, "_id")
        if not suffix:
            line |= serve(out, model, writers, english)
            line |= memory(out, model, english)
            line |= {name: round(value, 4) for name, value in batches(model, english).items()}
            show_gpu(out, gpu_throughput(model, english))
    print(json.dumps(line))
