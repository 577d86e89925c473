"""Finds where somebody speaks: probabilities of a model, then stretches by hysteresis.

Constants were tuned on recordings of people who are in no test. See the README for what they reach.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
from numpy.typing import NDArray

from services.speaker.audio import SAMPLE_RATE_HZ, Samples, Waveform

FRAME_SAMPLES = 512
"""The model's step."""
FRAME_S = FRAME_SAMPLES / SAMPLE_RATE_HZ
CONTEXT_SAMPLES = 64
"""Samples of the frame before that the model wants in front of each frame."""
STATE_SHAPE = (1, 1, 128)
BLOCK_FRAMES = 250
"""8 s at once: large enough that calls cost nothing, small enough for progress and flat memory. 32 s would be
as fast and take 28 MiB more."""

TARGET_RMS = 10 ** (-23 / 20)
"""Recordings are brought up to -23 dBFS, the broadcast level (EBU R 128), and never down."""
MAX_LEVEL_GAIN_DB = 30
"""Beyond it only a noise floor is lifted."""
QUIET_VOICE_GAIN = 10 ** (12 / 20)
"""Another 12 dB, clipped: covers 97 % of a quiet second voice instead of 87 %."""

ON_PROBABILITY = 0.30
OFF_PROBABILITY = 0.15
PEAK_PROBABILITY = 0.50
"""A stretch counts only if one of its frames reaches this."""
MIN_SILENCE_S = 0.30
MIN_SPEECH_S = 0.25
PADDING_S = 0.05
SURE_PROBABILITY = 0.80
MIN_SURE_SPEECH_S = 0.50
"""Nobody speaks below this much sure speech. Noise and music reach 0.19 s."""

Probabilities = NDArray[np.float32]


@dataclass(frozen=True)
class SpeechStretch:
    """A stretch in which somebody speaks, half-open, in seconds."""

    start_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        """Its length."""
        return self.end_s - self.start_s


class SpeechModel(Protocol):
    """Says how likely each frame of `FRAME_SAMPLES` is speech."""

    def probabilities(self, blocks: Iterable[Samples]) -> Iterator[Probabilities]:
        """Yield one array a block, one value a frame. Blocks follow one another without a gap."""
        ...


class SileroSpeechModel:
    """Silero VAD, read from its ONNX file. Safe to share between threads. It keeps no state.

    Args:
        weights: `silero_vad_v6.onnx`.
    """

    def __init__(self, weights: Path) -> None:
        options = onnxruntime.SessionOptions()
        # One frame depends on the one before it: more threads would only wait for each other.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        self._session = onnxruntime.InferenceSession(
            str(weights), sess_options=options, providers=["CPUExecutionProvider"]
        )

    def probabilities(self, blocks: Iterable[Samples]) -> Iterator[Probabilities]:
        """See `SpeechModel`. State and context are carried from block to block."""
        hidden = np.zeros(STATE_SHAPE, np.float32)
        cell = np.zeros(STATE_SHAPE, np.float32)
        last = np.zeros((1, CONTEXT_SAMPLES), np.float32)
        for block in blocks:
            frames = block.reshape(-1, FRAME_SAMPLES)
            tails = frames[:, -CONTEXT_SAMPLES:]
            model_input = np.concatenate([np.concatenate([last, tails[:-1]]), frames], axis=1)
            speech, hidden, cell = self._session.run(None, {"input": model_input, "h": hidden, "c": cell})
            last = tails[-1:]
            yield np.asarray(speech, np.float32).reshape(-1)


def block_count(samples: Waveform) -> int:
    """Return how many blocks `levelled_blocks` yields."""
    return -(-len(samples) // (BLOCK_FRAMES * FRAME_SAMPLES))


def levelled_blocks(samples: Waveform, gain_db: int) -> Iterator[Samples]:
    """Yield the recording in blocks of whole frames, loud enough for a quiet second voice.

    Args:
        samples: The recording. It may grow while blocks are taken. Only the last block is shorter.
        gain_db: What brings it up to its level.
    """
    step = BLOCK_FRAMES * FRAME_SAMPLES
    gain = np.float32(10 ** (gain_db / 20) * QUIET_VOICE_GAIN)
    start = 0
    while start < len(samples):
        block = np.clip(samples[start : start + step] * gain, -1.0, 1.0)
        yield np.pad(block, (0, -len(block) % FRAME_SAMPLES))
        start += step


def level_gain_db(rms: float) -> int:
    """Return what brings a recording up to `TARGET_RMS`, in whole decibels from 0 on.

    In whole ones, because the level of what has arrived of a recording is never quite that of the whole.
    """
    gain_db = 20 * np.log10(TARGET_RMS / (rms + 1e-9))
    return round(float(np.clip(gain_db, 0.0, MAX_LEVEL_GAIN_DB)))


def sure_speech_s(probabilities: Probabilities) -> float:
    """Return the seconds in which the model is sure of speech."""
    return float((probabilities >= SURE_PROBABILITY).sum()) * FRAME_S


def speech_stretches(
    probabilities: Probabilities, duration_s: float, first_frame: int = 0
) -> tuple[SpeechStretch, ...]:
    """Join frames to stretches of speech, in time order and apart from each other.

    Args:
        probabilities: One a frame.
        duration_s: Where the recording ends.
        first_frame: The number of the first of these frames.
    """
    found: list[SpeechStretch] = []
    for first, last in _runs(probabilities):
        if (last + 1 - first) * FRAME_S < MIN_SPEECH_S:
            continue
        if probabilities[first : last + 1].max() < PEAK_PROBABILITY:
            continue
        start_s = max(0.0, (first_frame + first) * FRAME_S - PADDING_S)
        end_s = min(duration_s, (first_frame + last + 1) * FRAME_S + PADDING_S)
        if found and start_s <= found[-1].end_s:
            found[-1] = SpeechStretch(found[-1].start_s, end_s)
        elif end_s > start_s:
            found.append(SpeechStretch(start_s, end_s))
    return tuple(found)


def settled_count(probabilities: Probabilities) -> int:
    """Return how many frames belong to runs that no later frame can change. Behind them a run may go on."""
    settled = len(probabilities)
    for first, last in _runs(probabilities):
        if (len(probabilities) - 1 - last) * FRAME_S < MIN_SILENCE_S:
            settled = first
    return settled


def _runs(probabilities: Probabilities) -> Iterator[tuple[int, int]]:
    """Yield first and last frame of each run between `ON_PROBABILITY` and a long enough silence."""
    first: int | None = None
    last = 0
    for frame, probability in enumerate(probabilities):
        if first is None:
            if probability >= ON_PROBABILITY:
                first = last = frame
        elif probability >= OFF_PROBABILITY:
            last = frame
        elif (frame - last) * FRAME_S >= MIN_SILENCE_S:
            yield first, last
            first = None
    if first is not None:
        yield first, last
