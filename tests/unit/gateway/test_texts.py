"""Texts and names from clients: whatever was sent can be kept, sent on and shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import InvalidInputError
from chassis.texts import encodable
from gateway.uploads.links import read_linked_session
from gateway.uploads.texts import encodable_json, part_parameter, single_spaced
from tests.gateway_bench import MP4, Bench

pytestmark = pytest.mark.anyio

HALF = "\ud83d"
BOUNDARY = "frontier"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def multipart(*parts: tuple[str, bytes]) -> tuple[bytes, dict[str, str]]:
    """Return a body and its headers, of parts whose `Content-Disposition` is written by the test."""
    body = b"".join(
        f"--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\n\r\n".encode() + content + b"\r\n"
        for disposition, content in parts
    )
    return body + f"--{BOUNDARY}--\r\n".encode(), {
        "content-type": f"multipart/form-data; boundary={BOUNDARY}"
    }


def links(name: str = "A. Candidate", question: str = "Why?", **more: Any) -> dict[str, Any]:
    interview = {"positionId": 1, "question": question, "recordedVideoUrl": "https://example.org/a.mp4"}
    return {
        "success": True,
        "data": {"candidate": {"name": name}, "reviewChecklists": {"interviews": [interview | more]}},
    }


def test_half_a_character_becomes_the_replacement_character() -> None:
    assert encodable(f"a{HALF}b") == "a\ufffdb"
    assert encodable("\ud83d\ude00") == "😀"
    assert encodable("né😀") == "né😀"


@given(st.text(st.characters(exclude_categories=())))
def test_every_text_can_be_encoded_and_is_otherwise_unchanged(text: str) -> None:
    cleaned = encodable(text)

    cleaned.encode()
    assert encodable(cleaned) == cleaned
    assert cleaned == text or any(0xD800 <= ord(char) <= 0xDFFF for char in text)


def test_every_text_of_a_json_value_is_mended() -> None:
    assert encodable_json({HALF: [HALF, {"a": HALF}, 1, None]}) == {
        "\ufffd": ["\ufffd", {"a": "\ufffd"}, 1, None]
    }


def test_control_characters_leave_a_question_and_joiners_stay() -> None:
    assert single_spaced(" a\x00b\r\n\tc \x07") == "ab c"
    assert single_spaced("می\u200cخواهم") == "می\u200cخواهم"


@pytest.mark.parametrize("body", [json.dumps, lambda value: json.dumps(value, ensure_ascii=False)])
def test_links_with_half_a_character_are_taken(body: Any) -> None:
    value = links(name=f"Ana {HALF}", question=f"Why {HALF}?", rubric=HALF)
    session = read_linked_session("0" * 32, body(value).encode("utf-8", "surrogatepass"), ("en",), 5)

    assert session.candidate_name == "Ana \ufffd"
    assert session.answers[0].question == "Why \ufffd?"
    assert session.answers[0].rubric_id == "\ufffd"


async def test_links_with_half_a_character_become_a_session_that_can_be_followed(bench: Bench) -> None:
    value = links(name=f"Ana {HALF}", question=f"Why {HALF}?", rubric="")
    reply = await bench.http.post("/upload_json", content=json.dumps(value).encode())
    session_id = reply.json()["session_id"]

    assert reply.status_code == 200
    assert bench.orchestrator.drafts[session_id].candidate_name == "Ana \ufffd"
    assert (await bench.http.get(f"/status/{session_id}")).status_code == 200


def test_a_body_that_is_nested_too_deeply_is_not_json_for_us() -> None:
    with pytest.raises(InvalidInputError) as raised:
        read_linked_session("0" * 32, b'{"a":' * 900 + b"1" + b"}" * 900, ("en",), 5)

    assert raised.value.reason in ("JSON_INVALID", "BODY_INVALID")


async def test_a_reassessment_by_half_a_character_is_refused(bench: Bench) -> None:
    reply = await bench.http.post(f"/sessions/{'0' * 32}/reassess", content=b'{"rubric_id": "\\ud83d"}')

    assert (reply.status_code, reply.json()["code"]) == (422, "REQUEST_INVALID")


async def test_a_form_with_bytes_that_are_no_text_is_taken(bench: Bench) -> None:
    body, headers = multipart(
        ('form-data; name="videos"; filename="a.mp4"', MP4),
        ('form-data; name="questions"', b"Why \xed\xa0\xbd?"),
        ('form-data; name="candidate_name"', b"Ana \xff"),
    )
    reply = await bench.http.post("/upload", content=body, headers=headers)

    draft = bench.orchestrator.drafts[reply.json()["session_id"]]
    assert draft.candidate_name == "Ana \ufffd"
    assert draft.answers[0].question == "Why \ufffd\ufffd\ufffd?"


@pytest.mark.parametrize(
    ("parameter", "name"),
    [
        ("filename*=UTF-8''lamaran%20ker%C3%A9ja.mp4", "lamaran keréja.mp4"),
        ("filename*=iso-8859-1'en'%A3.mp4", "£.mp4"),
        ("filename*0*=UTF-8''a%20; filename*1=b.mp4", "a b.mp4"),
        ('filename="=?utf-8?B?4oKsLm1wNA==?="', "€.mp4"),
        ('filename="=?utf-8?Q?ker=C3=A9ja_1.mp4?="', "keréja 1.mp4"),
        ("filename=plain.mp4; filename*=UTF-8''extended.mp4", "plain.mp4"),
        ('filename="keréja.mp4"', "keréja.mp4"),
        ('filename="=?odd.mp4"', "=?odd.mp4"),
        ("filename*=UTF-8''..%2F..%2Fa.mp4", "a.mp4"),
        ("filename*=UTF-8''a%0D%0Ab.mp4", "ab.mp4"),
    ],
)
async def test_a_file_is_taken_however_its_name_is_written(bench: Bench, parameter: str, name: str) -> None:
    body, headers = multipart((f'form-data; name="files"; {parameter}', MP4))
    reply = await bench.http.post("/upload", content=body, headers=headers)

    assert reply.status_code == 200
    assert bench.orchestrator.drafts[reply.json()["session_id"]].answers[0].file_name == name


@given(st.binary(max_size=60), st.sampled_from(["name", "filename"]))
def test_no_header_of_a_part_breaks_the_reading(tail: bytes, name: str) -> None:
    value = part_parameter(b"form-data; filename*" + tail, name)

    assert value is None or value.encode() is not None


@pytest.mark.parametrize("number", ["9" * 25, str(2**63)])
async def test_an_event_number_that_no_event_has_is_refused(bench: Bench, number: str) -> None:
    reply = await bench.http.get(f"/sessions/{'0' * 32}/events", params={"after": number})

    assert reply.status_code == 422
