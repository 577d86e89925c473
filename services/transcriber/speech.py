"""Finds where somebody speaks: Silero's probabilities, and spans from them. Times in seconds.

One pass over the samples serves both uses: tight spans to measure with, padded ones to decode.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
CONTEXT_SAMPLES = 64
"""Samples of the frame before that Silero wants in front of each frame."""
STATE_SHAPE = (1, 1, 128)
BLOCK_SAMPLES = 32 * FRAME_SAMPLES
"""A second at once: as cheap as more, and a live caller waits no longer."""
LOOK_BLOCKS = 32
"""Cancelling is looked at in between."""
Probabilities = NDArray[np.float32]
TARGET_LEVEL_DBFS = -23.0
"""EBU R 128's programme level: quiet recordings are brought up to it, for detection only."""
MAX_BLOCK_S = 300.0
"""Its spectrogram takes about 35 MB a minute while it is computed, so an hour at once takes gigabytes."""
MAX_GAIN_DB = 60.0
"""Beyond it there is only the noise of the converter. Speech at -77 dBFS is still found."""
SURE_PROBABILITY = 0.8
"""Hum, clicks, music and room noise reached 0.67 at most, speech in every recording 0.93."""


class SpeechStream(Protocol):
    """One recording on its way through a detector."""

    def take(self, samples: Samples) -> Probabilities:
        """Return the probabilities, shape (n_frames,), of the frames that are complete now.

        They don't depend on what comes later, nor on how the samples are cut.
        """
        ...

    def finish(self) -> Probabilities:
        """Return those of what is left, filled up with silence."""
        ...


class SpeechDetector(Protocol):
    """Says how likely somebody speaks, frame by frame of `FRAME_S`."""

    def stream(self) -> SpeechStream:
        """Begin with a recording."""
        ...


class SileroDetector:
    """The voice activity model inside faster-whisper.

    The library's own call copies the recording five times (its input, its contexts, its batches): most
    of a gigabyte for an hour. Blocks carry the model's state on, and say the same.
    """

    def stream(self) -> SpeechStream:
        """Begin with a recording."""
        return _SileroStream()

    def probabilities(self, samples: Samples) -> Iterator[Probabilities]:
        """Yield a probability for each frame of a whole recording, shape (n_frames,), every so often."""
        stream, step = self.stream(), LOOK_BLOCKS * BLOCK_SAMPLES
        for start in range(0, samples.size, step):
            yield stream.take(samples[start : start + step])
        yield stream.finish()


class _SileroStream:
    """Silero's state in one recording.

    Quiet recordings are brought up to `TARGET_LEVEL_DBFS`, by the level of what came so far.
    """

    def __init__(self) -> None:
        self._left = np.zeros(0, np.float32)
        self._hidden = self._cell = np.zeros(STATE_SHAPE, np.float32)
        self._last = np.zeros((1, CONTEXT_SAMPLES), np.float32)
        self._energy, self._sample_count = 0.0, 0

    def take(self, samples: Samples) -> Probabilities:
        """See `SpeechStream`."""
        samples = np.concatenate([self._left, samples])
        whole = samples.size // BLOCK_SAMPLES * BLOCK_SAMPLES
        self._left = samples[whole:]
        return _joined(
            [self._block(samples[at : at + BLOCK_SAMPLES]) for at in range(0, whole, BLOCK_SAMPLES)]
        )

    def finish(self) -> Probabilities:
        """See `SpeechStream`."""
        left, self._left = self._left, np.zeros(0, np.float32)
        return self._block(left) if left.size else _joined([])

    def _block(self, samples: Samples) -> Probabilities:
        from faster_whisper.vad import get_vad_model

        block = np.clip(samples * self._gain(samples), -1.0, 1.0)
        frames = np.pad(block, (0, -block.size % FRAME_SAMPLES)).reshape(-1, FRAME_SAMPLES)
        tails = frames[:, -CONTEXT_SAMPLES:]
        model_input = np.concatenate([np.concatenate([self._last, tails[:-1]]), frames], axis=1)
        speech, self._hidden, self._cell = get_vad_model().session.run(
            None, {"input": model_input, "h": self._hidden, "c": self._cell}
        )
        self._last = tails[-1:]
        return np.asarray(speech, np.float32).reshape(-1)

    def _gain(self, samples: Samples) -> np.float32:
        """Return the factor that brings the recording up to `TARGET_LEVEL_DBFS`, never down."""
        self._energy += float(np.sum(np.square(samples, dtype=np.float64)))
        self._sample_count += samples.size
        if self._energy == 0.0:
            return np.float32(1.0)
        level_dbfs = 10 * float(np.log10(self._energy / self._sample_count))
        gain_db = min(MAX_GAIN_DB, max(0.0, TARGET_LEVEL_DBFS - level_dbfs))
        return np.float32(10 ** (gain_db / 20))


def _joined(blocks: Sequence[Probabilities]) -> Probabilities:
    return np.concatenate([np.zeros(0, np.float32), *blocks])


@dataclass(frozen=True)
class SpeechRules:
    """When a frame counts as speech, and how frames become spans."""

    on_probability: float = 0.5
    """A span begins at this probability: the library's own value."""
    off_probability: float = 0.35
    """A span ends below this one, for `min_silence_s`: the library's own value."""
    min_silence_s: float = 0.3
    min_speech_s: float = 0.1
    """Shorter spans are clicks. The shortest answers ("ya", "no") take 0.2 s."""
    min_sure_speech_s: float = 0.25
    """Nobody speaks in a recording with less speech at `SURE_PROBABILITY`. Noise reached 0.0 s."""
    join_silence_s: float = 2.0
    """Shorter silences stay in what is decoded: the library's own value."""
    pad_s: float = 0.4
    """What is decoded begins and ends this much around detected speech: the library's own value."""


def find_speech(probabilities: Probabilities, duration_s: float, rules: SpeechRules) -> list[Span]:
    """Return tight spans of speech in time order. None where nobody speaks."""
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

    The library computes the spectrogram of everything it gets at once. Blocks keep memory flat.
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
    """Return the whole recording, in blocks of bounded length cut in pauses. None where nobody speaks."""
    if not speech:
        return []
    cuts_s = [0.0]
    while duration_s - cuts_s[-1] > MAX_BLOCK_S:
        cuts_s.append(_pause_s(speech, cuts_s[-1], cuts_s[-1] + MAX_BLOCK_S))
    return [[Span(start_s, end_s)] for start_s, end_s in pairwise([*cuts_s, duration_s])]


def _pause_s(speech: Sequence[Span], start_s: float, limit_s: float) -> float:
    """Return the last time up to `limit_s` at which nobody speaks. `limit_s` where somebody always does."""
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
