"""What survives a translation: spoken sentences through the translator's engine with its checks.

Without `--llm` and `--deepl-server` the corpus's own translations are checked, the good and the wrong ones.
What is flagged of the good ones is a false alarm. Nothing is asked then.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.translator.corpus import DIRECTIONS, Sentence, mixed, read_sentences
from benchmarks.translator.figures import ALL, Result, chrf_of, rows_of, to_json
from benchmarks.translator.references import figures_of_references, table_of_references
from benchmarks.translator.replies import Folder, RememberingBackend, RememberingChat
from chassis.chat_completions import ChatClient, ChatServer, is_local
from chassis.errors import InterviewError
from services.translator.cache import TranslationCache
from services.translator.deepl_backend import DeeplBackend
from services.translator.engine import Translator
from services.translator.job import Backend, Job, Outcome, Translation
from services.translator.llm_backend import LlmBackend

REPLIES_DIR = Path(__file__).resolve().parents[2] / "build" / "bench-translator"
REQUEST_TIMEOUT_S = 300.0
SENTENCE_S = 5.0
"""Seconds for a sentence of a 1.5B model on a shared core, retries included. For the first estimate."""
TOKENS_PER_SENTENCE = 330
"""240 of the prompt's common beginning, the sentence, its translation, and the retries."""
SECONDS_PER_MINUTE = 60
TABLE_WIDTH = 120


def read_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    asked = parser.add_mutually_exclusive_group()
    asked.add_argument("--llm", metavar="URL", help="OpenAI-compatible server, up to /v1")
    asked.add_argument(
        "--deepl-server", metavar="URL", help="server of DeepL's protocol; DEEPL_API_KEY is sent"
    )
    parser.add_argument("--model", default="qwen2.5-coder-1.5b", help="the model's name at that server")
    parser.add_argument("--limit", type=int, metavar="N", help="only so many sentences, of both directions")
    parser.add_argument("--at-once", type=int, default=2, help="requests to a model at a time")
    parser.add_argument("--minutes", type=float, help="stop asking after so long; what is known is counted")
    parser.add_argument("--texts", metavar="FILE", help="write sentences and translations as JSON lines")
    return parser.parse_args(arguments)


def build_backend(options: argparse.Namespace, replies: Folder) -> tuple[Backend, RememberingChat | None]:
    """Build what is asked, and the chat behind it where it is a model."""
    if options.deepl_server:
        deepl = DeeplBackend(os.environ.get("DEEPL_API_KEY", "none"), options.deepl_server, REQUEST_TIMEOUT_S)
        return RememberingBackend(deepl, options.deepl_server, replies), None
    server = ChatServer(options.llm, options.model, attempt_timeout_s=REQUEST_TIMEOUT_S)
    chat = RememberingChat(ChatClient(server), options.model, replies)
    begins = is_local(options.llm)
    backend = LlmBackend(chat, ("en", "id"), 1, 1500, options.at_once, begins_replies=begins)
    return backend, chat


def translate_all(
    backend: Backend,
    chat: RememberingChat | None,
    sentences: Sequence[Sentence],
    at_once: int,
    until_s: float | None,
) -> Iterator[Result]:
    """Translate a few sentences at a time by the engine, without a memory of its own."""
    translator = Translator(backend, REQUEST_TIMEOUT_S, TranslationCache(0, 0))
    for direction in DIRECTIONS:  # A local server reads its instructions once for each.
        ours = [sentence for sentence in sentences if sentence.direction == direction]
        for start in range(0, len(ours), at_once):
            if until_s is not None and time.monotonic() >= until_s:
                break
            few = ours[start : start + at_once]
            for sentence, translation in zip(few, _translate(translator, few), strict=True):
                asked = json.dumps({"1": sentence.text}, ensure_ascii=False)
                said = () if chat is None else tuple(chat.said.get(asked, ()))
                yield Result(sentence, translation, said)


def make_table(results: Sequence[Result]) -> Table:
    """Make the table for people."""
    table = Table(
        "direction", "kind", "sentences", "kept", "left out", "doubted", "wrong, not flagged", "doubted, kept"
    )
    for row in rows_of(results):
        counts = (row.kept_count, row.left_out_count, row.doubted_count, row.wrong_unflagged_count)
        shares = [f"{count} ({row.share(count):.0%})" for count in counts]
        name = f"chrF {chrf_of(results, row.direction):.1f}" if row.kind == ALL else row.kind
        table.add_row(
            row.direction, name, str(row.sentence_count), *shares, str(row.doubted_though_kept_count)
        )
    return table


def main(arguments: Sequence[str] | None = None) -> None:
    """Translate, print the table, print the figures as JSON."""
    options = read_arguments(arguments)
    sentences = mixed(read_sentences())[: options.limit]
    if not options.llm and not options.deepl_server:
        figures = figures_of_references(sentences)
        Console(width=TABLE_WIDTH).print(table_of_references(figures))
        print(json.dumps(figures))
        return
    replies = Folder(REPLIES_DIR)
    backend, chat = build_backend(options, replies)
    at_once = options.at_once if options.llm else 1
    _say(_estimate(sentences, asks_model=bool(options.llm)))
    until_s = None if options.minutes is None else time.monotonic() + options.minutes * SECONDS_PER_MINUTE
    results: list[Result] = []
    for result in translate_all(backend, chat, sentences, at_once, until_s):
        results.append(result)
        _say(_progress(len(results), len(sentences), replies, at_once))
    if options.texts:
        lines = [json.dumps(_told(result), ensure_ascii=False) for result in results]
        Path(options.texts).write_text("\n".join(lines) + "\n", encoding="utf-8")
    Console(width=TABLE_WIDTH).print(make_table(results))
    print(json.dumps(to_json(results)))


def _translate(translator: Translator, sentences: Sequence[Sentence]) -> Sequence[Translation]:
    first = sentences[0]
    job = Job(tuple(one.text for one in sentences), first.source_language, first.target_language)
    try:
        return translator.translate(job, None, threading.Event()).translations
    except InterviewError as error:
        return [Translation.absent(Outcome.SERVICE_UNAVAILABLE, error.message)] * len(sentences)


def _estimate(sentences: Sequence[Sentence], *, asks_model: bool) -> str:
    count = len(sentences)
    if asks_model:
        minutes = count * SENTENCE_S / SECONDS_PER_MINUTE
        return (
            f"{count} sentences: about {count * TOKENS_PER_SENTENCE:,} tokens and {minutes:.0f} minutes on a "
            "shared core. What was asked before is not asked again."
        )
    characters = sum(len(sentence.text) for sentence in sentences)
    return f"{count} sentences: {characters:,} characters are billed. What was asked before is not."


def _progress(done_count: int, count: int, replies: Folder, at_once: int) -> str:
    if not replies.asked_s:
        return f"{done_count} of {count}, all known so far"
    left_s = (count - done_count) * sum(replies.asked_s) / len(replies.asked_s) / at_once
    return f"{done_count} of {count}, about {left_s / SECONDS_PER_MINUTE:.1f} minutes left"


def _told(result: Result) -> dict[str, object]:
    return {
        "id": result.sentence.id,
        "text": result.sentence.text,
        "reference": result.sentence.reference,
        "translation": result.translation.text,
        "reason": result.translation.reason,
        "doubts": list(result.translation.doubts),
        "faults": result.faults,
        "said": list(result.said),
    }


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
