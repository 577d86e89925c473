"""Decodes pieces with faster-whisper's parts, each at its own length first.

The library pads every window to 30 s. A padded window costs as much as a full one, and the encoder's cost
grows faster than the window. At its own length and a margin the words are as good, but for one thing: the
model sometimes does not find the end, and writes the last sentence again. Such a window, and one that it is
not sure of, is heard again as it was trained: padded, and searched in other ways (`rescues`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import TranscriptionOptions, get_suppressed_tokens
from numpy.typing import NDArray

from services.transcriber.audio import Samples
from services.transcriber.decoding import DecodedSegment, DecodedWord, DecodeRequest, Piece
from services.transcriber.first_pass import FirstPass
from services.transcriber.rescues import (
    MAX_COMPRESSION_RATIO,
    MIN_AVG_LOGPROB,
    NO_SPEECH_PROBABILITY,
    Attempt,
    rescued,
)
from services.transcriber.speech import overlap_s
from services.transcriber.transcript import Span

MAX_WINDOW_TOKENS = 224
"""Half the context, as in OpenAI's code. Without it a loop runs to 448 tokens, six times over."""
FRAMES_PER_S = 100
MAX_WINDOW_FRAMES = 30 * FRAMES_PER_S
"""The model has no positions for more."""
MARGIN_FRAMES = 3 * FRAMES_PER_S
"""Silence after the sound in a window of its own length, so that the model hears it end. With 1 s it looped
in 3 of 14 difficult windows (83 word errors), with 2 s in 2 (54), with 3 s in 2 (35), with 5 s in 1 (38)."""
OWN_LENGTH_TOKENS, TOKENS_PER_S = 20, 10
"""What a window of its own length may have: twice what fast speech takes. It makes loops short."""
MIN_REST_S = 1.0
"""Speech after the last word from which on the rest of a piece is heard again. Of less the model makes up
words: the library hears every rest, and wrote "key key key" after a last word (base, own length)."""

Features = NDArray[np.float32]
"""Log-mel spectrogram, shape (n_mels, n_frames)."""


