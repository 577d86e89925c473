"""Remembers what the model made of a piece: what is asked again, sample for sample, costs nothing.

So a recording that still grows can be gone through again and again, and in the end as a whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from threading import Event

from services.transcriber.audio import Samples
from services.transcriber.decoding import DecodedSegment, DecodeRequest, Piece, SpeechModel


class HeardBefore:
    """A speech model for one call, with a memory. See `SpeechModel`.

    Args:
        model: The model.
    """

    def __init__(self, model: SpeechModel) -> None:
        self._model = model
        self._languages: dict[bytes, Mapping[str, float]] = {}
        self._tried: dict[tuple[object, ...], Mapping[str, float]] = {}
        self._segments: dict[tuple[object, ...], tuple[DecodedSegment, ...]] = {}

    @property
    def language_codes(self) -> Collection[str]:
        """See `SpeechModel`."""
        return self._model.language_codes

    def fitting(self, text: str) -> str:
        """See `SpeechModel`."""
        return self._model.fitting(text)

    def detect_language(self, speech: Samples, stop: Event) -> Mapping[str, float]:
        """See `SpeechModel`."""
        key = _digest(speech)
        if key not in self._languages:
            self._languages[key] = self._model.detect_language(speech, stop)
        return self._languages[key]

    def try_languages(
        self, speech: Samples, language_codes: Sequence[str], stop: Event
    ) -> Mapping[str, float]:
        """See `SpeechModel`."""
        key = (_digest(speech), tuple(language_codes))
        if key not in self._tried:
            self._tried[key] = self._model.try_languages(speech, language_codes, stop)
        return self._tried[key]

    def decode(
        self, piece: Piece, language_code: str, request: DecodeRequest, stop: Event
    ) -> Iterator[DecodedSegment]:
        """See `SpeechModel`. What was not gone through to its end is not remembered."""
        key = (_digest(piece.samples), tuple(piece.speech), language_code, request)
        known = self._segments.get(key)
        if known is not None:
            yield from known
            return
        made = []
        for segment in self._model.decode(piece, language_code, request, stop):
            made.append(segment)
            yield segment
        self._segments[key] = tuple(made)


def _digest(samples: Samples) -> bytes:
    return hashlib.blake2b(samples.tobytes(), digest_size=16).digest()
