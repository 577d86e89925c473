"""Reads server-sent events from lines of text, as the HTML standard has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class ServerSentEvent:
    """One event."""

    kind: str
    data: str
    event_id: str = ""
    """Identifier to resume after; the last one that was sent."""


def parse_events(lines: Iterable[str]) -> Iterator[ServerSentEvent]:
    """Yield the events of a stream. An event that the stream's end cuts off is dropped."""
    kind, data, event_id = "message", list[str](), ""
    for line in lines:
        if not line:
            if data:
                yield ServerSentEvent(kind, "\n".join(data), event_id)
            kind, data = "message", []
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            data.append(value)
        elif name == "event":
            kind = value
        elif name == "id":
            event_id = value
