"""Decodes the first sound track of any container to 16 kHz mono samples.

The file is hostile until proven otherwise: local files only, named containers only, bounded length.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.container import InputContainer
from numpy.typing import NDArray

from chassis.errors import CancelledCallError, InvalidInputError
from services.transcriber.transcript import Span

Samples = NDArray[np.float32]
"""Mono sound in [-1, 1], shape (n,)."""
SAMPLE_RATE_HZ = 16_000
"""What Whisper and Silero were trained on."""
ALLOWED_FORMATS = (
    "mov,mp4,matroska,webm,avi,asf,flv,mpeg,mpegts,ogg,wav,w64,aiff,caf,au,flac,mp3,aac,amr,ac3,wv,ape,tta"
)
"""Containers of recordings. Left out: playlists (they name other files) and text rendered as video."""
OPEN_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": ALLOWED_FORMATS}
BLOCK_SAMPLES = 60 * SAMPLE_RATE_HZ
"""What is cleaned at once."""
GAP_S = 0.1
"""Shorter gaps between timestamps are jitter of the container; longer ones are filled with silence."""


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


def load_audio(recording: Path, max_duration_s: float, stop: Event) -> Samples:
    """Decode the first sound track to mono, without offset and without invalid samples.

    Corrupt packets are skipped. Where timestamps say that sound is missing (a late start, a pause
    of the recorder) there is silence, so that times agree with the picture.

    Returns:
        Samples in [-1, 1], shape (n,), at `SAMPLE_RATE_HZ`; n may be 0.

    Raises:
        InvalidInputError: No decodable container (`MEDIA_UNDECODABLE`), no sound track
            (`MEDIA_NO_AUDIO`), or longer than `max_duration_s` (`MEDIA_TOO_LONG`).
        CancelledCallError: `stop` was set.
    """
    buffer = bytearray()
    try:
        with av.open(str(recording), mode="r", metadata_errors="ignore", options=OPEN_OPTIONS) as container:
            for chunk in _samples(container):
                check(stop)
                buffer += chunk.tobytes()
                _check_length(len(buffer), max_duration_s)
    except (av.error.FFmpegError, ValueError) as error:
        # PyAV raises ValueError where a header promises a layout or rate that FFmpeg refuses.
        raise _undecodable() from error
    return _clean(np.frombuffer(buffer, dtype=np.float32))


def _samples(container: InputContainer) -> Iterator[Samples]:
    if not container.streams.audio:
        raise InvalidInputError(
            "The recording has no sound track; record it again with the microphone on.",
            reason="MEDIA_NO_AUDIO",
        )
    origin_s = _origin_s(container)
    position_s = 0.0
    for time_s, resampled in _resampled(_frames(container)):
        missing_s = time_s - origin_s - position_s if time_s is not None else 0.0
        if missing_s > GAP_S:
            yield from _silence(missing_s)
            position_s += missing_s
        for samples in resampled:
            position_s += samples.size / SAMPLE_RATE_HZ
            yield samples


def _frames(container: InputContainer) -> Iterator[AudioFrame]:
    """Decode packet by packet, so that a corrupt one costs itself and not the rest."""
    packets = container.demux(audio=0)
    any_decoded = any_corrupt = False
    while True:
        try:
            frames = next(packets).decode()
        except StopIteration:
            break
        except av.error.InvalidDataError:
            any_corrupt = True
            continue
        for frame in frames:
            if isinstance(frame, AudioFrame):
                any_decoded = True
                yield frame
    if any_corrupt and not any_decoded:
        raise _undecodable()


def _resampled(frames: Iterator[AudioFrame]) -> Iterator[tuple[float | None, list[Samples]]]:
    """Yield each frame's time, where it has one, with its samples; the last samples have no time."""
    resampler, shape = _resampler(), None
    for frame in frames:
        now = (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape is not None and now != shape:  # the encoder changed its mind in mid-stream
            yield None, _arrays(resampler.resample(None))
            resampler = _resampler()
        shape = now
        time_s, frame.pts = frame.time, None  # the resampler would refuse timestamps that jump
        yield time_s, _arrays(resampler.resample(frame))
    if shape is not None:
        yield None, _arrays(resampler.resample(None))


def _resampler() -> AudioResampler:
    return AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)


def _arrays(frames: list[AudioFrame]) -> list[Samples]:
    return [
        frame.to_ndarray().reshape(-1).astype(np.float32, copy=False) for frame in frames if frame.samples
    ]


def _origin_s(container: InputContainer) -> float:
    """When the recording begins on its own clock; encoders may start before or after zero."""
    return container.start_time / av.time_base if container.start_time is not None else 0.0


def _silence(duration_s: float) -> Iterator[Samples]:
    """Yield silence second by second, so that an absurd timestamp meets the length check first."""
    left = int(duration_s * SAMPLE_RATE_HZ)
    while left > 0:
        yield np.zeros(min(left, SAMPLE_RATE_HZ), dtype=np.float32)
        left -= SAMPLE_RATE_HZ


def _check_length(byte_count: int, max_duration_s: float) -> None:
    if byte_count > max_duration_s * SAMPLE_RATE_HZ * np.dtype(np.float32).itemsize:
        raise InvalidInputError(
            f"The recording is longer than {max_duration_s / 60:g} minutes; send it in shorter parts.",
            reason="MEDIA_TOO_LONG",
        )


def _clean(samples: Samples) -> Samples:
    """Make samples finite, centred and bounded, in place; float formats may hold anything."""
    if not samples.size:
        return samples
    total = 0.0
    for block in _blocks(samples):
        np.clip(np.nan_to_num(block, copy=False, nan=0.0, posinf=0.0, neginf=0.0), -1.0, 1.0, out=block)
        total += float(block.sum(dtype=np.float64))
    offset = np.float32(total / samples.size)
    for block in _blocks(samples):
        np.clip(block - offset, -1.0, 1.0, out=block)
    return samples


def _blocks(samples: Samples) -> Iterator[Samples]:
    """Yield views: an hour takes 230 MB, and each copy of it as much again."""
    return (samples[start : start + BLOCK_SAMPLES] for start in range(0, samples.size, BLOCK_SAMPLES))


def _undecodable() -> InvalidInputError:
    return InvalidInputError(
        "The recording can't be decoded; send a complete mp4, mov, webm, mkv, avi, wav, flac or mp3 file.",
        reason="MEDIA_UNDECODABLE",
    )
