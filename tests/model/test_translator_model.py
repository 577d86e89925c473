"""Qwen2.5-Coder 1.5B on the local server translates both ways, and the segments stay where they are."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from chassis.chat_completions import ChatClient, ChatServer
from chassis.errors import PreconditionError
from chassis.models import locate
from services.translator.cache import TranslationCache
from services.translator.checks import fault_of
from services.translator.engine import Translator
from services.translator.job import Job, Outcome, Translations
from services.translator.llm_backend import LlmBackend
from tests.folders import ROOT

# A few seconds a segment on a free core, a minute and more on a busy machine.
pytestmark = [pytest.mark.model, pytest.mark.timeout(1800)]

MODEL = "qwen2.5-coder-1.5b"

ENGLISH = (
    "In my last job I worked in a warehouse in Surabaya.",
    "I wrote a small Python script that sorts the orders by route.",
    "After 3 months, late deliveries went down from 18 to 6 percent.",
)
INDONESIAN = (
    "Di pekerjaan terakhir saya, saya bekerja di gudang di Surabaya.",
    "Saya menulis skrip Python kecil yang mengurutkan pesanan berdasarkan rute.",
    "Setelah 3 bulan, keterlambatan pengiriman turun dari 18 menjadi 6 persen.",
)
MARKS = ("surabaya", "python", "18")
"""What each sentence, and no other one, must still hold in its translation."""


@pytest.fixture(scope="module")
def translator() -> Iterator[Translator]:
    from chassis.settings import default_models_dir

    try:
        locate(MODEL, default_models_dir())
    except PreconditionError as error:
        pytest.skip(error.message)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-c",
        "from cli.local_llm import llm_app; llm_app()",
        "serve",
        "--model",
        MODEL,
    ]
    with subprocess.Popen(
        [*command, "--port", str(port), "--context-tokens", "2048"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("ready: ")
            chat = ChatClient(ChatServer(f"http://127.0.0.1:{port}", attempt_timeout_s=400.0))
            backend = LlmBackend(chat, ("en", "id"), 1, 1500, begins_replies=True)
            yield Translator(backend, 400.0, TranslationCache(max_characters=0, max_age_s=0.0))
        finally:
            process.terminate()
            assert process.wait(30) == 0


@pytest.mark.parametrize(
    ("texts", "source", "target"), [(ENGLISH, "en", "id"), (INDONESIAN, "id", "en")], ids=["en-id", "id-en"]
)
def test_segments_are_translated_and_stay_aligned(
    translator: Translator, texts: tuple[str, ...], source: str, target: str
) -> None:
    done = translator.translate(Job(texts, source, target), None, threading.Event())

    assert _outcomes(done) == [Outcome.OK] * 3
    for original, translation, mark in zip(texts, done.translations, MARKS, strict=True):
        assert translation.text is not None
        assert fault_of(original, translation.text, source, target) is None
        assert [other for other in MARKS if other in translation.text.lower()] == [mark]
    assert done.model.name == MODEL


def _outcomes(done: Translations) -> list[Outcome]:
    return [translation.outcome for translation in done.translations]
