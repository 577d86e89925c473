"""Says what the translator's prompts begin with: `python -m services.translator.instructions`.

A local server reads it once and keeps it (`interview llm serve`). It holds nothing of any recording. One line
of JSON: a list of conversations, each a list of messages.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from itertools import permutations

from services.translator.prompt import instructions as instructions_for

LANGUAGE_CODES = ("en", "id")
"""The languages that the services speak."""


def instructions() -> list[list[dict[str, str]]]:
    """List the beginnings, one a direction."""
    return [
        [asdict(message) for message in instructions_for(source, target)]
        for source, target in permutations(LANGUAGE_CODES, 2)
    ]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(instructions(), ensure_ascii=False))
