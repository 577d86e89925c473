"""Lines of an audit log, made without a database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from chassis.audit_chain import EMPTY, Head, as_line, canonical, hash_of


def chain(length: int, *, begin: Head = EMPTY, special: dict[int, dict[str, Any]] | None = None) -> list[str]:
    """Return lines of a log. `special` says more about single records, by their numbers."""
    lines, previous = [], begin.hash
    for seq in range(begin.seq + 1, begin.seq + length + 1):
        record = {
            "seq": seq, "previous": previous, "action": "session.accept", "who": "key:ana", "group": "hr",
            "via": "", "outcome": "ok", "count": 1, "session": "", "time_ms": 1_800_000_000_000,
            "details": {},
        }  # fmt: skip
        text = canonical(record | (special or {}).get(seq, {}))
        previous = hash_of(text)
        lines.append(as_line(text, previous))
    return lines


def head_of(lines: Sequence[str]) -> Head:
    """Return a log's head."""
    last = json.loads(lines[-1])
    return Head(last["seq"], last["hash"])
