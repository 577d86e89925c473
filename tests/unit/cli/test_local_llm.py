"""The local language model server's command without a model: what is found, announced, refused."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chassis.errors import PreconditionError, UnavailableError
from cli.local_llm import (
    ServerOptions,
    find_model,
    llm_app,
    run,
    start_llama,
    wait_until_ready,
)


class FakeLlama:
    """Answers `/health` with 503 as often as `loading` says, then with 200."""

    def __init__(self, loading: int) -> None:
        self.left = loading
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None: ...

            def do_GET(self) -> None:
                fake.left -= 1
                self.send_response(503 if fake.left >= 0 else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def llama() -> Iterator[FakeLlama]:
    server = FakeLlama(loading=1)
    yield server
    server.close()


def options(port: int = 1, host: str = "127.0.0.1") -> ServerOptions:
    return ServerOptions(Path("model.gguf"), "tiny", host, port, 1, 512)


def test_the_server_is_announced_once_it_answers_and_ends_on_request(llama: FakeLlama) -> None:
    stop = threading.Event()
    lines: list[str] = []

    def announce(line: str) -> None:
        lines.append(line)
        stop.set()

    port = llama.server.server_port
    run(options(port), lambda _: object(), stop, announce)

    assert lines == [f"ready: http://127.0.0.1:{port}/v1 serves tiny"]
    assert llama.left < 0


def test_a_stop_while_loading_ends_without_an_announcement() -> None:
    stop = threading.Event()
    stop.set()
    lines: list[str] = []

    run(options(), lambda _: object(), stop, lines.append)

    assert lines == []


def test_a_server_that_never_answers_is_given_up() -> None:
    with pytest.raises(UnavailableError) as caught:
        wait_until_ready("http://127.0.0.1:1", threading.Event(), timeout_s=0.0)

    assert caught.value.reason == "LOCAL_LLM_NOT_READY"


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104 - what a user may type
def test_a_server_on_all_addresses_is_reached_by_the_local_one(host: str) -> None:
    assert options(80, host).url == "http://127.0.0.1:80"


def test_a_gguf_is_found_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.gguf"
    path.write_bytes(b"GGUF")

    assert find_model(str(path), tmp_path).name == "mine"


def test_a_model_that_is_not_fetched_says_how_to_fetch_it(tmp_path: Path) -> None:
    with pytest.raises(PreconditionError) as caught:
        find_model("smollm2-135m", tmp_path)

    assert caught.value.reason == "MODEL_MISSING"
    assert "interview models fetch smollm2-135m" in caught.value.message


def test_a_file_that_is_no_gguf_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(b"x")

    with pytest.raises(PreconditionError) as caught:
        find_model(str(path), tmp_path)

    assert caught.value.reason == "MODEL_NOT_GGUF"


def test_without_xllamacpp_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)

    with pytest.raises(PreconditionError) as caught:
        start_llama(options())

    assert caught.value.reason == "LOCAL_LLM_NOT_INSTALLED"


def test_the_command_exits_with_one_and_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERVIEW_MODELS_DIR", str(tmp_path))

    result = CliRunner().invoke(llm_app, ["serve", "--model", "no-such-model"])

    assert result.exit_code == 1
    assert result.stderr.startswith("MODEL_UNKNOWN: ")
    assert len(result.stderr.splitlines()) == 1
