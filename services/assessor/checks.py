"""Yes-or-no questions about an answer, as log-odds against an offset that was fitted for the model.

A model's bare yes is worth nothing (it says yes to everything), so only calibrated models are asked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from chassis.chat_replies import Token
from chassis.deadline import Deadline
from chassis.side_by_side import side_by_side
from services.assessor.conversation import Conversation
from services.assessor.prompts import Prompts
from services.assessor.rubric import HIGHEST_LEVEL, LOWEST_LEVEL
from services.assessor.sentences import Sentence
from services.assessor.yaml_text import parsed

CALIBRATION_FILE = Path(__file__).parent / "calibration.yaml"
ONE_TOKEN = 1


class Offset(BaseModel):
    """Log-odds at which a check is as likely fulfilled as not, and how steep that turns."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    offset: float
    scale: float = Field(gt=0)

    def probability(self, log_odds: float) -> float:
        """Turn log-odds into the probability that the check is fulfilled."""
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, (log_odds - self.offset) / self.scale))))


class Calibration(BaseModel):
    """What was fitted for each model: offsets by model name, prompt version and check."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: Mapping[str, Mapping[str, Mapping[str, Offset]]]

    def offsets(self, model_name: str, prompt_version: str) -> Mapping[str, Offset]:
        """Find a model's offsets. None where it was not calibrated with these prompts."""
        return self.models.get(model_name, {}).get(prompt_version, {})


def read_calibration(path: Path = CALIBRATION_FILE) -> Calibration:
    """Read the offsets that are shipped."""
    return Calibration.model_validate(parsed(path.read_text(encoding="utf-8")))


def ask_checks(
    conversation: Conversation,
    prompts: Prompts,
    question: str,
    sentences: Sequence[Sentence],
    offsets: Mapping[str, Offset],
    deadline: Deadline,
) -> dict[str, float]:
    """Ask those checks that have an offset.

    Returns:
        Probability that each is fulfilled. A check without token probabilities in its reply is left out.
    """

    def ask(check_id: str) -> float | None:
        messages = prompts.check(question, sentences, (), check_id)
        reply = conversation.ask(messages, schema=None, max_tokens=ONE_TOKEN, deadline=deadline)
        return yes_log_odds(reply.tokens[0], prompts.yes_no) if reply.tokens else None

    answers = side_by_side([partial(ask, check_id) for check_id in offsets], conversation.calls_at_once)
    return {
        check_id: offset.probability(log_odds)
        for (check_id, offset), log_odds in zip(offsets.items(), answers, strict=True)
        if log_odds is not None
    }


def level_by_checks(check_ids: Sequence[str], probabilities: Mapping[str, float]) -> float | None:
    """Give the level that a criterion's checks amount to. None unless every one of them was answered."""
    if not check_ids or any(check_id not in probabilities for check_id in check_ids):
        return None
    mean = sum(probabilities[check_id] for check_id in check_ids) / len(check_ids)
    return LOWEST_LEVEL + (HIGHEST_LEVEL - LOWEST_LEVEL) * mean


def yes_log_odds(token: Token, yes_no: tuple[str, str]) -> float | None:
    """Compute log(P(yes) / P(no)) from what could have stood first in a reply. None without both."""
    yes, no = (
        sum(math.exp(value) for text, value in token.alternatives.items() if _begins(text, word))
        for word in yes_no
    )
    return math.log(yes / no) if yes > 0 and no > 0 else None


def _begins(text: str, word: str) -> bool:
    beginning = text.strip(" \"'*").lower()
    return bool(beginning) and word.startswith(beginning)
