"""Finds which language is spoken when, so that every part of an answer is decoded in its own.

Languages are told apart on stretches: speech between pauses. Whisper alone decides for a window of 30 s,
and loses what was said in the other language.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from threading import Event

from services.transcriber.audio import Sliceable, cut
from services.transcriber.decoding import SpeechModel
from services.transcriber.guards import uncovered_s
from services.transcriber.language_trials import Expectations
from services.transcriber.languages import language_path
from services.transcriber.pieces import divided
from services.transcriber.transcript import Span, Word

MIN_STRETCH_S = 3.0
"""Speech is gathered over pauses up to this length: of less the model can't tell the language."""
EXPECTED_ODDS = 4.0
"""How much likelier an expected language is than another before anything is heard. It takes away the Welsh
that small models hear in accents of English: 0.73 against 0.26 in whole sentences (VCTK, model base)."""
MIN_OWN_PROBABILITY = 0.5
"""From here on a stretch sounds plainly like a language, whatever was expected."""
LOST_RATIO = 0.8
"""Share of a stretch without words from which on it was lost. Words reach into it from its neighbours."""
MAX_HEARD_S = 10.0
"""The beginning of a stretch that the language is told from: longer costs more and says no more."""

PAD_S = 0.4
"""Heard around a stretch too: a sharp edge says something else than the voice."""


@dataclass(frozen=True)
class Stretch:
    """Speech between pauses, and the language that it alone sounds most like."""

    span: Span
    language_code: str
    """Whisper's code."""
    probability: float
    was_tried: bool = False
    """Whether its sound said too little, and it was decoded in several languages to tell."""
    is_expected: bool = True
    """Whether the language is one of those that are expected."""


@dataclass(frozen=True)
class Part:
    """What is decoded in one language."""

    spans: Sequence[Span]
    """In time order. None is empty."""
    language_code: str
    """Whisper's code."""
    probability: float | None
    """Its probability, mean over the time. None where nothing was detected."""
    stretches: Sequence[Stretch] = ()
    """Those that the language was told from."""
    is_expected: bool = True
    """Whether the language is one of those that are expected, or the caller named it."""

    @property
    def is_doubtful(self) -> bool:
        """Whether it is decoded in a language that nobody expected, and only half sounds like it."""
        return not self.is_expected and any(stretch.was_tried for stretch in self.stretches)

    def dissenters(self) -> list[Stretch]:
        """Return the stretches that sound plainly like another language than they are decoded in."""
        return [
            stretch
            for stretch in self.stretches
            if stretch.language_code != self.language_code and stretch.probability >= MIN_OWN_PROBABILITY
        ]


