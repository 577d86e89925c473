"""Batches and callers of the transcriber on a GPU: speed, memory, and whether the words stay.

`run.sh measure` starts it. Without a GPU `--device cpu` takes the script through everything, on a small plan.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from threading import Event

import ctranslate2

from benchmarks.gpu.budget import Budget, Measured, Step, measure_within
from benchmarks.gpu.callers import call_for, real_time_ratio, texts_of
from benchmarks.gpu.gpu_memory import watched
from benchmarks.gpu.recordings import Recording, read_recordings, write_recordings
from benchmarks.gpu.rows import GPU_BATCH_SIZE, SERVICE_NUMBERS, Row, Setting, figures, table, verdicts
from benchmarks.gpu.transcribers import MODEL, reference, transcriber
from benchmarks.transcriber.clips import speech, word_errors

BATCH_SIZES = (8, 1, 4, 32, 2)
"""Besides the service's own. The most telling first, in case time runs out."""
CALLER_COUNTS = (4, 8, 2)
"""Besides one and `MOST_CALLERS`."""
MOST_CALLERS = 16
CPU_PLAN = (Setting("int8", 2, 2), Setting("int8", 2, 1), Setting("int8", 1, 2))
CUBLAS = "libcublas.so.12"
"""What CTranslate2's wheel opens by this name, and all that it opens (4.8.5)."""
NOT_POSSIBLE = 3
"""Exit status where there is no GPU, or a library of it is missing."""


def gpu_plan() -> list[Setting]:
    """Return what is measured on a GPU, the most wanted first."""
    numbers = (SERVICE_NUMBERS, "int8_float16")
    ends = [Setting(n, GPU_BATCH_SIZE, callers) for n in numbers for callers in (MOST_CALLERS, 1)]
    sizes = [Setting(n, size, MOST_CALLERS) for n in numbers for size in BATCH_SIZES]
    between = [Setting(n, GPU_BATCH_SIZE, callers) for n in numbers for callers in CALLER_COUNTS]
    return [*ends, *sizes, *between]


def not_possible(device: str) -> str | None:
    """Return why nothing can be measured on this machine and what to do, or None."""
    if device == "cpu":
        return None
    if ctranslate2.get_cuda_device_count() == 0:
        return "There is no NVIDIA GPU, or no driver. `run.sh measure --device cpu` tries the script out."
    try:
        ctypes.CDLL(CUBLAS)
    except OSError as error:
        return (
            f"CTranslate2 wants {CUBLAS} (cuBLAS 12), which can't be loaded: {error}. CUDA 13 has another. "
            "Install nvidia-cublas-cu12, or carry pieces that were prepared with it."
        )
    return None


def measured_setting(
    setting: Setting,
    device: str,
    recordings: Sequence[Recording],
    said: Mapping[str, str],
    window_s: float,
    stop: Event,
) -> Row:
    """Load the model, warm it up with as many callers, let them call for a while, and return the row."""
    with watched() as memory:
        transcribe = transcriber(device, setting.compute_type, setting.batch_size)
        shortest = sorted(recordings, key=lambda recording: recording.duration_s)[:3]
        call_for(0.0, setting.caller_count, shortest, transcribe, stop)
        calls = call_for(window_s, setting.caller_count, recordings, transcribe, stop)
    texts = texts_of(calls)
    common = [name for name in texts if name in said]
    unchanged = (
        1 - word_errors([said[name] for name in common], [texts[name] for name in common]) if common else None
    )
    return Row(real_time_ratio(calls, window_s), memory.mib, unchanged, len(texts))


def measure(
    device: str, recordings: Sequence[Recording], budget: Budget, window_s: float
) -> tuple[dict[Setting, Row], Measured[Row]]:
    """Measure the reference and the plan, as far as the budget goes."""
    said = measure_within(budget, [Step("reference", lambda stop: reference(recordings, stop))])
    plan = CPU_PLAN if device == "cpu" else gpu_plan()
    texts = said.results.get("reference", {})

    def step(setting: Setting) -> Step[Row]:
        return Step(
            setting.name,
            lambda stop: measured_setting(setting, device, recordings, texts, window_s, stop),
        )

    measured = measure_within(budget, [step(setting) for setting in plan])
    measured.left_out[:0] = said.left_out
    measured.failed |= said.failed
    rows = {setting: measured.results[setting.name] for setting in plan if setting.name in measured.results}
    return rows, measured


def gpu_name() -> str:
    """Return what the driver calls the GPU."""
    command = ["nvidia-smi", "--id=0", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "GPU"


def report(device: str, rows: dict[Setting, Row], measured: Measured[Row], speech_s: float) -> str:
    """Return the tables, and the line of JSON last."""
    plan = CPU_PLAN[0] if device == "cpu" else gpu_plan()[0]
    found = figures(rows, plan.compute_type, plan.batch_size, plan.caller_count)
    line = {
        "device": gpu_name() if device != "cpu" else "cpu",
        "model": MODEL,
        "speech_s": round(speech_s, 1),
        **{figure.name: figure.value for figure in found},
        "gpu_memory_mib": rows[plan].memory_mib if plan in rows else None,
        "left_out": measured.left_out,
        "failed": measured.failed,
    }
    parts = [table(rows), *([verdicts(found)] if device != "cpu" else [])]  # the targets are of a GPU
    if measured.left_out:
        parts.append("Left out, the time was up: " + "; ".join(measured.left_out))
    parts += [f"Failed: {name}: {why}" for name, why in measured.failed.items()]
    return "\n\n".join([*parts, json.dumps(line)])


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="run.sh measure", description=__doc__)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--budget-s", type=float, default=360.0, help="seconds for everything")
    parser.add_argument("--window-s", type=float, default=8.0, help="seconds that callers call for in a row")
    parser.add_argument(
        "--recordings", type=Path, help="folder that `prepare` wrote; else this machine's own"
    )
    parser.add_argument("--keep", type=Path, help="file for the rows as JSON")
    return parser.parse_args(given)


def main() -> None:
    """Measure, print the table, print the figures as JSON."""
    chosen = arguments()
    budget = Budget(chosen.budget_s)
    if reason := not_possible(chosen.device):
        print(reason, file=sys.stderr)
        sys.exit(NOT_POSSIBLE)
    with TemporaryDirectory() as folder:
        recordings = (
            read_recordings(chosen.recordings)
            if chosen.recordings
            else write_recordings([(clip.path, clip.language_code) for clip in speech()], Path(folder))
        )
        Random(0).shuffle(recordings)  # a caller that gets to some of them only has long and short ones
        rows, measured = measure(chosen.device, recordings, budget, chosen.window_s)
    if chosen.keep:
        kept = [asdict(setting) | asdict(row) for setting, row in rows.items()]
        chosen.keep.write_text(json.dumps(kept, indent=1), encoding="utf-8")
    print(report(chosen.device, rows, measured, sum(recording.duration_s for recording in recordings)))
    sys.exit(0 if rows else 1)


if __name__ == "__main__":
    main()
