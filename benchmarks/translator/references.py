"""How the checks take translations that are known: the good ones of the corpus, and its wrong ones.

What they flag of the good ones is a false alarm.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.table import Table

from benchmarks.translator.corpus import Sentence
from services.translator.checks import doubts_of, fault_of
from services.translator.job import Doubt

SPLITS = ("tuning", "test")
Flag = Callable[[Sentence, str], bool]


def _is_left_out(sentence: Sentence, translation: str) -> bool:
    return (
        fault_of(sentence.text, translation, sentence.source_language, sentence.target_language) is not None
    )


def _is_negation_doubted(sentence: Sentence, translation: str) -> bool:
    doubts = doubts_of(sentence.text, translation, sentence.source_language, sentence.target_language)
    return Doubt.NEGATION_DOUBTFUL in doubts


FLAGS: dict[str, Flag] = {"left_out": _is_left_out, "negation_doubted": _is_negation_doubted}


def figures_of_references(sentences: Sequence[Sentence]) -> dict[str, float]:
    """Count what the checks say about the good and the wrong translations, by half of the corpus."""
    figures: dict[str, float] = {}
    for split in SPLITS:
        ours = [sentence for sentence in sentences if sentence.split == split]
        denying = [sentence for sentence in ours if "negation" in sentence.kinds]
        if not denying:
            continue
        figures |= {f"sentences_{split}": len(ours), f"negations_{split}": len(denying)}
        for name, flag in FLAGS.items():
            figures[f"{name}_good_{split}"] = sum(flag(one, one.reference) for one in ours)
            figures[f"{name}_wrong_{split}"] = sum(flag(one, one.wrong) for one in ours)
            figures[f"{name}_wrong_negations_{split}"] = sum(flag(one, one.wrong) for one in denying)
    return figures


def table_of_references(figures: dict[str, float]) -> Table:
    """Make the table for people."""
    table = Table("half", "check", "of good ones (false alarms)", "of wrong ones", "of wrong negations")
    for split in SPLITS:
        for name in FLAGS:
            if f"sentences_{split}" in figures:
                count, denied = figures[f"sentences_{split}"], figures[f"negations_{split}"]
                table.add_row(
                    split,
                    name.replace("_", " "),
                    f"{figures[f'{name}_good_{split}']} of {count}",
                    f"{figures[f'{name}_wrong_{split}']} of {count}",
                    f"{figures[f'{name}_wrong_negations_{split}']} of {denied}",
                )
    return table
