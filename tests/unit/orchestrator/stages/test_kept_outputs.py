"""Stage outputs in the store: written once."""

from __future__ import annotations

from pathlib import Path

import pytest

from chassis.store import MediaStore
from interview.v1 import transcriber_pb2
from orchestrator.stages.outputs import SessionStore
from orchestrator.workflow import StageRecord

KEY = SessionStore.output_key("a" * 32, 1, "transcribe", "0" * 32)


@pytest.mark.anyio
async def test_an_output_that_others_may_have_read_is_never_replaced(tmp_path: Path) -> None:
    outputs = SessionStore(MediaStore(tmp_path.as_uri()))
    first = transcriber_pb2.Segment(text="of the replica that went on")
    late = transcriber_pb2.Segment(text="of the one that was frozen")

    await outputs.save(KEY, first, StageRecord("transcribe", "done", output_key=KEY))
    await outputs.save(KEY, late, StageRecord("transcribe", "done", output_key=KEY))

    assert await outputs.load(KEY, transcriber_pb2.Segment) == first
