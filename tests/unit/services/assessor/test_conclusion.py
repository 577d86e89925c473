"""A conclusion says what is told in the model's words, and what is missing by the tags."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from chassis.chat_completions import ChatRequest
from chassis.chat_replies import ChatReply
from chassis.deadline import Deadline
from services.assessor.conclusion import MAX_TOKENS, Conclusion, conclude, missing
from services.assessor.conversation import Conversation
from services.assessor.prompts import Language
from services.assessor.sentences import Sentence
from services.assessor.tags import Tag, TaggedSentence
from tests.fakes.assessor import PROMPTS, FakeModel, deadline

TOLD = [
    TaggedSentence(Sentence("s1", "Last year our kiln broke."), Tag.SITUATION),
    TaggedSentence(Sentence("s2", "I built another one from bricks."), Tag.ACTION),
]


def concluded(text: str, language: Language = "en", told: Sequence[TaggedSentence] = TOLD) -> Conclusion:
    model = FakeModel(replies=[ChatReply(text)])
    return conclude(Conversation(model, 7, 512), PROMPTS["en"], "", told, language, deadline())


def test_what_is_missing_is_said_by_the_tags_and_not_by_the_model() -> None:
    found = concluded("The candidate built a kiln from bricks")

    assert found.text == (
        "The candidate built a kiln from bricks. "
        "Not found in the answer: what came of it, what was learnt or changed."
    )


def test_it_is_in_the_readers_language() -> None:
    text = concluded("Kandidat membangun tungku.", "id").text

    assert text == (
        "Kandidat membangun tungku. "
        "Tidak ditemukan dalam jawaban: apa hasilnya, apa yang dipelajari atau diubah."
    )


@pytest.mark.parametrize("language", ["en", "id"])
def test_of_a_whole_account_nothing_is_missing(language: Language) -> None:
    whole = [TaggedSentence(Sentence(f"s{n}", "It was."), tag) for n, tag in enumerate(Tag)]

    assert missing(whole, language) == ""


@pytest.mark.parametrize(
    "text", ["The candidate met Budi.", "The candidate built 3 kilns.", "", "Level five."]
)
def test_a_sentence_that_says_more_than_the_answer_costs_the_whole_conclusion(text: str) -> None:
    found = concluded(text)

    assert found.text is None
    assert found.absent_reason


def test_it_is_asked_for_behind_the_answer_that_was_read_for_the_tags() -> None:
    model = FakeModel(replies=[ChatReply("The candidate built a kiln.")])
    prompts, sentences = PROMPTS["en"], [item.sentence for item in TOLD]

    conclude(Conversation(model, 7, 512), prompts, "Why?", TOLD, "en", deadline())

    (asked,) = model.asked
    *beginning, read = prompts.tagging("Why?", sentences, ())
    assert list(asked[:-1]) == beginning
    assert asked[-1].content.startswith(read.content)


def test_it_is_short_and_needs_no_probabilities() -> None:
    requests: list[ChatRequest] = []

    class Watched(FakeModel):
        def complete(self, request: ChatRequest, deadline: Deadline) -> ChatReply:
            requests.append(request)
            return super().complete(request, deadline)

    conclude(Conversation(Watched(), 7, 512), PROMPTS["en"], "", TOLD, "en", deadline())

    assert requests[0].max_tokens == MAX_TOKENS
    assert not requests[0].probabilities
