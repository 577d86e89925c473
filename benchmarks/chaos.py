"""What is broken on purpose, and what became of the sessions: the scenarios of `tests/chaos`, as a table.

`--runs 10` runs them ten times in a row, and ends with the first run that fails. Each run leaves a line in
`build/chaos-runs.jsonl`. `--markdown` prints the table of the documentation. Other arguments go to pytest.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
SUMMARY = ROOT / "build" / "chaos.json"
RUNS = ROOT / "build" / "chaos-runs.jsonl"
COUNTS = ("accepted", "finished", "completed", "lost", "doubled")
SECONDS = ("takeover_s", "return_s", "waited_s")
TIMEOUT_S = 900
"""Of a scenario on a busy machine. See `tests/chaos/conftest.py`."""

Row = dict[str, Any]


def run(arguments: list[str]) -> tuple[int, list[Row]]:
    """Run the scenarios afresh. Returns pytest's exit code, and a row for each scenario that ran."""
    SUMMARY.unlink(missing_ok=True)
    options = ["-q", "-m", "chaos", "--timeout", str(TIMEOUT_S), str(ROOT / "tests" / "chaos"), *arguments]
    command = [sys.executable, "-m", "pytest", *options]
    code = subprocess.run(command, cwd=ROOT, stdout=sys.stderr, check=False).returncode
    lines = SUMMARY.read_text(encoding="utf-8").splitlines() if SUMMARY.exists() else []
    return code, [json.loads(line) for line in lines]


def total(rows: list[Row]) -> Row:
    """Add the counts up, and return the longest of the times that were measured."""
    slowest = {f"max_{name}": max((row[name] or 0.0 for row in rows), default=0.0) for name in SECONDS}
    return {"scenario_count": len(rows)} | {name: sum(row[name] for row in rows) for name in COUNTS} | slowest


def by_scenario(rows: list[Row]) -> list[list[str]]:
    """Return a line for each scenario: counts of all runs, and the times as least / median / most."""
    names = sorted({row["scenario"] for row in rows})
    return [_line(name, [row for row in rows if row["scenario"] == name]) for name in names]


def _line(scenario: str, rows: list[Row]) -> list[str]:
    counts = [str(sum(row[name] for row in rows)) for name in COUNTS]
    return [scenario, *counts, *(_spread([row[name] for row in rows]) for name in SECONDS)]


def _spread(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return "".join(map(str, known))
    return f"{min(known)} / {statistics.median(known):.1f} / {max(known)}"


def markdown(header: list[str], lines: list[list[str]]) -> str:
    """Return the table as it stands in the documentation."""
    rule = "|---" * len(header) + "|"
    return "\n".join([f"| {' | '.join(header)} |", rule, *(f"| {' | '.join(line)} |" for line in lines)])


def show(rows: list[Row], *, as_markdown: bool) -> None:
    """Print the table."""
    header, lines = (
        ["scenario", *(name.replace("_s", " s") for name in (*COUNTS, *SECONDS))],
        by_scenario(rows),
    )
    if as_markdown:
        print(markdown(header, lines))
        return
    table = Table(*header, title="What is broken on purpose")
    for line in lines:
        table.add_row(*line)
    Console().print(table)


def main() -> None:
    """Run, print the table, print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--markdown", action="store_true")
    told, arguments = parser.parse_known_args()
    RUNS.parent.mkdir(exist_ok=True)
    RUNS.unlink(missing_ok=True)
    found: list[Row] = []
    code = passed_count = 0
    for number in range(1, told.runs + 1):
        begin_s, load = time.monotonic(), os.getloadavg()[0]
        code, rows = run(arguments)
        line: Row = {"run": number, "exit_code": code} | total(rows)
        line |= {"seconds": round(time.monotonic() - begin_s), "load_average": round(load, 1)}
        with RUNS.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        found += rows
        if code:
            break
        passed_count += 1
    show(found, as_markdown=told.markdown)
    print(
        json.dumps({"run_count": told.runs, "passed_count": passed_count, **total(found), "exit_code": code})
    )
    sys.exit(code)


if __name__ == "__main__":
    main()
