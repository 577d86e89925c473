"""CTranslate2's Whisper behind the window queue: each call sees a model of its own.

faster-whisper asks its model for one window at a time. Here each such request waits for its turn, and
on a device that gains from it, requests of several calls go to the model as one batch: encoding,
language, decoding and alignment alike. What a call tries again stays with it: another attempt is one more
request.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event
from typing import Any

import ctranslate2
import numpy as np

from services.transcriber.window_queue import Turns, WindowQueue

Payload = tuple[Any, ...]
"""Arguments of one request that differ inside a batch. The window itself comes first."""

_Request = tuple[Payload, dict[str, Any]]
_Queue = WindowQueue[_Request, Any]
_Turns = Turns[_Request, Any]


RanTogether = Callable[[str, int], None]
"""Takes a step (`encode`, `detect_language`, `generate`, `align`) and how many windows went through it."""


def tell_nobody(_step: str, _window_count: int) -> None:
    """For who counts no batches."""


class SharedModel:
    """A model in memory that serves many calls.

    Args:
        encoder: CTranslate2's Whisper, for encoding and for telling the language.
        decoder: The same weights, for decoding and alignment. It may be the same object.
        max_batch_size: Windows that go to the model together. 1 hands each over as it is.
        encodes_meanwhile: Whether one call's window is encoded while another call's is decoded.
        ran_together: Told of each batch that ran.
    """

    def __init__(
        self,
        encoder: Any,
        decoder: Any,
        max_batch_size: int,
        *,
        encodes_meanwhile: bool,
        ran_together: RanTogether = tell_nobody,
    ) -> None:
        self._ran_together = ran_together
        self._encoder = encoder
        self._decoder = decoder
        self._works: dict[str, Callable[[Sequence[Payload], dict[str, Any]], Sequence[Any]]] = {
            "encode": self._encode,
            "detect_language": self._detect_language,
            "generate": self._generate,
            "align": self._align,
        }
        self._encoding: _Queue = WindowQueue(self._work, max_batch_size)
        self._decoding: _Queue = (
            WindowQueue(self._work, max_batch_size) if encodes_meanwhile else self._encoding
        )
        self._splits = max_batch_size > 1

    @contextmanager
    def for_call(self, stop: Event) -> Iterator[CallModel]:
        """Yield the model as one call sees it. A set `stop` ends its waiting."""
        with self._encoding.turns(stop) as encoding, self._decoding.turns(stop) as decoding:
            yield CallModel(self._encoder, encoding, decoding)

    def _work(self, kind: Hashable, requests: Sequence[_Request]) -> Sequence[Any]:
        name = kind[0] if isinstance(kind, tuple) else kind
        results = self._works[str(name)]([payload for payload, _ in requests], requests[0][1])
        self._ran_together(str(name), len(requests))
        return results

    def _encode(self, payloads: Sequence[Payload], settings: dict[str, Any]) -> Sequence[Any]:
        features = _stacked([window for (window,) in payloads])
        if not self._splits:
            return [self._encoder.encode(features, **settings)]
        # On the host a window is 3 MB and free to join any later batch.
        encoded = np.asarray(self._encoder.encode(features, to_cpu=True))
        return [_storage(row[np.newaxis]) for row in encoded]

    def _detect_language(self, payloads: Sequence[Payload], settings: dict[str, Any]) -> Sequence[Any]:
        found = self._encoder.detect_language(_stacked([window for (window,) in payloads]), **settings)
        return [[row] for row in found]

    def _generate(self, payloads: Sequence[Payload], settings: dict[str, Any]) -> Sequence[Any]:
        windows, prompts = zip(*payloads, strict=True)
        results = self._decoder.generate(_stacked(windows), list(prompts), **settings)
        return [[row] for row in results]

    def _align(self, payloads: Sequence[Payload], settings: dict[str, Any]) -> Sequence[Any]:
        windows, texts, frame_counts = zip(*payloads, strict=True)
        start_sequence = settings["start_sequence"]
        others = {name: value for name, value in settings.items() if name != "start_sequence"}
        found = self._decoder.align(
            _stacked(windows), start_sequence, list(texts), list(frame_counts), **others
        )
        return [[row] for row in found]


class CallModel:
    """The model as one call sees it, with the methods that faster-whisper uses."""

    def __init__(self, model: Any, encoding: _Turns, decoding: _Turns) -> None:
        self._model = model
        self._encoding = encoding
        self._decoding = decoding

    def __getattr__(self, name: str) -> Any:
        """Return what the model says of itself, such as `is_multilingual`."""
        return getattr(self._model, name)

    def encode(self, features: Any, **settings: Any) -> Any:
        """Encode one window. Only windows of one length go together."""
        return self._run(self._encoding, "encode", (features,), settings)

    def detect_language(self, features: Any) -> Any:
        """Return the languages of one encoded window, most probable first."""
        return self._run(self._encoding, "detect_language", (features,), {})

    def generate(self, features: Any, prompts: list[list[int]], **settings: Any) -> Any:
        """Decode one encoded window. Only prompts of one length go together: CTranslate2's rule."""
        return self._run(self._decoding, "generate", (features, prompts[0]), settings, len(prompts[0]))

    def align(
        self,
        features: Any,
        start_sequence: list[int],
        text_tokens: list[list[int]],
        num_frames: int,
        **settings: Any,
    ) -> Any:
        """Find the words of one decoded window in time."""
        payload = (features, text_tokens[0], num_frames)
        return self._run(self._decoding, "align", payload, {"start_sequence": start_sequence, **settings})

    def _run(
        self, turns: _Turns, name: str, payload: Payload, settings: dict[str, Any], *more: Hashable
    ) -> Any:
        kind = (name, *more, tuple(payload[0].shape), repr(sorted(settings.items())))
        return turns.run(kind, (payload, settings))


def _stacked(windows: Sequence[Any]) -> Any:
    if len(windows) == 1:
        return windows[0]
    return _storage(np.concatenate([np.asarray(window) for window in windows]))


def _storage(values: Any) -> Any:
    return ctranslate2.StorageView.from_array(np.ascontiguousarray(values))
