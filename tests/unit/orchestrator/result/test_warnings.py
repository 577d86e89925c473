"""Every warning of every stage reaches the document, once."""

from __future__ import annotations

from typing import Any

from interview.v1 import media_pb2, orchestrator_pb2, vision_pb2
from orchestrator.result.warnings import warnings_of
from tests.fakes.answer import an_answer
from tests.fakes.stages import a_diarization, a_transcript, a_vision_report


def warned(kind: str, **times: Any) -> media_pb2.RecordingWarning:
    return media_pb2.RecordingWarning(kind=kind, message=f"{kind} was found.", **times)


def test_each_stage_is_heard_with_its_name_and_what_has_no_time_comes_first() -> None:
    outputs = an_answer(
        extraction=orchestrator_pb2.Extraction(
            duration_s=6.0, recording_warnings=[warned("SOUND_MISSING", start_s=2.0, end_s=3.0)]
        ),
        vision=a_vision_report(warnings=["The picture is dark."]),
        transcript=a_transcript(warnings=["Some speech has no words."]),
        diarization=a_diarization(warnings=["Three damaged pieces were left out."]),
    )

    assert [(one["stage"], one["kind"], one["start_s"]) for one in warnings_of(outputs)] == [
        ("vision", "NOTE", None),
        ("transcribe", "NOTE", None),
        ("speaker", "NOTE", None),
        ("extract", "SOUND_MISSING", 2.0),
    ]


def test_what_two_stages_say_of_one_thing_stands_once() -> None:
    twice = [warned("PICTURE_ENDS_EARLY", start_s=4.0, end_s=13.5), warned("MEDIA_DAMAGED")]
    outputs = an_answer(
        extraction=orchestrator_pb2.Extraction(duration_s=13.5, recording_warnings=twice),
        vision=a_vision_report(recording_warnings=twice),
    )

    assert [(one["stage"], one["kind"]) for one in warnings_of(outputs)] == [
        ("extract", "MEDIA_DAMAGED"),
        ("extract", "PICTURE_ENDS_EARLY"),
    ]


def test_what_older_extractions_say_is_kept() -> None:
    old = orchestrator_pb2.Extraction(duration_s=6.0, warnings=["2 damaged pieces were left out."])

    assert warnings_of(an_answer(extraction=old)) == [
        {
            "stage": "extract",
            "kind": "NOTE",
            "message": "2 damaged pieces were left out.",
            "start_s": None,
            "end_s": None,
        }
    ]


def test_an_answer_that_nobody_read_has_none() -> None:
    nothing = dict.fromkeys(("extraction", "vision", "transcript", "diarization"))

    assert warnings_of(an_answer(**nothing)) == []


def test_a_further_stage_is_heard_too() -> None:
    further = {"pauses": vision_pb2.VisionReport(warnings=["The sound is short."])}
    nothing = dict.fromkeys(("extraction", "vision", "transcript", "diarization"))
    (warning,) = warnings_of(an_answer(**nothing, further=further))

    assert (warning["stage"], warning["message"]) == ("pauses", "The sound is short.")
    assert warnings_of(an_answer(**nothing, further={"pauses": orchestrator_pb2.FetchedRecording()})) == []