class PieceDecoder:
    """Decodes the pieces of one call.

    Args:
        whisper: faster-whisper's model as one call sees it.
        tokenizer: Of the call's language and task.
        request: What the caller asked for.
        first_pass: When an attempt at a window's own length is kept. None pads every window.
        length_step_frames: Own lengths are multiples of it. Only windows of one length go to the model
            together.
    """

    def __init__(
        self,
        whisper: Any,
        tokenizer: Tokenizer,
        request: DecodeRequest,
        first_pass: FirstPass | None,
        length_step_frames: int = 1,
    ) -> None:
        self._whisper = whisper
        self._tokenizer = tokenizer
        self._options = _options(tokenizer, request)
        self._first_pass = first_pass
        self._length_step_frames = length_step_frames
        before = tokenizer.encode(" " + request.prompt.strip()) if request.prompt else []
        self._prompt = whisper.get_prompt(tokenizer, before, hotwords=request.hotwords or None)

    def segments(self, piece: Piece) -> Iterator[DecodedSegment]:
        """Yield the segments of a piece, window by window: a rest with speech is a window of its own."""
        features = self._whisper.feature_extractor(piece.samples)[:, :-1]
        seek, last_word_s = 0, 0.0
        while seek < features.shape[1]:
            found = self._window(features[:, seek : seek + MAX_WINDOW_FRAMES], seek, last_word_s)
            yield from found
            words_end_s = max((word.end_s for segment in found for word in segment.words), default=0.0)
            rest = Span(words_end_s, features.shape[1] / FRAMES_PER_S)
            if words_end_s * FRAMES_PER_S <= seek or overlap_s(rest, piece.speech) < MIN_REST_S:
                return
            seek, last_word_s = round(words_end_s * FRAMES_PER_S), words_end_s

    def belief(self, encoded: Any, frame_count: int) -> float:
        """Return the mean log-probability of what it writes of a window, without time for a second thought.

        Args:
            encoded: The window at its own length.
            frame_count: Frames of it with sound.
        """
        return self._made(encoded, self._short(frame_count / FRAMES_PER_S)).avg_logprob

    def _window(self, window: Features, seek: int, last_word_s: float) -> list[DecodedSegment]:
        attempt = self._attempt(window)
        if attempt.is_silent:
            return []
        frame_count, begin_s = window.shape[1], seek / FRAMES_PER_S
        tokens = attempt.result.sequences_ids[0]
        found, _, _ = self._whisper._split_segments_by_timestamps(
            self._tokenizer, tokens, begin_s, frame_count, frame_count / FRAMES_PER_S, seek
        )
        self._whisper.add_word_timestamps(
            [found],
            self._tokenizer,
            attempt.encoded,
            frame_count,
            self._options.prepend_punctuations,
            self._options.append_punctuations,
            last_speech_timestamp=last_word_s,
        )
        return [
            _decoded(segment, self._tokenizer.decode(segment["tokens"]), attempt)
            for segment in found
            if segment["start"] != segment["end"]
        ]

    def _attempt(self, window: Features) -> Attempt:
        """Return the attempt at the window's own length, or a padded one where it is not sure."""
        if self._first_pass is not None:
            length_s = window.shape[1] / FRAMES_PER_S
            attempt = self._made(self.encoded_at_own_length(window), self._short(length_s))
            if self._is_sure(self._first_pass, attempt, length_s):
                return attempt
        return rescued(partial(self._made, self._encoded(window, MAX_WINDOW_FRAMES)), self._options)

    def _short(self, length_s: float) -> TranscriptionOptions:
        token_count = min(MAX_WINDOW_TOKENS, OWN_LENGTH_TOKENS + round(TOKENS_PER_S * length_s))
        return replace(self._options, max_new_tokens=token_count)

    def encoded_at_own_length(self, window: Features) -> Any:
        """Encode a window with its margin, in whole steps."""
        step = self._length_step_frames
        return self._encoded(window, -(-(window.shape[1] + MARGIN_FRAMES) // step) * step)

    def _encoded(self, window: Features, frame_count: int) -> Any:
        return self._whisper.encode(padded(window, frame_count))

    def _made(self, encoded: Any, options: TranscriptionOptions) -> Attempt:
        result, *facts = self._whisper.generate_with_fallback(encoded, self._prompt, self._tokenizer, options)
        tokens = result.sequences_ids[0]
        text = self._tokenizer.decode([token for token in tokens if token < self._tokenizer.eot])
        return Attempt(encoded, result, text, *facts)

    def _is_sure(self, rules: FirstPass, attempt: Attempt, length_s: float) -> bool:
        last_stamp = max(attempt.result.sequences_ids[0], default=0) - self._tokenizer.timestamp_begin
        overrun_s = last_stamp * self._whisper.time_precision - length_s
        return rules.is_sure(attempt.text, attempt.avg_logprob, attempt.compression_ratio, overrun_s)


def beliefs(decoders: Mapping[str, PieceDecoder], whisper: Any, speech: Samples) -> dict[str, float]:
    """Return the mean log-probability of what each decoder writes of the same speech.

    Args:
        decoders: By language.
        whisper: faster-whisper's model as one call sees it.
        speech: Up to 27 s.
    """
    features = whisper.feature_extractor(speech)[:, :-1]
    encoded = next(iter(decoders.values())).encoded_at_own_length(features)
    return {code: decoder.belief(encoded, features.shape[1]) for code, decoder in decoders.items()}


def padded(window: Features, frame_count: int) -> Features:
    """Return a window with silence after it, as the library pads: at most as long as the model can hear."""
    missing = min(frame_count, MAX_WINDOW_FRAMES) - window.shape[1]
    return np.pad(window, ((0, 0), (0, max(0, missing))))


def _decoded(segment: dict[str, Any], text: str, attempt: Attempt) -> DecodedSegment:
    return DecodedSegment(
        start_s=float(segment["start"]),
        end_s=float(segment["end"]),
        text=text,
        words=tuple(
            DecodedWord(float(word["start"]), float(word["end"]), word["word"], float(word["probability"]))
            for word in segment["words"]
        ),
        avg_logprob=float(attempt.avg_logprob),
        no_speech_probability=float(attempt.result.no_speech_prob),
        compression_ratio=float(attempt.compression_ratio),
        temperature=float(attempt.temperature),
    )


def _options(tokenizer: Tokenizer, request: DecodeRequest) -> TranscriptionOptions:
    """Return what was asked for, and the library's own defaults."""
    return TranscriptionOptions(
        beam_size=request.beam_size,
        best_of=5,
        patience=1,
        length_penalty=1,
        repetition_penalty=1,
        no_repeat_ngram_size=0,
        log_prob_threshold=MIN_AVG_LOGPROB,
        no_speech_threshold=NO_SPEECH_PROBABILITY,
        compression_ratio_threshold=MAX_COMPRESSION_RATIO,
        condition_on_previous_text=False,
        prompt_reset_on_temperature=0.5,
        temperatures=[0.0],
        initial_prompt=None,
        prefix=None,
        suppress_blank=True,
        suppress_tokens=get_suppressed_tokens(tokenizer, [-1]),
        without_timestamps=False,
        max_initial_timestamp=1.0,
        word_timestamps=True,
        prepend_punctuations="\"'“¿([{-",
        append_punctuations="\"'.。,，!！?？:：”)]}、",
        multilingual=False,
        max_new_tokens=MAX_WINDOW_TOKENS,
        clip_timestamps="0",
        hallucination_silence_threshold=None,
        hotwords=request.hotwords or None,
    )
