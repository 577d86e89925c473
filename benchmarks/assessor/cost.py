"""What an assessment asks of a language model: calls, tokens and seconds by kind, beside a one-shot prompt.

Tokens are counted by the model's server, so they are the same on a busy machine. The first answer makes the
server read its instructions. It is not counted.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from benchmarks.assessor.corpus import Case, mixed, read_cases
from benchmarks.assessor.judges import CHECK_TOKENS, EngineJudge, Judge, OneShotJudge
from chassis.chat_completions import ChatClient, ChatRequest, ChatServer
from chassis.chat_replies import ChatReply
from chassis.deadline import Deadline
from chassis.model_info import ModelInfo
from services.assessor.language_model import LanguageModel, ServedModel

REQUEST_TIMEOUT_S = 900.0
KINDS = ("tags", "checks", "conclusion", "one-shot")


@dataclass
class Cost:
    """What calls of one kind came to."""

    calls: int = 0
    tokens_read: int = 0
    """Of the prompts, without those that the server had read before."""
    tokens_written: int = 0
    wall_s: float = 0.0


class CountingModel:
    """Asks a model and counts what that takes, by kind.

    Args:
        model: The model.
    """

    def __init__(self, model: LanguageModel) -> None:
        self._model = model
        self.one_shot = False
        """Whether the calls that follow belong to the one-shot prompt."""
        self.costs = {kind: Cost() for kind in KINDS}

    @property
    def backend(self) -> str:
        """What it is asked through."""
        return self._model.backend

    @property
    def info(self) -> ModelInfo:
        """Which model it is."""
        return self._model.info

    def complete(self, request: ChatRequest, deadline: Deadline) -> ChatReply:
        """See `LanguageModel.complete`."""
        begin_s = time.monotonic()
        reply = self._model.complete(request, deadline)
        cost = self.costs["one-shot" if self.one_shot else kind_of(request)]
        cost.calls += 1
        cost.tokens_read += reply.prompt_token_count - reply.cached_prompt_token_count
        cost.tokens_written += reply.completion_token_count
        cost.wall_s += time.monotonic() - begin_s
        return reply

    def forget(self) -> None:
        """Begin to count anew."""
        self.costs = {kind: Cost() for kind in KINDS}


def kind_of(request: ChatRequest) -> str:
    """Tell what the assessor asks for."""
    if request.schema is not None or request.continues:
        return "tags"
    return "checks" if request.max_tokens <= CHECK_TOKENS else "conclusion"


def measure(
    model: CountingModel, cases: Sequence[Case], *, tags_one_by_one: bool = False
) -> Mapping[str, Cost]:
    """Assess the answers and ask for each one's level, the first of them without counting."""
    engine = EngineJudge(model, tags_one_by_one=tags_one_by_one)
    judges: tuple[tuple[bool, Judge], ...] = ((False, engine), (True, OneShotJudge(model)))
    counted: dict[str, Cost] = {}
    for one_shot, judge in judges:
        model.one_shot = one_shot
        judge.judge(cases[0])
        model.forget()
        for case in cases[1:]:
            judge.judge(case)
        counted |= {kind: cost for kind, cost in model.costs.items() if cost.calls}
    return counted


def to_json(costs: Mapping[str, Cost], answer_count: int) -> dict[str, float]:
    """Name the figures of one answer for the line of JSON."""
    assessed = [cost for kind, cost in costs.items() if kind != "one-shot"]
    line = {
        "answers": float(answer_count),
        "model_calls_per_answer": sum(cost.calls for cost in assessed) / answer_count,
        "tokens_read_per_answer": sum(cost.tokens_read for cost in assessed) / answer_count,
        "tokens_written_per_answer": sum(cost.tokens_written for cost in assessed) / answer_count,
        "model_s_per_answer": sum(cost.wall_s for cost in assessed) / answer_count,
    }
    if "one-shot" in costs:
        line["assess_over_one_shot"] = sum(cost.wall_s for cost in assessed) / costs["one-shot"].wall_s
    return {key: round(value, 2) for key, value in line.items()}


def make_table(costs: Mapping[str, Cost], answer_count: int) -> Table:
    """Make the table for people: figures of one answer."""
    table = Table("an answer's", "calls", "tokens read", "tokens written", "seconds", title="Model calls")
    for kind, cost in costs.items():
        figures = (cost.calls, cost.tokens_read, cost.tokens_written, cost.wall_s)
        table.add_row(kind, *(f"{figure / answer_count:.1f}" for figure in figures))
    return table


def main(arguments: Sequence[str] | None = None) -> None:
    """Assess, print the table, print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--llm", required=True, metavar="URL", help="OpenAI-compatible server, up to /v1")
    parser.add_argument("--model", default="qwen2.5-coder-1.5b", help="the model's name at that server")
    parser.add_argument("--answers", type=int, default=4, help="how many are counted")
    parser.add_argument("--language", default="en")
    parser.add_argument("--tags-together", action="store_true", help="all tags of an answer in one reply")
    options = parser.parse_args(arguments)
    ordinary = [case for case in read_cases() if case.adversarial is None]
    cases = [case for case in mixed(ordinary) if case.language_code == options.language]
    server = ChatServer(
        options.llm, options.model, token_probabilities=True, attempt_timeout_s=REQUEST_TIMEOUT_S
    )
    served = ServedModel("openai", ChatClient(server), name=options.model, digest="", device="server")
    costs = measure(
        CountingModel(served), cases[: options.answers + 1], tags_one_by_one=not options.tags_together
    )
    Console(width=100).print(make_table(costs, options.answers))
    print(json.dumps(to_json(costs, options.answers)))


if __name__ == "__main__":
    main()
