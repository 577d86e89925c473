"""Finds sentences that speak to the evaluator or imitate a machine, so that they are never judged.

The patterns are data (`injection_patterns.yaml`), in English and Indonesian.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import reduce
from pathlib import Path

import yaml

PATTERNS_FILE = Path(__file__).parent / "injection_patterns.yaml"


class Exclusion(StrEnum):
    """Why a sentence is left out before anything is asked."""

    MACHINE_SYNTAX = "machine_syntax"
    SPEAKS_TO_EVALUATOR = "speaks_to_evaluator"


def _read_patterns(path: Path) -> dict[Exclusion, re.Pattern[str]]:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))

    def written_out(pattern: str) -> str:
        return reduce(
            lambda text, part: text.replace(f"<{part[0]}>", part[1]), document["parts"].items(), pattern
        )

    return {
        exclusion: re.compile("|".join(map(written_out, document[exclusion])), re.IGNORECASE)
        for exclusion in Exclusion
    }


_PATTERNS = _read_patterns(PATTERNS_FILE)


def find_exclusion(text: str) -> Exclusion | None:
    """Say why a sentence must be left out, or None for an ordinary one."""
    return next((exclusion for exclusion, pattern in _PATTERNS.items() if pattern.search(text)), None)
