"""Writes down what is heard: parts by language, pieces of them, words on the recording's clock."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from threading import Event as StopEvent

import numpy as np

from services.transcriber.audio import check, cut
from services.transcriber.decoding import DecodeRequest, Piece, SpeechModel
from services.transcriber.guards import GuardRules, flags_of
from services.transcriber.hearing import Hearing
from services.transcriber.pieces import LOOKAHEAD_S, cut_into_pieces
from services.transcriber.placing import placed
from services.transcriber.speech import overlap_s
from services.transcriber.spoken_languages import LanguageFinder, Part, lost_parts
from services.transcriber.transcript import Flag, Segment, Span, Word
from services.transcriber.word_times import JoinedClock

UNSETTLED_S = 1.5
"""At the end of a sound that grows it is not known yet whether somebody speaks: the detector's second, and
the silence that ends a span."""
EARLY_PAUSE_S = 3.0
"""After so much silence everything is heard, also what may be heard again with more behind it."""
NAMED_STEP_S, UNNAMED_STEP_S = 2.0, 10.0
"""How much more there is before a sound that grows is looked at again. Telling a language has its cost."""


@dataclass(frozen=True)
class Writer:
    """Writes down one call's recording.

    Args:
        model: Turns speech into words.
        languages: Tells the languages.
        rules: When a segment is flagged.
        request: What was asked for.
        stop: Ends the work.
    """

    model: SpeechModel
    languages: LanguageFinder
    rules: GuardRules
    request: DecodeRequest
    stop: StopEvent

    @property
    def known_language_code(self) -> str | None:
        """The language that everything is decoded in. None where it is to be detected."""
        return self.request.language_code or _only(self.model.language_codes)

    def segments(
        self, hearing: Hearing, first_block: int = 0, settled_s: float = math.inf
    ) -> Iterator[Segment]:
        """Yield the segments, block by block: the first words come early.

        Args:
            hearing: What was heard.
            first_block: Where to begin. What is written of a block may depend on the ones before it.
            settled_s: Pieces that something behind this time has a say in are left out.
        """
        floor_s = hearing.blocks[first_block][0].start_s if first_block else 0.0
        for part, is_last in self._parts(hearing, first_block):
            words: list[Word] = []
            bounds, known_s = Span(floor_s, hearing.duration_s), settled_s if is_last else math.inf
            for segment in self._decoded(hearing, part, bounds, known_s):
                floor_s = segment.end_s
                words.extend(segment.words)
                yield segment
            for lost in lost_parts(part, words) if known_s == math.inf else ():
                yield from self._decoded(hearing, lost, lost.spans[0])

    def _decoded(
        self, hearing: Hearing, part: Part, bounds: Span, settled_s: float = math.inf
    ) -> Iterator[Segment]:
        """Decode one part, piece by piece. Its words lie inside `bounds`."""
        for spans in cut_into_pieces(hearing.samples, part.spans, hearing.speech):
            ahead = Span(spans[0].start_s, min(settled_s, hearing.duration_s))
            if settled_s < math.inf and overlap_s(ahead, part.spans) < LOOKAHEAD_S:
                return
            clock = JoinedClock(spans)
            heard = np.concatenate([cut(hearing.samples, span) for span in spans])
            piece = Piece(heard, clock.joined(hearing.speech))
            for decoded in self.model.decode(piece, part.language_code, self.request, self.stop):
                check(self.stop)
                if not decoded.text.strip():
                    continue
                segment = placed(decoded, part, clock, bounds)
                bounds = Span(segment.end_s, bounds.end_s)
                flags = flags_of(segment, hearing.speech, self.rules)
                if part.is_doubtful:
                    flags |= {Flag.UNEXPECTED_LANGUAGE}
                yield replace(segment, flags=flags)

    def _parts(self, hearing: Hearing, first_block: int) -> Iterator[tuple[Part, bool]]:
        """Yield what is decoded in one language, and whether the sound's end may still change it."""
        known = self.known_language_code
        before: str | None = None
        for index, block in enumerate(hearing.blocks[first_block:], start=first_block + 1):
            if known:
                parts = [Part(block, known, None)]
            else:
                parts = self.languages.parts(hearing.samples, block, hearing.speech, before, self.stop)
            before = parts[-1].language_code
            for part in parts:
                yield part, part is parts[-1] and index == len(hearing.blocks)


class EarlyWriter:
    """Writes down what is settled of a recording that still grows. The model's memory makes it cheap.

    Args:
        writer: Writes.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._step_s = NAMED_STEP_S if writer.known_language_code else UNNAMED_STEP_S
        self._looked_s = 0.0
        self._block = 0
        self.given: set[Segment] = set()
        """The segments that were given out, as they would be at the end."""

    def begin_again(self) -> None:
        """Forget how far it came: the sound begins again."""
        self._looked_s, self._block = 0.0, 0

    def is_due(self, duration_s: float) -> bool:
        """Tell whether there is enough new sound to look at."""
        return duration_s - self._looked_s >= self._step_s

    def segments(self, hearing: Hearing) -> Iterator[Segment]:
        """Yield the segments that are new, marked as provisional."""
        self._looked_s = hearing.duration_s
        if not hearing.blocks:
            return
        pauses = hearing.silence_s >= EARLY_PAUSE_S
        settled_s = math.inf if pauses else hearing.duration_s - UNSETTLED_S
        for segment in self._writer.segments(hearing, self._block, settled_s):
            if segment not in self.given:
                self.given.add(segment)
                yield replace(segment, provisional=True)
        self._block = len(hearing.blocks) - 1


def _only(language_codes: Collection[str]) -> str | None:
    """Return the language of a model that knows just one."""
    return next(iter(language_codes)) if len(language_codes) == 1 else None
