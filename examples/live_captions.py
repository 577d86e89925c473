"""Prints what is said while it is said: sends a WAV file or a microphone's samples to a transcriber.

python examples/live_captions.py answer.wav --language en
arecord -q -f S16_LE -r 16000 -c 1 -t raw | python examples/live_captions.py -
"""

from __future__ import annotations

import argparse
import struct
import sys
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import grpc

from interview.v1 import transcriber_pb2, transcriber_pb2_grpc

UNKNOWN_BYTES = 0xFFFFFFFF
"""What a WAV says of its sizes where they are not known yet."""
CHUNK_S = 0.25
MICROPHONE_RATE_HZ = 16_000


@dataclass(frozen=True)
class Source:
    """Sound that is read as it is made: 16-bit samples."""

    rate_hz: int
    channel_count: int
    read: Callable[[int], bytes]
    """Returns at most so many sample frames, and nothing at the end."""

    def header(self) -> bytes:
        """Return the head of a WAV that goes on until its end."""
        frame_bytes = 2 * self.channel_count
        form = (16, 1, self.channel_count, self.rate_hz, self.rate_hz * frame_bytes, frame_bytes, 16)
        return struct.pack(
            "<4sI8sIHHIIHH4sI", b"RIFF", UNKNOWN_BYTES, b"WAVEfmt ", *form, b"data", UNKNOWN_BYTES
        )


@contextmanager
def wav_file(path: str) -> Iterator[Source]:
    """Open a WAV file of 16-bit samples."""
    with wave.open(path, "rb") as file:
        if file.getsampwidth() != 2:
            raise SystemExit("The WAV file must have 16 bits a sample. Convert it first.")
        yield Source(file.getframerate(), file.getnchannels(), file.readframes)


def microphone(stream: BinaryIO) -> Source:
    """Read mono samples, `MICROPHONE_RATE_HZ` a second, from a stream such as standard input."""
    return Source(MICROPHONE_RATE_HZ, 1, lambda frame_count: stream.read(2 * frame_count))


class Clock:
    """When which second of the sound was sent."""

    def __init__(self) -> None:
        self.begin_s = 0.0

    def start(self) -> None:
        """Say that the first sample is sent now."""
        self.begin_s = time.monotonic()

    def since_s(self, moment_s: float) -> float:
        """Return how long ago a second of the sound was made."""
        return time.monotonic() - self.begin_s - moment_s


def requests(
    source: Source, clock: Clock, language_code: str, speed: float
) -> Iterator[transcriber_pb2.TranscribeRequest]:
    """Yield the opening message, and chunks at the speed at which the sound is made.

    Args:
        source: The sound.
        clock: Is started with the first chunk.
        language_code: BCP-47, or empty to have it told.
        speed: Seconds of sound a second. 0: as fast as it can be read.
    """
    yield transcriber_pb2.TranscribeRequest(
        config=transcriber_pb2.TranscribeConfig(language_code=language_code)
    )
    yield transcriber_pb2.TranscribeRequest(chunk=source.header())
    clock.start()
    frame_count = round(CHUNK_S * source.rate_hz)
    sent_s = 0.0
    while chunk := source.read(frame_count):
        sent_s += len(chunk) / (2 * source.channel_count * source.rate_hz)
        if speed:
            time.sleep(max(0.0, clock.begin_s + sent_s / speed - time.monotonic()))
        yield transcriber_pb2.TranscribeRequest(chunk=chunk)


def follow(
    channel: grpc.Channel, source: Source, language_code: str, speed: float, clock: Clock
) -> Iterator[transcriber_pb2.TranscribeResponse]:
    """Send the sound, and yield what the transcriber answers: segments as they come, the transcript last."""
    stub = transcriber_pb2_grpc.TranscriberServiceStub(channel)
    yield from stub.Transcribe(requests(source, clock, language_code, speed))


def main() -> None:
    """Print segments as they come."""
    parser = argparse.ArgumentParser(description="Prints what is said while it is said.")
    parser.add_argument("source", help="a WAV file, or - for samples on standard input")
    parser.add_argument("--address", default="127.0.0.1:50051", help="of the transcriber")
    parser.add_argument("--language", default="", help="that is spoken (en, id); empty: it is told by ear")
    parser.add_argument("--speed", type=float, default=1.0, help="seconds of sound a second; 0: at once")
    options = parser.parse_args()
    with grpc.insecure_channel(options.address) as channel:
        if options.source == "-":
            show(channel, microphone(sys.stdin.buffer), options.language, 0.0)
        else:
            with wav_file(options.source) as source:
                show(channel, source, options.language, options.speed)


def show(channel: grpc.Channel, source: Source, language_code: str, speed: float) -> None:
    """Print one source's segments and its transcript."""
    clock = Clock()
    for reply in follow(channel, source, language_code, speed, clock):
        event = reply.WhichOneof("event")
        if event == "segment" and reply.segment.provisional:
            said = reply.segment
            late_s = clock.since_s(said.end_s)
            print(f"~ {said.start_s:.1f}-{said.end_s:.1f} s, {late_s:.1f} s later: {said.text}", flush=True)
        elif event == "transcript":
            for segment in reply.transcript.segments:
                print(f"= {segment.start_s:.1f}-{segment.end_s:.1f} s: {segment.text}")


if __name__ == "__main__":
    main()
