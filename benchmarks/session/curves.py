"""How a session's cost grows: `make bench-session.curves`.

Ours alone, without a language model: more answers, longer ones, more callers at once. Each curve is told as
seconds and as what a minute of interview costs, with the largest process of each size, its children included.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.session.arms import OURS, Measured, RunningArm, measured_of, running
from benchmarks.session.keeping import Kept
from benchmarks.session.recordings import long_session

SHORT_ANSWER_S = 25.0
CALLERS_ANSWER_S = 60.0
ANSWER_COUNTS = (1, 2, 5)
MINUTES = (1.0, 5.0, 20.0)
CALLER_COUNTS = (1, 2, 4)
BARS = "▁▂▃▄▅▆▇█"
TABLE_WIDTH = 150


@dataclass(frozen=True)
class Point:
    """One size of one curve."""

    curve: str
    at: float
    """Answers, minutes or callers."""
    interview_s: float
    """Seconds of recordings in all sessions together."""
    measured: Measured

    @property
    def wall_per_minute_s(self) -> float:
        """Seconds of waiting for a minute of interview."""
        return self.measured.wall_s / (self.interview_s / 60)

    @property
    def cpu_per_minute_s(self) -> float:
        """CPU seconds for a minute of interview."""
        return self.measured.total_cpu_s / (self.interview_s / 60)

    @property
    def largest(self) -> tuple[str, float]:
        """The largest single process, and its peak in MiB."""
        sizes = dict(self.measured.peak_rss_mib) | {
            f"{name}'s child": mib for name, mib in self.measured.child_peak_rss_mib.items()
        }
        return max(sizes.items(), key=lambda item: item[1], default=("", 0.0))


@dataclass(frozen=True)
class Size:
    """What is to be taken for a point."""

    curve: str
    at: float
    answer_s: float
    answer_count: int = 1
    caller_count: int = 1

    @property
    def interview_s(self) -> float:
        """Seconds of recordings in all sessions together."""
        return self.answer_s * self.answer_count * self.caller_count


def sizes(minutes: Sequence[float] = MINUTES) -> list[Size]:
    """Return all points, the cheap ones first."""
    return [
        *(Size("answers", n, SHORT_ANSWER_S, answer_count=n) for n in ANSWER_COUNTS),
        *(Size("callers", n, CALLERS_ANSWER_S, caller_count=n) for n in CALLER_COUNTS),
        *(Size("minutes", m, 60 * m) for m in minutes),
    ]


def take(arm: RunningArm, size: Size, folder: Path) -> Measured:
    """Make the recordings of a size and take them."""
    name = f"{size.curve}-{size.at:g}"
    session = long_session(folder / name, size.answer_s, size.answer_count, name=name)
    return arm.take(session) if size.caller_count == 1 else arm.take_together(session, size.caller_count)


def figures_of(points: Sequence[Point]) -> dict[str, float]:
    """Return the last line: each curve's last point over its first, for a minute of interview."""
    figures: dict[str, float] = {}
    for curve in dict.fromkeys(point.curve for point in points):
        first, *_, last = (point for point in points if point.curve == curve)
        figures[f"{curve}_cpu_per_minute_ratio"] = round(last.cpu_per_minute_s / first.cpu_per_minute_s, 3)
        figures[f"{curve}_wall_per_minute_ratio"] = round(last.wall_per_minute_s / first.wall_per_minute_s, 3)
    figures["largest_process_mib"] = round(max(point.largest[1] for point in points), 1)
    return figures


def shape(values: Sequence[float]) -> str:
    """Draw values as bars from zero to the highest."""
    highest = max(values) or 1.0
    return "".join(BARS[min(len(BARS) - 1, int(len(BARS) * value / highest))] for value in values)


def print_table(out: Console, points: Sequence[Point]) -> None:
    """Print a row for each point, and the shape of each curve."""
    table = Table(title="how a session grows: ours, no language model")
    for column in (
        "curve",
        "at",
        "wall s",
        "CPU s",
        "wall s/min",
        "CPU s/min",
        "words",
        "largest process",
        "MiB",
    ):
        table.add_column(column, justify="left" if column in ("curve", "largest process") else "right")
    for point in points:
        name, mib = point.largest
        walls = (point.measured.wall_s, point.measured.total_cpu_s)
        rates = (point.wall_per_minute_s, point.cpu_per_minute_s)
        numbers = [f"{value:.1f}" for value in (*walls, *rates)]
        table.add_row(point.curve, f"{point.at:g}", *numbers, str(point.measured.words), name, f"{mib:.0f}")
    out.print(table)
    for curve in dict.fromkeys(point.curve for point in points):
        costs = [point.cpu_per_minute_s for point in points if point.curve == curve]
        out.print(f"{curve}, CPU seconds a minute: {shape(costs)}")
    _print_children(out, points[-1].measured.child_peak_rss_mib)


def _print_children(out: Console, child_peak_rss_mib: Mapping[str, float]) -> None:
    sizes_mib = ", ".join(f"{name} {mib:.0f}" for name, mib in child_peak_rss_mib.items() if mib)
    out.print(f"largest child of each at the last point, MiB: {sizes_mib}")


def main() -> None:
    """Run, print the table, print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--minutes", type=float, nargs="+", default=list(MINUTES), help="lengths of an answer"
    )
    parser.add_argument("--curves", nargs="+", default=["answers", "callers", "minutes"])
    parser.add_argument("--keep", type=Path, help="file of what was measured; a run goes on from it")
    options = parser.parse_args()
    out, kept, points = Console(width=TABLE_WIDTH), Kept(options.keep), []
    with tempfile.TemporaryDirectory(prefix="bench-curves-") as folder, running(OURS, llm=False) as arm:
        # The first session of fresh processes is not counted: it loads what is loaded on first use.
        take(arm, Size("warm-up", 1, SHORT_ANSWER_S), Path(folder))
        for size in (size for size in sizes(options.minutes) if size.curve in options.curves):
            name = f"{size.curve}-{size.at:g}"
            found = kept.once(name, lambda size=size: asdict(take(arm, size, Path(folder))))  # type: ignore[misc]
            points.append(Point(size.curve, size.at, size.interview_s, measured_of(found)))
            out.print(f"{name}: {points[-1].measured.wall_s:.1f} s")
    print_table(out, points)
    print(json.dumps(figures_of(points)))


if __name__ == "__main__":
    main()
