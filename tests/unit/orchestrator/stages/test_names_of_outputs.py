"""Outputs keep the names that an older build gave them: else its sessions would be worked on again."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf.message import Message

from chassis.store import MediaStore
from interview.v1 import orchestrator_pb2
from orchestrator.stages.catalogue import build_stages, settings_class, stage_classes
from orchestrator.stages.outputs import SessionStore, fingerprint
from orchestrator.stages.remote import Channels
from orchestrator.stages.stage import Parts, Task, Upstream
from orchestrator.workflow import RESERVED_FIRST, RESERVED_LATER, STAGES, StageRecord
from tests.fakes.stages import FakeStages
from tests.folders import ROOT

pytestmark = pytest.mark.anyio

OLD_STORE = ROOT / "tests" / "data" / "begun_before" / "store"
ENDED = "1" * 32
QUESTION = "Question 1?"
OLD_URI = f"file:///tmp/old/world/store/sessions/{ENDED}/media/1.mp4"


def old_outputs() -> dict[str, Path]:
    folder = OLD_STORE / "sessions" / ENDED / "outputs" / "1"
    return {path.name.partition("-")[0]: path for path in folder.glob("*.pb")}


@pytest.mark.parametrize("stage", ["transcribe", "translate", "assess", "vision", "speaker"])
async def test_a_stage_names_its_output_as_before(tmp_path: Path, stage: str) -> None:
    outputs = old_outputs()
    store = SessionStore(MediaStore(tmp_path.as_uri()))
    records = {name: StageRecord(name, "done", output_key=f"sessions/a/{name}.pb") for name in outputs}
    for name, path in outputs.items():
        message: Message = stage_classes()[name].output_class.FromString(path.read_bytes())
        await store.save(f"sessions/a/{name}.pb", message, records[name])
    parts = Parts(
        settings_class()(), MediaStore(tmp_path.as_uri()), store, Channels(), FakeStages().services()
    )
    answer = orchestrator_pb2.AnswerInput(uri=(tmp_path / "1.mp4").as_uri(), question=QUESTION)
    session = orchestrator_pb2.CreateSessionRequest(session_id=ENDED, language_code="en", answers=[answer])
    call = await build_stages(parts)[stage].call(Task(session, 1, stage), Upstream(records, store))

    assert outputs[stage].stem == f"{stage}-{call.input_hash}"


def test_the_extraction_is_named_by_uri_digest_and_size() -> None:
    extraction = orchestrator_pb2.Extraction.FromString(old_outputs()["extract"].read_bytes())
    size = str((OLD_STORE / "sessions" / ENDED / "media" / "1.mp4").stat().st_size)

    name = fingerprint("extract", OLD_URI, extraction.media_digest, size)
    assert old_outputs()["extract"].stem == f"extract-{name}"


def test_the_step_ids_of_an_older_build_come_first_and_in_its_order() -> None:
    assert RESERVED_FIRST == ("extract", "transcribe", "translate", "assess", "vision", "speaker")
    assert RESERVED_LATER[0] == "fetch"
    assert sorted(RESERVED_FIRST + RESERVED_LATER) == sorted(STAGES)


def test_every_stage_of_the_plan_is_a_file_of_its_name() -> None:
    folder = ROOT / "orchestrator" / "stages"

    assert list(stage_classes()) == list(STAGES)
    assert all((folder / f"{name}.py").exists() for name in STAGES)
    assert all(stage.weight > 0 for stage in stage_classes().values())
