"""Weighs an answer by what was fitted: first what its sentences are, then the level that they carry.

Everything is a sum over sentences, so `contributions` can say what each of them adds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

from services.assessor import account
from services.assessor.account import Figure
from services.assessor.cues import CARRYING, CueWords, find_cues, read_cue_words
from services.assessor.fitted import Fitted, read_fitted
from services.assessor.kinds import weigh
from services.assessor.levels import Level, find_evidence
from services.assessor.ordinal import level_at, spread_at
from services.assessor.rubric import Criterion
from services.assessor.tags import Tag, TaggedSentence

EVEN = 0.5
"""The probability of a check that says nothing."""


class Weighing:
    """Weighs answers.

    Args:
        words: The patterns of the cues.
        fitted: The weights for whoever tags the sentences.
    """

    def __init__(self, words: CueWords, fitted: Fitted) -> None:
        self._words = words
        self._fitted = fitted

    @property
    def prompt_versions(self) -> tuple[str, ...]:
        """The prompts whose tags it was fitted to. Empty for word lists."""
        return self._fitted.prompt_versions

    def weigh(self, question: str, tagged: Sequence[TaggedSentence]) -> tuple[TaggedSentence, ...]:
        """Say again what each sentence is, by its wording too. Where nothing is found, nothing is said."""
        cues = find_cues(self._words, question, [item.sentence for item in tagged])
        if not any(
            item.tag is not None or any(found[cue] for cue in CARRYING)
            for item, found in zip(tagged, cues, strict=True)
        ):
            return tuple(tagged)
        return weigh(tagged, cues, self._fitted.kinds)

    def find_level(
        self,
        criterion: Criterion,
        question: str,
        weighed: Sequence[TaggedSentence],
        checks: Mapping[str, float] | None = None,
    ) -> Level | None:
        """Find the level of the criterion that was fitted. None where no sentence carries one.

        Args:
            criterion: Its kinds of evidence count, not its rule.
            question: The question that was answered.
            weighed: The sentences as `weigh` gives them.
            checks: Probability that each check is fulfilled, as far as they were asked.
        """
        evidence = find_evidence(criterion, weighed)
        if not evidence or len(weighed) < criterion.least_sentences:
            return None
        figures = self._figures(criterion, question, weighed, checks or {})
        total = sum(self._fitted.figures[name] * figure.value for name, figure in figures.items())
        thresholds = self._fitted.thresholds
        return Level(level_at(total, thresholds), evidence, spread_at(total, thresholds))

    def contributions(
        self,
        criterion: Criterion,
        question: str,
        weighed: Sequence[TaggedSentence],
        checks: Mapping[str, float] | None = None,
    ) -> tuple[float, ...]:
        """Say what each sentence adds to the sum that the level is read from."""
        figures = self._figures(criterion, question, weighed, checks or {})
        return tuple(
            sum(self._fitted.figures[name] * figure.parts[place] for name, figure in figures.items())
            for place in range(len(weighed))
        )

    def _figures(
        self,
        criterion: Criterion,
        question: str,
        weighed: Sequence[TaggedSentence],
        checks: Mapping[str, float],
    ) -> dict[str, Figure]:
        cues = find_cues(self._words, question, [item.sentence for item in weighed])
        kinds = [{tag: item.probability(tag) for tag in Tag} for item in weighed]
        asked = [checks[check_id] for check_id in criterion.checks if check_id in checks]
        check_figure = sum(asked) / len(asked) - EVEN if asked else 0.0
        return account.describe(list(zip(kinds, cues, strict=True)), check_figure)


def read_weighings(words: CueWords | None = None) -> Callable[[str], Weighing | None]:
    """Make what finds the weighing for word lists (`baseline`) or for a model by its name, each read once."""
    known = words or read_cue_words()

    @cache
    def weighing_of(name: str) -> Weighing | None:
        fitted = read_fitted(name)
        return None if fitted is None else Weighing(known, fitted)

    return weighing_of
