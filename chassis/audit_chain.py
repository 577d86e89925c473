"""The audit log's chain: what a record is, its hash, and whether a log is whole. Pure.

A record is a JSON object. Among its fields are its number `seq`, from 1 on, and `previous`, the hash of the
record before. Its hash is the SHA-256 of its canonical form: sorted keys, no blanks, ASCII. Whoever changes a
record has to write again all that follow, and that is seen by whoever keeps the head (number and hash of the
newest record) elsewhere.

A log whose beginning was removed by its retention says so itself: a later record of the action `audit.pruned`
names the last record that went, and its hash.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

GENESIS = "0" * 64
"""The hash before the first record."""
PRUNED = "audit.pruned"
"""The action of a record that says which records before it were removed."""
THROUGH_SEQ, THROUGH_HASH = "through_seq", "through_hash"
_HASH = re.compile(r"[0-9a-f]{64}")
_HEAD = re.compile(r"(0|[1-9][0-9]{0,18}):([0-9a-f]{64})")

MAX_PROBLEM_COUNT = 1_000
"""A file that is another thing altogether is told as such, not line by line without end."""

CHANGED = "changed"
MISSING = "missing"
REPLACED = "replaced"
INSERTED = "inserted"
OUT_OF_ORDER = "out of order"
CUT_OFF = "cut off"
REWRITTEN = "rewritten"
NOT_KEPT = "not kept"

Record = Mapping[str, Any]


def canonical(record: Record) -> str:
    """Return a record's only form."""
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def hash_of(text: str) -> str:
    """Return the hash of a record, given in its canonical form."""
    return hashlib.sha256(text.encode()).hexdigest()


def hash_of_session(session_id: str) -> str:
    """Return how the log names a session: whoever knows the id finds its records, and nobody else does."""
    return hashlib.sha256(session_id.encode()).hexdigest()


def as_line(text: str, hash_: str) -> str:
    """Return a canonical record with its hash as one line of an export."""
    return f'{text[:-1]},"hash":"{hash_}"}}'


