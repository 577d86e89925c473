"""How the checks take translations that are known: the good ones of the corpus, and its wrong ones.

What they flag of the good ones is a false alarm.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.translator.corpus import Sentence
from services.translator.checks import fault_of

SPLITS = ("tuning", "test")


def figures_of_references(sentences: Sequence[Sentence]) -> dict[str, float]:
    """Count what the checks say about the good and the wrong translations, by half of the corpus."""
    figures: dict[str, float] = {}
    for split in SPLITS:
        ours = [sentence for sentence in sentences if sentence.split == split]
        if ours:
            figures[f"sentences_{split}"] = len(ours)
            figures[f"left_out_good_share_{split}"] = _share(
                [_is_left_out(one, one.reference) for one in ours]
            )
            figures[f"left_out_wrong_share_{split}"] = _share([_is_left_out(one, one.wrong) for one in ours])
    return figures


def _is_left_out(sentence: Sentence, translation: str) -> bool:
    return (
        fault_of(sentence.text, translation, sentence.source_language, sentence.target_language) is not None
    )


def _share(values: Sequence[bool]) -> float:
    return round(sum(values) / len(values), 3)
