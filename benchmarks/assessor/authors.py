"""How levels follow the plan over all authors: `python -m benchmarks.assessor.authors`.

A judge that was made with one author's answers shows here what it is worth on strangers'. Each column is
a part of the answers, so that a good figure on tidy prose does not hide a bad one on other voices or tricks.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

from rich.console import Console
from rich.table import Table

from benchmarks.assessor.corpus import TIDY_VOICE, Case, read_all_cases
from benchmarks.assessor.figures import KEY_TAGS, Pair, estimate, precision, rank_correlation, to_columns
from benchmarks.assessor.judges import EngineJudge, Judge, LexicalJudge, WordCountJudge
from benchmarks.assessor.measure import TITLES, build_model, judge_all

TABLE_WIDTH = 170
LEVELS = (1, 2, 3, 4, 5)


def _ordinary(case: Case) -> bool:
    return case.adversarial is None


COLUMNS: Mapping[str, Callable[[Case], bool]] = {
    "ordinary": _ordinary,
    "tidy": lambda case: _ordinary(case) and case.voice == TIDY_VOICE,
    "voices": lambda case: _ordinary(case) and case.voice != TIDY_VOICE,
    "adversarial": lambda case: not _ordinary(case),
    "english": lambda case: _ordinary(case) and case.language_code == "en",
    "indonesian": lambda case: _ordinary(case) and case.language_code == "id",
}
"""Parts of the answers, by name."""


def figures_by_part(pairs: Sequence[Pair]) -> dict[str, float]:
    """Compute a judge's rank correlation with the plan in each part of the answers.

    A part with too few answers, or one that a judge gives the same level throughout, is left out.
    """
    authors = sorted({case.author for case, _ in pairs})
    parts = {**COLUMNS, **{f"author_{author}": _of_author(author) for author in authors}}
    figures: dict[str, float] = {}
    for name, belongs in parts.items():
        found = estimate(to_columns([pair for pair in pairs if belongs(pair[0])]), rank_correlation)
        if found.value is not None:
            figures[f"spearman_{name}"] = round(found.value, 3)
    return figures


def scale_figures(pairs: Sequence[Pair]) -> dict[str, float]:
    """Compute the mean error, and the mean level at each planned one, over the ordinary answers."""
    ordinary = [(case, verdict) for case, verdict in pairs if _ordinary(case)]
    errors = [abs(verdict.level - case.level) for case, verdict in ordinary]
    figures = {"mean_error": fmean(errors)} if errors else {}
    for level in LEVELS:
        given = [verdict.level for case, verdict in ordinary if case.level == level]
        if given:
            figures[f"mean_at_{level}"] = fmean(given)
    found = precision(pairs, KEY_TAGS)
    if found is not None:
        figures |= {"key_evidence": found.value, "key_chance": found.chance}
    return {name: round(value, 3) for name, value in figures.items()}


def trick_lifts(pairs: Sequence[Pair]) -> dict[str, float]:
    """Say for each kind of trick how far above the plan its answers end, in levels."""
    kinds = sorted({case.adversarial for case, _ in pairs if case.adversarial is not None})
    return {
        kind: round(
            fmean(verdict.level - case.level for case, verdict in pairs if case.adversarial == kind), 2
        )
        for kind in kinds
    }


def make_table(measured: Mapping[str, Mapping[str, float]]) -> Table:
    """Make the table of rank correlations for people."""
    names = list(dict.fromkeys(name for figures in measured.values() for name in figures))
    table = Table(
        "judge", *(name.removeprefix("spearman_") for name in names), title="Rank correlation with the plan"
    )
    for judge, figures in measured.items():
        table.add_row(TITLES[judge], *(f"{figures[name]:.2f}" if name in figures else "–" for name in names))
    return table


def main(arguments: Sequence[str] | None = None) -> None:
    """Judge all authors' answers, print the table, print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--llm", metavar="URL", help="OpenAI-compatible server, up to /v1")
    parser.add_argument("--model", default="qwen2.5-coder-1.5b", help="the model's name at that server")
    parser.add_argument("--minutes", type=float, help="stop asking the model after so long")
    options = parser.parse_args(arguments)
    judges: dict[str, Judge] = {
        "words": WordCountJudge(),
        "lexical": LexicalJudge(),
        "baseline": EngineJudge(None),
    }
    model = build_model(options)
    if model is not None:
        judges["llm"] = EngineJudge(model, tags_one_by_one=True)
    cases = sorted(read_all_cases(), key=lambda case: case.language_code)
    judged = {name: judge_all(judge, cases) for name, judge in judges.items()}
    measured = {name: figures_by_part(pairs) for name, pairs in judged.items() if pairs}
    Console(width=TABLE_WIDTH).print(make_table(measured))
    document = {
        name: {
            "answers": len(pairs),
            **measured[name],
            **({} if name == "words" else scale_figures(pairs) | {"above_plan": trick_lifts(pairs)}),
        }
        for name, pairs in judged.items()
        if pairs
    }
    print(json.dumps(document))


def _of_author(author: str) -> Callable[[Case], bool]:
    return lambda case: _ordinary(case) and case.author == author


if __name__ == "__main__":
    main()
