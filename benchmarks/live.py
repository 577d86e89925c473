"""A live caller of the transcriber: how long after they were said words come, and the transcript.

The example client sends a WAV at the speed at which it was spoken, to a service of its own on this machine.
What it gets in the end is compared with what the same sound gives at once. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import grpc
from rich.console import Console
from rich.table import Table

from benchmarks.transcriber.clips import speech
from benchmarks.transcriber.measure import running_at
from benchmarks.transcriber.sharing import speech_of
from examples.live_captions import Clock, Source, follow, wav_file

WINDOW_S = 20.0
"""The longest window that the model hears: 17 s of speech and a margin."""
LANGUAGE = "en"


@dataclass
class Heard:
    """What came of one caller's sound."""

    late_s: list[float] = field(default_factory=list)
    """Of each provisional segment: from the end of its last word until it was there."""
    first_words_s: float = 0.0
    """From the first word until its segment was there."""
    after_end_s: float = 0.0
    """From the last byte until the transcript was there."""
    text: str = ""


def heard(address: str, recording: Path, speed: float) -> Heard:
    """Send a recording and take the times of what comes back."""
    result, clock = Heard(), Clock()
    with grpc.insecure_channel(address) as channel, _source(recording) as (source, asked_s):
        for reply in follow(channel, source, LANGUAGE, speed, clock):
            event = reply.WhichOneof("event")
            if event == "segment" and reply.segment.provisional:
                if not result.late_s:
                    result.first_words_s = clock.since_s(reply.segment.words[0].end_s)
                result.late_s.append(clock.since_s(reply.segment.end_s))
            elif event == "transcript":
                result.after_end_s = time.monotonic() - asked_s[-1]
                result.text = " ".join(segment.text for segment in reply.transcript.segments)
    return result


@contextmanager
def _source(recording: Path) -> Iterator[tuple[Source, list[float]]]:
    """Open a WAV, and note when samples were asked for: last when there were none left."""
    with wav_file(str(recording)) as source:
        asked_s: list[float] = []

        def noted(frame_count: int) -> bytes:
            asked_s.append(time.monotonic())
            return source.read(frame_count)

        yield Source(source.rate_hz, source.channel_count, noted), asked_s


def main() -> None:
    """Run, and print a table and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=90.0, help="of speech")
    parser.add_argument("--model", default="whisper-base")
    options = parser.parse_args()
    clips = [clip for clip in speech() if clip.language_code == LANGUAGE]
    with TemporaryDirectory() as folder, running_at(options.model) as (_, address):
        recording = speech_of(clips, options.seconds, Path(folder) / "live.wav")
        at_once = heard(address, recording, 0.0)
        live = heard(address, recording, 1.0)
    rows = {
        "first_words_s": live.first_words_s,
        "segment_median_s": statistics.median(live.late_s),
        "segment_worst_s": max(live.late_s),
        "last_byte_to_transcript_s": live.after_end_s,
        "whole_file_s": at_once.after_end_s,
        "words_equal": live.text == at_once.text,
        "target_s": 2 * WINDOW_S,
    }
    table = Table("figure", "value")
    for name, value in rows.items():
        table.add_row(name, f"{value:.1f}" if isinstance(value, float) else str(value))
    Console().print(table)
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
