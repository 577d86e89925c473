"""Asks a model once about every answer, and keeps what it said: `python -m benchmarks.assessor.observe`.

Tags are asked for one by one and checks after them, in the assessor's own words. What a file has already is
not asked again. Control-C ends it after the answer that is under way is given up; the file stays whole.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.assessor.corpus import Case, mixed, read_cases
from benchmarks.assessor.judges import CRITERION_ID, REPLY_TOKENS, SEED, OutOfTimeError, RememberingModel
from benchmarks.assessor.observations import (
    Observation,
    asked_sentences,
    digest_of,
    read_observations,
    write_observation,
)
from chassis.chat_completions import ChatClient, ChatRequest, ChatServer
from chassis.chat_replies import ChatReply
from chassis.deadline import Deadline
from chassis.errors import UnavailableError
from chassis.model_info import ModelInfo
from services.assessor.checks import ONE_TOKEN, yes_log_odds
from services.assessor.conversation import Conversation
from services.assessor.language_model import LanguageModel, ServedModel
from services.assessor.prompts import Prompts, choose_prompts, read_prompts
from services.assessor.rubric import DEFAULT_RUBRIC_ID, RUBRICS_DIR, read_rubrics
from services.assessor.sentences import Sentence
from services.assessor.tagging import batches, tag_distribution, tag_sentences
from services.assessor.tags import Tag

REPLIES_DIR = Path(__file__).resolve().parents[2] / "build" / "bench-assessor"
REQUEST_TIMEOUT_S = 900.0
"""A 1.5B model on one busy thread reads its instructions for two minutes; this is far beyond it."""
SECONDS_PER_MINUTE = 60

Say = Callable[[str], object]


class TagListener:
    """Passes requests on and keeps the distribution of every tag that was asked for alone.

    Args:
        model: The model.
    """

    def __init__(self, model: LanguageModel) -> None:
        self._model = model
        self.backend = model.backend
        self.heard: list[Mapping[Tag, float]] = []

    @property
    def info(self) -> ModelInfo:
        """Which model it is."""
        return self._model.info

    def complete(self, request: ChatRequest, deadline: Deadline) -> ChatReply:
        """See `LanguageModel.complete`."""
        reply = self._model.complete(request, deadline)
        if request.continues and reply.tokens:
            distribution = tag_distribution(reply.tokens[0])
            if distribution is not None:
                self.heard.append(distribution)
        return reply


def check_ids() -> tuple[str, ...]:
    """Name the checks of the criterion that is measured."""
    criteria = read_rubrics(RUBRICS_DIR)[DEFAULT_RUBRIC_ID].criteria
    return next(criterion.checks for criterion in criteria if criterion.id == CRITERION_ID)


def observe(model: LanguageModel, prompts: Mapping[str, Prompts], case: Case) -> Observation:
    """Ask a model about one answer.

    Raises:
        UnavailableError: The model fails, or its server gives no probabilities of single tags.
    """
    texts, sentences = choose_prompts(prompts, case.language_code), asked_sentences(case)
    listener = TagListener(model)
    conversation = Conversation(listener, SEED, REPLY_TOKENS)
    tag_sentences(conversation, texts, case.question, sentences, Deadline(None), one_by_one=True)
    if len(listener.heard) != len(sentences):
        raise UnavailableError(
            "The server gave no probabilities of single tags. Start one that goes on with a reply, as "
            "`interview llm serve` does.",
            reason="MODEL_REPLY_INVALID",
        )
    return Observation(
        digest=digest_of(case, prompts, model.info.name),
        case_id=case.id,
        model=model.info.name,
        prompt_version=texts.version,
        tags=tuple(listener.heard),
        checks=_ask_checks(conversation, texts, case, sentences),
    )


def _ask_checks(
    conversation: Conversation, prompts: Prompts, case: Case, sentences: Sequence[Sentence]
) -> dict[str, float]:
    if len(list(batches(sentences))) > 1:
        return {}  # The assessor does not ask about an answer over one prompt either.
    found = {}
    for check_id in check_ids():
        reply = conversation.ask(
            prompts.check(case.question, sentences, (), check_id),
            schema=None,
            max_tokens=ONE_TOKEN,
            deadline=Deadline(None),
        )
        value = yes_log_odds(reply.tokens[0], prompts.yes_no) if reply.tokens else None
        if value is not None:
            found[check_id] = value
    return found


def observe_all(model: LanguageModel, cases: Sequence[Case], target: Path, say: Say) -> int:
    """Ask about every answer that the file does not have yet. Returns how many are still missing.

    An answer that the model fails on is told and left out, so that the next run asks for it again.
    """
    prompts = read_prompts()
    known = read_observations(target)
    waiting = [
        case
        for case in cases
        if asked_sentences(case) and digest_of(case, prompts, model.info.name) not in known
    ]
    say(f"{len(cases) - len(waiting)} of {len(cases)} answers are there")
    target.parent.mkdir(parents=True, exist_ok=True)
    missing = len(waiting)
    begun_s = time.monotonic()
    with target.open("a", encoding="utf-8") as file:
        if target.stat().st_size and not target.read_text(encoding="utf-8").endswith("\n"):
            file.write("\n")  # A line was torn by a kill.
        for number, case in enumerate(waiting, start=1):
            try:
                write_observation(file, observe(model, prompts, case))
            except UnavailableError as error:
                say(f"{case.id}: {error} ({error.reason})")
                continue
            except OutOfTimeError:
                continue  # Replies to later answers may be known from an earlier run.
            missing -= 1
            left_s = (time.monotonic() - begun_s) / number * (len(waiting) - number)
            say(f"{number} of {len(waiting)}: {case.id}, {left_s / SECONDS_PER_MINUTE:.0f} min left")
    return missing


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Returns the exit code: 0 if no answer is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--llm", required=True, metavar="URL", help="OpenAI-compatible server, up to /v1")
    parser.add_argument("--model", default="qwen2.5-coder-1.5b", help="the model's name at that server")
    parser.add_argument("--answers", required=True, nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--to", required=True, type=Path, metavar="FILE.jsonl")
    parser.add_argument(
        "--replies", type=Path, default=REPLIES_DIR, help="folder of the replies that are known already"
    )
    parser.add_argument(
        "--minutes", type=float, help="stop asking after so long; 0 takes known replies alone"
    )
    options = parser.parse_args(arguments)
    until_s = None
    if options.minutes is not None:
        until_s = time.monotonic() + options.minutes * SECONDS_PER_MINUTE
    server = ChatServer(
        options.llm, options.model, token_probabilities=True, attempt_timeout_s=REQUEST_TIMEOUT_S
    )
    served = ServedModel("openai", ChatClient(server), name=options.model, digest="", device="server")
    model = RememberingModel(served, options.replies, until_s)
    # Any beginning holds all levels, and a local server reads its instructions once for each language.
    chosen = [
        case
        for file in options.answers
        for case in sorted(mixed(read_cases(file)), key=lambda case: case.language_code)
    ]
    try:
        return 1 if observe_all(model, chosen, options.to, lambda text: print(text, flush=True)) else 0
    except KeyboardInterrupt:
        print("stopped; run it again to go on", flush=True)
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
