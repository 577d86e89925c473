"""What the result document does not say: no verdict where nothing was looked at, no judgement, no feeling."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from typing import Any

import jsonschema
import pytest

from orchestrator.workflow import StageRecord, stages_of
from tests.documents import VALIDATOR, broken, document, rich
from tests.fakes.answer import an_answer
from tests.fakes.stages import a_vision_report, observed


def test_an_audio_only_session_is_not_called_safe_anywhere() -> None:
    records = {stage: StageRecord(stage, "done") for stage in stages_of(linked=False)}
    records["vision"] = StageRecord("vision", "skipped", "NO_VIDEO", "NO_VIDEO", "There is no picture.")
    made = document(an_answer(records=records, vision=None))
    aggregate = made["aggregate_cheating_detection"]

    assert made["results"][0]["verdict"]["value"] is None
    assert made["results"][0]["cheating_detection"]["final_verdict"] == "No Data"
    assert (aggregate["final_aggregate_verdict"], aggregate["outcome"]) == ("No Data", "NO_VIDEO")
    assert aggregate["avg_overall_confidence"] == 0.0
    assert aggregate["summary"].startswith(
        "There is a verdict on the picture of 0 and the sound of 1 of 1 answer(s)."
    )


def test_blocks_of_the_original_without_a_value_say_why() -> None:
    too_short = a_vision_report(measures=[m for m in a_vision_report().measures if m.name == "face_ratio"])
    blocks = document(an_answer(vision=too_short))["results"][0]["non_verbal_analysis"]

    assert blocks["facial_expression_analysis"]["average_smile_intensity"] is None
    assert blocks["facial_expression_analysis"]["outcome"] == "INSUFFICIENT_EVIDENCE"
    assert blocks["eye_movement_analysis"]["outcome"] == "INSUFFICIENT_EVIDENCE"


def test_a_session_with_an_answer_that_nobody_could_read_is_not_safe() -> None:
    aggregate = document(an_answer(), broken())["aggregate_cheating_detection"]

    assert aggregate["verdict_distribution"] == {
        "Safe": 1,
        "Medium Risk": 0,
        "High Risk": 0,
        "No Data": 1,
    }
    assert aggregate["final_aggregate_verdict"] == "No Data"


def test_the_words_of_the_original_carry_no_judgement() -> None:
    made = document(rich())
    labels = set(re.findall(r"\((.+?)\)", made["aggregate_non_verbal_analysis"]["summary"]))

    assert made["aggregate_cheating_detection"]["final_aggregate_verdict"] == "High Risk"
    assert made["aggregate_cheating_detection"]["risk_level"] == "Unknown"
    assert made["aggregate_cheating_detection"]["overall_performance_status"] == "Not judged"
    assert made["aggregate_non_verbal_analysis"]["overall_performance_status"] == "Not judged"
    assert labels == {"measured"}


def test_a_picture_that_is_missing_is_no_reason_for_suspicion() -> None:
    stopped = a_vision_report(
        picture_s=3.0, observations=[observed("no_face", 0.0, 1.0), observed("no_picture", 3.0, 6.0)]
    )
    made = document(an_answer(vision=stopped))
    block = made["results"][0]["cheating_detection"]

    assert block["visual"]["cheating_reasons"] == ["no_face"]
    assert len(block["all_indicators"]) == 1
    assert len(made["aggregate_cheating_detection"]["all_indicators"]) == 1
    kinds = [observation["kind"] for observation in made["results"][0]["observations"]]
    assert kinds == ["no_face", "no_picture"]


def test_the_callers_number_names_an_answer_everywhere() -> None:
    one = rich()
    one.answer.position = 7
    made = document(one)
    aggregate = made["aggregate_cheating_detection"]

    assert [made["results"][0]["position"], made["content"][0]["id"]] == [7, 7]
    assert {issue["question_id"] for issue in aggregate["questions_with_issues"]} == {7}
    assert {indicator["question_id"] for indicator in aggregate["all_indicators"]} == {7}
    assert "answer 7" in made["llm_results"]["kesimpulan_llm"]


def test_a_player_is_told_what_the_recording_is() -> None:
    known, unknown = document(rich(), broken())["results"]

    assert known["recording"]["sound_codec"] == "aac"
    assert known["recording"]["clock_offset_s"] == 0.0
    assert set(unknown["recording"].values()) == {None}


def test_no_number_of_speakers_is_made_up_without_the_speaker_stage() -> None:
    records = {stage: StageRecord(stage, "done") for stage in stages_of(linked=False)}
    records["speaker"] = StageRecord("speaker", "failed", "SERVICE_UNAVAILABLE", "UNAVAILABLE", "Down.")
    audio = document(an_answer(records=records, diarization=None))["results"][0]["cheating_detection"][
        "audio"
    ]

    assert (audio["num_speakers"], audio["outcome"]) == (None, "SERVICE_UNAVAILABLE")
    assert audio["verdict"] == "No Data"


@pytest.mark.parametrize(
    "path",
    ["session_id", "results/0/kualitas_jawaban", "results/0/stages/vision",
     "content/0/result/penilaian/total", "results/0/transcript/segments/0/words/0/start_s",
     "provenance/config_sha256",
     "aggregate_cheating_detection/avg_overall_confidence"],
)  # fmt: skip
def test_the_schema_notices_a_missing_and_a_renamed_key(path: str) -> None:
    made = document(rich())
    *parents, key = path.split("/")
    missing, renamed = deepcopy(made), deepcopy(made)
    for changed in (missing, renamed):
        place: Any = changed
        for name in parents:
            place = place[int(name)] if name.isdigit() else place[name]
        value = place.pop(key)
        if changed is renamed:
            place[key + "_x"] = value

        with pytest.raises(jsonschema.ValidationError):
            VALIDATOR.validate(changed)


def test_no_feeling_or_trait_is_named() -> None:
    text = json.dumps(document(rich(), broken())).lower()

    assert not re.search(r"emotion|nervous|happy|honest|stress|personalit|anger|fear", text)
