"""The supervisor: it waits, it says what went wrong, and it leaves nothing running."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

from cli.demo_processes import base_environment, plan_demo, service_names
from cli.failures import CommandError
from cli.processes import ProcessPlan, Supervisor, free_ports

T = TypeVar("T")
PATIENCE_S = 30
SLEEP = (sys.executable, "-S", "-c", "import time; time.sleep(60)")
END = (sys.executable, "-S", "-c", "print('no model here'); raise SystemExit(3)")


def running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def pid_printer(target: Path) -> tuple[str, ...]:
    code = f"import os, time; open({str(target)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    return (sys.executable, "-S", "-c", code)


def test_what_was_started_is_stopped_even_after_an_error(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    plan = ProcessPlan(
        "one", pid_printer(pid_file), {}, lambda: pid_file.exists() and pid_file.read_text() != ""
    )

    with pytest.raises(RuntimeError, match="in the middle"), Supervisor(tmp_path / "logs") as supervisor:
        supervisor.start([plan], os.environ)
        supervisor.wait_ready(10)
        raise RuntimeError("in the middle")

    assert not running(int(pid_file.read_text()))


SUPERVISE = """
import os, sys, time
from pathlib import Path
from cli.processes import ProcessPlan, Supervisor
folder = Path(sys.argv[1])
with Supervisor(folder / "logs") as supervisor:
    for name in ("one", "two"):
        # A shell stands between, as with the lines of a Procfile.
        command = f"{sys.executable} -S -c 'import time; time.sleep(600)' & echo $! > {folder / name}; wait"
        supervisor.start([ProcessPlan(name, ("/bin/sh", "-c", command))], os.environ)
    time.sleep(600)
"""


def test_what_a_killed_supervisor_started_ends_soon_after_it(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", SUPERVISE, tmp_path]) as supervisor:
        pids = [int(until(partial(written, tmp_path / name))) for name in ("one", "two")]
        assert all(running(pid) for pid in pids)
        supervisor.kill()

    until(lambda: not any(running(pid) for pid in pids))


def written(path: Path) -> str:
    return path.read_text().strip() if path.exists() else ""


def until(look: Callable[[], T]) -> T:
    deadline_s = time.monotonic() + PATIENCE_S
    while not (found := look()):
        assert time.monotonic() < deadline_s, "it did not come"
        time.sleep(0.05)
    return found


def test_a_process_that_ends_by_itself_is_said_with_the_end_of_its_log(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as supervisor:
        supervisor.start([ProcessPlan("one", END, {}, lambda: False)], os.environ)
        with pytest.raises(CommandError, match=r"one ended with 3: no model here") as caught:
            supervisor.wait_ready(10)
    assert caught.value.code == "PROCESS_ENDED"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("kill -KILL $$", "one was killed (SIGKILL)"),
        ("sh -c 'kill -SEGV $$'; exit $?", "one crashed (SIGSEGV)"),
    ],
)
def test_a_process_that_a_signal_ended_is_said_in_words(tmp_path: Path, command: str, words: str) -> None:
    with Supervisor(tmp_path) as supervisor:
        supervisor.start([ProcessPlan("one", ("/bin/sh", "-c", command), {}, lambda: False)], os.environ)
        with pytest.raises(CommandError) as caught:
            supervisor.wait_ready(10)
    assert caught.value.message.startswith(words)


def test_a_process_that_is_never_ready_is_given_up_at_the_deadline(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as supervisor:
        supervisor.start([ProcessPlan("one", SLEEP, {}, lambda: False)], os.environ)
        with pytest.raises(CommandError, match=r"Not ready after 0 s: one") as caught:
            supervisor.wait_ready(0.01)
    assert caught.value.code == "PROCESS_NOT_READY"


def test_a_program_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as supervisor, pytest.raises(CommandError) as caught:
        supervisor.start([ProcessPlan("one", (str(tmp_path / "absent"),))], os.environ)
    assert caught.value.code == "PROCESS_START_FAILED"


def test_readiness_is_reported_once_for_each(tmp_path: Path) -> None:
    ready = threading.Event()
    names: list[str] = []

    def first_ready(name: str) -> None:
        names.append(name)
        ready.set()

    with Supervisor(tmp_path) as supervisor:
        plans = [ProcessPlan("one", SLEEP), ProcessPlan("two", SLEEP, {}, ready.is_set)]
        supervisor.start(plans, os.environ)
        supervisor.wait_ready(10, first_ready)
        assert set(supervisor.peak_memory_bytes()) <= {"one", "two"}
    assert names == ["one", "two"]


def test_free_ports_are_all_different() -> None:
    assert len(set(free_ports(20))) == 20


def test_the_demo_has_every_process_and_they_know_each_other(tmp_path: Path) -> None:
    plan = plan_demo(tmp_path, {}, local_llm=False)
    told = {process.name: process.environment for process in plan.processes}

    stages = service_names()
    assert {"transcriber", "translator", "assessor", "vision", "speaker"} <= set(stages)
    assert list(told) == [*stages, "orchestrator", "gateway"]
    for stage in stages:
        address = told["orchestrator"][f"ORCHESTRATOR_{stage.upper()}_ADDRESS"]
        assert address == f"127.0.0.1:{told[stage][f'{stage.upper()}_PORT']}"
        assert told[stage][f"{stage.upper()}_MEDIA_URI_PREFIXES"] == f'["{(tmp_path / "store").as_uri()}/"]'
    assert plan.gateway_url.endswith(told["gateway"]["GATEWAY_PORT"])
    assert told["gateway"]["GATEWAY_STORE_URL"] == told["orchestrator"]["ORCHESTRATOR_STORE_URL"]


def test_a_key_reaches_its_own_service_only(tmp_path: Path) -> None:
    environment = {"HF_TOKEN": "hf", "DEEPL_API_KEY": "deepl", "GATEWAY_API_KEYS": "[]", "PATH": "/bin"}
    shared = base_environment(environment)
    told = {p.name: p.environment for p in plan_demo(tmp_path, environment, local_llm=False).processes}

    assert shared.keys().isdisjoint({"HF_TOKEN", "DEEPL_API_KEY", "GATEWAY_API_KEYS"})
    assert [name for name, values in told.items() if "hf" in values.values()] == ["assessor"]
    assert [name for name, values in told.items() if "deepl" in values.values()] == ["translator"]


def test_a_proxy_for_the_outside_does_not_stand_between_our_processes() -> None:
    shared = base_environment({"NO_PROXY": "intranet"})
    assert shared["NO_PROXY"] == "intranet,127.0.0.1,localhost"


def test_a_local_model_translates_and_assesses(tmp_path: Path) -> None:
    plan = plan_demo(tmp_path, {}, local_llm=True)
    told = {process.name: process.environment for process in plan.processes}

    assert "local-llm" in told
    assert told["translator"]["TRANSLATOR_LLM_BASE_URL"] == told["assessor"]["ASSESSOR_LLM_BASE_URL"]
