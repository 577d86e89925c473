"""Rates of writing, reading and ranges, and the peak memory of many writes at once.

Each row is a process of its own, so that its peak memory is its own. S3 is moto's server on this machine, a
test server. Its rates say nothing of S3's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.resident import resident_mib
from chassis.store import MediaStore
from tests.s3_servers import S3Server, moto_server

MEBIBYTE = 1 << 20
RANGE_BYTES = MEBIBYTE
RANGE_COUNT = 50
KEY = "sessions/1/media/1.mp4"
ROWS = ("put", "get", "range", "many")
WORDS = {
    "put": "put of one recording",
    "get": "get into a file",
    "range": f"{RANGE_COUNT} ranges of 1 MiB",
    "many": "puts at once",
}


async def _put(store: MediaStore, recording: Path, size_bytes: int, _count: int) -> int:
    await store.put_file(KEY, recording)
    return size_bytes


async def _get(store: MediaStore, recording: Path, size_bytes: int, _count: int) -> int:
    await store.get_file(KEY, recording.with_suffix(".copy"))
    return size_bytes


async def _range(store: MediaStore, _recording: Path, size_bytes: int, _count: int) -> int:
    last_start = size_bytes - RANGE_BYTES
    for number in range(RANGE_COUNT):
        start = last_start * number // RANGE_COUNT
        async for _ in store.read_range(KEY, start, start + RANGE_BYTES):
            pass
    return RANGE_COUNT * RANGE_BYTES


async def _many(store: MediaStore, recording: Path, size_bytes: int, count: int) -> int:
    puts = (store.put_file(f"sessions/{number}/media/1.mp4", recording) for number in range(count))
    await asyncio.gather(*puts)
    return count * size_bytes


WORK: dict[str, Callable[[MediaStore, Path, int, int], Awaitable[int]]] = {
    "put": _put,
    "get": _get,
    "range": _range,
    "many": _many,
}


def measure_here(row: str, url: str, recording: Path, count: int) -> dict[str, float]:
    """Do one row's work in this process, and say what it cost."""
    size_bytes = recording.stat().st_size

    async def work() -> dict[str, float]:
        store = MediaStore(url)
        await store.exists("ready")
        before_mib = resident_mib("VmHWM")
        begin_s = time.perf_counter()
        moved_bytes = await WORK[row](store, recording, size_bytes, count)
        duration_s = time.perf_counter() - begin_s
        peak_mib = resident_mib("VmHWM")
        return {
            "mb_per_s": round(moved_bytes / 1e6 / duration_s, 1),
            "peak_rss_mib": round(peak_mib, 1),
            "grown_mib": round(peak_mib - before_mib, 1),
        }

    return asyncio.run(work())


def measure_apart(
    row: str, url: str, recording: Path, count: int, environment: dict[str, str]
) -> dict[str, float]:
    """Do one row's work in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.store", "--row", row, "--url", url]
    command += ["--recording", str(recording), "--count", str(count)]
    shown = subprocess.run(
        command, env=os.environ | environment, stdout=subprocess.PIPE, text=True, check=True
    )
    figures: dict[str, float] = json.loads(shown.stdout.splitlines()[-1])
    return figures


def run(size_mb: int, many_mb: int, many_counts: list[int]) -> dict[str, dict[str, float]]:
    """Measure every row on both kinds of store."""
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as name, moto_server() as server:
        folder = Path(name)
        one, small = folder / "one", folder / "small"
        for path, size in ((one, size_mb), (small, many_mb)):
            path.write_bytes(os.urandom(size * 1_000_000))
        for kind, url, environment in _kinds(folder, server):
            for row in ("put", "get", "range"):
                found[f"{kind}_{row}"] = measure_apart(row, url, one, 1, environment)
            for count in many_counts:
                found[f"{kind}_many_{count}"] = measure_apart("many", url, small, count, environment)
    return found


def _kinds(folder: Path, server: S3Server) -> list[tuple[str, str, dict[str, str]]]:
    return [
        ("folder", (folder / "store").as_uri(), {}),
        ("s3", f"s3://{server.new_bucket()}/prefix", server.environment()),
    ]


def show(found: dict[str, dict[str, float]], size_mb: int, many_mb: int) -> None:
    """Print the table."""
    table = Table(title=f"The media store: one recording of {size_mb} MB, many of {many_mb} MB")
    for column in ("store", "work", "MB/s", "peak memory, MiB", "grown by, MiB"):
        table.add_column(column, justify="right" if "M" in column else "left")
    for name, row in found.items():
        kind, _, work = name.partition("_")
        word, _, count = work.partition("_")
        figures = (f"{row['mb_per_s']:.0f}", f"{row['peak_rss_mib']:.0f}", f"{row['grown_mib']:.0f}")
        table.add_row(kind, f"{count} {WORDS[word]}".strip(), *figures)
    Console(width=110).print(table)


def main() -> None:
    """Measure, and print a table and a line of JSON."""
    parser = argparse.ArgumentParser(prog="benchmarks.store", description=__doc__)
    parser.add_argument("--size-mb", type=int, default=100, help="size of the one recording")
    parser.add_argument("--many-mb", type=int, default=20, help="size of each of many")
    parser.add_argument("--counts", type=int, nargs="+", default=[10, 50], help="how many at once")
    parser.add_argument("--row", choices=ROWS, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--recording", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.row:
        print(json.dumps(measure_here(told.row, told.url, told.recording, told.count)))
        return
    found = run(told.size_mb, told.many_mb, told.counts)
    show(found, told.size_mb, told.many_mb)
    print(json.dumps(found))
