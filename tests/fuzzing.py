"""Requests as nobody should send them, built from the contracts."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from chassis.media import MAX_CHUNK_BYTES

EXAMPLES_VARIABLE = "INTERVIEW_FUZZ_EXAMPLES"
"""Set it to look longer, and elsewhere every time: by default every run sends the same requests."""
ACCENT, NO_UTF8 = "é".encode(), b"\xff\xfe"
"""Of one length, so that the one can stand for the other in a serialized message."""
TEXTS = (
    *(
        "",
        " ",
        "é",
        "\x00",
        "a\x00é",
        "\n\r\t",
        "\u202egnp.exe",
        "🎤" * 50,
        "-",
        "%s{}%n",
        "'; --",
        "../../x",
    ),
    *("en", "id", "EN_us", "xx", "zh-Hant-TW", "en-" * 50, "i\u0307d", "0" * 32, "f" * 32),
)
LONG_TEXTS = (("x", 1_001), ("y z. ", 401), ("é", 2_001), ("w", 10_001), ("v. ", 33_334))
"""What is repeated how often: just over what the calls take."""
URIS = (
    *(
        "file://",
        "file:///",
        "file:///etc/passwd",
        "file:///\x00",
        "file://[",
        "file://[::1]/a",
        "file://é/a",
    ),
    *("s3://bucket/key", "https://example.org/a.mp4", "/etc/passwd", "file:///%00"),
    *("file:///%ff%fe", "FILE:///etc/passwd", "file:\\\\etc", "file://℀/a", "é"),
)
ODD_KEYS = (
    *(
        "",
        "/",
        "/missing",
        "/.",
        "/..",
        "//a",
        "/a//b",
        "/%00",
        "/\x00",
        "/%0a",
        "/a%2f..%2f..%2fb",
        "/%5c..",
        "/é",
    ),
    *("/a#b", "/a?b", "/" + "a" * 300),
)
"""What follows a store's URI; none of it is there."""
DOUBLES = (0.0, -0.0, 0.5, 3.0, -1.0, math.nan, math.inf, -math.inf, 1e308, 5e-324)
WHOLE_NUMBERS = (0, 1, 2, 10, 11, 100, 201, -1)
LIMITS = {
    FieldDescriptor.CPPTYPE_INT32: (2**31 - 1, -(2**31)),
    FieldDescriptor.CPPTYPE_INT64: (2**63 - 1, -(2**63), 2**53 + 1),
}
UNKNOWN_ENUM_VALUES = (-1, 99, 2**31 - 1)
MANY = (21, 2_001, 10_001)
"""Just over what lists may hold here."""
MANY_EMPTY_CHUNKS = 300
TOO_MANY_CHUNKS = 3
"""Of 1 MiB; the stages under test take less."""

Known = Mapping[str, Sequence[Any]]


SERVER_BESIDE = pytest.mark.filterwarnings(
    "ignore:Do not use the `random` module:hypothesis.errors.HypothesisDeprecationWarning"
)
"""The server's threads use it, while Hypothesis draws in this one."""


def thoroughly(example_count: int) -> settings:
    """Hypothesis settings: the same requests every time, unless the variable asks for more of them."""
    asked = os.environ.get(EXAMPLES_VARIABLE)
    return settings(
        max_examples=int(asked or example_count),
        derandomize=not asked,
        database=None,
        deadline=None,
        # One server lives through all examples, which is the point; large requests are, too.
        suppress_health_check=list(HealthCheck),
    )


def messages(descriptor: Descriptor, known: Known) -> st.SearchStrategy[Message]:
    """Messages of a type, with every field absent, at an edge, or one of the `known` values of its name."""
    kind = GetMessageClass(descriptor)
    fields = {one.name: one for one in descriptor.fields}
    values = {name: _field(one, known) for name, one in fields.items()}

    def build(chosen: dict[str, Any]) -> Message:
        return kind(**chosen)

    return st.fixed_dictionaries({}, optional=values).map(build)


def _field(one: FieldDescriptor, known: Known) -> st.SearchStrategy[Any]:
    if one.message_type is not None and one.message_type.GetOptions().map_entry:
        entry = one.message_type.fields_by_name
        return st.dictionaries(_value(entry["key"], known), _value(entry["value"], known), max_size=20)
    value = _value(one, known)
    if one.name in known:
        value = st.one_of(st.sampled_from(known[one.name]), _quietly(value))
    if not one.is_repeated:
        return value
    small = st.lists(value, max_size=3)
    many = st.builds(lambda item, count: [item] * count, _small(one, known), st.sampled_from(MANY))
    return st.one_of(_quietly(small), small, small, many)


def _small(one: FieldDescriptor, known: Known) -> st.SearchStrategy[Any]:
    if one.message_type is not None:
        return st.just(GetMessageClass(one.message_type)())
    return st.sampled_from(("", "a b.")) if one.cpp_type == one.CPPTYPE_STRING else _value(one, known)


