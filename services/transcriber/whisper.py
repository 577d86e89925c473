"""Whisper through faster-whisper: the sequential path, with every guard of the library on."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer

from chassis.errors import CancelledCallError, PreconditionError
from services.transcriber.audio import SAMPLE_RATE_HZ, Samples
from services.transcriber.decoding import DecodedSegment, DecodeRequest, Piece
from services.transcriber.first_pass import FirstPass
from services.transcriber.shared_model import CallModel, RanTogether, SharedModel, tell_nobody
from services.transcriber.transcript import Span
from services.transcriber.windows import PieceDecoder, beliefs

MAX_HINT_TOKENS = 100
"""Hotwords and prompt get this much each. With 223 each nothing is left for the words: measured,
1,000 Chinese characters of both gave an empty transcript."""
DETECTION_WINDOWS_S = (5.0, 10.0)
"""Lengths of what a language is told from. Of 10 s it is told as well as of Whisper's 30 s, for a fifth of
the cost (base, 6 voices in 4 languages). Words would suffer from so short a window."""
DEFAULT_CPU_THREADS = 1
"""A window of 18 s costs 15 % more on two threads, and one token at a time is too little work for two: of
base, 50 tokens took 0.65 CPU-seconds with one thread and 1.15 with two, and as long."""
DECODING_CPU_THREADS = 1
"""More threads are for encoding. Then the decoder is a second copy of the weights with a thread of its own
(base: 145 MB resident)."""
CPU_WORKERS = 2
"""One encodes a window while the other one decodes another call's. They share the weights."""
TRIAL_BEAM_SIZE = 5
"""Of what is written to tell a language."""
BATCHED_LENGTH_STEP_FRAMES = 500
"""5 s. Where windows go to the model together, own lengths are rounded up to it, so that more are equal."""
GPU_BATCH_SIZE = 16
"""Others measured the knee at 8 to 16 windows (speaches#169). Not measured here."""


class _WatchedWhisper(WhisperModel):  # type: ignore[misc]
    """faster-whisper with a look at the stop event before each window."""

    stop: Event

    def for_call(self, model: CallModel, stop: Event) -> _WatchedWhisper:
        """Return a view of the same weights for one call."""
        view = copy.copy(self)
        view.model, view.stop = model, stop
        return view

    def encode(self, features: Any) -> Any:
        """Encode one window."""
        self._check_stop()
        return super().encode(features)

    def generate_with_fallback(
        self, encoder_output: Any, prompt: list[int], tokenizer: Any, options: Any
    ) -> Any:
        """Decode one window."""
        self._check_stop()
        return super().generate_with_fallback(encoder_output, prompt, tokenizer, options)

    def _check_stop(self) -> None:
        if self.stop.is_set():
            raise CancelledCallError("The transcription was cancelled.", reason="CANCELLED")


