"""Recordings as odd recorders write them, made with PyAV: several tracks, clocks that jump, matrices, joins.

Sound is a tone while something is to be heard; pictures are grey with a white corner at the top left.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.stream import Disposition
from numpy.typing import NDArray

CASES = Path(__file__).parent / "data" / "cases"
RATE_HZ = 48_000
FRAME_SAMPLES = 960
TONE_HZ = 300.0
FRAMES_PER_S = 10
TICKS_PER_S = 1000


@dataclass(frozen=True)
class SoundTrack:
    """A sound track to write: one tone."""

    seconds: float = 3.0
    amplitude: float = 0.3
    start_s: float = 0.0
    """Its timestamps begin here."""
    quiet_s: float = 0.0
    """The tone begins after so much silence."""
    gap_at_s: float | None = None
    gap_s: float = 0.0
    """Timestamps jump by so much at `gap_at_s`."""
    opposite: bool = False
    """Stereo in opposite phase."""
    default: bool = True
    codec: str = ""


@dataclass(frozen=True)
class PictureTrack:
    """A picture track to write."""

    seconds: float = 3.0
    start_s: float = 0.0
    times_s: Sequence[float] = ()
    """Instead of ten a second."""
    size_px: tuple[int, int] = (64, 48)
    matrix: tuple[int, int, int, int] | None = None
    """a, b, c, d of the display matrix."""
    pixel_aspect: Fraction | None = None
    codec: str = ""


def write(
    path: Path,
    sounds: Sequence[SoundTrack] = (SoundTrack(),),
    picture: PictureTrack | None = PictureTrack(),
    options: dict[str, str] | None = None,
) -> Path:
    """Write a recording in the container that the path's ending names."""
    webm = path.suffix == ".webm"
    with av.open(str(path), "w", container_options=options or {}) as out:
        packets: list[Any] = []
        shown = _add_picture(out, picture, "libvpx" if webm else "mpeg4") if picture else None
        heard = [_add_sound(out, sound, "libopus" if webm else "aac") for sound in sounds]
        if picture is not None:
            packets += _encoded_picture(shown, picture)
        for stream, sound in zip(heard, sounds, strict=True):
            packets += _encoded_sound(stream, sound)
        packets.sort(key=lambda packet: float(packet.dts * packet.time_base))
        out.mux(packets)
    return path


def _add_picture(out: Any, picture: PictureTrack, codec: str) -> Any:
    stream = out.add_stream(picture.codec or codec, rate=FRAMES_PER_S)
    stream.width, stream.height = picture.size_px
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = Fraction(1, TICKS_PER_S)
    if picture.pixel_aspect is not None:
        stream.codec_context.sample_aspect_ratio = picture.pixel_aspect
    if picture.matrix is not None:
        a, b, c, d = (value * 65_536 for value in picture.matrix)
        stream.set_display_matrix([a, b, 0, c, d, 0, 0, 0, 1 << 30])
    return stream


def _add_sound(out: Any, sound: SoundTrack, codec: str) -> Any:
    layout = "stereo" if sound.opposite else "mono"
    stream = out.add_stream(sound.codec or codec, rate=RATE_HZ, layout=layout)
    stream.disposition = Disposition.default if sound.default else Disposition(0)
    return stream


def corner_picture(width_px: int, height_px: int) -> NDArray[np.uint8]:
    """Return grey pixels with a white corner at the top left."""
    pixels = np.full((height_px, width_px, 3), 60, np.uint8)
    pixels[: height_px // 3, : width_px // 3] = 255
    return pixels


def _encoded_picture(stream: Any, picture: PictureTrack) -> list[Any]:
    count = round(picture.seconds * FRAMES_PER_S)
    times_s = picture.times_s or [index / FRAMES_PER_S for index in range(count)]
    packets: list[Any] = []
    for time_s in times_s:
        frame = av.VideoFrame.from_ndarray(corner_picture(*picture.size_px), format="rgb24")
        frame.pts, frame.time_base = round((time_s + picture.start_s) * TICKS_PER_S), Fraction(1, TICKS_PER_S)
        packets += stream.encode(frame)
    return [*packets, *stream.encode(None)]


def _encoded_sound(stream: Any, sound: SoundTrack) -> list[Any]:
    count = round(sound.seconds * RATE_HZ)
    tone = sound.amplitude * np.sin(2 * np.pi * TONE_HZ * np.arange(count) / RATE_HZ).astype(np.float32)
    tone[: round(sound.quiet_s * RATE_HZ)] = 0.0
    channels = np.stack([tone, -tone]) if sound.opposite else tone[None]
    packets: list[Any] = []
    resampler = av.AudioResampler(stream.format.name, stream.layout.name, RATE_HZ)
    for begin in range(0, count - FRAME_SAMPLES + 1, FRAME_SAMPLES):
        block = np.ascontiguousarray(channels[:, begin : begin + FRAME_SAMPLES], dtype=np.float32)
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=stream.layout.name)
        frame.sample_rate = RATE_HZ
        (frame,) = resampler.resample(frame)
        late_s = sound.gap_s if sound.gap_at_s is not None and begin / RATE_HZ >= sound.gap_at_s else 0.0
        frame.pts = begin + round((sound.start_s + late_s) * RATE_HZ)
        frame.time_base = Fraction(1, RATE_HZ)
        packets += stream.encode(frame)
    return [*packets, *stream.encode(None)]


def replace_bytes(path: Path, old: bytes, new: bytes, count: int = 1) -> Path:
    """Replace the first bytes of a file that are `old`."""
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, count))
    return path


def cut_off(path: Path, source: Path, size_bytes: int) -> Path:
    """Write the first bytes of a file."""
    path.write_bytes(source.read_bytes()[:size_bytes])
    return path


def disable_track(path: Path, number: int) -> Path:
    """Mark an MP4's track as disabled, as an editor does."""
    content = bytearray(path.read_bytes())
    at = -1
    for _ in range(number):
        at = content.index(b"tkhd", at + 1)
    (flags,) = struct.unpack(">I", content[at + 4 : at + 8])
    content[at + 4 : at + 8] = struct.pack(">I", flags & ~1)
    path.write_bytes(content)
    return path


def delay_fragments(path: Path, track_id: int, ticks: int) -> Path:
    """Move a track of a fragmented MP4 to a later time, as Chromium's MediaRecorder writes a late track."""
    content = bytearray(path.read_bytes())
    at = content.find(b"tfhd")
    while at >= 0:
        (number,) = struct.unpack(">I", content[at + 8 : at + 12])
        time_at = content.index(b"tfdt", at) + 8
        if number == track_id:
            (time,) = struct.unpack(">Q", content[time_at : time_at + 8])
            content[time_at : time_at + 8] = struct.pack(">Q", time + ticks)
        at = content.find(b"tfhd", at + 1)
    path.write_bytes(content)
    return path
