"""The committed generated code is what the contracts generate."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from tests.folders import ROOT

SOURCES = sorted((ROOT / "protos" / "interview").rglob("*.proto"))


def test_the_generated_code_is_fresh(tmp_path: Path) -> None:
    pytest.importorskip("grpc_tools")
    names = [str(source.relative_to(ROOT / "protos")) for source in SOURCES]
    flags = [f"--{kind}_out={tmp_path}" for kind in ("python", "pyi", "grpc_python")]
    subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", "-I", str(ROOT / "protos"), *flags, *names], check=True
    )

    for made in sorted(tmp_path.rglob("*.py*")):
        committed = ROOT / "protos" / "gen" / made.relative_to(tmp_path)
        assert committed.read_text() == made.read_text(), f"{committed.name} is stale: run `make protos`"


def test_no_generated_file_outlives_its_contract() -> None:
    stems = {source.stem for source in SOURCES}
    made = {path.name.split("_pb2")[0] for path in (ROOT / "protos" / "gen").rglob("*_pb2*.py")}
    assert made == stems


def test_every_process_has_the_schema_of_the_result() -> None:
    source = ROOT / "orchestrator" / "result" / "schema.json"
    copy = files("interview").joinpath("v1", "result.schema.json")

    assert copy.read_bytes() == source.read_bytes(), "the copy is stale: run `make protos`"
