"""While an update is rolled out, processes of two versions talk to each other. Sessions get through."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorSet

from benchmarks.session.arms import older_build
from chassis.models import catalogue, intact_folder
from chassis.settings import default_models_dir
from cli.demo_processes import service_names
from cli.processes import ProcessPlan
from tests.e2e.system import running_system
from tests.folders import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

LAST_VERSION = "3c23423af9b46d6000dcf36338c5fb55dc92df6e"
"""What runs where this version is rolled out. Raise it with each release."""
GOOD = {"OK", "NOT_CONFIGURED"}


@pytest.fixture(scope="module")
def last_version() -> Iterator[Path]:
    with older_build(LAST_VERSION) as build:
        if build is None:
            pytest.skip(f"the history of this checkout does not reach back to {LAST_VERSION[:7]}")
        yield build


@pytest.fixture(scope="module")
def models_under_old_names(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models of this machine as the last version names their folders."""
    folder = tmp_path_factory.mktemp("models")
    for entry in catalogue().values():
        if (found := intact_folder(entry, default_models_dir())) is not None:
            (folder / entry.name).symlink_to(found)
    return folder


def code_of(build: Path) -> dict[str, str]:
    """Return what makes a process run another version's code."""
    path = os.pathsep.join([str(build), str(build / "protos" / "gen")])
    # Without PYTHONSAFEPATH the folder that the tests run in would come first.
    return {"PYTHONPATH": path, "PYTHONSAFEPATH": "1"}


def test_another_versions_code_is_what_runs(last_version: Path) -> None:
    where = "import chassis, interview.v1 as v1, orchestrator; print(*chassis.__path__, *v1.__path__)"
    shown = subprocess.run(
        [sys.executable, "-c", where],
        env=os.environ | code_of(last_version),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert all(Path(found).is_relative_to(last_version) for found in shown.stdout.split())


def contract_of(build: Path, folder: Path) -> set[tuple[str, ...]]:
    """Return each field and each call of a version's contracts, with all that the wire sees of it."""
    written = folder / "contracts.binpb"
    protos = [str(path) for path in sorted((build / "protos" / "interview").rglob("*.proto"))]
    compile_ = [sys.executable, "-m", "grpc_tools.protoc", "-I", str(build / "protos")]
    subprocess.run([*compile_, f"--descriptor_set_out={written}", *protos], check=True, timeout=60)
    found: set[tuple[str, ...]] = set()
    for file in FileDescriptorSet.FromString(written.read_bytes()).file:
        for message in file.message_type:
            found |= fields_of(f"{file.package}.{message.name}", message)
        for enum in file.enum_type:
            found.update((file.package, enum.name, one.name, str(one.number)) for one in enum.value)
        for service in file.service:
            for call in service.method:
                streams = f"{call.client_streaming} {call.server_streaming}"
                found.add((service.name, call.name, call.input_type, call.output_type, streams))
    return found


def fields_of(name: str, message: DescriptorProto) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = {
        (name, f.name, str(f.number), str(f.type), str(f.label), f.type_name) for f in message.field
    }
    for nested in message.nested_type:
        found |= fields_of(f"{name}.{nested.name}", nested)
    for enum in message.enum_type:
        found.update((name, enum.name, one.name, str(one.number)) for one in enum.value)
    return found


def test_contracts_only_got_more(last_version: Path, tmp_path: Path) -> None:
    before, now = contract_of(last_version, tmp_path), contract_of(ROOT, tmp_path)

    assert len(before) > 300
    assert before - now == set()


@pytest.mark.parametrize("older", [["orchestrator"], ["gateway"], list(service_names())], ids="-".join)
def test_a_session_gets_through_beside_the_last_version(
    older: list[str], last_version: Path, models_under_old_names: Path, tmp_path: Path
) -> None:
    def of_its_version(process: ProcessPlan) -> ProcessPlan:
        if process.name not in older:
            return process
        other = code_of(last_version) | {"INTERVIEW_MODELS_DIR": str(models_under_old_names)}
        return dataclasses.replace(process, environment={**process.environment, **other})

    with running_system(tmp_path, changed=of_its_version) as system:
        document = system.result_of(ROOT / "demo" / "answer-1.mp4")

    (answer,) = document["results"]
    assert answer["transcript"]["segments"]
    assert {stage["outcome"] for stage in answer["stages"].values()} <= GOOD, answer["stages"]
