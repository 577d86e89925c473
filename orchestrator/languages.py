"""Pure: languages as BCP-47 writes them."""

from __future__ import annotations

from interview.v1 import transcriber_pb2


def base_language(code: str) -> str:
    """Return a language without its region: `en` for `en-US`."""
    return code.lower().partition("-")[0]


def segment_language(segment: transcriber_pb2.Segment, transcript: transcriber_pb2.Transcript) -> str:
    """Return the language that a segment was spoken in."""
    return base_language(segment.language_code or transcript.language_code)
