"""Finds where somebody speaks: Silero's probabilities, and spans from them. Times in seconds.

One pass over the samples serves both uses: tight spans to measure with, padded ones to decode.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.transcriber.audio import SAMPLE_RATE_HZ, Samples
from services.transcriber.transcript import Span

FRAME_SAMPLES = 512
"""Silero v6 looks at 32 ms at a time."""
FRAME_S = FRAME_SAMPLES / SAMPLE_RATE_HZ
TARGET_LEVEL_DBFS = -23.0
"""EBU R 128's programme level: quiet recordings are brought up to it, for detection only."""
MAX_BLOCK_S = 300.0
"""Its spectrogram takes about 35 MB a minute while it is computed, so an hour at once takes gigabytes."""
MAX_GAIN_DB = 60.0
"""Beyond it there is only the noise of the converter. Speech at -77 dBFS is still found."""
SURE_PROBABILITY = 0.8
"""Hum, clicks, music and room noise reached 0.67 at most, speech in every recording 0.93."""


class SpeechDetector(Protocol):
    """Says how likely somebody speaks, frame by frame."""

    def probabilities(self, samples: Samples) -> NDArray[np.float32]:
        """Return a probability for each frame of `FRAME_S`."""
        ...


class SileroDetector:
    """The voice activity model inside faster-whisper."""

    def probabilities(self, samples: Samples) -> NDArray[np.float32]:
        """Return a probability for each frame of `FRAME_S`, shape (n_frames,)."""
        from faster_whisper.vad import get_vad_model

        padded = np.pad(_levelled(samples), (0, -samples.size % FRAME_SAMPLES))
        result: NDArray[np.float32] = get_vad_model()(padded).reshape(-1)
        return result


@dataclass(frozen=True)
class SpeechRules:
    """When a frame counts as speech, and how frames become spans."""

    on_probability: float = 0.5
    """A span begins at this probability: the library's own value."""
    off_probability: float = 0.35
    """A span ends below this one, for `min_silence_s`: the library's own value."""
    min_silence_s: float = 0.3
    min_speech_s: float = 0.1
    """Shorter spans are clicks; the shortest answers ("ya", "no") take 0.2 s."""
    min_sure_speech_s: float = 0.25
    """Nobody speaks in a recording with less speech at `SURE_PROBABILITY`; noise reached 0.0 s."""
    join_silence_s: float = 2.0
    """Shorter silences stay in what is decoded: the library's own value."""
    pad_s: float = 0.4
    """What is decoded begins and ends this much around detected speech: the library's own value."""


def find_speech(probabilities: NDArray[np.float32], duration_s: float, rules: SpeechRules) -> list[Span]:
    """Return tight spans of speech in time order; none where nobody speaks."""
    if np.count_nonzero(probabilities >= SURE_PROBABILITY) * FRAME_S < rules.min_sure_speech_s:
        return []
    spans: list[Span] = []
    start: int | None = None
    last_voiced = 0
    for index, probability in enumerate(probabilities):
        if start is None:
            if probability >= rules.on_probability:
                start = last_voiced = index
        elif probability >= rules.off_probability:
            last_voiced = index
        elif (index - last_voiced) * FRAME_S > rules.min_silence_s:
            spans.append(_span(start, last_voiced, duration_s))
            start = None
    if start is not None:
        spans.append(_span(start, last_voiced, duration_s))
    return [span for span in spans if span.duration_s >= rules.min_speech_s]


def blocks_to_decode(speech: Sequence[Span], duration_s: float, rules: SpeechRules) -> list[list[Span]]:
    """Return what the model hears: spans with padding and short pauses, in blocks of bounded length.

    The library computes the spectrogram of everything it gets at once; blocks keep memory flat.
    """
    blocks: list[list[Span]] = []
    for span in speech:
        if not blocks or span.end_s - blocks[-1][0].start_s > MAX_BLOCK_S:
            blocks.append([span])
        elif span.start_s - blocks[-1][-1].end_s < rules.join_silence_s:
            blocks[-1][-1] = Span(blocks[-1][-1].start_s, span.end_s)
        else:
            blocks[-1].append(span)
    padded = iter(_padded([span for block in blocks for span in block], duration_s, rules.pad_s))
    return [[next(padded) for _ in block] for block in blocks]


def whole_blocks(speech: Sequence[Span], duration_s: float) -> list[list[Span]]:
    """Return the whole recording, in blocks of bounded length cut in pauses; none where nobody speaks."""
    if not speech:
        return []
    cuts_s = [0.0]
    while duration_s - cuts_s[-1] > MAX_BLOCK_S:
        cuts_s.append(_pause_s(speech, cuts_s[-1], cuts_s[-1] + MAX_BLOCK_S))
    return [[Span(start_s, end_s)] for start_s, end_s in pairwise([*cuts_s, duration_s])]


def _pause_s(speech: Sequence[Span], start_s: float, limit_s: float) -> float:
    """Return the last time up to `limit_s` at which nobody speaks; `limit_s` where somebody always does."""
    if not any(span.start_s < limit_s < span.end_s for span in speech):
        return limit_s
    pauses_s = [(a.end_s + b.start_s) / 2 for a, b in pairwise(speech)]
    return max((pause_s for pause_s in pauses_s if start_s < pause_s < limit_s), default=limit_s)


def _padded(spans: Sequence[Span], duration_s: float, pad_s: float) -> list[Span]:
    """Widen time-ordered spans, at most to the middle of the gaps, so that nothing is heard twice."""
    edges_s = [0.0, *((a.end_s + b.start_s) / 2 for a, b in pairwise(spans)), duration_s]
    return [
        Span(max(before_s, span.start_s - pad_s), min(after_s, span.end_s + pad_s))
        for before_s, span, after_s in zip(edges_s, spans, edges_s[1:], strict=False)
    ]


def total_s(spans: Sequence[Span]) -> float:
    """Return the length of all spans together."""
    return sum(span.duration_s for span in spans)


def overlap_s(span: Span, others: Sequence[Span]) -> float:
    """Return how much of `span` lies in `others`, which don't overlap each other."""
    return sum(max(0.0, min(span.end_s, o.end_s) - max(span.start_s, o.start_s)) for o in others)


def _span(first_frame: int, last_frame: int, duration_s: float) -> Span:
    return Span(first_frame * FRAME_S, min(duration_s, (last_frame + 1) * FRAME_S))


def _levelled(samples: Samples) -> Samples:
    rms = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if samples.size else 0.0
    if rms == 0.0:
        return samples
    gain_db = min(MAX_GAIN_DB, TARGET_LEVEL_DBFS - 20 * float(np.log10(rms)))
    if gain_db <= 0:
        return samples
    louder: Samples = np.clip(samples * np.float32(10 ** (gain_db / 20)), -1.0, 1.0)
    return louder
