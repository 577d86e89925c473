"""Puts what the model wrote on the recording's clock."""

from __future__ import annotations

from services.transcriber.decoding import DecodedSegment
from services.transcriber.languages import to_bcp47_code
from services.transcriber.spoken_languages import Part
from services.transcriber.transcript import Segment, Span, Word
from services.transcriber.word_times import JoinedClock, sane_words, without_times


def placed(decoded: DecodedSegment, part: Part, clock: JoinedClock, bounds: Span) -> Segment:
    """Put a segment on the recording's clock, after what came before it."""
    words = [
        Word(*clock.to_recording(word.start_s, word.end_s), word.text.strip(), _bounded(word.probability))
        for word in decoded.words
        if word.text.strip()
    ]
    own = _within(Span(*clock.to_recording(decoded.start_s, decoded.end_s)), bounds)
    timed = sane_words(words or without_times(decoded.text), bounds, own)
    return Segment(
        start_s=timed[0].start_s,
        end_s=timed[-1].end_s,
        text=decoded.text.strip(),
        words=timed,
        avg_logprob=min(0.0, decoded.avg_logprob),
        no_speech_probability=_bounded(decoded.no_speech_probability),
        compression_ratio=decoded.compression_ratio,
        temperature=decoded.temperature,
        language_code=to_bcp47_code(part.language_code),
        language_probability=part.probability,
    )


def _within(span: Span, bounds: Span) -> Span:
    """Return the part of `span` inside `bounds`, or all of `bounds` where that is nothing."""
    start_s, end_s = max(span.start_s, bounds.start_s), min(span.end_s, bounds.end_s)
    return Span(start_s, end_s) if end_s > start_s else bounds


def _bounded(probability: float) -> float:
    return min(1.0, max(0.0, probability))
