"""The real local server with SmolLM2: schema, token probabilities, a clean end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from chassis.errors import PreconditionError
from chassis.models import locate
from tests.folders import ROOT

pytestmark = pytest.mark.model

MODEL = "smollm2-135m"
SERVE = [sys.executable, "-c", "from cli.local_llm import llm_app; llm_app()", "serve", "--model", MODEL]
COMMAND = [*SERVE, "--no-warm-up"]

SCHEMA = {
    "type": "object",
    "properties": {"1": {"enum": ["action", "result"]}, "2": {"enum": ["action", "result"]}},
    "required": ["1", "2"],
    "additionalProperties": False,
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(port: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, "--port", str(port)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def serving(port: int) -> Iterator[subprocess.Popen[str]]:
    with start(port) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().strip() == f"ready: http://127.0.0.1:{port}/v1 serves {MODEL}"
            yield process
        finally:
            process.kill()


@pytest.fixture
def port(models_dir: Path) -> int:
    try:
        locate(MODEL, models_dir)
    except PreconditionError as error:
        pytest.skip(error.message)
    return free_port()


def ask(port: int, **body: Any) -> httpx.Response:
    messages = [{"role": "user", "content": "Tag both sentences: 1 I fixed it. 2 It worked."}]
    url = f"http://127.0.0.1:{port}/v1/chat/completions"
    return httpx.post(url, json={"messages": messages, "max_tokens": 60} | body, timeout=60)


def test_replies_follow_the_schema_and_carry_probabilities(port: int) -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "tags", "schema": SCHEMA}}
    with serving(port):
        choice = ask(port, response_format=schema, logprobs=True, top_logprobs=2).json()["choices"][0]
        models = httpx.get(f"http://127.0.0.1:{port}/v1/models").json()

    assert set(json.loads(choice["message"]["content"])) == {"1", "2"}
    assert all(token["logprob"] <= 0 for token in choice["logprobs"]["content"])
    assert models["data"][0]["id"] == MODEL


def test_a_beginning_in_two_places_is_found_there_by_two_requests_at_a_time(port: int) -> None:
    beginning = {"role": "system", "content": "You label the sentences of an answer. " * 20}

    def read_count(end: str, **place: int) -> int:
        messages = [beginning, {"role": "user", "content": end}]
        return int(ask(port, messages=messages, max_tokens=40, **place).json()["timings"]["prompt_n"])

    with serving(port):
        alone = read_count("One?", id_slot=3)
        read_count("One?", id_slot=4)
        with ThreadPoolExecutor(2) as pool:
            together = list(pool.map(read_count, ["I fixed it.", "It worked."]))

    assert alone > 100
    assert max(together) < 20


def test_a_place_keeps_what_it_has_read_while_others_are_asked(port: int) -> None:
    first, second = ({"role": "user", "content": f"{word}? " * 30} for word in ("Why", "How"))

    with serving(port):
        for place, message in enumerate((first, second), start=3):
            ask(port, messages=[message], max_tokens=1, id_slot=place)
        again = ask(port, messages=[first], max_tokens=1, id_slot=3).json()["timings"]

    assert again["prompt_n"] == 1


def test_sigterm_ends_it_with_zero_even_in_the_middle_of_a_reply(port: int) -> None:
    with serving(port) as process:
        asking = threading.Thread(target=_ask_at_length, args=(port,))
        asking.start()
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)

        assert process.wait(10) == 0
        asking.join()


def test_a_taken_port_is_one_line_and_exit_code_one(port: int) -> None:
    with serving(port), start(port) as second:
        _, errors = second.communicate(timeout=30)

    assert second.returncode == 1
    assert f"LOCAL_LLM_START_FAILED: The server could not start. Check that port {port} is free" in errors


def _ask_at_length(port: int) -> None:
    with contextlib.suppress(httpx.HTTPError):  # cut off, as the test wants
        ask(port, max_tokens=1500)
