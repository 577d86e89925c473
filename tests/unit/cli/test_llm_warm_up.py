"""What a local server reads before it is ready and what of it is kept, over a stand-in for llama.cpp."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from cli.llm_warm_up import FIRST_PLACE, SERVICES, Instructions, WarmUp, ask_services, private_folder
from cli.local_llm import PLACES

ENGLISH: Instructions = [{"role": "system", "content": "You label sentences."}]
INDONESIAN: Instructions = [{"role": "system", "content": "Anda memberi label."}]


class FakeSlots:
    """Reads, saves and restores as llama.cpp's server does. It refuses a file that it did not write."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.read: list[tuple[int, str]] = []
        self.restored: list[int] = []
        self.failing = False
        self.holds_nothing = False
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None: ...

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, told = fake.answer(self.path, body)
                content = json.dumps(told).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if self.failing:
            return 500, {}
        asked = urlsplit(path)
        if asked.path == "/v1/chat/completions":
            self.read.append((body["id_slot"], body["messages"][0]["content"]))
            return 200, {}
        place, file = int(asked.path.rsplit("/", 1)[1]), self.folder / body["filename"]
        count = 0 if self.holds_nothing else 700
        if parse_qs(asked.query)["action"] == ["save"]:
            file.write_text("state" if count else "")
            return 200, {"n_saved": count}
        if file.read_text() != "state":
            return 400, {}
        self.restored.append(place)
        return 200, {"n_restored": count}

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def slots(tmp_path: Path) -> Iterator[FakeSlots]:
    fake = FakeSlots(tmp_path)
    yield fake
    fake.close()


def warm(slots: FakeSlots, *wanted: Instructions, key: str = "model 1") -> int:
    return WarmUp(slots.url, slots.folder, key).run(wanted, threading.Event())


def test_what_was_read_once_comes_back_without_reading(slots: FakeSlots) -> None:
    first, second = warm(slots, ENGLISH, INDONESIAN), warm(slots, ENGLISH, INDONESIAN)

    assert (first, second) == (2, 0)
    assert slots.read == [(FIRST_PLACE, "You label sentences."), (FIRST_PLACE + 1, "Anda memberi label.")]
    assert slots.restored == [FIRST_PLACE, FIRST_PLACE + 1]


def test_what_is_wanted_in_several_places_is_read_once(slots: FakeSlots) -> None:
    first, second = warm(slots, ENGLISH, ENGLISH, ENGLISH), warm(slots, ENGLISH, ENGLISH, ENGLISH)

    assert (first, second) == (1, 0)
    assert slots.restored == [FIRST_PLACE + place for place in (1, 2, 0, 1, 2)]


def test_what_could_not_be_kept_is_not_read_again_for_its_other_places(slots: FakeSlots) -> None:
    slots.holds_nothing = True

    assert warm(slots, ENGLISH, ENGLISH, ENGLISH) == 1
    assert len(slots.read) == 1


def test_another_model_reads_anew_and_the_old_files_go(slots: FakeSlots) -> None:
    warm(slots, ENGLISH)
    before = set(slots.folder.iterdir())

    assert warm(slots, ENGLISH, key="model 2") == 1
    assert not before & set(slots.folder.iterdir())


def test_a_changed_prompt_is_read_anew_and_the_others_come_back(slots: FakeSlots) -> None:
    warm(slots, ENGLISH, INDONESIAN)
    changed: Instructions = [{"role": "system", "content": "You label every sentence."}]

    assert warm(slots, changed, INDONESIAN) == 1
    assert slots.read[-1] == (FIRST_PLACE, "You label every sentence.")
    assert len(list(slots.folder.iterdir())) == 2


def test_a_damaged_file_is_read_anew_and_replaced(slots: FakeSlots) -> None:
    warm(slots, ENGLISH)
    (kept,) = slots.folder.iterdir()
    kept.write_text("half of it")

    assert warm(slots, ENGLISH) == 1
    assert kept.read_text() == "state"


def test_a_server_that_refuses_costs_time_only(slots: FakeSlots) -> None:
    slots.failing = True

    assert warm(slots, ENGLISH, INDONESIAN) == 2
    assert list(slots.folder.iterdir()) == []


def test_a_place_that_was_saved_empty_is_not_kept(slots: FakeSlots) -> None:
    slots.holds_nothing = True

    assert warm(slots, ENGLISH) == 1
    assert list(slots.folder.iterdir()) == []


def test_a_file_that_restores_nothing_is_read_anew(slots: FakeSlots) -> None:
    warm(slots, ENGLISH)
    slots.holds_nothing = True

    assert warm(slots, ENGLISH) == 1


def test_a_server_that_is_not_there_costs_time_only(tmp_path: Path) -> None:
    assert WarmUp("http://127.0.0.1:1", tmp_path, "").run([ENGLISH], threading.Event()) == 1


def test_a_stop_leaves_the_rest_unread(slots: FakeSlots) -> None:
    stop = threading.Event()
    stop.set()

    assert WarmUp(slots.url, slots.folder, "").run([ENGLISH], stop) == 0
    assert slots.read == []


def test_the_folder_is_only_this_users(tmp_path: Path) -> None:
    made = private_folder(tmp_path / "models" / "kept")

    assert made is not None
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    (tmp_path / "file").touch()
    assert private_folder(tmp_path / "file" / "kept") is None


def test_the_services_say_what_their_prompts_begin_with() -> None:
    said = ask_services()

    assert len(said) == 2 * sum(SERVICES.values()) == PLACES - FIRST_PLACE
    assert len({json.dumps(messages) for messages in said}) == 4
    assert all(messages[0]["role"] == "system" for messages in said)


def test_a_service_that_does_not_answer_is_passed_over() -> None:
    assert ask_services({"unheard_of": 1}) == []
