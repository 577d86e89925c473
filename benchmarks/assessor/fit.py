"""Fits the weights that the assessor ships, and measures them on authors who were left out.

`python -m benchmarks.assessor.fit` fits them for the word lists, `--model NAME` for a model whose tags and
checks `benchmarks.assessor.observe` has kept.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import yaml

from benchmarks.assessor.authors import figures_by_part, scale_figures, trick_lifts
from benchmarks.assessor.corpus import ANSWERS_DIR, Case, read_all_cases
from benchmarks.assessor.described import TAGS, Described, describe_case
from benchmarks.assessor.figures import Pair
from benchmarks.assessor.fitting import FIGURES, Fitted, figures_of, fit
from benchmarks.assessor.judges import NO_EVIDENCE_LEVEL, Claim, Verdict
from benchmarks.assessor.observations import (
    OBSERVED_DIR,
    asked_sentences,
    observed,
    read_observations,
)
from services.assessor.baseline import Baseline, read_lexicon
from services.assessor.checks import read_calibration
from services.assessor.cues import CueWords, read_cue_words
from services.assessor.fitted import BASELINE, FITTED_DIR
from services.assessor.kinds import said_of
from services.assessor.prompts import read_prompts
from services.assessor.tags import Tag
from services.assessor.weighing import EVEN

FOLDS = "leave one author out"
DIGITS = 4
HEADER = """\
# Fitted to labelled answers by `python -m benchmarks.assessor.fit`. Don't edit it by hand.
# The figures are of answers whose authors were left out of the fit.
"""


def described(model: str, words: CueWords, cases: Sequence[Case]) -> list[Described]:
    """Describe all answers by word lists, or those that a model was asked about."""
    prompts = read_prompts()
    if model == BASELINE:
        baseline = Baseline(read_lexicon())
        return [
            _without_topics(
                describe_case(
                    words,
                    case,
                    [said_of(item) for item in baseline.tag_sentences(case.question, asked_sentences(case))],
                    None,
                    prompts,
                )
            )
            for case in cases
        ]
    found = observed(cases, read_observations(OBSERVED_DIR / f"{model}.jsonl"), prompts, model)
    return [
        describe_case(words, case, found[case.id].tags, found[case.id], prompts)
        for case in cases
        if case.id in found
    ]


def _without_topics(answer: Described) -> Described:
    """Label what is off the topic as general talk, because word lists know no topic.

    Fitted to say it, they were wrong in two of five sentences of authors who were left out.
    """
    labels = np.where(answer.labels == TAGS.index(Tag.OFFTOPIC), TAGS.index(Tag.GENERAL), answer.labels)
    return replace(answer, labels=labels)


def check_figures(model: str, answers: Sequence[Described]) -> dict[str, float]:
    """Compute of each answer how much more than even its checks are, as the assessor does."""
    calibration = read_calibration()
    figures = {}
    for answer in answers:
        offsets = calibration.offsets(model, answer.prompt_version)
        asked = [
            offsets[check].probability(odds) for check, odds in answer.checks.items() if check in offsets
        ]
        figures[answer.case.id] = float(np.mean(asked)) - EVEN if asked else 0.0
    return figures


def cross_validate(answers: Sequence[Described], checks: Mapping[str, float]) -> list[Pair]:
    """Judge every author's answers by what was fitted to those of the others."""
    pairs: list[Pair] = []
    for author in sorted({answer.case.author for answer in answers}):
        others = [answer for answer in answers if answer.case.author != author]
        fitted = fit(others, lambda answer: checks[answer.case.id])
        pairs += [
            (answer.case, judge(fitted, answer, checks[answer.case.id]))
            for answer in answers
            if answer.case.author == author
        ]
    return pairs


def judge(fitted: Fitted, answer: Described, check_figure: float) -> Verdict:
    """Give an answer's level, and name its sentences by their likeliest kinds."""
    probabilities = fitted.kinds.of(answer)
    tags = [TAGS[place] for place in probabilities.argmax(axis=1)] if answer.sentences else []
    if all(tag is Tag.OFFTOPIC for tag in tags):
        return Verdict(NO_EVIDENCE_LEVEL, judged=False)
    level = float(fitted.levels.of(figures_of(answer, probabilities, check_figure)[None])[0])
    claims = tuple(Claim(place, tag) for place, tag in zip(answer.places, tags, strict=True))
    return Verdict(level, claims=claims)


def to_document(
    fitted: Fitted, cues: Sequence[str], answers: Sequence[Described], figures: Mapping[str, float], date: str
) -> dict[str, object]:
    """Give the weights by name, with what they rest on."""
    kinds, levels = fitted.kinds, fitted.levels
    return {
        "prompt_versions": sorted({answer.prompt_version for answer in answers if answer.checks}),
        "origin": {
            "date": date,
            "corpus_digest": corpus_digest(),
            "answer_count": len(answers),
            "authors": sorted({answer.case.author for answer in answers}),
            "folds": FOLDS,
            "figures": dict(figures),
        },
        "kinds": {
            str(tag): {
                "intercept": _rounded(kinds.intercepts[column]),
                "cues": {cue: _rounded(kinds.weights[row, column]) for row, cue in enumerate(cues)},
                "said": {
                    str(said): _rounded(kinds.weights[len(cues) + row, column])
                    for row, said in enumerate(TAGS)
                },
            }
            for column, tag in enumerate(TAGS)
        },
        "figures": {name: _rounded(levels.weights[place]) for place, name in enumerate(FIGURES)},
        "thresholds": [_rounded(threshold) for threshold in levels.thresholds],
    }


def corpus_digest() -> str:
    """Compute the SHA-256 over all answers' files."""
    digest = hashlib.sha256()
    for path in sorted(ANSWERS_DIR.glob("*.yaml")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, fit to all answers, write the file, print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=BASELINE, help="a model's name; word lists by default")
    parser.add_argument("--to", type=Path, help="file to write; the shipped one by default")
    parser.add_argument("--dry", action="store_true", help="measure only")
    options = parser.parse_args(arguments)
    words = read_cue_words()
    answers = described(options.model, words, read_all_cases())
    checks = check_figures(options.model, answers)
    pairs = cross_validate(answers, checks)
    figures = figures_by_part(pairs) | scale_figures(pairs)
    print(json.dumps(figures | {"answers": len(pairs), "above_plan": trick_lifts(pairs)}))
    if options.dry:
        return
    fitted = fit(answers, lambda answer: checks[answer.case.id])
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    document = to_document(fitted, words.names(), answers, figures, today)
    target = options.to or FITTED_DIR / f"{options.model}.yaml"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(HEADER + yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def _rounded(value: float) -> float:
    return round(float(value), DIGITS)


if __name__ == "__main__":
    main()
