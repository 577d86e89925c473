"""Decodes in the calling process: for recordings of our own making, as in tests and measurements.

A stage decodes other people's recordings, and so only in a child process (`chassis.decoding.decoder`).
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chassis.decoding.decoder import Piece
from chassis.errors import CancelledCallError


class DecoderHere:
    """Runs what a `ChildDecoder` would run, without a child.

    Args:
        function: What decodes, as `package.module:name`.
    """

    def __init__(self, function: str) -> None:
        module, _, name = function.partition(":")
        self._produce = getattr(importlib.import_module(module), name)

    @contextmanager
    def open(
        self, recording: Path, options: Mapping[str, Any], stop: threading.Event
    ) -> Iterator[Iterator[Piece]]:
        """See `chassis.decoding.decoder.Decoder`."""
        yield self._pieces(recording, dict(options), stop)

    def _pieces(self, recording: Path, options: dict[str, Any], stop: threading.Event) -> Iterator[Piece]:
        def check() -> None:
            if stop.is_set():
                raise CancelledCallError(
                    "The caller gave up before the recording was done.", reason="CANCELLED"
                )

        for values, array in self._produce(recording, options, check):
            check()
            yield Piece(values, bytearray() if array is None else bytearray(array.tobytes()))
