"""Copies of a real recording with other tracks, another clock or another picture, as odd recorders do it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.stream import Disposition

UPSIDE_DOWN = [1 << 16, 0, 0, 0, -1 << 16, 0, 0, 0, 1 << 30]
"""The display matrix 1 0 0 −1."""


@dataclass(frozen=True)
class Change:
    """What a copy has other than its original."""

    picture: bool = True
    sound: bool = True
    clock_starts_s: float = 0.0
    """The file's own clock begins here."""
    sound_late_s: float = 0.0
    """The sound starts so much later than in the original."""
    jump_at_s: float | None = None
    jump_s: float = 0.0
    """All timestamps jump by so much at `jump_at_s`, as where a machine slept."""


def copy_changed(source: Path, target: Path, change: Change) -> Path:
    """Copy the packets as they are, at other times."""
    with av.open(str(source)) as inside, av.open(str(target), "w") as out:
        copies = {
            stream: out.add_stream_from_template(stream)
            for stream in inside.streams
            if (change.picture and stream.type == "video") or (change.sound and stream.type == "audio")
        }
        for packet in inside.demux(list(copies)):
            if packet.dts is not None:
                _move(packet, change)
                packet.stream = copies[packet.stream]
                out.mux(packet)
    return target


def _move(packet: Any, change: Change) -> None:
    later_s = change.clock_starts_s
    if packet.stream.type == "audio":
        later_s += change.sound_late_s
    if change.jump_at_s is not None and float(packet.dts * packet.time_base) >= change.jump_at_s:
        later_s += change.jump_s
    ticks = round(later_s / packet.time_base)
    packet.dts, packet.pts = packet.dts + ticks, packet.pts + ticks


def copy_with_sounds(source: Path, target: Path, *gains: tuple[float, ...], default: int = 0) -> Path:
    """Copy the picture as it is, with a lossless sound track for each tuple of gains, one gain a channel.

    (0.0,) is a silent track, (1.0, -1.0) is stereo in opposite phase. `default` is the number of the default
    track, from 0 on.
    """
    with av.open(str(source)) as inside, av.open(str(target), "w") as out:
        picture: Any = inside.streams.video[0]
        sound: Any = inside.streams.audio[0]
        copied, rate_hz = out.add_stream_from_template(picture), sound.rate
        tracks: list[Any] = [
            out.add_stream("flac", rate=rate_hz, layout=("mono", "stereo")[len(each) - 1]) for each in gains
        ]
        for number, track in enumerate(tracks):
            track.disposition = Disposition.default if number == default else Disposition(0)
        packets: list[Any] = []
        to_mono = av.AudioResampler("fltp", "mono", rate_hz)
        packet: Any
        for packet in inside.demux(picture, sound):
            if packet.dts is not None and packet.stream is picture:
                packet.stream = copied
                packets.append(packet)
            elif packet.dts is not None:
                for frame in (mono for decoded in packet.decode() for mono in to_mono.resample(decoded)):
                    for track, each in zip(tracks, gains, strict=True):
                        packets += _encoded(track, frame, each)
        for track in tracks:
            packets += track.encode(None)
        packets.sort(key=lambda packet: float(packet.dts * packet.time_base))
        out.mux(packets)
    return target


def _encoded(track: Any, mono: Any, gains: tuple[float, ...]) -> list[Any]:
    samples = np.stack([np.float32(gain) * mono.to_ndarray()[0] for gain in gains])
    frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout=track.layout.name)
    frame.sample_rate, frame.pts, frame.time_base = mono.sample_rate, mono.pts, mono.time_base
    (fitting,) = av.AudioResampler(track.format.name, track.layout.name, mono.sample_rate).resample(frame)
    return list(track.encode(fitting))


def store_upside_down(source: Path, target: Path) -> Path:
    """Store the picture alone, upside down, with a display matrix that puts it right."""
    with av.open(str(source)) as inside, av.open(str(target), "w") as out:
        picture = inside.streams.video[0]
        stream: Any = out.add_stream("libx264", rate=picture.average_rate)
        stream.width, stream.height, stream.pix_fmt = picture.width, picture.height, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        stream.set_display_matrix(UPSIDE_DOWN)
        for shown in inside.decode(picture):
            pixels: Any = np.ascontiguousarray(shown.to_ndarray(format="rgb24")[::-1])
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = round((shown.time or 0.0) * 1000), Fraction(1, 1000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return target


def join(target: Path, *sources: Path) -> Path:
    """Write files one after the other into one, as where a recorder's pieces are put together."""
    target.write_bytes(b"".join(source.read_bytes() for source in sources))
    return target
