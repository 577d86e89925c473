"""The check for known advisories: a package that has one fails it, and nobody asked is said."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

AUDIT = Path(__file__).parents[2] / ".ci" / "audit.py"


def verdict(*packages: dict[str, Any]) -> tuple[bool, list[str]]:
    report = json.dumps({"dependencies": list(packages)}) if packages else ""
    passed, lines = runpy.run_path(str(AUDIT))["verdict"](report)
    return bool(passed), list(lines)


GOOD = {"name": "good", "version": "1.0", "vulns": []}
BAD = {"name": "bad", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}]}
UNKNOWN = {"name": "unknown", "skip_reason": "Dependency not found on PyPI"}


def test_a_package_with_a_known_advisory_fails() -> None:
    passed, lines = verdict(GOOD, BAD)
    assert not passed
    assert lines[0] == "bad 2.0: PYSEC-1. Fixed in 2.1."


def test_packages_without_advisories_pass_and_are_counted() -> None:
    assert verdict(GOOD, GOOD) == (True, ["2 packages were audited."])


def test_a_source_that_knows_no_package_is_not_taken_for_a_clean_one() -> None:
    assert verdict(UNKNOWN, UNKNOWN) == (
        True,
        ["The advisories could not be reached. No package was audited."],
    )
    assert verdict() == (True, ["The advisories could not be reached. No package was audited."])


def test_packages_that_nobody_was_asked_about_are_named() -> None:
    assert verdict(GOOD, UNKNOWN) == (True, ["1 packages were audited.", "1 could not be: unknown."])
