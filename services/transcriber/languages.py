"""Languages: what callers write (BCP-47), what Whisper calls it, and which one is spoken when."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from chassis.errors import InvalidInputError, listed

WHISPER_CODES = {"jv": "jw", "nb": "no", "fil": "tl", "iw": "he", "in": "id", "cmn": "zh"}
"""BCP-47 subtags that Whisper knows under another name."""
BCP47_CODES = {"jw": "jv"}
"""Whisper's names that are not BCP-47."""
SWITCH_COST = 2.0
"""Log-odds that a change of language costs. An island in mid-answer pays twice. It must be 55 times as
probable. Accented English gave Welsh 4 times as probable in single stretches (VCTK, model base)."""
FULL_WEIGHT_S = 5.0
"""A shorter stretch says less: of 3 s the model names a wrong language for half of the voices tried."""
MIN_PROBABILITY = 0.001
"""The model's smaller probabilities say nothing."""
MIN_CANDIDATE = 0.05
"""A language that no stretch finds this probable is not considered."""


def to_whisper_code(language_code: str, known_codes: Collection[str]) -> str:
    """Return Whisper's code for a BCP-47 tag such as `id`, `en-US` or `zh-Hans`.

    Raises:
        InvalidInputError: The model does not know that language (`LANGUAGE_UNSUPPORTED`).
    """
    primary = language_code.strip().replace("_", "-").split("-")[0].lower()
    code = WHISPER_CODES.get(primary, primary)
    if code in known_codes:
        return code
    allowed = listed(sorted(to_bcp47_code(known) for known in known_codes))
    raise InvalidInputError(
        f"The loaded model does not understand this language. Use one of: {allowed}. Or leave it empty.",
        reason="LANGUAGE_UNSUPPORTED",
        fields={"language_code": f"one of: {allowed}"},
    )


def to_bcp47_code(whisper_code: str) -> str:
    """Return the BCP-47 code for one of Whisper's."""
    return BCP47_CODES.get(whisper_code, whisper_code)


def language_path(
    stretches: Sequence[tuple[Mapping[str, float], float]], before: str | None = None
) -> list[str]:
    """Return the most probable language of each stretch, where changing the language costs something.

    Viterbi's algorithm. So a stretch that is sure and long decides for itself, and an unsure or short one
    follows its neighbours: an accent or a cough does not change the language.

    Args:
        stretches: Of each stretch the probabilities by language, and its length in seconds.
        before: Language of what came before, if anything did.
    """
    candidates = {code for found, _ in stretches for code, p in found.items() if p >= MIN_CANDIDATE}
    candidates |= {max(found, key=lambda code: found[code]) for found, _ in stretches if found}
    codes = sorted(candidates | {before} if before else candidates)
    scores = {code: 0.0 if before in (None, code) else -SWITCH_COST for code in codes}
    steps: list[dict[str, str]] = []
    for found, duration_s in stretches:
        best = max(codes, key=lambda code: scores[code])
        came_from = {code: code if scores[code] >= scores[best] - SWITCH_COST else best for code in codes}
        weight = min(1.0, duration_s / FULL_WEIGHT_S)
        scores = {
            code: max(scores[code], scores[best] - SWITCH_COST)
            + weight * math.log(max(MIN_PROBABILITY, found.get(code, 0.0)))
            for code in codes
        }
        steps.append(came_from)
    path = [max(codes, key=lambda code: scores[code])] if codes else []
    for came_from in reversed(steps[1:]):
        path.append(came_from[path[-1]])
    return path[::-1]