class LanguageFinder:
    """Divides what the model hears by language.

    Args:
        model: Tells the language of a stretch.
        expected_codes: Whisper's codes of the languages that are likely to be spoken. They are believed
            sooner than the rest.
    """

    def __init__(self, model: SpeechModel, expected_codes: Collection[str] = ()) -> None:
        self._model = model
        self._expected = Expectations(expected_codes, EXPECTED_ODDS)

    def parts(
        self,
        samples: Sliceable,
        block: Sequence[Span],
        speech: Sequence[Span],
        before: str | None,
        stop: Event,
    ) -> list[Part]:
        """Divide one block.

        Args:
            samples: The recording.
            block: What the model is to hear of it.
            speech: Tight spans of speech in the recording.
            before: Language of the last part of the block before.
            stop: Ends the work.

        Raises:
            CancelledCallError: `stop` was set (`CANCELLED`).
        """
        stretches = stretches_of(block, speech)
        bounds = Span(block[0].start_s, block[-1].end_s)
        told = self._told(samples, stretches, bounds, stop)
        found = [languages for languages, _ in told]
        path = language_path(
            [(languages, stretch.duration_s) for languages, stretch in zip(found, stretches, strict=True)],
            before,
        )
        runs = [list(run) for _, run in groupby(range(len(path)), key=lambda index: path[index])]
        cuts_s = [
            (stretches[run[-1]].end_s + stretches[following[0]].start_s) / 2
            for run, following in pairwise(runs)
        ]
        parts = []
        for run, spans in zip(runs, divided(block, cuts_s), strict=True):
            code, run_s = path[run[0]], sum(stretches[index].duration_s for index in run)
            probable_s = sum(found[index].get(code, 0.0) * stretches[index].duration_s for index in run)
            own = [told[index][1] for index in run]
            parts.append(Part(spans, code, probable_s / run_s, own, self._expects(code)))
        return parts

    def _expects(self, code: str) -> bool:
        return not self._expected.codes or code in self._expected.codes

    def _told(
        self, samples: Sliceable, stretches: Sequence[Span], bounds: Span, stop: Event
    ) -> list[tuple[Mapping[str, float], Stretch]]:
        """Return of each stretch how probable its languages are, and what it alone sounds most like."""
        heard = [_heard(stretch, bounds) for stretch in stretches]
        found = [
            self._expected.gathered(self._model.detect_language(cut(samples, span), stop)) for span in heard
        ]
        beside_sure = any(self._expected.is_sure(languages) for languages in found)
        told: list[tuple[Mapping[str, float], Stretch]] = []
        for span, whole, languages in zip(stretches, heard, found, strict=True):
            codes = self._expected.to_try(languages, span.duration_s, beside_sure=beside_sure)
            if not codes:
                alone = self._likeliest(span, languages, was_tried=False)
                told.append((self._expected.weighted(languages), alone))
                continue
            beliefs = self._model.try_languages(cut(samples, whole), codes, stop)
            tried = self._expected.after_trial(languages, beliefs)
            told.append((tried, self._likeliest(span, tried, was_tried=True)))
        return told

    def _likeliest(self, span: Span, found: Mapping[str, float], *, was_tried: bool) -> Stretch:
        code = max(found, key=lambda code: found[code])
        return Stretch(span, code, found[code], was_tried, self._expects(code))


def _heard(stretch: Span, bounds: Span) -> Span:
    """Return what is heard of a stretch: with a little around it, where there is any."""
    begin_s, end_s = max(bounds.start_s, stretch.start_s - PAD_S), min(bounds.end_s, stretch.end_s + PAD_S)
    return Span(begin_s, min(end_s, begin_s + MAX_HEARD_S))


def lost_parts(part: Part, words: Sequence[Word]) -> list[Part]:
    """Return the stretches that left no words, each to be decoded in the language that it sounds like.

    A model that is told one language skips speech in another, and says nothing of it.

    Args:
        part: What was decoded.
        words: What came of it, in time order.
    """
    return [
        Part(
            [stretch.span],
            stretch.language_code,
            stretch.probability,
            [stretch],
            stretch.is_expected,
        )
        for stretch in part.dissenters()
        if uncovered_s(words, [stretch.span]) >= LOST_RATIO * stretch.span.duration_s
    ]


def stretches_of(block: Sequence[Span], speech: Sequence[Span]) -> list[Span]:
    """Return the speech of a block in stretches of at least `MIN_STRETCH_S` where there is as much.

    Never empty: a block without detected speech is one stretch.
    """
    within = [span for span in speech if block[0].start_s <= span.start_s < block[-1].end_s]
    stretches: list[Span] = []
    for span in within:
        if stretches and stretches[-1].duration_s < MIN_STRETCH_S:
            stretches[-1] = Span(stretches[-1].start_s, span.end_s)
        else:
            stretches.append(span)
    if len(stretches) > 1 and stretches[-1].duration_s < MIN_STRETCH_S:
        last = stretches.pop()
        stretches[-1] = Span(stretches[-1].start_s, last.end_s)
    return stretches or [Span(block[0].start_s, block[-1].end_s)]
