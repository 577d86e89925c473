"""Says what the assessor's prompts begin with: `python -m services.assessor.instructions`.

A local server reads it once and keeps it (`interview llm serve`). It holds nothing of any answer. One line of
JSON: a list of conversations, each a list of messages.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from services.assessor.prompts import read_prompts


def instructions() -> list[list[dict[str, str]]]:
    """List the beginnings, one a language."""
    return [[asdict(message) for message in texts.instructions()] for texts in read_prompts().values()]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(instructions(), ensure_ascii=False))
