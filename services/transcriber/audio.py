"""The sound of a recording, as the models hear it: 16 kHz mono samples on the recording's clock."""

from __future__ import annotations

from pathlib import Path
from threading import Event

from chassis.decoding.decoder import Decoder
from chassis.errors import CancelledCallError, InvalidInputError
from chassis.playback.loading import ArrivingSound, Sound
from chassis.playback.loading import load_sound as load
from chassis.playback.samples import SAMPLE_RATE_HZ, Samples
from services.transcriber.transcript import Span

__all__ = [
    "SAMPLE_RATE_HZ",
    "ArrivingSound",
    "Samples",
    "Sound",
    "check",
    "check_sound",
    "cut",
    "load_sound",
]


def check(stop: Event) -> None:
    """Go on unless the caller is gone.

    Raises:
        CancelledCallError: `stop` was set.
    """
    if stop.is_set():
        raise CancelledCallError("The transcription was cancelled.", reason="CANCELLED")


def cut(samples: Samples, span: Span) -> Samples:
    """Return the samples of a span, as a view."""
    return samples[round(span.start_s * SAMPLE_RATE_HZ) : round(span.end_s * SAMPLE_RATE_HZ)]


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
