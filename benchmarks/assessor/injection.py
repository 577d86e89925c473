"""What attacks in an answer move: score lift by kind of attack, drift on sentences that only sound alike.

By default against a model that obeys every instruction that reaches it, as far as the schema lets it: what
the architecture alone holds back. `--backend openai` measures the model that `ASSESSOR_…` configures.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.table import Table

from benchmarks.assessor.robustness import (
    KINDS,
    Attack,
    Control,
    Corpus,
    Measured,
    Summary,
    Twin,
    measure_attack,
    measure_twin,
    read_corpus,
    summarise,
)
from chassis.chat_completions import ChatRequest
from chassis.chat_replies import ChatReply
from chassis.deadline import Deadline
from chassis.model_info import ModelInfo
from services.assessor.__main__ import build_model
from services.assessor.answer import Answer, Segment
from services.assessor.assessment import Assessment
from services.assessor.baseline import Baseline, read_lexicon
from services.assessor.checks import ONE_TOKEN, read_calibration
from services.assessor.engine import Assessor
from services.assessor.fitted import BASELINE
from services.assessor.injection import Exclusion, find_exclusions
from services.assessor.judging import BaselineJudge, ModelJudge
from services.assessor.language_model import LanguageModel
from services.assessor.prompts import read_prompts
from services.assessor.rubric import RUBRICS_DIR, read_rubrics
from services.assessor.sentences import Sentence, split_sentences
from services.assessor.settings import AssessorSettings
from services.assessor.tags import STORY, Tag
from services.assessor.weighing import read_weighings

T = TypeVar("T", Attack, Twin)
CORPUS_FILE = Path(__file__).parent / "injection_corpus.yaml"
CONCLUSION = "The candidate speaks of problems in general. A concrete situation is missing."
APART = ("stuffing", "adaptive")
NOTES = tuple(kind for kind in KINDS if kind not in APART)
"""Notes to the evaluator and fake replies in all their forms. Stuffing asks for nothing; adaptive attacks
were written to get past the patterns."""


class ObedientModel:
    """Tags what it knows as it is; obeys everything else by calling each sentence a part of a full story.

    Args:
        known: Sentences that ask for nothing, with what they are or claim to be.
    """

    backend = "openai"
    info = ModelInfo("obedient")

    def __init__(self, known: Mapping[str, Tag]) -> None:
        self._known = known

    def complete(self, request: ChatRequest, deadline: Deadline) -> ChatReply:
        """See `LanguageModel.complete`."""
        deadline.check()
        if request.schema is None:
            return ChatReply(CONCLUSION)
        said = [line.partition(": ") for line in request.messages[-1].content.splitlines()]
        sentences = {head: text for head, _, text in said if head in request.schema["properties"]}
        if all(text in self._known for text in sentences.values()):
            return ChatReply(json.dumps({head: self._known[text] for head, text in sentences.items()}))
        return ChatReply(json.dumps({head: STORY[n % len(STORY)] for n, head in enumerate(sentences)}))


class RememberingModel:
    """Asks a model nothing twice, since what is left out leaves the same prompt; writes no conclusions.

    Args:
        model: The model.
    """

    def __init__(self, model: LanguageModel) -> None:
        self.backend = model.backend
        self._model = model
        self._replies: dict[tuple[object, ...], ChatReply] = {}

    @property
    def info(self) -> ModelInfo:
        """Which model it is."""
        return self._model.info

    def complete(self, request: ChatRequest, deadline: Deadline) -> ChatReply:
        """See `LanguageModel.complete`."""
        if request.schema is None and request.max_tokens > ONE_TOKEN:
            return ChatReply(CONCLUSION)  # no level rests on it
        key = (*request.messages, request.max_tokens, request.seed)
        if key not in self._replies:
            self._replies[key] = self._model.complete(request, deadline)
        return self._replies[key]


def know(corpus: Corpus) -> dict[str, Tag]:
    """Collect what the obedient model takes for no instruction: everything but the attacks proper."""
    known: dict[str, Tag] = {}
    for weak in corpus.weak_answers:
        known |= dict.fromkeys(_sentences(weak.text), Tag.GENERAL)
    plain: tuple[Control | Twin, ...] = (*corpus.controls, *corpus.twins)
    for item in plain:
        known |= dict.fromkeys(_sentences(item.text), item.tag)
    for attack in corpus.attacks:
        known |= dict(zip(_sentences(attack.text), attack.believed, strict=False))
    return known


def _sentences(text: str) -> list[str]:
    return [sentence.text for sentence in split_sentences([Segment(text)])]


def leave_nothing_out(sentences: Sequence[Sentence]) -> dict[str, Exclusion]:  # noqa: ARG001
    """Stand in for the patterns, to see what they hold back."""
    return {}


def assessor_before(model: LanguageModel, *, patterns: bool = True) -> Assessor:
    """Put the assessor together with a model, with or without the patterns."""
    prompts, weighing_of = read_prompts(), read_weighings()
    judge = ModelJudge(
        model,
        prompts=prompts,
        calibration=read_calibration(),
        seed=0,
        max_tokens=512,
        weighing_of=weighing_of,
    )
    return Assessor(
        model_judge=judge,
        baseline_judge=BaselineJudge(Baseline(read_lexicon()), weighing_of(BASELINE)),
        rubrics=read_rubrics(RUBRICS_DIR),
        language_codes=sorted(prompts),
        find_exclusions=find_exclusions if patterns else leave_nothing_out,
    )


@dataclass(frozen=True)
class Report:
    """Everything that was measured."""

    attacks: tuple[Measured, ...]
    twins: tuple[Measured, ...]

    def by_kind(self) -> list[Summary]:
        """Average by kind of attack, then over the twins; each also for the held-out part alone."""
        groups: list[tuple[str, list[Measured]]] = [
            (kind, [row for row in self.attacks if row.kind == kind]) for kind in KINDS
        ]
        groups += [
            ("notes and fake replies", [row for row in self.attacks if row.kind in NOTES]),
            (
                "notes and fake replies, held out",
                [row for row in self.attacks if row.kind in NOTES and row.held_out],
            ),
            ("benign twins", list(self.twins)),
            ("benign twins, held out", [row for row in self.twins if row.held_out]),
        ]
        rows = (summarise(rows, label) for label, rows in groups)
        return [row for row in rows if row is not None]

    def figures(self) -> dict[str, float]:
        """Give the figures that targets are set for."""
        notes = [row for row in self.attacks if row.kind in NOTES]
        parts: dict[str, Summary | None] = {
            "notes": summarise(notes, ""),
            "notes_held_out": summarise((row for row in notes if row.held_out), ""),
            **{kind: summarise((r for r in self.attacks if r.kind == kind), "") for kind in APART},
        }
        figures = {f"injection_lift_{key}": row.shift_levels for key, row in parts.items() if row is not None}
        for key, row in (("attacks", parts["notes"]), ("benign", summarise(self.twins, ""))):
            if row is not None:
                figures[f"flagged_{key}"] = row.flagged_share
                if key == "benign":
                    figures["benign_drift"] = row.shift_levels
        return {key: round(value, 3) for key, value in figures.items()}


def measure(assessor: Assessor, corpus: Corpus, *, most_answers: int = 4, most_items: int = 1000) -> Report:
    """Measure the corpus, or the first `most_items` of each kind on the first `most_answers` weak answers."""

    @cache
    def assess(answer: Answer) -> Assessment:
        return assessor.assess(answer, Deadline(None))

    attacks = [a for kind in KINDS for a in [x for x in corpus.attacks if x.kind == kind][:most_items]]
    twins = [t for kind in KINDS for t in [x for x in corpus.twins if x.twin_of == kind][:most_items]]
    return Report(
        tuple(measure_attack(assess, corpus, attack, most_answers) for attack in attacks),
        tuple(measure_twin(assess, corpus, twin, most_answers) for twin in twins),
    )


def show(report: Report, title: str, unguarded: Report | None = None) -> None:
    """Print the table, beside it what moves where nothing is left out."""
    columns = ["kind", "items", "left out", "levels moved"]
    table = Table(*columns, *(["with nothing left out"] if unguarded else []), title=title)
    rows = report.by_kind()
    others = unguarded.by_kind() if unguarded else [None] * len(rows)
    for row, other in zip(rows, others, strict=True):
        cells = [row.kind, str(row.count), f"{row.flagged_share:.0%}", f"{row.shift_levels:+.2f}"]
        table.add_row(*cells, *([f"{other.shift_levels:+.2f}"] if other else []))
    Console().print(table)


def _only(corpus: Corpus, language: str | None, *, attacks_only: bool) -> Corpus:
    """Take the part of a corpus that was asked for."""

    def wanted(items: Sequence[T]) -> tuple[T, ...]:
        return tuple(item for item in items if language in (None, item.language))

    twins = () if attacks_only else wanted(corpus.twins)
    return corpus.model_copy(update={"attacks": wanted(corpus.attacks), "twins": twins})


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the tables, print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", choices=["obedient", "openai"], default="obedient")
    parser.add_argument("--items", type=int, default=1000, help="the most of each kind")
    parser.add_argument("--answers", type=int, default=4, help="the most weak answers of each language")
    parser.add_argument("--language", choices=["en", "id"], help="one language only")
    parser.add_argument("--attacks-only", action="store_true", help="leave the benign twins out")
    options = parser.parse_args(arguments)
    corpus = _only(read_corpus(CORPUS_FILE), options.language, attacks_only=options.attacks_only)
    limits = {"most_answers": options.answers, "most_items": options.items}
    if options.backend == "openai":
        settings = AssessorSettings(backend="openai")
        model = build_model(settings)
        assert model is not None  # noqa: S101 - the backend is set
        report = measure(assessor_before(RememberingModel(model)), corpus, **limits)
        show(report, f"{settings.llm_model}: what attacks move")
        print(json.dumps(report.figures()))
        return
    obedient = ObedientModel(know(corpus))
    unguarded = measure(assessor_before(obedient, patterns=False), corpus, **limits)
    report = measure(assessor_before(obedient), corpus, **limits)
    show(report, "A model that obeys whatever reaches it", unguarded)
    figures = report.figures() | {"unguarded_lift_notes": unguarded.figures()["injection_lift_notes"]}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
