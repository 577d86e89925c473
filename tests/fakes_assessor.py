"""Stand-ins for the assessor's language model, and answers whose quality is plain."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Mapping, Sequence

from services.assessor.answer import Answer, Segment
from services.assessor.baseline import Baseline, read_lexicon
from services.assessor.budget import Budget
from services.assessor.checks import Calibration
from services.assessor.engine import Assessor
from services.assessor.judging import BaselineJudge, ModelJudge
from services.assessor.language_model import LanguageModel, Message, ModelIdentity, Reply, Schema, Token
from services.assessor.prompts import read_prompts
from services.assessor.rubric import RUBRICS_DIR, read_rubrics
from services.assessor.tags import Tag

QUESTION = "Tell me about a time you solved a difficult problem at work."
CONCRETE = (
    "Last year our checkout service kept crashing on Friday evenings. "
    "I collected the logs of the last four incidents. "
    "I rewrote one slow query and tested it with a replay of the traffic. "
    "After that the crashes stopped and the response time fell by forty percent. "
    "I learned to look at the data before I change anything."
)
VAGUE = (
    "I think I am a very good problem solver. "
    "I always try to give my best in every situation. "
    "Problems are a part of every job and you have to stay positive. "
    "In general I believe that communication is the key to everything."
)
QUESTION_ID = "Ceritakan saat Anda menyelesaikan masalah sulit di tempat kerja."
CONCRETE_ID = (
    "Tahun lalu sistem kasir di toko kami sering mati pada hari Sabtu. "
    "Saya mencatat waktu setiap kejadian selama dua minggu. "
    "Lalu saya mengganti router dan membuat jadwal pemeliharaan. "
    "Setelah itu antrean berkurang setengahnya. "
    "Dari situ saya belajar mencatat dulu sebelum menebak."
)
VAGUE_ID = (
    "Saya orangnya pekerja keras dan mudah bergaul. "
    "Menurut saya setiap masalah pasti ada jalan keluarnya. "
    "Saya selalu berusaha memberikan yang terbaik."
)


def written(text: str, question: str = QUESTION, language: str = "en", **rest: object) -> Answer:
    """Make an answer without times."""
    return Answer(question, (Segment(text),), language, **rest)  # type: ignore[arg-type]


def budget(timeout_s: float | None = None) -> Budget:
    """Make a budget that nobody stops."""
    return Budget(timeout_s, threading.Event())


def tag_tokens(text: str, probabilities: Mapping[Tag, float]) -> tuple[Token, ...]:
    """Cut a reply into one-character tokens, each first letter of a tag with the given probabilities."""
    alternatives = {str(tag)[:3]: math.log(p) for tag, p in probabilities.items() if p > 0}
    return tuple(Token(letter, alternatives) for letter in text)


class FakeModel:
    """Tags by a function of the sentence, concludes with a fixed text, and remembers what it was asked.

    Args:
        tag: What it says about a sentence.
        conclusion: What it writes about an answer.
        probabilities: Probabilities that it gives with every tag; None for none.
        errors: Raised one after another, a call each, before it works.
        replies: Given one after another, a call each, before it works.
    """

    identity = ModelIdentity("openai", "fake-model", device="server")

    def __init__(
        self,
        tag: Callable[[str], Tag] = lambda _: Tag.GENERAL,
        *,
        conclusion: str = "The candidate tells of a problem. What came of it is missing.",
        probabilities: Mapping[Tag, float] | None = None,
        errors: Sequence[Exception] = (),
        replies: Sequence[Reply] = (),
    ) -> None:
        self.asked: list[Sequence[Message]] = []
        self.seeds: list[int] = []
        self._tag = tag
        self._conclusion = conclusion
        self._probabilities = probabilities
        self._errors = list(errors)
        self._replies = list(replies)

    def complete(
        self,
        messages: Sequence[Message],
        *,
        schema: Schema | None,
        max_tokens: int,
        seed: int,
        budget: Budget,
    ) -> Reply:
        """See `LanguageModel.complete`."""
        budget.check()
        self.asked.append(messages)
        self.seeds.append(seed)
        if self._errors:
            raise self._errors.pop(0)
        if self._replies:
            return self._replies.pop(0)
        if schema is None:
            return Reply(self._conclusion, prompt_token_count=50, completion_token_count=20)
        text = json.dumps({identifier: self._tag(said) for identifier, said in self._numbered(messages)})
        tokens = tag_tokens(text, self._probabilities) if self._probabilities else ()
        return Reply(text, tokens, prompt_token_count=100, completion_token_count=10)

    @staticmethod
    def _numbered(messages: Sequence[Message]) -> list[tuple[str, str]]:
        lines = [line.partition(": ") for line in messages[-1].content.splitlines()]
        return [(head, said) for head, _, said in lines if head[:1] == "s" and head[1:].isdigit()]


PROMPTS = read_prompts()
RUBRICS = read_rubrics(RUBRICS_DIR)
BASELINE_JUDGE = BaselineJudge(Baseline(read_lexicon()))


def make_assessor(model: LanguageModel | None = None, *, fallback_to_baseline: bool = False) -> Assessor:
    """Put an assessor together as the process does, with another model."""
    judge = None
    if model is not None:
        judge = ModelJudge(model, prompts=PROMPTS, calibration=Calibration(models={}), seed=7, max_tokens=512)
    return Assessor(
        model_judge=judge,
        baseline_judge=BASELINE_JUDGE,
        rubrics=RUBRICS,
        language_codes=sorted(PROMPTS),
        fallback_to_baseline=fallback_to_baseline,
    )
