"""Asks for known security advisories about the packages of `constraints.txt`.

Fails where there is one. Where nobody can be asked it says so and passes: a build has to work offline.
`pip-audit` alone would not tell the two apart. It passes when it has asked about no package at all.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
COMMAND = [
    "-r",
    "constraints.txt",
    "--no-deps",
    "--disable-pip",
    "--progress-spinner",
    "off",
    "--format",
    "json",
]
TIMEOUT_S = 120.0
SOCKET_TIMEOUT_S = 5
SHOWN_COUNT = 5


def ask() -> str:
    """Return what `pip-audit` reports, or nothing where it could not ask."""
    command = [sys.executable, "-m", "pip_audit", *COMMAND, "--timeout", str(SOCKET_TIMEOUT_S)]
    try:
        return subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        ).stdout
    except subprocess.TimeoutExpired:
        return ""


def verdict(report: str) -> tuple[bool, list[str]]:
    """Return whether the packages pass, and what to say.

    Args:
        report: The JSON of `pip-audit`. Empty where the source of advisories could not be reached.
    """
    packages: list[dict[str, Any]] = json.loads(report)["dependencies"] if report.strip() else []
    asked = [package for package in packages if "skip_reason" not in package]
    if not asked:
        return True, ["The advisories could not be reached. No package was audited."]
    lines = [
        f"{package['name']} {package['version']}: {known['id']}. "
        f"Fixed in {', '.join(known['fix_versions']) or 'no version'}."
        for package in asked
        for known in package["vulns"]
    ]
    passed = not lines
    lines.append(f"{len(asked)} packages were audited.")
    if skipped := [package["name"] for package in packages if "skip_reason" in package]:
        names = ", ".join(skipped[:SHOWN_COUNT])
        lines.append(f"{len(skipped)} could not be: {names}{' …' if len(skipped) > SHOWN_COUNT else ''}.")
    return passed, lines


if __name__ == "__main__":
    passed, said = verdict(ask())
    sys.stdout.write("".join(f"{line}\n" for line in said))
    sys.exit(0 if passed else 1)
