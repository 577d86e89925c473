"""faster-whisper's model and tokenizer, as far as pieces are decoded with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

from services.transcriber.audio import SAMPLE_RATE_HZ

FRAMES_PER_S = 100


class FakeTokenizer:
    """Its words are numbers below `eot`, as many as asked for."""

    eot, sot, sot_prev, sot_lm, no_speech, transcribe, translate = range(1000, 1007)
    timestamp_begin = 2000
    non_speech_tokens: tuple[int, ...] = ()

    def encode(self, text: str) -> list[int]:
        return [len(word) for word in text.split()]

    def decode(self, tokens: Sequence[int]) -> str:
        return " ".join(f"w{token}" for token in tokens if token < self.eot)


@dataclass(frozen=True)
class Heard:
    """What the model makes of one window. Times are those of the window."""

    words: Sequence[tuple[int, float, float]]
    """Word number, start and end."""
    avg_logprob: float = -0.2
    compression_ratio: float = 1.2
    no_speech_prob: float = 0.0
    last_stamp_s: float | None = None
    """None: where the last word ends."""


@dataclass
class FakeWhisper:
    """Says of each window the next thing that it was told to, and remembers what it was asked.

    Of a window that is decoded again it says the same, or the next of a list."""

    heard: Sequence[Heard | Sequence[Heard]]
    window_frames: list[int] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)
    aligned_frames: list[int] = field(default_factory=list)
    said: dict[int, Heard] = field(default_factory=dict)
    attempt_counts: dict[int, int] = field(default_factory=dict)
    time_precision = 0.02

    def feature_extractor(self, samples: np.ndarray) -> np.ndarray:
        return np.ones((80, samples.size * FRAMES_PER_S // SAMPLE_RATE_HZ + 1), np.float32)

    def get_prompt(self, _tokenizer: Any, previous: list[int], hotwords: str | None) -> list[int]:
        return [*previous, len(hotwords or "")]

    def encode(self, window: np.ndarray) -> int:
        self.window_frames.append(window.shape[1])
        return len(self.window_frames) - 1

    def _next(self, encoded: int) -> Heard:
        heard = self.heard[encoded]
        told = [heard] if isinstance(heard, Heard) else heard
        count = self.attempt_counts[encoded] = self.attempt_counts.get(encoded, 0) + 1
        return told[min(count, len(told)) - 1]

    def generate_with_fallback(self, encoded: int, _prompt: list[int], tokenizer: Any, options: Any) -> Any:
        self.asked.append(options)
        said = self.said[encoded] = self._next(encoded)
        last_s = said.words[-1][2] if said.last_stamp_s is None and said.words else said.last_stamp_s or 0.0
        tokens = [*(word for word, _, _ in said.words), tokenizer.timestamp_begin + round(last_s / 0.02)]
        result = SimpleNamespace(sequences_ids=[tokens], no_speech_prob=said.no_speech_prob)
        return result, said.avg_logprob, options.temperatures[0], said.compression_ratio

    def _split_segments_by_timestamps(
        self, tokenizer: Any, tokens: list[int], offset_s: float, *_sizes: float
    ) -> tuple[list[dict[str, Any]], int, bool]:
        end_s = offset_s + (tokens[-1] - tokenizer.timestamp_begin) * 0.02
        return [{"start": offset_s, "end": end_s, "tokens": tokens[:-1], "offset_s": offset_s}], 0, True

    def add_word_timestamps(
        self, segments: list[list[dict[str, Any]]], _tokenizer: Any, encoded: int, frame_count: int,
        *_marks: str, last_speech_timestamp: float,
    ) -> float:  # fmt: skip
        self.aligned_frames.append(frame_count)
        for segment in segments[0]:
            offset_s = segment["offset_s"]
            segment["words"] = [
                {
                    "start": offset_s + start_s,
                    "end": offset_s + end_s,
                    "word": f" w{word}",
                    "probability": 0.9,
                }
                for word, start_s, end_s in self.said[encoded].words
            ]
        return last_speech_timestamp
