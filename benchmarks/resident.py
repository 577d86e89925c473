"""Resident size of a process over files in a row: read, plotted, and how it moved."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

BYTES_PER_MIB = 1024 * 1024
BARS = "▁▂▃▄▅▆▇█"
MOST_BARS = 100
"""What fits a line; of more files, a bar shows the largest of some."""
WARM_FILES = 2
"""The first files of a row grow the heap once; growth is counted from here on."""


def resident_mib(field: str, pid: int | str = "self") -> float:
    """Return `VmRSS` or the peak `VmHWM` of a process (Linux)."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    (line,) = [line for line in lines if line.startswith(field + ":")]
    return int(line.split()[1]) * 1024 / BYTES_PER_MIB


def plot(sizes_mib: Sequence[float]) -> str:
    """Return a line of at most `MOST_BARS` bars from zero to the largest size."""
    step = -(-len(sizes_mib) // MOST_BARS)
    bars = [max(sizes_mib[start : start + step]) for start in range(0, len(sizes_mib), step)]
    return "".join(BARS[min(len(BARS) - 1, int(len(BARS) * size / max(bars)))] for size in bars)


def flatness(out: Console, sizes_mib: Sequence[float]) -> dict[str, float]:
    """Plot sizes after one file each, and return how they moved after the first files."""
    warm = list(sizes_mib[WARM_FILES:])
    if len(warm) < 2:
        return {}
    out.print(f"resident size over {len(sizes_mib)} files, 0 to {max(sizes_mib):.0f} MiB:\n{plot(sizes_mib)}")
    slope = statistics.linear_regression(range(len(warm)), warm).slope
    return {
        "files_in_a_row": len(sizes_mib),
        "rss_first_mib": round(warm[0], 1),
        "rss_last_mib": round(warm[-1], 1),
        "rss_growth_mib_per_file": round(slope, 3),
    }
