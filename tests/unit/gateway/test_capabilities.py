"""Languages and rubrics at the door: what is offered can be done, and what can't be done is refused there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chassis.errors import InvalidInputError
from gateway.capabilities import (
    ASK_AGAIN_S,
    FRESH_S,
    SPOKEN_LANGUAGES,
    KnownCapabilities,
    check_rubrics,
    find_language,
    offered_languages,
)
from gateway.sessions import Capabilities
from gateway.uploads.multipart import receive_form
from tests.fakes.orchestrator import LANGUAGE_CODES, RUBRIC_IDS, FakeOrchestrator
from tests.gateway_bench import MP4, Bench, form, videos

pytestmark = pytest.mark.anyio


class Clock:
    """Goes forward when the test says so."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def orchestrator() -> FakeOrchestrator:
    return FakeOrchestrator()


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("id-ID", "id"), ("id_ID", "id"), ("in", "id"), ("ind", "id"), ("en-US", "en"), ("EN", "en"),
        ("fil", "tl"), ("iw", "he"), ("nb", "no"), ("zh-CN", "zh"), ("zh_Hant_TW", "zh"), ("cmn", "zh"),
        ("jv", "jv"), ("jw", "jv"), (" id ", "id"), ("en-US-x-twain", "en"),
    ],
)  # fmt: skip
def test_a_tag_is_taken_by_its_language(tag: str, code: str) -> None:
    assert find_language(tag, LANGUAGE_CODES) == code


@pytest.mark.parametrize(
    "tag", ["yue", "zh-yue", "zh-yue-HK", "nn", "de", "", "-", "english", "x-en", "e", "en--US"]
)
def test_what_is_not_offered_or_no_tag_is_no_language(tag: str) -> None:
    assert find_language(tag, LANGUAGE_CODES) is None


def test_cantonese_is_taken_only_where_the_model_knows_it() -> None:
    assert find_language("zh-yue", ("zh", "yue")) == "yue"
    assert "yue" not in SPOKEN_LANGUAGES


@pytest.mark.parametrize("code", SPOKEN_LANGUAGES)
def test_every_language_finds_itself(code: str) -> None:
    assert find_language(code, SPOKEN_LANGUAGES) == code


def test_the_loaded_model_and_the_operator_both_decide_what_is_offered() -> None:
    assert offered_languages((), ("zh", "id", "yue", "en")) == ("en", "id", "yue", "zh")
    assert offered_languages(("in", "jw", "de", "!"), ("en", "id", "jv")) == ("id", "jv")
    assert offered_languages(("de",), ()) == ("de",)
    assert offered_languages((), ()) == SPOKEN_LANGUAGES


async def test_the_stages_are_asked_once_a_minute(orchestrator: FakeOrchestrator, clock: Clock) -> None:
    known = KnownCapabilities(orchestrator, clock=clock)

    assert (await known.current()).rubric_ids == RUBRIC_IDS
    await known.current()
    clock.now_s = FRESH_S - 1
    await known.current()
    assert orchestrator.capability_calls == 1
    clock.now_s = FRESH_S
    await known.current()
    assert orchestrator.capability_calls == 2


async def test_what_was_told_counts_while_the_stages_are_away(
    orchestrator: FakeOrchestrator, clock: Clock
) -> None:
    known = KnownCapabilities(orchestrator, clock=clock)
    await known.current()
    orchestrator.go_down()
    clock.now_s = FRESH_S

    assert set((await known.current()).language_codes) == set(LANGUAGE_CODES)
    orchestrator.failure, orchestrator.capabilities = None, Capabilities(("en",), ())
    clock.now_s += ASK_AGAIN_S
    assert await known.current() == Capabilities(("en",), RUBRIC_IDS)


async def test_before_anything_was_told_the_languages_of_every_model_are_offered(
    orchestrator: FakeOrchestrator,
) -> None:
    orchestrator.go_down()

    assert await KnownCapabilities(orchestrator).current() == Capabilities(SPOKEN_LANGUAGES, ())


