"""Asks a model what each sentence is, and reads the tags with their probabilities from the reply."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any

from chassis.chat_completions import Message
from chassis.chat_replies import (
    ChatReply,
    JsonReply,
    Token,
    invalid_reply,
    read_json_object,
    token_places,
    warn_of_broken_schema,
)
from chassis.deadline import Deadline
from chassis.errors import UnavailableError
from chassis.side_by_side import side_by_side
from services.assessor.attribution import give_to_others
from services.assessor.conversation import Conversation
from services.assessor.prompts import Prompts, tags_schema
from services.assessor.sentences import Sentence
from services.assessor.tags import Tag, TaggedSentence

MAX_BATCH_SENTENCES = 24
MAX_BATCH_BYTES = 3_000
"""UTF-8. About 750 tokens of English, 1,500 where a model knows a language badly. With 1,100 of
instructions and examples, a question and the reply that fits 4,096."""
CONTEXT_SENTENCES = 2
"""Sentences of the batch before that are shown again, so that a batch does not begin in mid-story."""
TOKENS_PER_TAG = 12
"""`"s12": "situation", ` takes 8 to 10 tokens."""
TOKENS_AROUND = 16
"""Braces, and what some models say around the object."""
ATTEMPTS = 2
"""A reply that can't be used is asked for once more, with the next seed."""
REJOINED = "\"' \n\t:{,"
"""What a token may hold before the first letter of a tag."""


def batches(sentences: Sequence[Sentence]) -> Iterator[tuple[list[Sentence], list[Sentence]]]:
    """Cut an answer into pieces that fit a small context, each with the sentences before it."""
    batch: list[Sentence] = []
    before: list[Sentence] = []
    for sentence in sentences:
        full = sum(len(item.text.encode()) for item in (*batch, sentence)) > MAX_BATCH_BYTES
        if batch and (full or len(batch) >= MAX_BATCH_SENTENCES):
            yield batch, before
            batch, before = [], batch[-CONTEXT_SENTENCES:]
        batch.append(sentence)
    if batch:
        yield batch, before


def tag_sentences(
    conversation: Conversation,
    prompts: Prompts,
    question: str,
    sentences: Sequence[Sentence],
    deadline: Deadline,
    *,
    one_by_one: bool = False,
) -> tuple[TaggedSentence, ...]:
    """Ask what each of the sentences is.

    Args:
        conversation: Asks the model.
        prompts: In the answer's language.
        question: The question that was answered.
        sentences: In the order in which they were said.
        deadline: Ends the calls.
        one_by_one: Whether to ask for each tag alone, which spares the model writing all that is no choice.
            The model's server has to go on with a reply that was begun for it, and keep what it has read.

    Raises:
        UnavailableError: The model fails, or does not keep to the schema twice in a row.
    """
    calls = [
        partial(
            _tag_batch, conversation, prompts.tagging(question, batch, before), batch, deadline, one_by_one
        )
        for batch, before in batches(sentences)
    ]
    return tuple(chain.from_iterable(side_by_side(calls, conversation.calls_at_once)))


def _tag_batch(
    conversation: Conversation,
    messages: Sequence[Message],
    batch: Sequence[Sentence],
    deadline: Deadline,
    one_by_one: bool,
) -> list[TaggedSentence]:
    tagged = tag_one_by_one(conversation, messages, batch, deadline) if one_by_one else None
    return tagged or _tag_together(conversation, messages, batch, deadline)


def tag_one_by_one(
    conversation: Conversation, messages: Sequence[Message], batch: Sequence[Sentence], deadline: Deadline
) -> list[TaggedSentence] | None:
    """Ask for one tag after the other, each behind the JSON that would stand before it.

    It is what the model would write by the schema. But reading a token that is no choice costs a model a
    third of writing it.

    Returns:
        The tags, or None where the server does not go on with a reply, or gives no probabilities.

    Raises:
        UnavailableError: The model fails.
    """
    written, tagged = "{", []
    for sentence in batch:
        written += f'"{sentence.id}": "'
        reply = conversation.ask(
            [*messages, Message("assistant", written)],
            schema=None,
            max_tokens=1,
            continues=True,
            deadline=deadline,
        )
        tag = likeliest_tag(reply.tokens[0]) if reply.tokens else None
        if tag is None:
            return None
        distribution = tag_distribution(reply.tokens[0])
        written += f'{tag}", '
        tagged.append(give_to_others(TaggedSentence(sentence, tag, distribution)))
    return tagged


