"""Warnings about a recording on the wire. Imported by edges only: engines know no messages."""

from __future__ import annotations

from collections.abc import Iterable

from chassis.playback.recording_warnings import RecordingWarning
from interview.v1 import media_pb2


def to_messages(warnings: Iterable[RecordingWarning]) -> list[media_pb2.RecordingWarning]:
    """Pack warnings."""
    return [
        media_pb2.RecordingWarning(kind=one.kind, message=one.message, start_s=one.start_s, end_s=one.end_s)
        for one in warnings
    ]