def _value(one: FieldDescriptor, known: Known) -> st.SearchStrategy[Any]:
    if one.message_type is not None:
        return messages(one.message_type, known)
    if one.enum_type is not None:
        return st.sampled_from([*one.enum_type.values_by_number, *UNKNOWN_ENUM_VALUES])
    if one.type == one.TYPE_BYTES:
        return st.binary(max_size=100)
    if one.cpp_type == one.CPPTYPE_STRING:
        edges = st.sampled_from(TEXTS + URIS if one.name == "uri" else TEXTS)
        return st.one_of(edges, edges, st.text(max_size=30), st.sampled_from(LONG_TEXTS).map(_repeated))
    if one.cpp_type == one.CPPTYPE_DOUBLE:
        return st.one_of(st.sampled_from(DOUBLES), st.floats(width=64))
    if one.cpp_type == one.CPPTYPE_BOOL:
        return st.booleans()
    return st.sampled_from(WHOLE_NUMBERS + LIMITS[one.cpp_type])


def _repeated(given: tuple[str, int]) -> str:
    return given[0] * given[1]


def near(base: Any, known: Known) -> st.SearchStrategy[Message]:
    """Messages that differ from a good one in a field or two, so that they get past the first checks."""
    fields: dict[str, Any] = {one.name: one for one in base.DESCRIPTOR.fields}
    values = {name: _field(one, known) for name, one in fields.items()}

    @st.composite
    def changed(draw: st.DrawFn) -> Message:
        message: Message = type(base)()
        message.CopyFrom(base)
        for name in (
            draw(st.lists(st.sampled_from(sorted(fields)), max_size=2, unique=True)) if fields else ()
        ):
            one, present = fields[name], getattr(message, name)
            if one.message_type is not None and (not one.is_repeated or present) and draw(st.booleans()):
                inner = present[0] if one.is_repeated else present
                inner.CopyFrom(draw(near(inner, known)))
            else:
                message.ClearField(name)
                message.MergeFrom(type(base)(**{name: draw(values[name])}))
        return message

    return changed()


def wires(base: Any, known: Known) -> st.SearchStrategy[bytes]:
    """Serialized messages of the type of a good one: near it, anything, damaged on the way, or no message."""
    good = near(base, known).map(_serialized)
    anything = messages(base.DESCRIPTOR, known).map(_serialized)
    sound = _quietly(st.one_of(good, good, anything))
    damaged = st.one_of(
        sound.map(lambda wire: wire.replace(ACCENT, NO_UTF8)),
        st.builds(lambda wire, end: wire[: end % (len(wire) + 1)], sound, st.integers(0, 1 << 20)),
        st.builds(_flipped, sound, st.integers(0, 1 << 20), st.integers(1, 255)),
        st.builds(bytes.__add__, sound, sound),  # every field twice: the last one of a oneof counts
        st.builds(bytes.__add__, sound, st.binary(min_size=1, max_size=9)),
        st.binary(max_size=40),
    )
    return _quietly(st.one_of(sound, sound, _quietly(damaged)))


def _serialized(message: Message) -> bytes:
    return message.SerializeToString()


def _quietly(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """The same strategy, opaque: written out in full in no warning, and one choice among others."""

    @st.composite
    def drawn(draw: st.DrawFn) -> Any:
        return draw(strategy)

    return drawn()


def _flipped(wire: bytes, place: int, mask: int) -> bytes:
    if not wire:
        return bytes([mask])
    place %= len(wire)
    return wire[:place] + bytes([wire[place] ^ mask]) + wire[place + 1 :]


def streams(base: Any, known: Known, media: bytes) -> st.SearchStrategy[list[bytes]]:
    """Request streams of a stage: in order, out of order, empty, broken, and too large.

    Args:
        base: A good opening message, with `config`.
        known: Values that the service takes.
        media: A recording that the stage understands.
    """
    kind = type(base)
    # Without a URI, so that the chunks count.
    by_chunks = _quietly(near(base.config, known).map(_without_recording))
    opening = by_chunks.map(lambda config: kind(config=config).SerializeToString())
    whole = st.just(len(media)).map(lambda end: media[:end])
    content = st.one_of(
        whole,
        whole,
        st.sampled_from((0, 1, 44, len(media) // 2)).map(lambda end: media[:end]),
        st.builds(lambda *where: _flipped(media, *where), st.integers(0, 1 << 20), st.integers(1, 255)),
        st.sampled_from((b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n", b"RIFF\xff\xff")),
        st.sampled_from((0, 1_000, MAX_CHUNK_BYTES + 1)).map(bytes),
        st.binary(max_size=200),
    )
    chunk = content.map(lambda data: kind(chunk=data).SerializeToString())
    in_order = st.builds(lambda first, rest: [first, *rest], opening, st.lists(chunk, min_size=1, max_size=2))
    any_order = st.lists(st.one_of(wires(base, known), chunk, st.just(b"")), max_size=5)
    empty_chunks = opening.map(
        lambda first: [first] + [kind(chunk=b"").SerializeToString()] * MANY_EMPTY_CHUNKS
    )
    too_large = st.builds(
        lambda first: [*first] + [kind(chunk=bytes(MAX_CHUNK_BYTES)).SerializeToString()] * TOO_MANY_CHUNKS,
        st.one_of(
            st.just([]), opening.map(lambda first: [first]), wires(base, known).map(lambda wire: [wire])
        ),
    )
    return _quietly(
        st.one_of(_quietly(in_order), in_order, in_order, _quietly(any_order), too_large, empty_chunks)
    )


def _without_recording(config: Any) -> Any:
    if "recording" in config.DESCRIPTOR.fields_by_name:
        config.ClearField("recording")
    return config
