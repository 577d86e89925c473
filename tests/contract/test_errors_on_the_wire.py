"""A status with its details arrives whole, however many rubrics, fields and letters it is about."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from urllib.parse import quote

import grpc
import pytest

from chassis.errors import ExhaustedError, InterviewError, InvalidInputError, listed
from chassis.status import DETAILS_KEY
from interview.v1 import assessor_pb2, speaker_pb2_grpc
from services.assessor.rubric import RUBRICS_DIR
from tests.assessor_server import assess, assessor
from tests.stage_world import call, chunk, opening, raising, requests, stage
from tests.world import running

pytestmark = pytest.mark.anyio

METADATA_LIMIT_BYTES = 8 << 10
"""From here on gRPC may drop the trailing metadata."""
ENTRY_BYTES = 32
"""What HTTP/2 counts for an entry on top of its name and value."""


async def arrived(error: InterviewError, folder: Path) -> InterviewError:
    """What a client sees of an error that an engine raises."""
    async with stage(raising(error), folder) as channel:
        with pytest.raises(InterviewError) as caught:
            await call(channel, opening(), chunk(b"a"))
    return caught.value


async def metadata_bytes(error: InterviewError, folder: Path) -> int:
    """What the trailing metadata of a failed call take, as HTTP/2 counts them."""
    async with stage(raising(error), folder) as channel:
        stub = speaker_pb2_grpc.SpeakerServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            _ = [reply async for reply in stub.Diarize(requests(opening(), chunk(b"a")), timeout=5)]
    failure = caught.value
    assert DETAILS_KEY in dict(failure.trailing_metadata() or ()), failure
    entries = [
        (key, base64.b64encode(value) if isinstance(value, bytes) else value.encode())
        for key, value in failure.trailing_metadata() or ()
    ]
    entries.append(("grpc-message", quote(failure.details() or "").encode()))
    return sum(len(key) + len(value) + ENTRY_BYTES for key, value in entries)


def rubrics_in(folder: Path, count: int) -> Path:
    """A folder with copies of a shipped rubric under other names."""
    text = (RUBRICS_DIR / "general.yaml").read_text(encoding="utf-8")
    folder.mkdir()
    for number in range(count):
        name = f"a_rubric_of_a_customer_with_a_long_name_{number:03}"
        (folder / f"{name}.yaml").write_text(text.replace("id: general", f"id: {name}", 1), encoding="utf-8")
    return folder


@pytest.mark.usefixtures("bare")
async def test_with_150_rubrics_an_unknown_one_is_still_an_unknown_rubric(tmp_path: Path) -> None:
    async with assessor(rubrics_dir=rubrics_in(tmp_path / "rubrics", 150)) as stub:
        asked = assessor_pb2.AssessRequest(
            question="Why?", segments=[assessor_pb2.AnswerSegment(text="I tried.")], rubric_id="none"
        )
        with pytest.raises(InvalidInputError) as caught:
            await assess(stub, asked)

    error = caught.value
    assert (error.reason, list(error.fields)) == ("RUBRIC_UNKNOWN", ["rubric_id"])
    assert "_000, " in error.message
    assert re.search(r"… and 1\d\d more", error.message), error.message


async def test_the_orchestrator_says_so_too(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        world.stages.known_rubric_ids = tuple(f"a_rubric_with_a_rather_long_name_{n:03}" for n in range(150))
        with pytest.raises(InvalidInputError) as caught:
            await world.create(rubric_id="none")

    assert caught.value.reason == "RUBRIC_UNKNOWN"
    assert re.search(r"… and 1\d\d more", caught.value.message), caught.value.message


LONG = {
    "many fields": {f"answers[{n}].file_name": "at most 255 characters" for n in range(2_000)},
    "long names": {"x" * 9_000: "wrong", "y" * 9_000: "wrong"},
    "long texts": {"question": "x" * 90_000, "name": "y" * 90_000},
    "in another script": {f"поле_{n}": "слишком длинное значение " * 20 for n in range(500)},
    "what can't be encoded": {"name\udc80": "\udcff" * 5_000},
}


@pytest.mark.parametrize("fields", LONG.values(), ids=LONG.keys())
@pytest.mark.parametrize(
    "message", ["Correct it.", "x" * 100_000, "誤り" * 50_000, "%" * 9_000, "a\n" * 9_000]
)
async def test_a_long_status_arrives_with_code_reason_and_delay(
    tmp_path: Path, fields: dict[str, str], message: str
) -> None:
    error = ExhaustedError(message, reason="QUOTA", fields=fields, retry_after_s=1.5)
    caught = await arrived(error, tmp_path)

    assert isinstance(caught, ExhaustedError)
    assert (caught.reason, caught.retry_after_s) == ("QUOTA", 1.5)
    assert caught.fields, "at least one field is named"
    assert caught.message[:3] == message[:3]


@pytest.mark.parametrize("fields", LONG.values(), ids=LONG.keys())
@pytest.mark.parametrize("message", ["x" * 100_000, "誤り" * 50_000])
async def test_the_metadata_stay_well_below_the_limit(
    tmp_path: Path, fields: dict[str, str], message: str
) -> None:
    error = ExhaustedError(message, reason="X" * 64, fields=fields, retry_after_s=1.5)

    assert await metadata_bytes(error, tmp_path) < 0.7 * METADATA_LIMIT_BYTES


async def test_the_fields_that_had_no_room_are_counted(tmp_path: Path) -> None:
    fields = {f"answers[{n}].uri": "a recording, or the reason why there is none" for n in range(140)}
    caught = await arrived(
        InvalidInputError("Correct it.", reason="SESSION_INVALID", fields=fields), tmp_path
    )
    shown = len(caught.fields) - 1

    assert list(caught.fields)[:shown] == list(fields)[:shown]
    assert shown >= 15
    assert caught.fields["…"] == f"and {140 - shown} more"


async def test_a_short_status_arrives_as_it_was(tmp_path: Path) -> None:
    error = InvalidInputError("Schreib „50 %“.", reason="NO", fields={"größe": "höchstens 3"})
    caught = await arrived(error, tmp_path)

    assert (caught.message, caught.fields) == (error.message, error.fields)


def test_a_list_in_a_message_is_cut_to_what_a_reader_takes_in() -> None:
    names = [f"name{number}" for number in range(150)]

    assert listed(["a", "b"]) == "a, b"
    assert listed(names, max_characters=24) == "name0, name1, name2, … and 147 more"
    assert listed(["x" * 50, "y"], max_characters=10) == "x" * 50 + ", … and 1 more"
    assert listed([]) == ""
