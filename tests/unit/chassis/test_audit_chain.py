"""The chain of the audit log: whatever is done to a log is found, and told with the record's number."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chassis.audit_chain import (
    EMPTY,
    GENESIS,
    Head,
    Problem,
    Verification,
    as_line,
    canonical,
    hash_of,
    parse_head,
)
from tests.audit_lines import chain, head_of

LENGTH = 8
PLACES = st.integers(1, LENGTH)
FIELDS = st.dictionaries(st.text(max_size=5), st.text(max_size=8) | st.integers(), max_size=3)


def problems(lines: Sequence[str], head: Head | None = None) -> list[Problem]:
    verification = Verification(head)
    for line in lines:
        verification.add_line(line)
    return verification.finish()


def kinds(lines: Sequence[str], head: Head | None = None) -> list[tuple[int, str]]:
    return [(problem.seq, problem.kind) for problem in problems(lines, head)]


def test_a_whole_log_has_no_problem_and_tells_its_head() -> None:
    lines = chain(LENGTH)
    verification = Verification(head_of(lines))
    for line in lines:
        verification.add_line(line)

    assert verification.finish() == []
    assert (verification.head, verification.record_count) == (head_of(lines), LENGTH)
    assert kinds([]) == [] and kinds([], EMPTY) == []


@given(place=PLACES, key=st.sampled_from(["action", "who", "seq", "previous", "hash", "new"]), value=FIELDS)
@settings(deadline=None, max_examples=60)
def test_every_change_of_a_record_is_found(place: int, key: str, value: dict[str, Any]) -> None:
    lines = chain(LENGTH)
    lines[place - 1] = json.dumps(json.loads(lines[place - 1]) | {key: value})

    assert (place, "changed") in kinds(lines)


@given(data=st.data(), place=PLACES)
@settings(deadline=None, max_examples=150)
def test_every_change_of_a_character_that_says_something_else_is_found(data: Any, place: int) -> None:
    lines = chain(LENGTH)
    line = lines[place - 1]
    at = data.draw(st.integers(0, len(line) - 1))
    changed = line[:at] + data.draw(st.characters(codec="ascii")) + line[at + 1 :]
    with contextlib.suppress(ValueError):
        assume(json.loads(changed) != json.loads(line))
    lines[place - 1] = changed

    assert problems(lines) != []


@given(place=PLACES, who=st.text(max_size=9).filter(lambda who: who != "key:ana"))
@settings(deadline=None, max_examples=30)
def test_a_record_that_was_written_again_with_its_hash_does_not_fit_its_follower(
    place: int, who: str
) -> None:
    lines = chain(LENGTH)
    head = head_of(lines)
    record = json.loads(lines[place - 1]) | {"who": who}
    del record["hash"]
    lines[place - 1] = as_line(canonical(record), hash_of(canonical(record)))

    expected = [(place + 1, "replaced")] if place < LENGTH else []
    assert kinds(lines) == expected
    if place == LENGTH:
        assert kinds(lines, head) == [(LENGTH, "rewritten")]


@given(first=st.integers(1, LENGTH - 1), count=st.integers(1, LENGTH))
@settings(deadline=None, max_examples=40)
def test_records_that_were_removed_are_told(first: int, count: int) -> None:
    lines = chain(LENGTH)
    assume(first + count <= LENGTH)
    del lines[first - 1 : first - 1 + count]

    (found,) = problems(lines)
    assert (found.seq, found.kind) == (first, "missing")
    assert (str(first + count - 1) in found.message) or count == 1


@given(kept=st.integers(0, LENGTH - 1))
def test_a_cut_off_end_is_found_by_a_head_that_was_kept(kept: int) -> None:
    lines = chain(LENGTH)

    assert kinds(lines[:kept]) == []
    assert kinds(lines[:kept], head_of(lines)) == [(kept + 1, "cut off")]


@given(one=PLACES, other=PLACES)
@settings(deadline=None, max_examples=40)
def test_records_that_changed_places_are_told(one: int, other: int) -> None:
    assume(one != other)
    lines = chain(LENGTH)
    lines[one - 1], lines[other - 1] = lines[other - 1], lines[one - 1]

    found = kinds(lines)
    assert "out of order" in {kind for _, kind in found}
    assert "missing" not in {kind for _, kind in found}, "all of them are there"


@given(place=PLACES, repeated=st.booleans())
def test_a_record_that_was_put_in_is_found(place: int, repeated: bool) -> None:
    lines = chain(LENGTH)
    before = GENESIS if place == 1 else json.loads(lines[place - 2])["hash"]
    text = canonical({"seq": place, "previous": before, "action": "session.accept", "who": "key:eve"})
    lines.insert(place - 1, lines[place - 1] if repeated else as_line(text, hash_of(text)))

    assert kinds(lines) == [(place, "inserted")]


def test_a_log_that_was_written_again_as_a_whole_is_found_by_a_head_that_was_kept() -> None:
    head = Head(3, json.loads(chain(LENGTH)[2])["hash"])
    again = chain(LENGTH, special={2: {"who": "key:eve"}})

    assert kinds(again) == []
    assert kinds(again, head) == [(3, "rewritten")]
    assert kinds(chain(LENGTH), head) == []


def test_a_beginning_that_the_retention_removed_is_excused_by_its_checkpoint_alone() -> None:
    begin = Head(5, "ab" * 32)
    checkpoint = {"action": "audit.pruned", "details": {"through_seq": 5, "through_hash": begin.hash}}
    lines = chain(LENGTH, begin=begin, special={9: checkpoint})

    assert kinds(lines) == []
    assert kinds(lines, begin) == []
    assert kinds(lines, Head(5, "cd" * 32)) == [(5, "rewritten")]
    assert kinds(lines, Head(4, "cd" * 32)) == [(4, "not kept")]
    assert kinds(lines[1:]) == [(1, "missing")], "one more than the checkpoint says"
    assert kinds(chain(LENGTH, begin=begin)) == [(1, "missing")]
    without_checkpoint = lines[:3]
    assert kinds(without_checkpoint) == [(1, "missing")]


def test_what_is_removed_between_two_pages_of_a_reader_is_no_problem() -> None:
    lines = chain(6)
    through = head_of(lines[:4])
    checkpoint = {"action": "audit.pruned", "details": {"through_seq": 4, "through_hash": through.hash}}
    lines = chain(8, special={8: checkpoint})

    assert kinds(lines[:2] + lines[4:]) == []


@pytest.mark.parametrize("line", ["", "[]", "null", "{", '{"hash":1}', "1", '"x"', "[" * 100_000])
def test_a_line_that_is_no_record_is_told_and_stops_nothing(line: str) -> None:
    lines = chain(LENGTH)
    lines[3] = line

    assert kinds(lines) == [(4, "changed")]


def test_an_object_that_says_one_thing_twice_is_no_record() -> None:
    lines = chain(LENGTH)
    lines[3] = lines[3].replace('{"action"', '{"who":"key:eve","action"')

    assert kinds(lines) == [(4, "changed")]


def test_a_head_is_read_as_it_is_printed() -> None:
    head = Head(7, "ab" * 32)
    assert parse_head(f" {head}\n") == head
    for wrong in ("", "7", "07:" + "ab" * 32, "7:AB", "-1:" + "ab" * 32, "7:" + "AB" * 32):
        with pytest.raises(ValueError, match="head"):
            parse_head(wrong)
