"""chrF, the overlap of two texts in characters: 0 to 100. sacreBLEU's figure with its defaults, to 0.001.

It says how near a wording is to the reference, not whether it is right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

LONGEST = 6
"""Characters of the longest pieces that are compared."""
RECALL_WEIGHT = 2
"""What the reference has counts twice as much as what the translation adds."""


def chrf(pairs: Iterable[tuple[str, str]]) -> float:
    """Compare translations with their references, all together.

    Args:
        pairs: Each translation and its reference.
    """
    matched, given, wanted = [0] * LONGEST, [0] * LONGEST, [0] * LONGEST
    for translation, reference in pairs:
        for place in range(LONGEST):
            ours, theirs = _pieces(translation, place + 1), _pieces(reference, place + 1)
            matched[place] += (ours & theirs).total()
            given[place] += ours.total() if theirs else 0
            wanted[place] += theirs.total()
    scores = [
        _score(matched[place] / given[place], matched[place] / wanted[place])
        for place in range(LONGEST)
        if given[place] and wanted[place]
    ]
    return 100 * sum(scores) / len(scores) if scores else 0.0


def _pieces(text: str, length: int) -> Counter[str]:
    letters = "".join(text.split())
    return Counter(letters[start : start + length] for start in range(len(letters) - length + 1))


def _score(precision: float, recall: float) -> float:
    if not precision + recall:
        return 0.0
    weight = RECALL_WEIGHT**2
    return (1 + weight) * precision * recall / (weight * precision + recall)
