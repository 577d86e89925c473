"""The result document: the schema, the rules, and one document held against a golden file."""

from __future__ import annotations

import json
import os
import re
from copy import deepcopy
from pathlib import Path

from interview.v1 import media_pb2, orchestrator_pb2, vision_pb2
from orchestrator.settings import Preferences
from orchestrator.stages.assess import assess_request
from orchestrator.workflow import StageRecord, stages_of
from tests.documents import VALIDATOR, broken, document, rich, translated
from tests.fakes.answer import an_answer
from tests.fakes.stages import a_diarization, a_transcript, a_vision_report, observed

GOLDEN = Path(__file__).with_name("golden.json")
SUMMARY = re.compile(
    r"speaking ratio ([\d.]+) \((.+?)\), pauses ([\d.]+) \((.+?)\), speech rate ([\d.]+) wpm \((.+?)\) "
    r"smile intensity = ([\d.]+) \((.+?)\), eyebrow movement = ([\d.]+) \((.+?)\) "
    r"eye contact = ([\d.]+)% \((.+?)\), blink rate = ([\d.]+) \((.+?)\)"
)


def test_the_document_equals_the_golden_one() -> None:
    made = document(rich(), broken())
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n")

    assert made == json.loads(GOLDEN.read_text())


def test_what_a_further_stage_measured_stands_under_its_name() -> None:
    measured = media_pb2.Measure(
        name="longest_pause", value=1.5, unit="s", coverage_ratio=1.0, outcome=media_pb2.OUTCOME_OK
    )
    absent = media_pb2.Measure(
        name="pause_rate", unit="per_min", outcome=media_pb2.OUTCOME_NO_SPEECH, reason="Nobody speaks."
    )
    report = vision_pb2.VisionReport(measures=[measured, absent])
    (entry,) = document(an_answer(further={"pauses": report}))["results"]
    figures = entry["measures"]["pauses"]

    assert (figures["longest_pause"]["value"], figures["longest_pause"]["unit"]) == (1.5, "s")
    assert (figures["pause_rate"]["value"], figures["pause_rate"]["outcome"]) == (None, "NO_SPEECH")
    assert entry["measures"].keys() - {"pauses"} == {"recording", "speech", "face", "voice"}


def test_the_schema_refuses_a_further_group_that_holds_no_figures() -> None:
    made = document(an_answer())
    made["results"][0]["measures"]["pauses"] = {"longest_pause": 1.5}

    assert not VALIDATOR.is_valid(made)


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


def test_a_translation_is_shown_with_its_doubts() -> None:
    doubted = translated()
    doubted.languages[1].translations[0].doubts.append("NEGATION_DOUBTFUL")
    segments = document(an_answer(translations=doubted))["results"][0]["transcript"]["segments"]

    assert segments[0]["translations"]["id"]["text"] == "satu"
    assert segments[0]["translations"]["id"]["doubts"] == ["NEGATION_DOUBTFUL"]
    assert "doubts" not in segments[1]["translations"]["id"]


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
