"""Naming and unit rules of the contracts (buf's STANDARD and COMMENTS rules), over their descriptors."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache

import pytest
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

from tests.folders import ROOT

SOURCES = sorted((ROOT / "protos" / "interview").rglob("*.proto"))

UNIT_SUFFIXES = (
    "_s", "_ms", "_hz", "_deg", "_px", "_bytes", "_count", "_per_min", "_ratio", "_probability", "_score",
    "_levels", "_logprob", "_similarity", "_id",
)  # fmt: skip
UNITLESS = {
    "probability", "confidence", "value", "threshold", "level", "score", "voice", "position",
    "missing_positions", "seed",
    "temperature",
    "beam_size",
    "seq", "after_seq", "head_seq",
}  # fmt: skip
"""Numbers whose unit is their definition, or stands in a field beside them."""
BANNED = re.compile(
    r"emotion|happy|happiness|angry|sadness|nervous|honest|decepti|personality|lie_|cheat", re.IGNORECASE
)
UNSIGNED = {
    FieldDescriptorProto.TYPE_UINT32, FieldDescriptorProto.TYPE_UINT64, FieldDescriptorProto.TYPE_FIXED32,
    FieldDescriptorProto.TYPE_FIXED64,
}  # fmt: skip
NUMBERS = {
    FieldDescriptorProto.TYPE_DOUBLE, FieldDescriptorProto.TYPE_FLOAT, FieldDescriptorProto.TYPE_INT32,
    FieldDescriptorProto.TYPE_INT64,
}  # fmt: skip


@cache
def files() -> tuple[FileDescriptorProto, ...]:
    out = ROOT / "build" / "descriptors.binpb"
    out.parent.mkdir(exist_ok=True)
    names = [str(source.relative_to(ROOT / "protos")) for source in SOURCES]
    subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", "-I", str(ROOT / "protos"), "--include_source_info",
         f"--descriptor_set_out={out}", *names],
        check=True,
    )  # fmt: skip
    return tuple(FileDescriptorSet.FromString(out.read_bytes()).file)


def messages() -> Iterator[tuple[str, DescriptorProto]]:
    for file in files():
        for message in file.message_type:
            assert not message.nested_type or all(n.options.map_entry for n in message.nested_type)
            yield message.name, message


def fields() -> Iterator[tuple[str, FieldDescriptorProto]]:
    for owner, message in messages():
        for field in message.field:
            yield f"{owner}.{field.name}", field


def test_the_package_is_the_folder_and_ends_in_a_version() -> None:
    assert {file.package for file in files()} == {"interview.v1"}
    assert all(file.name.startswith("interview/v1/") for file in files())


def test_every_number_says_its_unit() -> None:
    numbers = [name for name, field in fields() if field.type in NUMBERS]
    bare = [n for n in numbers if n.split(".")[1] not in UNITLESS and not n.endswith(UNIT_SUFFIXES)]
    assert numbers
    assert bare == []


def test_no_number_is_unsigned() -> None:
    assert [name for name, field in fields() if field.type in UNSIGNED] == []


def test_services_requests_and_responses_are_named_after_their_rpc() -> None:
    for file in files():
        for service in file.service:
            assert service.name.endswith("Service")
            for method in service.method:
                stems = (method.name, service.name + method.name)
                assert method.input_type.rpartition(".")[2] in [f"{stem}Request" for stem in stems]
                assert method.output_type.rpartition(".")[2] in [f"{stem}Response" for stem in stems]


def test_no_request_or_response_serves_two_rpcs() -> None:
    used = [
        name
        for file in files()
        for s in file.service
        for m in s.method
        for name in (m.input_type, m.output_type)
    ]
    assert len(used) == len(set(used))


def test_enums_start_with_unspecified_and_prefix_their_values() -> None:
    for file in files():
        for enum in file.enum_type:
            prefix = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", enum.name).upper() + "_"
            assert enum.value[0].name == prefix + "UNSPECIFIED"
            assert enum.value[0].number == 0
            assert all(value.name.startswith(prefix) for value in enum.value)


@pytest.mark.parametrize("pattern", [BANNED])
def test_no_name_claims_to_see_into_people(pattern: re.Pattern[str]) -> None:
    names = [name for name, _ in fields()] + [name for name, _ in messages()]
    names += [value.name for file in files() for enum in file.enum_type for value in enum.value]
    assert [name for name in names if pattern.search(name)] == []


def test_everything_is_commented() -> None:
    bare = []
    for file in files():
        commented = {
            tuple(loc.path) for loc in file.source_code_info.location if loc.leading_comments.strip()
        }
        bare += [f"{file.name} {what}" for what, path in _declarations(file) if path not in commented]
    assert bare == []


def _declarations(file: FileDescriptorProto) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield each declaration with its path in `SourceCodeInfo` (field numbers of descriptor.proto)."""
    for i, message in enumerate(file.message_type):
        yield message.name, (4, i)
        real = [(j, field) for j, field in enumerate(message.field)]
        yield from ((f"{message.name}.{field.name}", (4, i, 2, j)) for j, field in real)
    for i, enum in enumerate(file.enum_type):
        yield enum.name, (5, i)
        yield from ((value.name, (5, i, 2, j)) for j, value in enumerate(enum.value))
    for i, service in enumerate(file.service):
        yield service.name, (6, i)
        yield from ((method.name, (6, i, 2, j)) for j, method in enumerate(service.method))
