"""The language-model backend with a scripted chat: batches, alignment, one second try."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from chassis.chat_completions import ChatClient, ChatRequest, ChatServer, Message
from chassis.chat_replies import ChatReply
from chassis.deadline import Deadline
from chassis.errors import InvalidInputError, PreconditionError, UnavailableError
from services.translator.job import Formality, Job, Outcome, Translations
from services.translator.llm_backend import LlmBackend
from services.translator.prompt import schema
from tests.fakes.translator import REFUSED, FakeChat

SAID = ("I fixed the broken scanner myself.", "It took 3 days.")
MEANT = ("Saya memperbaiki pemindai yang rusak sendiri.", "Butuh 3 hari.")
JOB = Job(SAID, "en", "id")
GOOD: dict[str, Any] = {"1": MEANT[0], "2": MEANT[1]}


def backend(chat: FakeChat, batch_text_count: int = 8, batch_characters: int = 1500) -> LlmBackend:
    return LlmBackend(chat, ("en", "id"), batch_text_count, batch_characters)


def translate(chat: FakeChat, job: Job = JOB) -> Translations:
    return backend(chat).translate(job, range(len(job.texts)), Deadline(5.0))


def texts_of(done: Translations) -> tuple[str | None, ...]:
    return tuple(translation.text for translation in done.translations)


def test_a_batch_is_one_request_by_number() -> None:
    chat = FakeChat([GOOD])

    done = translate(chat)

    assert texts_of(done) == MEANT
    assert done.billed_character_count is None
    assert (done.model.name, done.model.version) == ("fake-model", "build-1")
    assert (chat.requests[0].schema or {})["required"] == ["1", "2"]
    assert json.loads(chat.requests[0].messages[-1].content) == {"1": SAID[0], "2": SAID[1]}


@pytest.mark.parametrize(
    "broken", ["no json", '{"1": "Ya"}', '{"1": "Ya", "2": 3}', '{"1": "a", "3": "b"}', '["a", "b"]', "{"]
)
def test_a_reply_that_does_not_align_is_asked_again_segment_by_segment(broken: str) -> None:
    chat = FakeChat([broken, {"1": MEANT[0]}, {"1": MEANT[1]}])

    assert texts_of(translate(chat)) == MEANT
    assert len(chat.requests) == 3


def test_one_wrong_segment_is_asked_for_once_more_alone() -> None:
    chat = FakeChat([{"1": MEANT[0], "2": "Butuh tujuh hari."}, {"1": MEANT[1]}])

    assert texts_of(translate(chat)) == MEANT
    assert json.loads(chat.requests[1].messages[-1].content) == {"1": SAID[1]}
    assert chat.requests[1].temperature > 0


def test_a_segment_that_fails_twice_is_absent_and_not_the_original() -> None:
    chat = FakeChat([{"1": SAID[0], "2": MEANT[1]}, {"1": SAID[0]}])

    done = translate(chat)

    assert texts_of(done) == (None, MEANT[1])
    assert done.translations[0].outcome is Outcome.INSUFFICIENT_EVIDENCE
    assert "repeats the original" in done.translations[0].reason


def test_a_segment_whose_replies_are_unreadable_is_unavailable() -> None:
    done = translate(FakeChat(["no", "no", {"1": MEANT[1]}]))

    assert texts_of(done) == (None, MEANT[1])
    assert done.translations[0].outcome is Outcome.SERVICE_UNAVAILABLE


def test_a_request_that_the_server_refuses_is_tried_in_single_segments() -> None:
    done = translate(FakeChat([REFUSED, {"1": MEANT[0]}, REFUSED]))

    assert texts_of(done) == (MEANT[0], None)
    assert "does not fit" in done.translations[1].reason


def test_a_server_that_fails_during_a_second_try_loses_that_segment_only() -> None:
    down = UnavailableError("The server is down.", reason="TRANSLATOR_UNAVAILABLE")

    done = translate(FakeChat([{"1": SAID[0], "2": MEANT[1]}, down]))

    assert texts_of(done) == (None, MEANT[1])
    assert done.translations[0].reason == "The server is down."


def test_a_server_that_is_down_fails_the_batch() -> None:
    with pytest.raises(UnavailableError):
        translate(FakeChat([UnavailableError("down", reason="TRANSLATOR_UNAVAILABLE")]))


def test_batches_are_cut_by_segments_and_characters() -> None:
    cut = backend(FakeChat([]), batch_text_count=3, batch_characters=10)

    job = Job(("a", "b", "c", "d", "e" * 9, "f", "g" * 50, "h"), "en", "id")

    assert list(cut.batches(job, range(8))) == [[0, 1, 2], [3, 4], [5], [6], [7]]


def test_the_question_and_the_formality_go_along() -> None:
    chat = FakeChat([{"1": MEANT[1]}])
    job = Job(SAID, "en", "id", context="What broke?", formality=Formality.PREFER_MORE)

    backend(chat).translate(job, range(1, 2), Deadline(5.0))

    about, _, segments = chat.requests[0].messages[-1].content.partition("\n")
    assert "What broke?" in about
    assert "formal" in chat.requests[0].messages[0].content
    assert json.loads(segments) == {"1": SAID[1]}


def test_the_beginning_of_a_jobs_prompts_is_the_same_so_that_it_is_computed_once() -> None:
    chat = FakeChat([{"1": MEANT[0]}, {"1": MEANT[1]}])

    for batch in (range(1), range(1, 2)):
        backend(chat).translate(JOB, batch, Deadline(5.0))

    first, second = (list(request.messages)[:-1] for request in chat.requests)
    assert first == second


def test_another_question_changes_nothing_but_the_end_so_that_a_server_keeps_the_beginning() -> None:
    chat = FakeChat([{"1": MEANT[0]}, {"1": MEANT[0]}])

    for question in ("What broke?", "Who helped you?"):
        backend(chat).translate(replace(JOB, context=question), range(1), Deadline(5.0))

    first, second = (list(request.messages) for request in chat.requests)
    assert first[:-1] == second[:-1]
    assert first[-1] != second[-1]


def test_one_translation_for_two_segments_is_not_believed() -> None:
    merged = {"1": "Saya memperbaiki pemindai itu.", "2": "Saya memperbaiki pemindai itu."}
    chat = FakeChat([merged, {"1": MEANT[0]}, {"1": MEANT[1]}])

    assert texts_of(translate(chat)) == MEANT


def test_the_request_is_bounded_by_its_texts() -> None:
    chat = FakeChat([GOOD])

    translate(chat)

    assert chat.requests[0].max_tokens < 200


@pytest.mark.parametrize(
    ("job", "reason"),
    [
        (Job(SAID, "fr", "id"), "LANGUAGE_UNSUPPORTED"),
        (Job(SAID, "en", "xx"), "LANGUAGE_UNSUPPORTED"),
        (Job(SAID, "en", "id", glossary_id="g"), "GLOSSARY_REFUSED"),
    ],
)
def test_what_the_model_is_not_set_up_for_is_refused(job: Job, reason: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        translate(FakeChat([]), job)

    assert caught.value.reason == reason


def test_the_schema_allows_the_numbers_and_nothing_else() -> None:
    assert schema(2)["additionalProperties"] is False
    assert list(schema(2)["properties"]) == ["1", "2"]


def test_a_model_that_is_listed_by_its_file_is_named_without_its_folder() -> None:
    chat = ChatClient(ChatServer("http://127.0.0.1:1", "/models/qwen.gguf"))

    assert chat.known_model == "qwen.gguf"


def test_a_server_that_is_not_there_is_unavailable() -> None:
    chat = ChatClient(ChatServer("http://127.0.0.1:1", "m"))

    with pytest.raises(UnavailableError):
        LlmBackend(chat, ("en", "id"), 8, 1500).translate(JOB, range(2), Deadline(2.0))


def test_precondition_errors_are_not_hidden() -> None:
    with pytest.raises(PreconditionError):
        translate(FakeChat([PreconditionError("key", reason="TRANSLATOR_AUTH_FAILED")]))


@pytest.mark.parametrize("around", ["```json\n{}\n```", "It is: {}", "<think>{{}}</think>{}", "\ufeff{}"])
def test_a_reply_is_read_whatever_stands_around_it(around: str) -> None:
    assert texts_of(translate(FakeChat([around.format(json.dumps(GOOD))]))) == MEANT


def test_half_a_character_in_a_reply_is_replaced() -> None:
    (done,) = translate(FakeChat(['{"1": "Ya \\ud83d."}']), Job(("Yes 🙂.",), "en", "id")).translations

    assert done.text == "Ya \ufffd."


def test_a_reply_that_breaks_its_schema_is_told_to_the_operator(caplog: pytest.LogCaptureFixture) -> None:
    translate(FakeChat(['{"a": 1}', {"1": MEANT[0]}, {"1": MEANT[1]}]))

    assert "LLM_SCHEMA_DIALECT" in caplog.text


def test_one_text_that_the_server_refuses_is_not_sent_twice() -> None:
    chat = FakeChat([REFUSED])

    with pytest.raises(PreconditionError):
        translate(chat, Job(SAID[:1], "en", "id"))

    assert len(chat.requests) == 1


class Begun(NamedTuple):
    done: Translations
    requests: list[ChatRequest]


SINGLE = Job(SAID[:1], "en", "id")


def begun(*replies: str | dict[str, str] | Exception, job: Job = SINGLE) -> Begun:
    chat = FakeChat(list(replies))
    served = LlmBackend(chat, ("en", "id"), 8, 1500, begins_replies=True)
    return Begun(served.translate(job, range(len(job.texts)), Deadline(5.0)), chat.requests)


def test_a_single_segment_is_written_inside_json_that_is_there_already() -> None:
    done, (request,) = begun(MEANT[0])

    assert texts_of(done) == MEANT[:1]
    assert request.messages[-1] == Message("assistant", '{"1": "')
    assert (request.continues, request.schema, request.stop) == (True, None, ('"}',))


def test_a_server_that_gives_the_beginning_back_or_begins_anew_is_understood() -> None:
    assert texts_of(begun(f'{{"1": "{MEANT[0]}').done) == MEANT[:1]


def test_quotation_marks_in_a_translation_are_read_as_json() -> None:
    assert texts_of(begun('Ia bilang \\"ya\\".').done) == ('Ia bilang "ya".',)


@pytest.mark.parametrize("written", ['Ya", "2": "Tidak', "Ya\n", "Ya \\"])
def test_what_is_no_single_text_is_asked_for_by_the_schema(written: str) -> None:
    done, (_, second) = begun(written, {"1": MEANT[0]})

    assert texts_of(done) == MEANT[:1]
    assert (second.continues, second.temperature) == (False, 0.0)
    assert second.schema is not None
    assert done.completion_token_count == 10


def test_a_translation_that_is_cut_off_is_not_taken_for_a_whole_one() -> None:
    chat = CutOff([MEANT[0][:10], {"1": MEANT[0]}])

    served = LlmBackend(chat, ("en", "id"), 8, 1500, begins_replies=True)
    done = served.translate(SINGLE, range(1), Deadline(5.0))

    assert texts_of(done) == MEANT[:1]
    assert [request.continues for request in chat.requests] == [True, False]


class CutOff(FakeChat):
    """Comes to the token limit in replies that were begun."""

    def complete(self, request: ChatRequest, deadline: Deadline) -> ChatReply:
        return replace(super().complete(request, deadline), truncated=request.continues)


def test_a_server_that_refuses_a_reply_that_was_begun_is_asked_by_the_schema() -> None:
    refused = PreconditionError("No.", reason="MODEL_REQUEST_REFUSED")

    done, requests = begun(refused, {"1": MEANT[0]})

    assert texts_of(done) == MEANT[:1]
    assert requests[1].schema is not None


def test_several_segments_of_one_request_are_written_by_the_schema() -> None:
    done, (request,) = begun(GOOD, job=JOB)

    assert texts_of(done) == MEANT
    assert request.schema is not None
