"""Turns the lines of native libraries into JSON lines: a script that runs as a process of its own.

It imports little and nothing of ours, since every process starts one. It reads standard input until all
writers are gone. So it outlives a process that aborts, and keeps its last words. `chassis.native_output`
starts it.

    python -I -S native_forwarder.py errors|all json|text VARIABLE
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime

CLEAN_END = b"\x00the process ends"
"""The line by which a process says that it ends as it should."""
MAX_LINE_BYTES = 1000
"""A longer line is cut into several: one write of this size stays in one piece, even in a pipe."""
READ_BYTES = 1 << 16
LAST_WORDS_COUNT = 20
"""Lines that were left out and are written after all where the process dies."""

QUIET_LEVELS = frozenset({"DEBUG", "INFO", "WARNING"})
UNKNOWN_LEVEL = "WARNING"
"""Of a line that doesn't say what it is. It may be a crash's last words, so it is never left out."""

_LETTERS = {"I": "INFO", "W": "WARNING", "E": "ERROR", "F": "CRITICAL"}
_WORDS = {"VERBOSE": "DEBUG", "DEBUG": "DEBUG", "INFO": "INFO", "WARNING": "WARNING", "ERROR": "ERROR"}
_PREFIX = re.compile(
    r"(?:(?P<glog>[IWEF])\d{4} [\d:.]+ "  # absl, glog: `W0000 00:00:1795999327.57 7755 graph.cc:181] …`
    r"|\d{4}-\d\d-\d\d [\d:.]+: (?P<tensorflow>[IWEF]) "  # `2026-11-30 00:38:18.1: I tensorflow/…`
    r"|(?P<word>VERBOSE|DEBUG|INFO|WARNING|ERROR): )"  # LiteRT: `INFO: Created …`
)


Line = tuple[float, str | None, str]
"""When it came (seconds since 1970), its level or None where it doesn't say, and its text."""


def level_of(text: str) -> str | None:
    """Return the level that a line gives itself, or None."""
    match = _PREFIX.match(text)
    if match is None:
        return None
    letter = match["glog"] or match["tensorflow"]
    return _LETTERS[letter] if letter else _WORDS[match["word"]]


class Forwarder:
    """Takes bytes as they come and gives lines to write.

    Args:
        everything: Whether lines that say they are not errors are kept.
        as_json: Whether each becomes a JSON object.
        variable: Names the setting that turns the rest on.
    """

    def __init__(self, everything: bool, as_json: bool, variable: str) -> None:
        self._everything = everything
        self._as_json = as_json
        self._variable = variable
        self._rest = b""
        self._ended_well = False
        self._hinted = False
        self._left_out: deque[Line] = deque(maxlen=LAST_WORDS_COUNT)

    def take(self, data: bytes, time_s: float) -> list[str]:
        """Return what is to be written for these bytes. An unfinished line waits for its rest."""
        *lines, self._rest = re.split(rb"[\r\n]", self._rest + data)
        if len(self._rest) > MAX_LINE_BYTES:
            lines.append(self._rest)
            self._rest = b""
        return [written for line in lines for written in self._line(line, time_s)]

    def end(self, time_s: float) -> list[str]:
        """Return what is to be written once all writers are gone."""
        written = self._line(self._rest, time_s)
        if not self._ended_well:
            written += [self._format(line) for line in self._left_out]
        return written

    def _line(self, raw: bytes, time_s: float) -> list[str]:
        if raw == CLEAN_END:
            self._ended_well = True
            return []
        if not raw.strip():
            return []
        level = level_of(raw[:MAX_LINE_BYTES].decode(errors="replace"))
        pieces = [raw[begin : begin + MAX_LINE_BYTES] for begin in range(0, len(raw), MAX_LINE_BYTES)]
        lines: list[Line] = [(time_s, level, piece.decode(errors="replace")) for piece in pieces]
        if self._everything or level not in QUIET_LEVELS:
            return [self._format(line) for line in lines]
        self._left_out += lines
        return self._hint(time_s)

    def _hint(self, time_s: float) -> list[str]:
        """Say once how to see what is left out."""
        if self._hinted:
            return []
        self._hinted = True
        text = f"Native lines that are not errors are left out. Set {self._variable}=all to see them."
        return [self._format((time_s, "INFO", text))]

    def _format(self, line: Line) -> str:
        time_s, level, text = line
        if not self._as_json:
            return text
        entry = {
            "time": datetime.fromtimestamp(time_s, UTC).isoformat(timespec="milliseconds"),
            "level": level or UNKNOWN_LEVEL,
            "logger": "native",
            "message": text,
        }
        return json_line(entry)


def json_line(entry: Mapping[str, object]) -> str:
    """Return a log entry as one line of JSON.

    Whatever is no printable character is escaped, which JSON itself asks for only below U+0020. Some readers
    take U+0085 and U+2028 for the end of a line, and some terminals take U+009B for a command.
    """
    text = json.dumps(entry, ensure_ascii=False, default=str)
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in text)


def main(arguments: list[str]) -> None:
    """Forward standard input to standard output until its end."""
    which, log_format, variable = arguments
    forwarder = Forwarder(which == "all", log_format == "json", variable)
    while data := os.read(0, READ_BYTES):
        _write(forwarder.take(data, _now_s()))
    _write(forwarder.end(_now_s()))


def _now_s() -> float:
    return datetime.now(UTC).timestamp()


def _write(lines: list[str]) -> None:
    for line in lines:
        try:
            os.write(1, (line + "\n").encode(errors="replace"))
        except OSError:
            continue  # nobody reads any more; whoever writes to us must still not wait


if __name__ == "__main__":
    main(sys.argv[1:])
