"""What a document rests on: every input, model, prompt, rubric, configuration and code, by digest."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from chassis.digests import CODE_FOLDERS, code_digest, configuration_digest, document_digest, json_digest
from interview.v1 import orchestrator_pb2
from orchestrator.result.answer_outputs import AnswerOutputs
from orchestrator.result.document import build
from orchestrator.result.writer import config_of
from orchestrator.settings import Preferences
from orchestrator.stages.catalogue import stage_classes
from orchestrator.stages.translate import join_translations, translation_calls
from orchestrator.workflow import StageRecord, stages_of
from tests.documents import document, metadata, rich, translated
from tests.fakes.answer import an_answer
from tests.fakes.stages import a_transcript, a_translation, an_assessment
from tests.folders import ROOT


def judged_by_a_model() -> AnswerOutputs:
    records = {stage: StageRecord(stage, "done") for stage in stages_of(linked=False)}
    model = {"name": "whisper", "version": "1", "digest": "ab" * 32, "device": "cpu"}
    records["transcribe"] = StageRecord("transcribe", "done", model=model)
    translations, assessment = translated(), an_assessment()
    translations.prompt_digest = "12" * 32
    assessment.provenance.prompt_version, assessment.provenance.prompt_digest = "en-2", "34" * 32
    assessment.criteria[0].weight_ratio = 0.5
    return an_answer(
        records=records,
        extraction=orchestrator_pb2.Extraction(
            duration_s=6.0, media_digest="56" * 32, audio_digest="78" * 32, media_bytes=9
        ),
        translations=translations,
        assessment=assessment,
    )


def test_a_document_names_the_digests_of_all_that_it_rests_on() -> None:
    made = document(judged_by_a_model(), replace(judged_by_a_model(), place=2))["provenance"]

    assert made["inputs"][0]["sha256"] == "56" * 32
    assert made["inputs"][0]["audio_sha256"] == "78" * 32
    assert made["models"] == [
        {"stage": "transcribe", "name": "whisper", "version": "1", "sha256": "ab" * 32},
        {"stage": "vision", "name": "fake-landmarker", "version": "1", "sha256": "ef" * 32},
    ]
    assert made["prompts"] == [
        {"stage": "translate", "version": None, "sha256": "12" * 32},
        {"stage": "assess", "version": "en-2", "sha256": "34" * 32},
    ]


def test_a_criterion_says_what_it_weighs_and_an_older_output_does_not() -> None:
    criteria = document(judged_by_a_model())["results"][0]["assessment"]["criteria"]

    assert [criterion["weight"] for criterion in criteria] == [0.5, None, None]


def test_the_digest_of_the_configuration_is_that_of_the_configuration_in_the_document() -> None:
    request = orchestrator_pb2.CreateSessionRequest(
        language_code="id",
        rubric_id="general",
        answers=[orchestrator_pb2.AnswerInput(), orchestrator_pb2.AnswerInput(rubric_id="technical")],
    )
    config = config_of(request, Preferences(("en", "id"), "", 7))
    told = replace(metadata(), config=config, config_digest=configuration_digest(config))
    made = build(told, [rich()])["provenance"]

    assert made["config"]["rubrics"] == ["general", "technical"]
    assert configuration_digest(json.loads(json.dumps(made["config"]))) == made["config_sha256"]


def test_the_digest_of_a_document_survives_another_writer_and_no_change() -> None:
    made = document(rich())
    recorded = made["provenance"]["document_sha256"]
    rewritten = json.loads(json.dumps(made, indent=4, sort_keys=True).replace("62.0", "62"))

    assert document_digest(rewritten) == recorded
    rewritten["name"] = "Eva"
    assert document_digest(rewritten) != recorded


def test_the_same_number_has_the_same_digest_however_it_is_written() -> None:
    assert json_digest({"a": 1.0, "b": [2, None]}) == json_digest({"b": (2.0, None), "a": 1})
    assert json_digest(0.1) != json_digest(0.2)


def test_the_digest_of_code_changes_with_it_and_not_with_its_folder(tmp_path: Path) -> None:
    for name in ("here", "there"):
        (tmp_path / name / "inner").mkdir(parents=True)
        (tmp_path / name / "inner" / "a.py").write_text("A = 1\n")
        (tmp_path / name / "README.md").write_text(name)
    here, there = (code_digest({"p": tmp_path / name}) for name in ("here", "there"))
    (tmp_path / "there" / "inner" / "a.py").write_text("A = 2\n")

    assert here == there
    assert len(here) == 64
    assert code_digest({"p": tmp_path / "there"}) != here
    assert code_digest({"p": tmp_path / "here", "q": tmp_path / "absent"}) == ""


@pytest.mark.parametrize("name", CODE_FOLDERS)
def test_the_code_of_a_document_lies_in_these_folders_of_a_checkout(name: str) -> None:
    assert (ROOT / CODE_FOLDERS[name] / "__init__.py").is_file()


def test_the_digest_of_the_translators_prompt_is_kept_with_the_translations() -> None:
    transcript = a_transcript()
    calls = list(translation_calls(transcript, "Why?", ("id",)))
    replies = [a_translation(call.request) for call in calls]
    replies[0].prompt_digest = "12" * 32

    assert join_translations(transcript, ("id",), calls, replies).prompt_digest == "12" * 32


def test_every_stage_that_has_a_model_may_be_named() -> None:
    model = {"name": "m", "version": "", "digest": "", "device": ""}
    records = {stage: StageRecord(stage, "done", model=model) for stage in stages_of(linked=False)}
    named = document(an_answer(records=records, vision=None))["provenance"]["models"]

    assert [one["stage"] for one in named] == list(stages_of(linked=False))
    assert {one["sha256"] for one in named} == {None}
    assert set(stage_classes()) >= {one["stage"] for one in named}
