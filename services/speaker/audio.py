"""The sound of a recording: 16 kHz mono samples on the recording's clock."""

from __future__ import annotations

import threading
from pathlib import Path

from chassis.decoding.decoder import Decoder
from chassis.errors import CancelledCallError
from chassis.playback.cleaning import clean
from chassis.playback.loading import Sound
from chassis.playback.loading import load_sound as load
from chassis.playback.samples import GATHERED_SAMPLES, SAMPLE_RATE_HZ, Samples

__all__ = [
    "GATHERED_SAMPLES",
    "SAMPLE_RATE_HZ",
    "Samples",
    "Sound",
    "clean",
    "load_sound",
    "raise_if_stopped",
]


def raise_if_stopped(stop: threading.Event) -> None:
    """Leave the work when the caller gave up.

    Raises:
        CancelledCallError: `stop` is set (`CANCELLED`).
    """
    if stop.is_set():
        raise CancelledCallError("The caller gave up before the recording was done.", reason="CANCELLED")


def load_sound(
    recording: Path, max_duration_s: float, stop: threading.Event, decoder: Decoder | None = None
) -> Sound | None:
    """Decode the sound that a player plays. See `chassis.playback`.

    Returns:
        The sound, or None where the recording has a picture but no sound track.

    Raises:
        InvalidInputError: Nothing in the file can be decoded (`MEDIA_UNDECODABLE`), the sound is longer
            than `max_duration_s` (`MEDIA_TOO_LONG`), or decoding it costs too much or fails
            (`MEDIA_TOO_COMPLEX`, `MEDIA_DECODER_FAILED`).
        CancelledCallError: `stop` was set (`CANCELLED`).
    """
    return load(recording, max_duration_s, stop, decoder)
