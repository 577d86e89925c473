"""Reads the sound track of any container as mono samples.

Samples are float32 in [-1, 1] at `SAMPLE_RATE_HZ`, finite, without a constant offset. Times count
samples, as a WAV made from the same track would; packet timestamps are not looked at.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from chassis.errors import CancelledCallError, InvalidInputError

SAMPLE_RATE_HZ = 16_000
"""What both models were trained on."""
BLOCK_SAMPLES = 64 * SAMPLE_RATE_HZ
"""Samples cleaned at once, so that no second copy of the recording exists."""
DEMUXERS = (
    "aac,aiff,amr,asf,au,avi,caf,flac,flv,matroska,webm,mov,mp3,mp4,mpeg,mpegts,ogg,w64,wav"  # no playlists
)
"""Containers that recorders make. Playlists are left out: they make the reader open other files."""
GATHERED_SAMPLES = 65_536
"""Samples resampled at once: packets hold a few milliseconds, and each call has its price."""
OPEN_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": DEMUXERS}

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Sound:
    """A decoded sound track."""

    samples: Samples
    """float32 in [-1, 1], shape (sample count,), at `SAMPLE_RATE_HZ`."""
    damaged_packet_count: int = 0
    """Packets that could not be decoded and are missing from `samples`."""

    @property
    def duration_s(self) -> float:
        """Length of the track in seconds."""
        return len(self.samples) / SAMPLE_RATE_HZ


def raise_if_stopped(stop: threading.Event) -> None:
    """Leave the work when the caller gave up.

    Raises:
        CancelledCallError: `stop` is set (`CANCELLED`).
    """
    if stop.is_set():
        raise CancelledCallError("The caller gave up before the recording was done.", reason="CANCELLED")


def load_sound(recording: Path, max_duration_s: float, stop: threading.Event) -> Sound | None:
    """Decode the first audio track to mono.

    Returns:
        The sound, or None where the recording has a picture but no audio track.

    Raises:
        InvalidInputError: Nothing in the file can be decoded (`MEDIA_UNDECODABLE`), or the track is
            longer than `max_duration_s` (`MEDIA_TOO_LONG`).
        CancelledCallError: `stop` was set (`CANCELLED`).
    """
    try:
        with av.open(str(recording), metadata_errors="ignore", options=OPEN_OPTIONS) as container:
            if not container.streams.audio:
                if container.streams.video:
                    return None
                raise _undecodable()
            if container.streams.audio[0].codec_context is None:  # a codec that FFmpeg has no decoder for
                raise _undecodable()
            return _read(container, max_duration_s, stop)
    except (av.error.FFmpegError, UnicodeError) as error:
        raise _undecodable() from error


def _undecodable() -> InvalidInputError:
    return InvalidInputError(
        "The recording can't be decoded; send a complete media file such as MP4, WebM or WAV.",
        reason="MEDIA_UNDECODABLE",
    )


def _read(container: av.container.InputContainer, max_duration_s: float, stop: threading.Event) -> Sound:
    # One growing buffer of bytes: joining a list of arrays would need twice the memory at the end.
    buffer = bytearray()
    max_bytes = int(max_duration_s * SAMPLE_RATE_HZ) * np.dtype(np.float32).itemsize
    decoder = _Decoder(container)
    for block in decoder.mono_blocks():
        raise_if_stopped(stop)
        buffer += block.tobytes()
        if len(buffer) > max_bytes:
            raise InvalidInputError(
                f"The recording is longer than {max_duration_s:g} s; send a shorter one.",
                reason="MEDIA_TOO_LONG",
            )
    if not buffer and decoder.damaged_packet_count:
        raise _undecodable()
    samples = np.frombuffer(buffer, np.float32)
    clean(samples)
    return Sound(samples, decoder.damaged_packet_count)


def clean(samples: Samples) -> None:
    """Make samples finite, within full scale and free of a constant offset, in place.

    What is no number (a float file may hold it) becomes silence; what is louder than full scale is
    cut, as every player does.
    """
    blocks = [samples[start : start + BLOCK_SAMPLES] for start in range(0, len(samples), BLOCK_SAMPLES)]
    total = 0.0
    for block in blocks:
        np.nan_to_num(block, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
        np.clip(block, -1.0, 1.0, out=block)
        total += float(np.sum(block, dtype=np.float64))
    offset = np.float32(total / max(1, len(samples)))
    for block in blocks:
        np.subtract(block, offset, out=block)


class _Decoder:
    """Decodes one container's first audio track, and counts what could not be decoded."""

    def __init__(self, container: av.container.InputContainer) -> None:
        self._container = container
        self._resampler = self._new_resampler()
        self._shape: tuple[str, str, int] | None = None
        self.damaged_packet_count = 0

    def mono_blocks(self) -> Iterator[Samples]:
        """Yield the samples in order, at `SAMPLE_RATE_HZ`."""
        gathered = av.AudioFifo()
        for frame in self._frames():
            # A recorder may switch channels or rate in mid-file (AAC, MP3); a resampler may not.
            shape = (frame.format.name, frame.layout.name, frame.sample_rate)
            if self._shape not in (None, shape):
                yield from self._resampled(gathered.read())
                yield from self._resampled(None)
                self._resampler, gathered = self._new_resampler(), av.AudioFifo()
            self._shape = shape
            frame.pts = None  # times count samples; jumps in timestamps would make the queue complain
            gathered.write(frame)
            if gathered.samples >= GATHERED_SAMPLES:
                yield from self._resampled(gathered.read())
        yield from self._resampled(gathered.read())
        yield from self._resampled(None)

    def _frames(self) -> Iterator[av.AudioFrame]:
        packets = self._container.demux(self._container.streams.audio[0])
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError:  # the file ends in the middle: what came before still counts
                self.damaged_packet_count += 1
                return
            try:
                yield from (frame for frame in packet.decode() if isinstance(frame, av.AudioFrame))
            except av.error.FFmpegError:
                self.damaged_packet_count += 1

    def _resampled(self, frame: av.AudioFrame | None) -> Iterator[Samples]:
        for mono in self._resampler.resample(frame):
            yield mono.to_ndarray().reshape(-1).astype(np.float32, copy=False)

    @staticmethod
    def _new_resampler() -> av.AudioResampler:
        return av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)
