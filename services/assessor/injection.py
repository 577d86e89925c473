"""Finds sentences that speak to the evaluator or imitate a machine, so that they are never judged.

The patterns are data (`injection_patterns.yaml`), in English and Indonesian. A sentence is also read as it
would stand if it were spelled out, reversed, rotated or encoded, and together with its neighbour.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import reduce
from itertools import pairwise
from pathlib import Path

from services.assessor.sentences import Sentence
from services.assessor.yaml_text import parsed

PATTERNS_FILE = Path(__file__).parent / "injection_patterns.yaml"
SPELLED = re.compile(r"\b(?:[^\W\d_] ){3,}[^\W\d_]\b")
"""Four single letters in a row. `C E O` and `H R D` are names."""
ENCODED = re.compile(r"[A-Za-z0-9+/]{16,}={0,2}")
"""Sixteen characters of base64 are twelve letters: two words."""
READABLE_SHARE = 0.9
"""Share of letters and spaces from which on decoded bytes are a text. Random ones have a fifth."""
SENTENCE_END = ".?!…。！？\"'”’)] "


class Exclusion(StrEnum):
    """Why a sentence is left out before anything is asked."""

    MACHINE_SYNTAX = "machine_syntax"
    SPEAKS_TO_EVALUATOR = "speaks_to_evaluator"
    CLAIMS_ABOUT_ITSELF = "claims_about_itself"


def _read_patterns(path: Path) -> dict[Exclusion, re.Pattern[str]]:
    document = parsed(path.read_text(encoding="utf-8"))

    def written_out(pattern: str) -> str:
        return reduce(
            lambda text, part: text.replace(f"<{part[0]}>", part[1]), document["parts"].items(), pattern
        )

    return {
        exclusion: re.compile("|".join(map(written_out, document[exclusion])), re.IGNORECASE)
        for exclusion in Exclusion
    }


_PATTERNS = _read_patterns(PATTERNS_FILE)


def find_exclusions(sentences: Sequence[Sentence]) -> dict[str, Exclusion]:
    """Say by id which sentences must be left out, and why. The others are not in it."""
    found = {
        sentence.id: exclusion
        for sentence in sentences
        if (exclusion := find_exclusion(sentence.text)) is not None
    }
    for first, second in pairwise(sentences):
        if first.id not in found and second.id not in found:
            exclusion = _find_over_the_end(first.text, second.text)
            if exclusion is not None:
                found |= {first.id: exclusion, second.id: exclusion}
    return found


def find_exclusion(text: str) -> Exclusion | None:
    """Say why a sentence must be left out, or None for an ordinary one."""
    plain = next((exclusion for exclusion, pattern in _PATTERNS.items() if pattern.search(text)), None)
    return plain or _find_hidden(text)


def _find_over_the_end(first: str, second: str) -> Exclusion | None:
    """Find what only the two make together: an instruction that a full stop was put into."""
    head = first.rstrip(SENTENCE_END)
    joined = f"{head} {second}"
    return next(
        (
            exclusion
            for exclusion, pattern in _PATTERNS.items()
            if any(match.start() < len(head) < match.end() - 1 for match in pattern.finditer(joined))
        ),
        None,
    )


def _find_hidden(text: str) -> Exclusion | None:
    readings = (reading for reading in _readings(text) if reading != text)
    return next(
        (
            exclusion
            for reading in readings
            for exclusion, pattern in _PATTERNS.items()
            if pattern.search(reading)
        ),
        None,
    )


def _readings(text: str) -> Iterator[str]:
    yield SPELLED.sub(lambda match: match[0].replace(" ", ""), text)
    yield codecs.encode(text, "rot13")
    yield text[::-1]
    yield from filter(None, (_decoded(match[0]) for match in ENCODED.finditer(text)))


def _decoded(token: str) -> str | None:
    """Decode base64 into a text. None where no text is in it."""
    try:
        content = base64.b64decode(token.rstrip("=") + "=" * (-len(token.rstrip("=")) % 4), validate=True)
        text = content.decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return None
    readable = sum(character.isalpha() or character == " " for character in text)
    return text if readable >= READABLE_SHARE * len(text) else None
