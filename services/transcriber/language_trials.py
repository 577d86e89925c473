"""Tells a language by trial where its sound says too little: what is written in which one is most probable?

Of two seconds the model takes Indonesian for Greek, Portuguese or English. What it writes of them in each
language tells more: a text that fits the sound is more probable than one that does not.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

SURE_PROBABILITY = 0.5
"""An expected language that a stretch alone sounds so much like is believed. Nothing is tried then."""
SURE_UNEXPECTED_PROBABILITY, SURE_UNEXPECTED_S = 0.9, 5.0
"""Another language is believed only where the stretch is long, too, and sounds plainly like it."""
ENOUGH_S = 5.0
"""Of so much speech, and beside speech that is told plainly, the sound and what is expected tell more than a
trial. Through noise the most fluent invention wins one: a garbled sentence of 1951 was English by it."""
RELATIVES: Mapping[str, Sequence[str]] = {"id": ("ms",)}
"""Languages that a model can't tell apart by their sound. What speaks for one that is not expected speaks for
the expected one."""
SHARPNESS = 60.0
"""How much a difference of the mean log-probability says. 0.02 of it decide between two languages that sound
equally likely."""
EXTRA_LOGPROB = 0.25
"""How much more probable a text in a language that is not expected must be."""
MIN_PROBABILITY = 0.01
"""Of so short a stretch smaller probabilities say nothing."""


class Expectations:
    """What is thought about languages before anything is heard.

    Args:
        codes: Whisper's codes of the languages that are likely to be spoken. Empty: any.
        odds: How much likelier one of them is than another.
    """

    def __init__(self, codes: Collection[str], odds: float) -> None:
        self.codes = frozenset(codes)
        self._odds = odds

    def gathered(self, found: Mapping[str, float]) -> dict[str, float]:
        """Return the probabilities, with those of relatives added to the expected language's."""
        gathered = dict(found)
        for code, relatives in RELATIVES.items():
            for relative in relatives if code in self.codes else ():
                if relative in gathered and relative not in self.codes:
                    gathered[code] = gathered.get(code, 0.0) + gathered.pop(relative)
        return gathered

    def weighted(self, found: Mapping[str, float]) -> Mapping[str, float]:
        """Return the probabilities with what is expected taken into account (Bayes)."""
        weighted = {code: p * (self._odds if code in self.codes else 1) for code, p in found.items()}
        return _normal(weighted) if self.codes else found

    def is_sure(self, found: Mapping[str, float]) -> bool:
        """Tell whether a stretch alone plainly sounds like a language that is expected."""
        return any(found.get(code, 0.0) >= SURE_PROBABILITY for code in self.codes)

    def to_try(self, found: Mapping[str, float], duration_s: float, *, beside_sure: bool) -> list[str]:
        """Return the languages that are to be tried. None where the sound says enough.

        Args:
            found: What a stretch sounds like, gathered.
            duration_s: Its length.
            beside_sure: Whether somebody plainly speaks an expected language in the same block.
        """
        if not self.codes or not found:
            return []
        weighted = self.weighted(found)
        is_likely = max(weighted, key=lambda code: weighted[code]) in self.codes
        if is_likely and (beside_sure or duration_s >= ENOUGH_S):
            return []
        likeliest = max(found, key=lambda code: found[code])
        if likeliest in self.codes:
            return [] if found[likeliest] >= SURE_PROBABILITY else sorted(self.codes)
        if found[likeliest] >= SURE_UNEXPECTED_PROBABILITY and duration_s >= SURE_UNEXPECTED_S:
            return []
        return [*sorted(self.codes), likeliest]

    def after_trial(self, found: Mapping[str, float], tried: Mapping[str, float]) -> dict[str, float]:
        """Return the probabilities of the languages that were tried.

        Args:
            found: What the stretch sounds like, gathered.
            tried: Mean log-probability of what was written, by language.
        """
        scores = {
            code: SHARPNESS * (logprob - (0.0 if code in self.codes else EXTRA_LOGPROB))
            + math.log(max(MIN_PROBABILITY, found.get(code, 0.0)))
            for code, logprob in tried.items()
        }
        best = max(scores.values())
        return _normal({code: math.exp(score - best) for code, score in scores.items()})


def _normal(weights: Mapping[str, float]) -> dict[str, float]:
    total = sum(weights.values())
    return {code: weight / total for code, weight in weights.items()} if total > 0 else dict(weights)
