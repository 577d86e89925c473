"""What decoders do that read a hostile file, as functions for a child of `chassis.decoding.decoder`."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from chassis.errors import InvalidInputError

Message = tuple[dict[str, Any], Any]
Beat = Callable[[], None]


def count(recording: Path, options: dict[str, Any], beat: Beat) -> Iterator[Message]:
    """Yield as many arrays as are wished for, and note in the recording how many were made."""
    for number in range(options["count"]):
        recording.write_text(str(number + 1), encoding="ascii")
        yield {"number": number}, np.full(1000, number, np.uint8)


def refuse(recording: Path, options: dict[str, Any], beat: Beat) -> Iterator[Message]:
    raise InvalidInputError("It is too large.", reason=options["reason"])
    yield


def grow(recording: Path, options: dict[str, Any], beat: Beat) -> Iterator[Message]:
    yield {}, np.zeros(1 << 36, np.uint8)


def spin(recording: Path, options: dict[str, Any], beat: Beat) -> Iterator[Message]:
    while True:
        beat()
    yield


def hang(recording: Path, options: dict[str, Any], beat: Beat) -> Iterator[Message]:
    time.sleep(600)
    yield {}, None


def crash(recording: Path, options: dict[str, Any], beat: Beat) -> Iterator[Message]:
    ctypes.string_at(0)
    yield {}, None


def write(recording: Path, options: dict[str, Any], beat: Beat) -> Iterator[Message]:
    recording.with_name("written").write_bytes(b"x")
    yield {}, None


def open_many(recording: Path, options: dict[str, Any], beat: Beat) -> Iterator[Message]:
    files = [os.open(recording, os.O_RDONLY) for _ in range(1000)]
    yield {"count": len(files)}, None


def lie(recording: Path, options: dict[str, Any], beat: Beat) -> Iterator[Message]:
    """Say what a child that is not ours any more could say."""
    yield options["values"], None


def surroundings(recording: Path, options: dict[str, Any], beat: Beat) -> Iterator[Message]:
    yield {"names": sorted(os.environ)}, None
