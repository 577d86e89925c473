"""What is broken on purpose, and what became of the sessions: the scenarios of `tests/chaos`, as a table."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
SUMMARY = ROOT / "build" / "chaos.json"
COLUMNS = ("accepted", "finished", "completed", "lost", "doubled", "takeover_s", "return_s")


def run(arguments: list[str]) -> int:
    """Run the scenarios afresh, and return pytest's exit code."""
    SUMMARY.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", "-m", "chaos", str(ROOT / "tests" / "chaos"), *arguments]
    return subprocess.run(command, cwd=ROOT, stdout=sys.stderr, check=False).returncode


def rows() -> list[dict[str, Any]]:
    """Return the scenarios that ran, in their order."""
    lines = SUMMARY.read_text(encoding="utf-8").splitlines() if SUMMARY.exists() else []
    return [json.loads(line) for line in lines]


def markdown(found: list[dict[str, Any]]) -> str:
    """Return the table as it stands in the documentation."""
    lines = [
        f"| scenario | {' | '.join(COLUMNS)} |".replace("_s", " s"),
        "|---" * (len(COLUMNS) + 1) + "|",
        *(f"| {row['scenario']} | {' | '.join(_shown(row[name]) for name in COLUMNS)} |" for row in found),
    ]
    return "\n".join(lines)


def _shown(value: object) -> str:
    return "" if value is None else str(value)


def main() -> None:
    """Run, print the table, print the figures as JSON. Arguments go to pytest."""
    arguments = [argument for argument in sys.argv[1:] if argument != "--markdown"]
    code = run(arguments)
    found = rows()
    if "--markdown" in sys.argv:
        sys.stdout.write(markdown(found) + "\n")
    else:
        table = Table("scenario", *COLUMNS, title="What is broken on purpose")
        for row in found:
            table.add_row(row["scenario"], *(_shown(row[name]) for name in COLUMNS))
        Console().print(table)
    totals = {name: sum(row[name] for row in found) for name in COLUMNS[:5]}
    slowest = {f"max_{name}": max((row[name] or 0.0 for row in found), default=0.0) for name in COLUMNS[5:]}
    print(json.dumps({"scenario_count": len(found), **totals, **slowest, "exit_code": code}))
    sys.exit(code)


if __name__ == "__main__":
    main()
