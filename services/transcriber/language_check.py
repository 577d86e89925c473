"""Does a recording sound like the language that was named? A model that is told a wrong one invents text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from threading import Event
from typing import Literal

from chassis.playback.recording_warnings import RecordingWarning
from services.transcriber.audio import Samples, cut
from services.transcriber.decoding import DecodeRequest, SpeechModel
from services.transcriber.hearing import Hearing
from services.transcriber.languages import to_bcp47_code
from services.transcriber.spoken_languages import MIN_STRETCH_S, PAD_S, stretches_of
from services.transcriber.transcript import Span

OnContradiction = Literal["trust", "warn", "switch"]
"""trust: nobody looks. warn: the reader is told. switch: the language is detected, and the reader is told."""
KIND = "LANGUAGE_CONTRADICTED"
MAX_CHECKED_S = 5.0
"""Heard of a stretch: a look costs 0.05 CPU-seconds (base), and is the only one where nothing is wrong."""
MAX_STRETCHES = 3
PLAUSIBLE_PROBABILITY = 0.1
"""Where the named language is at least so probable, it is believed."""
STRONG_PROBABILITY = 0.6
"""From here on another language speaks against the named one."""
MIN_GAIN = 0.1
"""How much more probable (mean log-probability) the text in the other language must be."""
ALIKE = (
    {"id", "ms", "jw", "su"},
    {"no", "nn", "da", "sv"},
    {"hi", "ur"},
    {"hr", "sr", "bs"},
    {"es", "gl", "ca"},
    {"cs", "sk"},
    {"en", "cy"},
)
"""Languages that small models take for each other, such as accents of English for Welsh: no contradiction."""


@dataclass(frozen=True)
class LanguageCheck:
    """Compares the language that was named with what is heard.

    Args:
        model: Tells languages.
        rule: What follows from a contradiction.
    """

    model: SpeechModel
    rule: OnContradiction = "warn"

    def checked(
        self, hearing: Hearing, request: DecodeRequest, stop: Event
    ) -> tuple[DecodeRequest, tuple[RecordingWarning, ...]]:
        """Return how the recording is to be decoded, and what the reader is told.

        Args:
            hearing: All of the recording.
            request: What the caller asked for.
            stop: Ends the work.
        """
        named = request.language_code
        if self.rule == "trust" or named is None or len(self.model.language_codes) < 2:
            return request, ()
        heard = self._heard_instead_of(named, hearing, stop)
        if heard is None:
            return request, ()
        if self.rule == "switch":
            request = replace(request, language_code=None)
        return request, (_warning(to_bcp47_code(named), to_bcp47_code(heard), self.rule),)

    def _heard_instead_of(self, named: str, hearing: Hearing, stop: Event) -> str | None:
        """Return the language that the recording plainly sounds like instead of the named one."""
        told: list[dict[str, float]] = []
        stretches = [_beginning(hearing, span) for span in _some(_stretches(hearing))]
        for stretch in stretches:
            told.append(dict(self.model.detect_language(stretch, stop)))
            if sum(told[-1].get(code, 0.0) for code in _alike(named)) >= PLAUSIBLE_PROBABILITY:
                return None
        means = {
            code: sum(found.get(code, 0.0) for found in told) / len(told)
            for code in {code for found in told for code in found}
        }
        heard = max(means, key=lambda code: means[code], default=named)
        if sum(means.get(code, 0.0) for code in _alike(heard)) < STRONG_PROBABILITY:
            return None
        plainest = max(range(len(told)), key=lambda index: told[index].get(heard, 0.0))
        beliefs = self.model.try_languages(stretches[plainest], [named, heard], stop)
        return heard if beliefs[heard] >= beliefs[named] + MIN_GAIN else None


def _alike(code: str) -> set[str]:
    """Return a language with those that are taken for it."""
    return {code}.union(*(group for group in ALIKE if code in group))


def _stretches(hearing: Hearing) -> list[Span]:
    found = [stretch for block in hearing.blocks for stretch in stretches_of(block, hearing.speech)]
    return [stretch for stretch in found if stretch.duration_s >= MIN_STRETCH_S] or found


def _some(stretches: Sequence[Span]) -> list[Span]:
    """Return stretches from the beginning, the middle and the end."""
    if len(stretches) <= MAX_STRETCHES:
        return list(stretches)
    return [stretches[0], stretches[len(stretches) // 2], stretches[-1]]


def _beginning(hearing: Hearing, stretch: Span) -> Samples:
    begin_s = max(0.0, stretch.start_s - PAD_S)
    return cut(hearing.samples, Span(begin_s, min(stretch.end_s + PAD_S, begin_s + MAX_CHECKED_S)))


def _warning(named: str, heard: str, rule: OnContradiction) -> RecordingWarning:
    said = f"The language was given as {named}, but what is said sounds like {heard}."
    if rule == "switch":
        return RecordingWarning(KIND, f"{said} It was written down in the language that it sounds like.")
    return RecordingWarning(
        KIND, f"{said} The words may be made up. Submit the recording with the right language, or with none."
    )
