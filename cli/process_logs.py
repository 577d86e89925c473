"""Reads the JSON logs of processes, and says of each line what a person wants to know."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

READ_BYTES = 1 << 16
MAX_LINE_BYTES = 1 << 20
"""A line without an end is dropped at this length, so that no log fills the memory."""
GRAVE_LEVELS = frozenset({"ERROR", "CRITICAL"})
SERVING_LOGGERS = frozenset({"chassis.server", "gateway.listening"})
"""Who says "serving" of a whole process."""

Record = dict[str, Any]


def record_of(line: str) -> Record:
    """Return a line of a log as a record. A line that is not JSON is a record with that message."""
    try:
        record = json.loads(line)
    except json.JSONDecodeError:
        record = None
    return record if isinstance(record, dict) else {"message": line}


def last_words(text: str, count: int) -> str:
    """Return the last messages of a log on one line: the errors among them alone, where there are any."""
    records = [record_of(line) for line in text.splitlines()[-count:]]
    grave = [record for record in records if record.get("level") in GRAVE_LEVELS]
    return " ".join(" ".join(str(record.get("message", "")).split()) for record in grave or records)


def told(name: str, record: Record) -> str | None:
    """Return what a person is told of a process's record. None for nothing.

    A process that is ready, a session that begins or ends, and an error are told.
    """
    message = str(record.get("message", ""))
    session = f"session {record.get('session_id', '')}"
    if is_ready(record):
        return f"{name}: ready" + (f", the page is at {record['url']}" if record.get("url") else "")
    if message == "session begins":
        count = int(record.get("answer_count", 0))
        return f"{session}: begins, {count} {'answer' if count == 1 else 'answers'}"
    if message == "session ends":
        reason = f" ({record['reason']})" if record.get("reason") else ""
        return f"{session}: {record.get('state', 'ended')}{reason}"
    if record.get("level") in GRAVE_LEVELS:
        return f"{name}: {' '.join(message.split())}"
    return None


def is_ready(record: Record) -> bool:
    """Tell whether a record says that its process takes work now."""
    return record.get("logger") in SERVING_LOGGERS and record.get("message") == "serving"


class LogTail:
    """The lines that come into a file.

    Args:
        path: The file. It need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset_bytes = 0
        self._rest = b""

    def records(self) -> Iterator[Record]:
        """Yield the records of the whole lines that have come since the last call."""
        while data := self._read():
            *lines, self._rest = (self._rest + data).split(b"\n")
            if len(self._rest) > MAX_LINE_BYTES:
                self._rest = b""
            for line in lines:
                yield record_of(line.decode(errors="replace"))

    def _read(self) -> bytes:
        try:
            with self._path.open("rb") as log:
                log.seek(self._offset_bytes)
                data = log.read(READ_BYTES)
        except FileNotFoundError:
            return b""
        self._offset_bytes += len(data)
        return data
