"""Every figure that the design gives for the vision and the speaker stage, beside what was reached.

Accuracy on the recordings of `INTERVIEW_RECORDINGS_DIR` (else of the folder beside the checkout), on the demo
clips and on recordings put together from them; speed and memory from the two stages' own benchmarks, run in
between. `--write` puts the table into `docs/perception.md`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from benchmarks.figure import NOT_MEASURED, Figure
from benchmarks.speaker.targets import speaker_figures
from benchmarks.vision.clip import ROOT
from benchmarks.vision.targets import vision_figures
from services.vision.mediapipe_models import keep_metrics_here

DOCUMENT = ROOT / "docs" / "perception.md"
BEGIN, END = "<!-- table begins: make bench-perception -->", "<!-- table ends -->"
WORDS = {True: "yes", False: "**no**"}


def verdict(one: Figure) -> str:
    """Say whether a figure holds, and if that can't be said, why."""
    if one.holds is None:
        return "not measured" if one.reached == NOT_MEASURED else "no target"
    return WORDS[one.holds]


def measured_by(name: str) -> dict[str, float]:
    """Run a benchmark in a process of its own, and return the figures of its last line."""
    command = [sys.executable, "-m", f"benchmarks.{name}"]
    shown = subprocess.run(command, cwd=ROOT, env=os.environ, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, float] = json.loads(shown.stdout.splitlines()[-1])
    return figures


def vision_cost() -> Iterator[Figure]:
    """Speed and memory of the vision stage."""
    found = measured_by("vision")
    ratio, per_min = found["over_original"], found["cpu_s_per_min"]
    on = "60 s of 1280×720 at 30 a second, `make bench-vision`"
    yield Figure("CPU-seconds of the original's way over ours", "5.0", f"{ratio:.1f}", ratio >= 5.0, on)
    floor = found["floor_ratio"]
    yield Figure("CPU-seconds over decoding and inference alone", "1.15", f"{floor:.2f}", floor <= 1.15, on)
    yield Figure("CPU-seconds for a minute (another machine's 10.5)", "10.5", f"{per_min:.1f}", None, on)
    yield Figure("peak memory", "bounded", f"{found['peak_rss_mib']:.0f} MiB", None, on)


def speaker_cost() -> Iterator[Figure]:
    """Speed and memory of the speaker stage."""
    found = measured_by("speaker")
    ratio, peak_mib = found["over_seed"], found["peak_rss_mib"]
    on = "300 s, every pool of one thread, `make bench-speaker`"
    yield Figure(
        "CPU-seconds of the design document's loop over ours", "3.2–3.5", f"{ratio:.1f}", ratio >= 3.2, on
    )
    yield Figure(
        "peak memory at 600 s", "802 MB (600 MiB wanted)", f"{peak_mib:.0f} MiB", peak_mib <= 600, on
    )


def rows(media: Path) -> dict[str, list[Figure]]:
    """Measure everything."""
    with threadpool_limits(1):
        heard = list(speaker_figures(media))
    return {"Vision": [*vision_figures(media), *vision_cost()], "Speaker": [*heard, *speaker_cost()]}


def show(out: Console, found: dict[str, list[Figure]]) -> None:
    """Print one table a stage."""
    for stage, figures in found.items():
        table = Table("figure", "design", "reached", "holds", "on", title=stage)
        for one in figures:
            table.add_row(one.what, one.design, one.reached, verdict(one), one.on)
        out.print(table)


def written(found: dict[str, list[Figure]]) -> str:
    """Return the tables in Markdown."""
    lines: list[str] = []
    for stage, figures in found.items():
        lines += [f"### {stage}", "", "| figure | design | reached | holds | on |", "|---|---|---|---|---|"]
        lines += [
            f"| {one.what} | {one.design} | {one.reached} | {verdict(one)} | {one.on} |" for one in figures
        ]
        lines.append("")
    return "\n".join(lines)


def put_into(document: Path, tables: str) -> None:
    """Replace what stands between the two marks of a document."""
    text = document.read_text(encoding="utf-8")
    before, after = text[: text.index(BEGIN)], text[text.index(END) :]
    document.write_text(f"{before}{BEGIN}\n\n{tables}\n{after}", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, print the tables, print what holds as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the table into docs/perception.md")
    chosen = parser.parse_args(arguments)
    media = Path(os.environ.get("INTERVIEW_RECORDINGS_DIR", str(ROOT.parent / "shared" / "media")))
    if not (media / "MANIFEST.md").exists():
        sys.exit("The recordings are missing: set INTERVIEW_RECORDINGS_DIR to the folder of MANIFEST.md.")
    keep_metrics_here()
    found = rows(media)
    show(Console(width=150), found)
    if chosen.write:
        put_into(DOCUMENT, written(found))
    figures = [one for some in found.values() for one in some]
    line = {
        "figures": len(figures),
        "holding": sum(one.holds is True for one in figures),
        "falling_short": sum(one.holds is False for one in figures),
        "not_measured": sum(verdict(one) == "not measured" for one in figures),
        "without_target": sum(verdict(one) == "no target" for one in figures),
    }
    print(json.dumps(line))


if __name__ == "__main__":
    main()