@dataclass(frozen=True)
class Head:
    """The newest record of a log: its number (0 in an empty log) and its hash."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


EMPTY = Head(0, GENESIS)


def parse_head(text: str) -> Head:
    """Read a head, `SEQ:HASH`.

    Raises:
        ValueError: It is not one.
    """
    found = _HEAD.fullmatch(text.strip())
    if found is None:
        raise ValueError("a head is a number, a colon and 64 hex digits")
    return Head(int(found[1]), found[2])


@dataclass(frozen=True)
class Problem:
    """What is wrong with a log, and at which record."""

    seq: int
    kind: str
    message: str


class Verification:
    """Reads a log from its first record to its last one, and tells what is wrong.

    Args:
        head: A head that was kept elsewhere. The log must hold that record, unchanged.
    """

    def __init__(self, head: Head | None = None) -> None:
        self._known = head
        self._problems: list[Problem] = []
        self._first_seq = 0
        self._before_first = GENESIS
        self._last_seq = 0
        self._last_hashes: set[str] = {GENESIS}
        """Of the records with the last number. There are two where one was inserted."""
        self._gaps: list[_Gap] = []
        self._head_seen: bool | None = None
        self.record_count = 0

    @property
    def head(self) -> Head:
        """The newest record that was read."""
        return Head(self._last_seq, min(self._last_hashes, default=GENESIS))

    def add_line(self, line: str) -> None:
        """Read the next record, a line of an export."""
        try:
            record = json.loads(line, object_pairs_hook=_unique)
            hash_ = record.pop("hash")
            text = canonical(record)
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
            record, hash_, text = {}, "", ""
        self._add(record, text, hash_)

    def _add(self, record: Record, text: str, hash_: object) -> None:
        self.record_count += 1
        seq, previous = record.get("seq"), record.get("previous")
        if type(seq) is not int or seq < 1 or not _is_hash(previous) or not _is_hash(hash_):
            self._tell(self._last_seq + 1, CHANGED, f"line {self.record_count} is not a record of this log")
            # Its place is not told missing as well.
            self._last_seq, self._last_hashes = self._last_seq + 1, set()
            return
        hash_ = str(hash_)
        if hash_of(text) != hash_:
            self._tell(seq, CHANGED, "its content and its hash do not fit together")
        elif record.get("action") == PRUNED:
            self._look_at_checkpoint(record)
        self._look_at_head(seq, hash_)
        self._place(seq, str(previous), hash_)

    def _place(self, seq: int, previous: str, hash_: str) -> None:
        if not self._first_seq:
            self._first_seq, self._before_first = seq, previous
        if seq == self._last_seq:
            self._tell(seq, INSERTED, "there are two records of this number, so one of them was inserted")
            self._last_hashes.add(hash_)
            return
        if seq < self._last_seq:
            self._tell(seq, OUT_OF_ORDER, f"it stands behind record {self._last_seq}")
            self._gaps = [part for gap in self._gaps for part in gap.without(seq)]
            return
        if seq > self._last_seq + 1:
            self._gaps.append(_Gap(self._last_seq + 1, seq - 1, previous))
        elif self._last_hashes and previous not in self._last_hashes:
            self._tell(seq, REPLACED, _told_replaced(self._last_seq))
        self._last_seq, self._last_hashes = seq, {hash_}

    def _look_at_checkpoint(self, record: Record) -> None:
        """Excuse what the retention removed, before this log was read or meanwhile."""
        details = record.get("details")
        if isinstance(details, dict):
            removed = details.get(THROUGH_SEQ), details.get(THROUGH_HASH)
            self._gaps = [gap for gap in self._gaps if (gap.last, gap.previous) != removed]

    def _look_at_head(self, seq: int, hash_: str) -> None:
        if self._known is not None and seq == self._known.seq:
            self._head_seen = bool(self._head_seen) or hash_ == self._known.hash

    def finish(self) -> list[Problem]:
        """Return what is wrong with the log that was read, in the order of the records."""
        found = self._problems + [Problem(gap.first, MISSING, gap.told()) for gap in self._gaps]
        if self._known is not None:
            found += self._problems_of_head(self._known)
        return sorted(found, key=lambda problem: problem.seq)

    def _problems_of_head(self, known: Head) -> Iterator[Problem]:
        first_seq = self._first_seq or 1
        if known.seq > self._last_seq:
            yield Problem(
                self._last_seq + 1,
                CUT_OFF,
                f"the log ends with record {self._last_seq}, and the given head is record {known.seq}",
            )
        elif known.seq == first_seq - 1:
            if known.hash != self._before_first:
                yield Problem(known.seq, REWRITTEN, "the given head is another one than the log was built on")
        elif known.seq < first_seq:
            yield Problem(
                known.seq,
                NOT_KEPT,
                f"the given head is older than record {first_seq}, the first that is kept: give a newer one",
            )
        elif not self._head_seen and not any(gap.first <= known.seq <= gap.last for gap in self._gaps):
            yield Problem(known.seq, REWRITTEN, "it is not the record that the given head names")

    def _tell(self, seq: int, kind: str, message: str) -> None:
        if len(self._problems) < MAX_PROBLEM_COUNT:
            self._problems.append(Problem(seq, kind, message))


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and _HASH.fullmatch(value) is not None


def _told_replaced(seq: int) -> str:
    if not seq:
        return "it is the first record, and names another one before it"
    return f"it does not follow record {seq}: that one was written again, or this one was"


@dataclass(frozen=True)
class _Gap:
    """Records that are not there, and the hash of the last of them as the next record says it (or "")."""

    first: int
    last: int
    previous: str

    def told(self) -> str:
        if self.first == self.last:
            return "it is not there"
        return f"records {self.first} to {self.last} are not there"

    def without(self, seq: int) -> Iterator[_Gap]:
        """Yield what is left of it once a record turned up elsewhere."""
        if not self.first <= seq <= self.last:
            yield self
            return
        if self.first < seq:
            yield _Gap(self.first, seq - 1, "")
        if seq < self.last:
            yield _Gap(seq + 1, self.last, self.previous)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object that says one thing twice: readers would see different ones."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands there twice")
    return found
