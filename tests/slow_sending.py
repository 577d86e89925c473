"""Sends a recording to the gateway as a slow line does, and makes recordings of each order of parts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

BOUNDARY = "slow-line"
BLOCK_BYTES = 4096


def slow_body(
    recording: Path, seconds: float, on_byte: Callable[[float], None] = lambda _: None
) -> Iterator[bytes]:
    """Yield an upload's body so that the recording takes so long.

    Args:
        recording: The file.
        seconds: From its first byte to its last.
        on_byte: Is called with the share that was sent, before each block.
    """
    for name, value in (("questions", "Why?"), ("language", "en"), ("candidate_name", "Test")):
        yield f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    disposition = f'Content-Disposition: form-data; name="videos"; filename="{recording.name}"'
    yield f"--{BOUNDARY}\r\n{disposition}\r\n\r\n".encode()
    data, begin_s = recording.read_bytes(), time.monotonic()
    for first in range(0, len(data), BLOCK_BYTES):
        on_byte(first / len(data))
        time.sleep(max(0.0, begin_s + seconds * first / len(data) - time.monotonic()))
        yield data[first : first + BLOCK_BYTES]
    yield f"\r\n--{BOUNDARY}--\r\n".encode()


def send_slowly(http: httpx.Client, recording: Path, seconds: float, **options: Any) -> str:
    """Upload a recording in so many seconds, and return the session's id."""
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"} | options.pop("headers", {})
    reply = http.post(
        "/upload", content=slow_body(recording, seconds, **options), headers=headers, timeout=seconds + 120
    )
    assert reply.status_code == 200, reply.text
    return str(reply.json()["session_id"])


def remuxed(source: Path, target: Path, **options: str) -> Path:
    """Copy a recording's packets into another file, whose name says of what kind."""
    import av

    with av.open(str(source)) as given, av.open(str(target), "w", options=options) as made:
        streams = {
            stream.index: made.add_stream_from_template(stream)
            for stream in (*given.streams.video[:1], *given.streams.audio[:1])
        }
        for packet in given.demux():
            if packet.dts is not None and packet.stream.index in streams:
                packet.stream = streams[packet.stream.index]
                made.mux(packet)
    return target


def as_webm(source: Path, target: Path, frames_a_s: int = 12) -> Path:
    """Encode a recording as a browser's: VP8 and Opus in WebM."""
    import av

    with av.open(str(source)) as given, av.open(str(target), "w", format="webm") as made:
        shown, heard = given.streams.video[0], given.streams.audio[0]
        video: Any = made.add_stream(
            "libvpx", rate=frames_a_s, options={"deadline": "realtime", "cpu-used": "8"}
        )
        video.width, video.height, video.pix_fmt = shown.width, shown.height, "yuv420p"
        sound: Any = made.add_stream("libopus", rate=48_000, layout="mono")
        resampler = av.AudioResampler(format="flt", layout="mono", rate=48_000)
        next_s = 0.0
        for frame in given.decode(shown, heard):
            if isinstance(frame, av.VideoFrame):
                if frame.time is not None and frame.time >= next_s:
                    next_s = frame.time + 1 / frames_a_s
                    made.mux(video.encode(frame.reformat(format="yuv420p")))
            else:
                assert isinstance(frame, av.AudioFrame)
                for block in resampler.resample(frame):
                    made.mux(sound.encode(block))
        made.mux(video.encode(None))
        made.mux(sound.encode(None))
    return target