def _tag_together(
    conversation: Conversation, messages: Sequence[Message], batch: Sequence[Sentence], deadline: Deadline
) -> list[TaggedSentence]:
    for attempt in range(ATTEMPTS):
        try:
            reply = conversation.ask(
                messages,
                schema=tags_schema(batch),
                max_tokens=TOKENS_PER_TAG * len(batch) + TOKENS_AROUND,
                seed_offset=attempt,
                deadline=deadline,
            )
            return read_tags(reply, batch)
        except UnavailableError as error:
            if error.reason != "MODEL_REPLY_INVALID" or attempt + 1 == ATTEMPTS:
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


def read_tags(reply: ChatReply, sentences: Sequence[Sentence]) -> list[TaggedSentence]:
    """Read a tag for every sentence from a reply.

    Raises:
        UnavailableError: The reply breaks the schema.
    """
    if reply.truncated:
        raise invalid_reply("cut off")
    found = read_json_object(reply.text)
    if found is None:
        raise _breach("no JSON object")
    tags = _read_document(found.document, sentences)
    probabilities = _read_probabilities(reply, found, tags)
    return [
        give_to_others(TaggedSentence(sentence, tags[sentence.id], probabilities.get(sentence.id)))
        for sentence in sentences
    ]


def _read_document(document: Mapping[str, Any], sentences: Sequence[Sentence]) -> dict[str, Tag]:
    """Read the tags by their sentences' ids. Some models write them in capitals."""
    ids = {sentence.id for sentence in sentences}
    if len(document) != len(ids) or {key.lower() for key in document} != ids:
        raise _breach("not one tag for each sentence")
    try:
        return {identifier.lower(): Tag(str(tag).lower()) for identifier, tag in document.items()}
    except ValueError:
        raise _breach("an unknown tag") from None


def _breach(what: str) -> UnavailableError:
    warn_of_broken_schema(what)
    return invalid_reply(what)


def _read_probabilities(
    reply: ChatReply, found: JsonReply, tags: Mapping[str, Tag]
) -> dict[str, dict[Tag, float]]:
    """Find the probabilities at the first letter of each tag. None at all unless every tag has them."""
    starts = token_places(reply.text, reply.tokens, found.start)
    read: dict[str, dict[Tag, float]] = {}
    position = found.start
    for identifier, tag in tags.items():  # in the order of the text
        pair = re.compile(rf'"{identifier}"\s*:\s*"(?={tag}")', re.IGNORECASE).search(reply.text, position)
        if pair is None:
            return {}  # A letter is spelled as an escape.
        position = pair.end()
        token = next((token for start, token in starts if start <= position < start + len(token.text)), None)
        distribution = None if token is None else tag_distribution(token)
        if distribution is None or distribution[tag] <= 0:
            return {}  # The text is not what the probabilities are about.
        read[identifier] = distribution
    return read


def tag_distribution(token: Token) -> dict[Tag, float] | None:
    """Share a token's probability among the tags that its alternatives begin. None if they begin none.

    Tags begin with different letters, so that the shortest beginning tells which one it is.
    """
    masses = dict.fromkeys(Tag, 0.0)
    for text, log_probability in token.alternatives.items():
        tag = _begun_tag(text)
        if tag is not None:
            masses[tag] += math.exp(min(log_probability, 0.0))
    total = sum(masses.values())
    return {tag: mass / total for tag, mass in masses.items()} if total > 0 else None


def likeliest_tag(token: Token) -> Tag | None:
    """Find the tag that the likeliest fitting alternative begins: the one that a schema would let through."""
    begun = [(log, tag) for text, log in token.alternatives.items() if (tag := _begun_tag(text)) is not None]
    return max(begun)[1] if begun else None


def _begun_tag(text: str) -> Tag | None:
    beginning = text.strip(REJOINED).lower()
    return next(
        (tag for tag in Tag if beginning and (tag.startswith(beginning) or beginning.startswith(tag))), None
    )
