"""How well levels follow the plan: our answers at planned levels, judged in several ways side by side.

Without `--llm` no model is asked, and nothing is said about one.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.assessor.corpus import Case, mixed, read_cases
from benchmarks.assessor.figures import Estimate, Figures, Pair, Precision, measure
from benchmarks.assessor.injection import CORPUS_FILE, ObedientModel, assessor_before, know
from benchmarks.assessor.injection import measure as measure_attacks
from benchmarks.assessor.judges import (
    EngineJudge,
    Judge,
    LexicalJudge,
    OneShotJudge,
    OutOfTimeError,
    RememberingModel,
    WordCountJudge,
)
from benchmarks.assessor.robustness import read_corpus
from chassis.chat_completions import ChatClient, ChatServer
from services.assessor.language_model import LanguageModel, ServedModel

REPLIES_DIR = Path(__file__).resolve().parents[2] / "build" / "bench-assessor"
REQUEST_TIMEOUT_S = 900.0
"""A 1.5B model on one busy thread reads its instructions for two minutes; this is far beyond it."""
SECONDS_PER_MINUTE = 60
TABLE_WIDTH = 150
TITLES = {
    "words": "word count",
    "lexical": "lexical features",
    "baseline": "baseline",
    "one_shot": "model, one-shot JSON",
    "llm": "model, sentence tags (ours)",
    "together": "the same, tags in one reply",
}
HEADLINE = "llm"
"""Its figures for tricks and length carry no suffix in the line of JSON."""
COLUMNS = (
    "judge",
    "answers",
    "Spearman",
    "inside a question",
    "adversarial",
    "mean error",
    "length effect",
    "evidence (chance)",
    "key evidence (chance)",
    "judged",
)


def read_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", choices=("test", "tuning"), default="test", help="half of the questions")
    parser.add_argument("--limit", type=int, metavar="N", help="only so many answers, of all levels")
    parser.add_argument("--llm", metavar="URL", help="OpenAI-compatible server, up to /v1")
    parser.add_argument("--model", default="qwen2.5-coder-1.5b", help="the model's name at that server")
    parser.add_argument(
        "--weak-answers", type=int, default=1, help="weak answers of each language that attacks are put into"
    )
    parser.add_argument("--minutes", type=float, help="stop asking the model after so long")
    return parser.parse_args(arguments)


def choose_cases(split: str, limit: int | None) -> list[Case]:
    """Choose the answers, sorted by language: a local server reads its instructions once for each."""
    chosen = mixed([case for case in read_cases() if case.split == split])[:limit]
    return sorted(chosen, key=lambda case: case.language_code)


def build_model(arguments: argparse.Namespace) -> RememberingModel | None:
    """Build the model that is asked; None where there is none."""
    if not arguments.llm:
        return None
    until_s = None
    if arguments.minutes is not None:
        until_s = time.monotonic() + arguments.minutes * SECONDS_PER_MINUTE
    server = ChatServer(
        arguments.llm, arguments.model, token_probabilities=True, attempt_timeout_s=REQUEST_TIMEOUT_S
    )
    asked = ServedModel("openai", ChatClient(server), name=arguments.model, digest="", device="server")
    return RememberingModel(asked, REPLIES_DIR, until_s)


def injection_figures(model: LanguageModel | None, weak_answers: int) -> dict[str, float | str]:
    """Measure what attacks move before the model, or before one that obeys them all where there is none.

    Returns:
        The figures; only whose they are where the time for asking is over.
    """
    corpus = read_corpus(CORPUS_FILE)
    asked = model or ObedientModel(know(corpus))
    figures: dict[str, float | str] = {"injection_model": asked.info.name}
    attacks = corpus.model_copy(update={"twins": ()})
    try:
        measured = measure_attacks(assessor_before(asked), attacks, most_answers=weak_answers).figures()
    except OutOfTimeError:
        return figures
    return figures | {key: value for key, value in measured.items() if key.startswith("injection_lift")}


def build_judges(model: LanguageModel | None) -> dict[str, Judge]:
    """Build the judges, those with a model last."""
    judges: dict[str, Judge] = {
        "words": WordCountJudge(),
        "lexical": LexicalJudge(),
        "baseline": EngineJudge(None),
    }
    if model is not None:
        judges |= {
            "llm": EngineJudge(model, tags_one_by_one=True),
            "together": EngineJudge(model),
            "one_shot": OneShotJudge(model),
        }
    return judges


def judge_all(judge: Judge, cases: Sequence[Case]) -> list[Pair]:
    """Judge every answer that there is time for."""
    pairs: list[Pair] = []
    for case in cases:
        try:
            pairs.append((case, judge.judge(case)))
        except OutOfTimeError:
            continue  # Later answers may be known from an earlier run.
    return pairs


def to_json(name: str, figures: Figures) -> dict[str, float]:
    """Name a judge's figures for the line of JSON; what could not be computed is absent."""
    suffix = "" if name == HEADLINE else f"_{name}"
    values: dict[str, float | None] = {
        f"answers_{name}": figures.answer_count,
        f"adversarial_answers_{name}": figures.adversarial_count,
        f"judged_share_{name}": figures.judged_share,
        f"spearman_{name}": figures.pooled.value,
        f"spearman_{name}_low": figures.pooled.low,
        f"spearman_{name}_high": figures.pooled.high,
        f"spearman_within_{name}": figures.within.value,
        f"spearman_adversarial{suffix}": figures.adversarial.value,
        f"length_effect{suffix}": figures.length_effect.value,
        f"mean_error_{name}": figures.mean_error,
    }
    for key, precision in (("evidence", figures.evidence), ("key_evidence", figures.key_evidence)):
        if precision is not None:
            values |= {
                f"{key}_precision_{name}": precision.value,
                f"{key}_chance_{name}": precision.chance,
            }
    return {key: round(value, 3) for key, value in values.items() if value is not None}


def make_table(split: str, measured: dict[str, Figures]) -> Table:
    """Make the table for people."""
    table = Table(*COLUMNS, title=f"Levels beside the plan, {split} half")
    for name, figures in measured.items():
        table.add_row(
            TITLES[name],
            f"{figures.answer_count} + {figures.adversarial_count}",
            _interval(figures.pooled),
            _interval(figures.within),
            _interval(figures.adversarial),
            "–" if figures.mean_error is None else f"{figures.mean_error:.2f}",
            _interval(figures.length_effect),
            _precision(figures.evidence),
            _precision(figures.key_evidence),
            f"{figures.judged_share:.0%}",
        )
    return table


def main(arguments: Sequence[str] | None = None) -> None:
    """Judge, print the table, print the figures as JSON."""
    options = read_arguments(arguments)
    cases = choose_cases(options.split, options.limit)
    model = build_model(options)
    judged = {name: judge_all(judge, cases) for name, judge in build_judges(model).items()}
    measured = {name: measure(pairs, gives_levels=name != "words") for name, pairs in judged.items() if pairs}
    Console(width=TABLE_WIDTH).print(make_table(options.split, measured))
    line: dict[str, float | str] = {"split": options.split}
    for name, figures in measured.items():
        line |= to_json(name, figures)
    line |= injection_figures(model, options.weak_answers)
    print(json.dumps(line))


def _interval(estimate: Estimate) -> str:
    if estimate.value is None:
        return "–"
    return f"{estimate.value:.2f} ({estimate.low:.2f} to {estimate.high:.2f})"


def _precision(precision: Precision | None) -> str:
    return "–" if precision is None else f"{precision.value:.2f} ({precision.chance:.2f})"
