"""Languages: what callers write (BCP-47), what Whisper calls it, and which one is spoken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from chassis.errors import InvalidInputError

WHISPER_CODES = {"jv": "jw", "nb": "no", "fil": "tl", "iw": "he", "in": "id", "cmn": "zh"}
"""BCP-47 subtags that Whisper knows under another name."""
BCP47_CODES = {"jw": "jv"}
"""Whisper's names that are not BCP-47."""
SWITCH_PROBABILITY = 0.9
"""A window changes the language only when it is this sure. Windows of English gave 0.70 to 1.00."""


def to_whisper_code(language_code: str, known_codes: Collection[str]) -> str:
    """Return Whisper's code for a BCP-47 tag such as `id`, `en-US` or `zh-Hans`.

    Raises:
        InvalidInputError: The model does not know that language (`LANGUAGE_UNSUPPORTED`).
    """
    primary = language_code.strip().replace("_", "-").split("-")[0].lower()
    code = WHISPER_CODES.get(primary, primary)
    if code in known_codes:
        return code
    allowed = ", ".join(sorted(to_bcp47_code(known) for known in known_codes))
    raise InvalidInputError(
        f"The loaded model does not understand this language; use one of: {allowed}; or leave it empty.",
        reason="LANGUAGE_UNSUPPORTED",
        fields={"language_code": f"one of: {allowed}"},
    )


def to_bcp47_code(whisper_code: str) -> str:
    """Return the BCP-47 code for one of Whisper's."""
    return BCP47_CODES.get(whisper_code, whisper_code)


class LanguageChoice:
    """Decides in which language to decode each window of one recording.

    A window that is sure decides for itself, so that an answer that changes language keeps its
    words. An unsure one follows what all windows so far say together, so that an accent or a short
    last window does not change the language.
    """

    def __init__(self) -> None:
        self._evidence: defaultdict[str, float] = defaultdict(float)
        self.current = ""
        """The last window's language, Whisper's code."""
        self.current_probability = 0.0
        """The model's probability of it in that window."""

    def decide(self, probabilities: Mapping[str, float]) -> str:
        """Take a window's probabilities by language, and return the language to decode it in."""
        for language, probability in probabilities.items():
            self._evidence[language] += probability
        loudest = max(probabilities, key=lambda language: probabilities[language])
        if probabilities[loudest] < SWITCH_PROBABILITY:
            loudest = max(self._evidence, key=lambda language: self._evidence[language])
        self.current, self.current_probability = loudest, probabilities.get(loudest, 0.0)
        return loudest
