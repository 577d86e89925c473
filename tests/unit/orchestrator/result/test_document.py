"""The result document: the schema, the rules, and one document held against a golden file."""

from __future__ import annotations

import json
import os
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from interview.v1 import media_pb2, orchestrator_pb2, translator_pb2
from orchestrator.result.answer_outputs import AnswerOutputs
from orchestrator.result.document import build
from orchestrator.result.metadata import SessionMetadata
from orchestrator.settings import Preferences
from orchestrator.stages.assess import assess_request
from orchestrator.workflow import StageRecord, stages_of
from tests.fakes.answer import an_answer
from tests.fakes.stages import a_diarization, a_transcript, a_vision_report, observed
from tests.folders import ROOT

SCHEMA = json.loads((ROOT / "orchestrator" / "result" / "schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
GOLDEN = Path(__file__).with_name("golden.json")
SUMMARY = re.compile(
    r"speaking ratio ([\d.]+) \((.+?)\), pauses ([\d.]+) \((.+?)\), speech rate ([\d.]+) wpm \((.+?)\) "
    r"smile intensity = ([\d.]+) \((.+?)\), eyebrow movement = ([\d.]+) \((.+?)\) "
    r"eye contact = ([\d.]+)% \((.+?)\), blink rate = ([\d.]+) \((.+?)\)"
)


def metadata(status: str = "completed") -> SessionMetadata:
    return SessionMetadata(
        "0" * 31 + "1", "Ana", status, 1_700_000_000.0, 1_700_000_042.5, "ab" * 32, "0.1.0"
    )


def document(*answers: AnswerOutputs, status: str = "completed") -> dict[str, Any]:
    built: dict[str, Any] = json.loads(json.dumps(build(metadata(status), answers), allow_nan=False))
    VALIDATOR.validate(built)
    return built


def translated() -> orchestrator_pb2.AnswerTranslations:
    entries = [
        translator_pb2.Translation(text=text, outcome=media_pb2.OUTCOME_OK) for text in ("satu", "dua")
    ]
    skipped = [translator_pb2.Translation(outcome=media_pb2.OUTCOME_SKIPPED)] * 2
    languages = [
        orchestrator_pb2.LanguageTranslation(language_code="en", translations=skipped),
        orchestrator_pb2.LanguageTranslation(language_code="id", translations=entries),
    ]
    return orchestrator_pb2.AnswerTranslations(languages=languages)


def rich() -> AnswerOutputs:
    return an_answer(
        records={
            stage: StageRecord(stage, "done", run_s=2.0, queue_s=0.25) for stage in stages_of(linked=False)
        },
        extraction=orchestrator_pb2.Extraction(
            duration_s=6.0,
            container="mov,mp4,m4a,3gp,3g2,mj2",
            sound_codec="aac",
            picture_codec="h264",
            sound_track_count=2,
            picture_track_count=1,
            clock_offset_s=0.0,
            recording_warnings=[
                media_pb2.RecordingWarning(
                    kind="SOUND_TRACK_CHOSEN", message="There are two sound tracks; the second is heard."
                )
            ],
        ),
        translations=translated(),
        vision=a_vision_report(observations=[observed("no_face", 0.0, 0.6)]),
        diarization=a_diarization(
            voice_count=2,
            second_voice_probability=0.9,
            turns=[
                {"start_s": 0.0, "end_s": 3.0, "voice": 0, "confidence": 0.9},
                {"start_s": 3.0, "end_s": 6.0, "voice": 1, "confidence": 0.9},
            ],
            observations=[observed("second_voice", 3.0, 6.0)],
        ),
    )


def broken(stage: str = "extract", reason: str = "MEDIA_UNDECODABLE") -> AnswerOutputs:
    records = {
        name: StageRecord(name, "skipped", "SKIPPED", "EXTRACT_FAILED", "It failed.")
        for name in stages_of(linked=False)
    }
    records[stage] = StageRecord(stage, "failed", "INVALID_INPUT", reason, "Send it again.")
    answer = orchestrator_pb2.AnswerInput(question="Why?", file_name="b.mp4")
    return AnswerOutputs(2, answer, records)


def test_the_document_equals_the_golden_one() -> None:
    made = document(rich(), broken())
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n")

    assert made == json.loads(GOLDEN.read_text())


def test_every_input_has_an_entry_and_a_failed_one_says_why() -> None:
    made = document(rich(), broken())

    assert [entry["video_file"] for entry in made["results"]] == ["a.mp4", "b.mp4"]
    assert made["results"][1]["error"] == {
        "stage": "extract",
        "reason": "MEDIA_UNDECODABLE",
        "message": "Send it again.",
    }
    assert [entry["id"] for entry in made["content"]] == [1]
    assert made["metadata"]["failed_videos"] == 1


def test_a_failed_session_has_a_document_too() -> None:
    made = document(broken(), status="failed")

    assert (made["status"], made["success"], made["content"]) == ("failed", False, [])
    assert made["llm_results"]["outcome"] == "SKIPPED"


def test_each_segment_has_its_translation_and_its_voice() -> None:
    segments = document(rich())["results"][0]["transcript"]["segments"]

    assert [segment["voice"] for segment in segments] == [0, 1]
    assert segments[0]["translations"] == {"id": {"text": "satu", "outcome": "OK", "reason": None}}


def test_the_voice_is_absent_without_the_speaker_stage() -> None:
    segments = document(an_answer(diarization=None))["results"][0]["transcript"]["segments"]

    assert not any("voice" in segment for segment in segments)


def test_evidence_of_another_voice_is_marked_and_the_level_stays() -> None:
    turns = [{"start_s": 0.0, "end_s": 6.0, "voice": 1, "confidence": 0.9}]
    other = an_answer(diarization=a_diarization(turns=turns))
    mine, theirs = (document(one)["results"][0]["assessment"]["criteria"][0] for one in (an_answer(), other))

    assert mine["evidence"][0]["other_voice"] is False
    assert theirs["evidence"][0]["other_voice"] is True
    assert mine["level"] == theirs["level"] == 3.5


def test_observations_never_move_the_assessment() -> None:
    worse = an_answer(
        vision=a_vision_report(observations=[observed("second_face", 0.0, 6.0)], measures=[]),
        diarization=a_diarization(voice_count=3, observations=[observed("second_voice", 0.0, 6.0)]),
    )
    assessments = [document(one)["results"][0]["assessment"] for one in (an_answer(), worse)]
    preferences = Preferences(("en", "id"), "", 7)
    session = orchestrator_pb2.CreateSessionRequest(session_id="0" * 32)
    requests = [
        assess_request(one.answer, session, a_transcript(), preferences).SerializeToString(deterministic=True)
        for one in (an_answer(), worse)
    ]

    assert json.dumps(assessments[0]) == json.dumps(assessments[1])
    assert requests[0] == requests[1]


def test_what_was_not_translated_is_absent_and_never_the_original() -> None:
    records = {stage: StageRecord(stage, "done") for stage in stages_of(linked=False)}
    records["translate"] = StageRecord("translate", "skipped", "NOT_CONFIGURED", "TRANSLATOR_NOT_CONFIGURED")
    entry = document(an_answer(records=records))["results"][0]

    assert entry["transkripsi_en"].startswith("I led")
    assert (entry["transkripsi_id"], entry["outcomes"]["transkripsi_id"]) == (None, "NOT_CONFIGURED")


def test_one_untranslated_segment_makes_the_whole_text_absent() -> None:
    half = translated()
    half.languages[1].translations[1].ClearField("text")
    half.languages[1].translations[1].outcome = media_pb2.OUTCOME_SERVICE_UNAVAILABLE
    entry = document(an_answer(translations=half))["results"][0]

    assert entry["transkripsi_id"] is None
    assert entry["outcomes"]["transkripsi_id"] == "SERVICE_UNAVAILABLE"


def test_scores_that_were_not_given_are_null_and_zero_only_where_a_page_computes() -> None:
    records = {stage: StageRecord(stage, "done") for stage in stages_of(linked=False)}
    records["assess"] = StageRecord("assess", "failed", "SERVICE_UNAVAILABLE", "MODEL_UNAVAILABLE", "Away.")
    made = document(an_answer(records=records, assessment=None))
    judgement = made["content"][0]["result"]["penilaian"]

    assert made["results"][0]["kualitas_jawaban"] is None
    assert made["results"][0]["outcomes"]["kualitas_jawaban"] == "SERVICE_UNAVAILABLE"
    assert (judgement["total"], judgement["outcome"]) == (0, "SERVICE_UNAVAILABLE")
    assert (made["llm_results"]["avg_total_llm"], made["llm_results"]["outcome"]) == (
        0.0,
        "SERVICE_UNAVAILABLE",
    )


def test_a_criterion_that_the_rubric_lacks_is_skipped_and_not_called_good() -> None:
    other = deepcopy(an_answer().assessment)
    assert other is not None
    for criterion in other.criteria:
        criterion.id = f"technical_{criterion.id}"
    made = document(an_answer(assessment=other))
    judgement = made["content"][0]["result"]["penilaian"]

    assert made["results"][0]["kualitas_jawaban"] is None
    assert made["results"][0]["outcomes"]["kualitas_jawaban"] == "SKIPPED"
    assert set(judgement["outcomes"].values()) == {"SKIPPED"}
    assert (judgement["kualitas_jawaban"], judgement["outcome"]) == (0, "OK")
    assert judgement["total"] > 0


def test_the_final_score_is_the_mean_and_not_seventy_plus_a_bit() -> None:
    made = document(rich(), an_answer())

    assert made["llm_results"]["final_score_llm"] == made["llm_results"]["avg_total_llm"] == 62.5


def test_the_summary_keeps_the_shape_that_the_original_page_reads() -> None:
    summary = document(rich())["aggregate_non_verbal_analysis"]["summary"]
    absent = document(an_answer(vision=None))["aggregate_non_verbal_analysis"]["summary"]

    assert SUMMARY.fullmatch(summary), summary
    assert "eye contact = not measured" in absent


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
