"""Short answers, 1.5 to 3 s of speech, cut out of longer recordings at pauses, to tell their language."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from services.transcriber.audio import SAMPLE_RATE_HZ, Samples
from services.transcriber.speech import SileroDetector, SpeechRules, find_speech
from services.transcriber.transcript import Span

MIN_ANSWER_S, MAX_ANSWER_S = 1.5, 3.0
MARGIN_S = 0.15
"""Sound kept around the speech of an answer: a recorder is not switched on at the first phoneme."""
SILENCE_S = 0.5
"""Digital silence before and after an answer."""
PAUSES = SpeechRules(min_silence_s=0.1)
"""Shorter pauses than the service's: an answer may end where a sentence goes on."""
DIP_S = 0.1


def short_answers(samples: Samples) -> list[Samples]:
    """Return all short answers that can be cut out of a recording, in time order.

    Args:
        samples: 16 kHz, mono.
    """
    duration_s = samples.size / SAMPLE_RATE_HZ
    stream = SileroDetector().stream()
    found = np.concatenate([stream.take(samples), stream.finish()])
    spans = [piece for span in find_speech(found, duration_s, PAUSES) for piece in _halved(samples, span)]
    return [_cut(samples, span) for span in _joined(spans)]


def _joined(spans: Sequence[Span]) -> list[Span]:
    """Return spans of the right length: neighbours are put together while they are too short."""
    answers: list[Span] = []
    begun: Span | None = None
    for span in spans:
        begun = (
            Span(begun.start_s, span.end_s) if begun and span.end_s - begun.start_s <= MAX_ANSWER_S else span
        )
        if begun.duration_s >= MIN_ANSWER_S:
            answers.append(begun)
            begun = None
    return answers


def _halved(samples: Samples, span: Span) -> list[Span]:
    """Cut a span that is too long at its quietest moments, until none is."""
    if span.duration_s <= MAX_ANSWER_S:
        return [span]
    times_s = np.arange(
        span.start_s + MIN_ANSWER_S, min(span.end_s - DIP_S, span.start_s + MAX_ANSWER_S), 0.02
    )
    at_s = float(min(times_s, key=lambda time_s: _loudness(samples, time_s)))
    return [Span(span.start_s, at_s), *_halved(samples, Span(at_s, span.end_s))]


def _loudness(samples: Samples, time_s: float) -> float:
    begin = round((time_s - DIP_S / 2) * SAMPLE_RATE_HZ)
    return float(np.mean(np.square(samples[begin : begin + round(DIP_S * SAMPLE_RATE_HZ)])))


def _cut(samples: Samples, span: Span) -> Samples:
    begin, end = ((span.start_s - MARGIN_S) * SAMPLE_RATE_HZ, (span.end_s + MARGIN_S) * SAMPLE_RATE_HZ)
    silence = np.zeros(round(SILENCE_S * SAMPLE_RATE_HZ), np.float32)
    return np.concatenate([silence, samples[max(0, round(begin)) : round(end)], silence])
