"""What the whole takes: the demo clip through all seven processes, against one stage after another.

The baseline is the sum of the stages' own seconds in the same run, which is what a pipeline takes that
runs them in turn (the original system's way). Both come from one run, so the machine's load cancels out.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table


def run_demo(build_dir: Path) -> dict[str, Any]:
    """Run the demo and return its result document."""
    command = [
        sys.executable,
        "-c",
        "from cli.app import main; main()",
        "demo",
        "--build-dir",
        str(build_dir),
    ]
    subprocess.run(command, check=True, stdout=sys.stderr)
    document: dict[str, Any] = json.loads((build_dir / "result.json").read_text(encoding="utf-8"))
    return document


def stage_seconds(document: dict[str, Any]) -> dict[str, float]:
    """Return each stage's seconds, all answers together."""
    answers = [answer["stages"] for answer in document["results"]]
    return {stage: sum(answer[stage]["run_s"] for answer in answers) for stage in answers[0]}


def main() -> None:
    """Run, print the table, print the figures as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        document = run_demo(Path(folder))
    seconds = stage_seconds(document)
    wall_s = float(document["processing_time"])
    recording_s = sum(float(a["transcript"]["duration_s"]) for a in document["results"])
    sequential_s = sum(seconds.values())
    table = Table("stage", "seconds", title="The demo clip, all answers together")
    for stage, spent_s in seconds.items():
        table.add_row(stage, f"{spent_s:.2f}")
    table.add_row("one after another", f"{sequential_s:.2f}", style="bold")
    table.add_row("the session: its longest chain of stages", f"{wall_s:.2f}", style="bold")
    Console().print(table)
    figures = {
        "session_s": round(wall_s, 2),
        "sequential_s": round(sequential_s, 2),
        "over_sequential": round(sequential_s / wall_s, 2),
        "real_time_factor": round(wall_s / recording_s, 3),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