def test_rubrics_are_left_to_the_assessor_where_nobody_can_tell() -> None:
    check_rubrics(["", "odd"], ())
    check_rubrics(["", "general"], RUBRIC_IDS)
    with pytest.raises(InvalidInputError):
        check_rubrics(["", "odd"], RUBRIC_IDS)


async def test_a_language_that_the_loaded_model_lacks_is_refused_with_the_list(bench: Bench) -> None:
    reply = await bench.http.post("/upload", files=videos(MP4), data=form("Why?", language="yue"))

    assert (reply.status_code, reply.json()["code"]) == (400, "LANGUAGE_INVALID")
    assert reply.json()["message"].startswith("Invalid language: yue. Allowed: auto, en, id, he")
    assert bench.left_behind() == []


async def test_a_wrong_field_is_refused_before_the_files_behind_it_are_read(bench: Bench) -> None:
    def check_field(name: str, value: str) -> None:
        raise InvalidInputError(f"{name}={value}", reason="LANGUAGE_INVALID")

    async def body() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="language"\r\n\r\nyue\r\n--b\r\n'
        raise AssertionError("more was read")

    form_type = "multipart/form-data; boundary=b"
    with pytest.raises(InvalidInputError, match="language=yue"):
        async with receive_form(form_type, body(), bench.gateway.upload_limits, None, check_field):
            pass


@pytest.mark.parametrize("query", ["language=yue", "rubric=odd"])
async def test_a_wrong_parameter_of_the_address_is_refused(bench: Bench, query: str) -> None:
    reply = await bench.http.post(f"/upload?{query}", files=videos(MP4), data=form("Why?"))

    assert (reply.status_code, reply.json()["code"]) in ((400, "LANGUAGE_INVALID"), (400, "RUBRIC_UNKNOWN"))


async def test_an_upload_names_its_language_by_a_tag_with_a_region(bench: Bench) -> None:
    reply = await bench.http.post("/upload?language=id_ID", files=videos(MP4, field="files"))

    assert bench.orchestrator.drafts[reply.json()["session_id"]].language_code == "id"


async def test_an_unknown_rubric_is_refused_before_anything_is_kept(bench: Bench) -> None:
    data = form("Why?") | {"rubric": "odd"}
    reply = await bench.http.post("/upload", files=videos(MP4), data=data)

    assert (reply.status_code, reply.json()["code"]) == (400, "RUBRIC_UNKNOWN")
    assert "behavioural, general, technical" in reply.json()["message"]
    assert bench.left_behind() == []


@pytest.mark.parametrize("place", ["session", "answer"])
async def test_links_with_an_unknown_rubric_are_refused_before_the_download(bench: Bench, place: str) -> None:
    interview = {"positionId": 1, "question": "Why?", "recordedVideoUrl": "https://example.org/a.mp4"}
    body = {
        "success": True,
        "data": {"candidate": {"name": "A"}, "reviewChecklists": {"interviews": [interview]}},
    }
    (body if place == "session" else interview)["rubric"] = "odd"

    reply = await bench.http.post("/upload_json", json=body)

    assert (reply.status_code, reply.json()["code"]) == (400, "RUBRIC_UNKNOWN")
    assert bench.left_behind() == []


async def test_rubrics_and_languages_can_be_asked_for(bench: Bench) -> None:
    assert (await bench.http.get("/rubrics")).json()["rubrics"] == list(RUBRIC_IDS)
    assert (await bench.http.get("/languages")).json()["languages"][:2] == ["en", "id"]
    page = (await bench.http.get("/client-settings")).json()
    assert page["rubrics"] == list(RUBRIC_IDS)
    assert page["languages"][:2] == ["en", "id"]


async def test_rubrics_that_nobody_can_tell_are_not_an_empty_list(bench: Bench) -> None:
    bench.orchestrator.capabilities = Capabilities(LANGUAGE_CODES, ())

    reply = await bench.http.get("/rubrics")

    assert (reply.status_code, reply.json()["code"]) == (503, "RUBRICS_NOT_KNOWN")
    assert reply.headers["retry-after"] == "15"
