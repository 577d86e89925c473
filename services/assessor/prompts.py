"""Builds every conversation with a model from the versioned texts in `prompt_texts/`.

All of them begin with the same messages and the answer, word for word, so that a server reads these once.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from chassis.chat_completions import Message, Schema
from services.assessor.sentences import Sentence
from services.assessor.tags import Tag

PROMPTS_DIR = Path(__file__).parent / "prompt_texts"
CONTROL_TOKENS = re.compile(r"<\|[^|]{0,40}\|>|[\x00-\x1f]")
"""What a chat template could take for its own syntax, in a question."""

Language = Literal["en", "id"]


class _Example(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str
    sentences: Annotated[tuple[tuple[str, Tag], ...], Field(min_length=1)]


class PromptTexts(BaseModel):
    """The texts for answers in one language, as their file states them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    system: str
    question: str
    no_question: str
    answer: str
    before: str
    checks: Mapping[str, str]
    yes_no: tuple[str, str]
    conclusion: str
    languages: Mapping[Language, str]
    openings: Mapping[Language, str]
    examples: Annotated[tuple[_Example, ...], Field(min_length=1)]


class Prompts(PromptTexts):
    """The texts with the SHA-256 of the file that they were read from."""

    digest: str

    def tagging(
        self, question: str, sentences: Sequence[Sentence], before: Sequence[Sentence]
    ) -> list[Message]:
        """Ask what each sentence is; `before` are sentences that were asked about already."""
        return [*self._beginning(), Message("user", self._ask(question, sentences, before))]

    def check(
        self, question: str, sentences: Sequence[Sentence], before: Sequence[Sentence], check_id: str
    ) -> list[Message]:
        """Ask one yes-or-no question about the answer, after the answer itself."""
        asked = f"{self._ask(question, sentences, before)}\n\n{self.checks[check_id]}"
        return [*self._beginning(), Message("user", asked)]

    def concluding(
        self, question: str, sentences: Sequence[Sentence], reader_language: Language
    ) -> list[Message]:
        """Ask for a sentence in the reader's language that sums up, after the answer itself."""
        asked = self.conclusion.format(
            language=self.languages[reader_language], opening=self.openings[reader_language]
        )
        return [
            *self._beginning(),
            Message("user", f"{self._ask(question, sentences, ())}\n\n{asked}"),
        ]

    def instructions(self) -> list[Message]:
        """What every question about an answer begins with, for a server to read before the first answer."""
        return [*self._beginning(), Message("user", f"{self.question}: ")]

    def _beginning(self) -> list[Message]:
        messages = [Message("system", self.system)]
        for example in self.examples:
            sentences = [Sentence(f"s{n}", text) for n, (text, _) in enumerate(example.sentences, start=1)]
            tags = [(f"s{n}", tag) for n, (_, tag) in enumerate(example.sentences, start=1)]
            messages += [
                Message("user", self._ask(example.question, sentences, ())),
                Message("assistant", _as_json(tags)),
            ]
        return messages

    def _ask(self, question: str, sentences: Sequence[Sentence], before: Sequence[Sentence]) -> str:
        asked = " ".join(CONTROL_TOKENS.sub(" ", question).split()) or self.no_question
        context = [f"{self.before}: {' '.join(sentence.text for sentence in before)}"] if before else []
        numbered = [f"{sentence.id}: {sentence.text}" for sentence in sentences]
        return "\n".join([f"{self.question}: {asked}", *context, f"{self.answer}:", *numbered])


def read_prompts(directory: Path = PROMPTS_DIR) -> dict[str, Prompts]:
    """Read the texts of every language, by its code."""
    return {path.stem: _read(path) for path in sorted(directory.glob("*.yaml"))}


def choose_prompts(prompts: Mapping[str, Prompts], language_code: str) -> Prompts:
    """Choose the texts for an answer's language: Indonesian ones for it and Malay, English ones otherwise."""
    return prompts["id" if language_code.lower().split("-")[0] in ("id", "ms") else "en"]


def tags_schema(sentences: Sequence[Sentence]) -> Schema:
    """Make the JSON schema of a reply: one tag for each sentence id, in order, nothing else."""
    tag: dict[str, Any] = {"type": "string", "enum": [str(tag) for tag in Tag]}
    identifiers = [sentence.id for sentence in sentences]
    return {
        "type": "object",
        "properties": dict.fromkeys(identifiers, tag),
        "required": identifiers,
        "additionalProperties": False,
    }


def _as_json(tags: Sequence[tuple[str, Tag]]) -> str:
    return json.dumps({identifier: str(tag) for identifier, tag in tags})


def _read(path: Path) -> Prompts:
    content = path.read_bytes()
    texts = PromptTexts.model_validate(yaml.safe_load(content))
    return Prompts.model_construct(**dict(texts), digest=hashlib.sha256(content).hexdigest())
