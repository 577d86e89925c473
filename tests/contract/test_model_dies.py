"""A model server that dies in the middle of a session: what was judged stays, and nothing is invented.

The orchestrator and the assessor are real and talk over sockets; the model server is a local HTTP server.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from interview.v1 import assessor_pb2, assessor_pb2_grpc
from orchestrator.stages.stage import OnProgress
from tests.assessor_server import assess, assessor
from tests.fakes.assessor import FakeChatServer
from tests.world import COMPLETED, World, running

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("bare")]

CALLS_OF_THE_FIRST_ANSWER = 2
"""Tags and the conclusion."""


class MortalServer(FakeChatServer):
    """Answers about one answer, then is gone: connections are refused from then on."""

    def __init__(self, death: ExitStack) -> None:
        super().__init__()
        self._death = death
        self.is_dead = False

    def die(self) -> None:
        self.is_dead = True
        self._death.close()


def numbers_in(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from numbers_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from numbers_in(inner)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield float(value)


async def judged_until_the_model_dies(world: World, answer_count: int) -> Any:
    death = ExitStack()
    server = MortalServer(death)
    death.enter_context(server.running())
    settings = {"llm_base_url": server.url, "llm_model": "fake-model"}
    async with assessor(**settings) as stub:
        world.stages.instead["assess"] = through(stub, server)
        session_id = await world.create(answer_count)
        await world.until(session_id, COMPLETED)
        return await world.result(session_id)


def through(stub: assessor_pb2_grpc.AssessorServiceStub, server: MortalServer) -> Any:
    async def ask(request: assessor_pb2.AssessRequest, _: OnProgress) -> assessor_pb2.Assessment:
        # A server that is gone is asked again as long as the caller has time: here not for long.
        assessment = await assess(stub, request, 1.0 if server.is_dead else 20.0)
        if len(server.requests) >= CALLS_OF_THE_FIRST_ANSWER:
            server.die()
        return assessment

    return ask


async def test_what_was_judged_stays_and_the_rest_is_absent_with_its_reason(tmp_path: Path) -> None:
    async with running(tmp_path, assess_count=1, stage_attempt_count=2) as world:
        document = await judged_until_the_model_dies(world, 3)
    judged = [entry for entry in document["results"] if entry["assessment"]["outcome"] == "OK"]
    lost = [entry for entry in document["results"] if entry["assessment"]["outcome"] != "OK"]

    assert (len(judged), len(lost)) == (1, 2)
    assert judged[0]["assessment"]["total_score"] is not None
    for entry in lost:
        assert entry["assessment"]["outcome"] == "SERVICE_UNAVAILABLE"
        assert entry["assessment"]["reason"]
        assert entry["kualitas_jawaban"] is None
        assert entry["outcomes"]["kualitas_jawaban"] == "SERVICE_UNAVAILABLE"
        assert list(numbers_in(entry["assessment"])) == []
        assert entry["transcript"]["segments"]  # the words are there all the same


async def test_the_session_counts_the_judged_answer_alone(tmp_path: Path) -> None:
    async with running(tmp_path, assess_count=1, stage_attempt_count=2) as world:
        document = await judged_until_the_model_dies(world, 3)
    (judged,) = [entry["assessment"] for entry in document["results"] if entry["assessment"]["criteria"]]
    totals = document["totals"]

    assert (totals["answer_count"], totals["assessed_count"], totals["scored_count"]) == (3, 3, 1)
    assert "Answers with a total score: 1." in document["llm_results"]["kesimpulan_llm"]
    # The answer lacks a criterion, so its total is not the session's.
    assert (judged["scored_criterion_count"], judged["criterion_count"]) == (2, 3)
    assert (totals["averaged_count"], totals["mean_total_score"]) == (0, None)
    assert "has scores for 2 of 3 criteria" in document["llm_results"]["kesimpulan_llm"]


async def test_every_level_is_traced_to_sentences_with_times(tmp_path: Path) -> None:
    async with running(tmp_path, assess_count=1, stage_attempt_count=2) as world:
        document = await judged_until_the_model_dies(world, 2)

    for entry in document["results"]:
        sentences = {sentence["id"] for sentence in entry["assessment"]["sentences"]}
        for criterion in entry["assessment"]["criteria"]:
            assert (criterion["level"] is None) == (criterion["evidence"] == [])
            for evidence in criterion["evidence"]:
                assert evidence["sentence_id"] in sentences
                assert 0 <= evidence["start_s"] < evidence["end_s"]
    assert "NaN" not in json.dumps(document)