class WhisperSpeechModel:
    """A Whisper model in memory.

    Args:
        folder: Folder with `model.bin`, `tokenizer.json` and `config.json`.
        device: `cpu`, `cuda`, or `auto` for the first that there is.
        compute_type: CTranslate2's type of numbers, or `auto`: int8 on a CPU, float16 on a GPU.
        cpu_threads: Threads that encode one window. 0 takes one. One more always decodes.
        max_batch_size: Windows of different calls that go to the model together. 0 takes 1 on a CPU,
            where more gain nothing, and `GPU_BATCH_SIZE` on a GPU.
        first_pass: When an attempt at a window's own length is kept. None pads every window to 30 s.
        ran_together: Told of each batch that ran.

    Raises:
        PreconditionError: The folder holds no loadable model, or the device can't run it
            (`MODEL_UNLOADABLE`).
    """

    def __init__(
        self,
        folder: Path,
        *,
        device: str = "auto",
        compute_type: str = "auto",
        cpu_threads: int = 0,
        max_batch_size: int = 0,
        first_pass: FirstPass | None = None,
        ran_together: RanTogether = tell_nobody,
    ) -> None:
        self.device = device if device != "auto" else _best_device()
        try:
            self.compute_type = numbers = _compute_type(compute_type, self.device)
            threads = cpu_threads or DEFAULT_CPU_THREADS
            on_cpu = self.device == "cpu"
            self._whisper = _WatchedWhisper(
                str(folder),
                device=self.device,
                compute_type=numbers,
                cpu_threads=threads,
                num_workers=CPU_WORKERS if on_cpu and threads == DECODING_CPU_THREADS else 1,
                local_files_only=True,
            )
            decoder = self._whisper.model
            if on_cpu and threads > DECODING_CPU_THREADS:
                decoder = ctranslate2.models.Whisper(
                    str(folder), device="cpu", compute_type=numbers, intra_threads=DECODING_CPU_THREADS
                )
        except (RuntimeError, ValueError, OSError) as error:
            raise PreconditionError(
                "The speech model can't be loaded. Check TRANSCRIBER_MODEL, TRANSCRIBER_DEVICE and "
                f"TRANSCRIBER_COMPUTE_TYPE ({error}).",
                reason="MODEL_UNLOADABLE",
            ) from error
        self._first_pass = first_pass
        self._tokenizers: dict[tuple[str, str], Tokenizer] = {}
        self.batch_size = max_batch_size or (GPU_BATCH_SIZE if self.device == "cuda" else 1)
        """Windows of different calls that go to the model together."""
        self._length_step_frames = BATCHED_LENGTH_STEP_FRAMES if self.batch_size > 1 else 1
        self._shared = SharedModel(
            self._whisper.model,
            decoder,
            self.batch_size,
            encodes_meanwhile=on_cpu,
            ran_together=ran_together,
        )
        self._language_codes = _language_codes(self._whisper)

    @property
    def language_codes(self) -> Collection[str]:
        """Whisper's codes of the languages that the model understands."""
        return self._language_codes

    def warm_up(self) -> None:
        """Decode one window, so that the first caller does not pay for allocations."""
        noise = np.random.default_rng(0).standard_normal(SAMPLE_RATE_HZ).astype(np.float32) * np.float32(0.01)
        request = DecodeRequest(language_code="en", task="transcribe", beam_size=1, hotwords="", prompt="")
        for _ in self.decode(Piece(noise, [Span(0.0, 1.0)]), "en", request, Event()):
            pass

    def fitting(self, text: str) -> str:
        """Return as much of the beginning of hotwords or a prompt as the model can take."""
        encoding = self._whisper.hf_tokenizer.encode(" " + text.strip(), add_special_tokens=False)
        if len(encoding.ids) <= MAX_HINT_TOKENS:
            return text
        end = encoding.offsets[MAX_HINT_TOKENS - 1][1] - 1  # the space in front is ours
        return text.strip()[: max(0, end)]

    def detect_language(self, speech: Samples, stop: Event) -> dict[str, float]:
        """Return the probability of each language in the first 10 s of `speech`."""
        heard_s = speech.size / SAMPLE_RATE_HZ
        window_s = next(
            (size_s for size_s in DETECTION_WINDOWS_S if heard_s <= size_s), DETECTION_WINDOWS_S[-1]
        )
        frame_count = round(window_s * self._whisper.frames_per_second)
        features = self._whisper.feature_extractor(speech)[:, :frame_count]
        padded = np.pad(features, ((0, 0), (0, frame_count - features.shape[1])))
        with self._shared.for_call(stop) as model:
            encoded = self._whisper.for_call(model, stop).encode(padded)
            found = model.detect_language(encoded)[0]
        return {token.strip("<|>"): float(probability) for token, probability in found}

    def try_languages(self, speech: Samples, language_codes: Sequence[str], stop: Event) -> dict[str, float]:
        """Return the mean log-probability of what it writes of up to 10 s in each of these languages."""
        request = DecodeRequest(None, "transcribe", TRIAL_BEAM_SIZE, "", "")
        with self._shared.for_call(stop) as model:
            whisper = self._whisper.for_call(model, stop)
            decoders = {code: self._decoder(whisper, code, request) for code in language_codes}
            return beliefs(decoders, whisper, speech)

    def decode(
        self, piece: Piece, language_code: str, request: DecodeRequest, stop: Event
    ) -> Iterator[DecodedSegment]:
        """Yield segments as they are decoded. Raises `CancelledCallError` once `stop` is set."""
        with self._shared.for_call(stop) as model:
            whisper = self._whisper.for_call(model, stop)
            yield from self._decoder(whisper, language_code, request).segments(piece)

    def _decoder(self, whisper: Any, language_code: str, request: DecodeRequest) -> PieceDecoder:
        tokenizer = self._tokenizer(language_code, request.task)
        return PieceDecoder(whisper, tokenizer, request, self._first_pass, self._length_step_frames)

    def _tokenizer(self, language_code: str, task: str) -> Tokenizer:
        """Return a tokenizer, kept because what it suppresses takes it a while to find out."""
        key = (task, language_code)
        if key not in self._tokenizers:
            model = self._whisper.model
            self._tokenizers[key] = Tokenizer(self._whisper.hf_tokenizer, model.is_multilingual, *key)
        return self._tokenizers[key]


def _language_codes(whisper: Any) -> tuple[str, ...]:
    """Return the languages that a model has. The library lists all for every multilingual one."""
    return tuple(
        code
        for code in whisper.supported_languages
        if not whisper.model.is_multilingual or whisper.hf_tokenizer.token_to_id(f"<|{code}|>") is not None
    )


def _best_device() -> str:
    return "cuda" if ctranslate2.get_cuda_device_count() > 0 else "cpu"


def _compute_type(configured: str, device: str) -> str:
    if configured != "auto":
        return configured
    return "float16" if device == "cuda" else "int8"
