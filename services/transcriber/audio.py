"""The sound of a recording, as the models hear it: 16 kHz mono samples on the recording's clock."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from chassis.decoding.decoder import Decoder
from chassis.errors import CancelledCallError, InvalidInputError
from chassis.playback.loading import ArrivingSound, Sound
from chassis.playback.loading import load_sound as load
from chassis.playback.samples import SAMPLE_RATE_HZ, Samples
from services.transcriber.transcript import Span

__all__ = [
    "SAMPLE_RATE_HZ",
    "ArrivingSound",
    "Pcm",
    "Samples",
    "Sliceable",
    "Sound",
    "check",
    "check_sound",
    "cut",
    "from_pcm",
    "load_sound",
    "to_pcm",
]


Pcm = NDArray[np.int16]
"""Mono sound as it is kept, shape (n,). An hour takes 115 MB, half of what the models' numbers take."""


class Sliceable(Protocol):
    """Mono sound that is read in slices: an array, or a file."""

    def __getitem__(self, part: slice, /) -> NDArray[Any]:
        """Return some samples, as far as there are any."""
        ...


FULL_SCALE = np.float32(32_768.0)


def check(stop: Event) -> None:
    """Go on unless the caller is gone.

    Raises:
        CancelledCallError: `stop` was set.
    """
    if stop.is_set():
        raise CancelledCallError("The transcription was cancelled.", reason="CANCELLED")


def to_pcm(samples: Samples) -> Pcm:
    """Return samples with 16 bits each, rounded as in the WAV that our extraction writes."""
    pcm: Pcm = np.clip(np.rint(samples * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    return pcm


def from_pcm(pcm: Pcm) -> Samples:
    """Return samples of 16 bits as the models take them: float32 in [-1, 1)."""
    return pcm.astype(np.float32) / FULL_SCALE


def cut(pcm: Sliceable, span: Span) -> Samples:
    """Return the samples of a span."""
    return from_pcm(pcm[round(span.start_s * SAMPLE_RATE_HZ) : round(span.end_s * SAMPLE_RATE_HZ)])


def load_sound(recording: Path, max_duration_s: float, stop: Event, decoder: Decoder | None = None) -> Sound:
    """Decode the sound that a player plays. See `chassis.playback`.

    Raises:
        InvalidInputError: Nothing in the file can be decoded (`MEDIA_UNDECODABLE`), there is a picture but no
            sound track (`MEDIA_NO_AUDIO`), the sound is longer than `max_duration_s` (`MEDIA_TOO_LONG`), or
            decoding it costs too much or fails (`MEDIA_TOO_COMPLEX`, `MEDIA_DECODER_FAILED`).
        CancelledCallError: `stop` was set.
    """
    sound = load(recording, max_duration_s, stop, decoder)
    if sound is None:
        raise _no_sound()
    return sound


def check_sound(arriving: ArrivingSound) -> None:
    """Refuse a recording of which all is there, and no sound.

    Raises:
        InvalidInputError: `MEDIA_NO_AUDIO`.
    """
    if not arriving.has_sound:
        raise _no_sound()


def _no_sound() -> InvalidInputError:
    return InvalidInputError(
        "The recording has no sound track. Record it again with the microphone on.", reason="MEDIA_NO_AUDIO"
    )
