"""A process that is told to stop ends with 0, and at once while it loads. So does a container's first one."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path

import pytest

from tests.first_process import start_first
from tests.folders import ROOT
from tests.free_ports import free_port
from tests.waiting import wait_until

PROCESSES = (
    "services.transcriber",
    "services.translator",
    "services.assessor",
    "services.vision",
    "services.speaker",
    "orchestrator",
    "gateway",
)
PATIENCE_S = 60
FIRST = pytest.mark.parametrize("first", [True, False], ids=["the first process", "any process"])

LOADS_IN_PYTHON = "import time; time.sleep(600)"
LOADS_IN_NATIVE_CODE = """
import ctypes
lock = ctypes.create_string_buffer(64)
for _ in range(2):
    ctypes.CDLL(None).pthread_mutex_lock(lock)  # The second time it waits without end, whatever signal comes.
"""


def environment(*folders: Path, **variables: str) -> dict[str, str]:
    path = os.pathsep.join(str(folder) for folder in (*folders, ROOT, ROOT / "protos" / "gen"))
    return os.environ | variables | {"PYTHONPATH": path}


def blocking_module(folder: Path, name: str, code: str) -> Path:
    """Make a module that leaves a mark and then never ends its import. Returns the mark."""
    mark = folder / "loading"
    (folder / f"{name}.py").write_text(f"open({str(mark)!r}, 'w').close()\n{code}", encoding="utf-8")
    return mark


@contextmanager
def started(
    first: bool, command: list[str], variables: dict[str, str]
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    if first:
        process, pid = start_first(command, variables, ROOT)
    else:
        process = subprocess.Popen(command, env=variables, cwd=ROOT)
        pid = process.pid
    try:
        yield process, pid
    finally:
        process.kill()
        process.wait()


@FIRST
@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_that_is_stopped_while_it_loads_ends_at_once_with_0(
    tmp_path: Path, name: str, first: bool
) -> None:
    mark = blocking_module(tmp_path, "grpc", LOADS_IN_PYTHON)

    with started(first, [sys.executable, "-m", name], environment(tmp_path)) as (process, pid):
        wait_until(mark.exists)
        os.kill(pid, signal.SIGTERM)

        assert process.wait(PATIENCE_S) == 0


@FIRST
def test_a_process_that_is_stopped_while_native_code_loads_a_model_ends_at_once_with_0(
    tmp_path: Path, first: bool
) -> None:
    mark = blocking_module(tmp_path, "grpc", LOADS_IN_NATIVE_CODE)

    with started(first, [sys.executable, "-m", "services.translator"], environment(tmp_path)) as (
        process,
        pid,
    ):
        wait_until(mark.exists)
        os.kill(pid, signal.SIGTERM)

        assert process.wait(PATIENCE_S) == 0


@FIRST
def test_a_migration_that_is_stopped_does_not_say_that_it_is_done(tmp_path: Path, first: bool) -> None:
    mark = blocking_module(tmp_path, "grpc", LOADS_IN_PYTHON)
    command = [sys.executable, "-m", "orchestrator", "migrate"]

    with started(first, command, environment(tmp_path)) as (process, pid):
        wait_until(mark.exists)
        os.kill(pid, signal.SIGTERM)

        assert process.wait(PATIENCE_S) == 128 + signal.SIGTERM


@FIRST
def test_models_that_are_still_fetched_are_not_there_when_the_command_is_stopped(
    tmp_path: Path, first: bool
) -> None:
    mark = blocking_module(tmp_path, "typer", LOADS_IN_PYTHON)
    entry = next(
        line
        for line in (ROOT / "cli" / "Dockerfile").read_text().splitlines()
        if line.startswith("ENTRYPOINT")
    )
    command = [sys.executable, *ast.literal_eval(entry.removeprefix("ENTRYPOINT "))[1:], "models", "fetch"]

    with started(first, command, environment(tmp_path)) as (process, pid):
        wait_until(mark.exists)
        os.kill(pid, signal.SIGTERM)

        assert process.wait(PATIENCE_S) == 128 + signal.SIGTERM


@FIRST
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_gateway_that_serves_and_is_stopped_ends_with_0(
    tmp_path: Path, number: signal.Signals, first: bool
) -> None:
    port = free_port()
    variables = environment(
        GATEWAY_PORT=str(port), GATEWAY_STORE_URL=tmp_path.as_uri(), GATEWAY_METRICS_PORT="0"
    )

    with started(first, [sys.executable, "-m", "gateway"], variables) as (process, pid):
        wait_until(lambda: answers(port))
        os.kill(pid, number)

        assert process.wait(PATIENCE_S) == 0


@FIRST
def test_a_stage_that_serves_and_is_stopped_ends_with_0(first: bool) -> None:
    metrics_port = free_port()
    variables = environment(
        TRANSLATOR_PORT=str(free_port()),
        TRANSLATOR_METRICS_PORT=str(metrics_port),
        TRANSLATOR_DRAIN_DELAY_S="0",
    )

    with started(first, [sys.executable, "-m", "services.translator"], variables) as (process, pid):
        wait_until(lambda: answers(metrics_port))
        os.kill(pid, signal.SIGTERM)

        assert process.wait(PATIENCE_S) == 0


def test_what_the_model_cache_leaves_running_on_a_node_ends_when_it_is_told_to() -> None:
    manifest = (ROOT / "k8s" / "components" / "model-cache" / "loader.yaml").read_text(encoding="utf-8")
    code = next(line for line in manifest.splitlines() if "sigwait" in line).split('"')[1]

    with started(True, [sys.executable, "-c", code], environment()) as (process, pid):
        wait_until(lambda: told_again(process, pid))

        assert process.returncode == 0


def told_again(process: subprocess.Popen[bytes], pid: int) -> bool:
    """Ask a first process to stop. Before it is ready for the signal the kernel drops it."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    return process.poll() is not None


@pytest.mark.parametrize("name", [*PROCESSES, "cli"])
def test_a_process_heeds_a_stop_before_it_imports_anything_heavy(name: str) -> None:
    tree = ast.parse((ROOT / name.replace(".", "/") / "__main__.py").read_text(encoding="utf-8"))
    before = list(takewhile(lambda node: not isinstance(node, ast.If), tree.body[1:]))
    imported = {
        one.module if isinstance(one, ast.ImportFrom) else one.names[0].name
        for one in before
        if isinstance(one, ast.Import | ast.ImportFrom)
    }
    assert imported - {"__future__", "sys"} == {"chassis.early_stop"}


def test_the_list_of_processes_is_whole() -> None:
    mains = [*(ROOT / "services").glob("*/__main__.py"), *ROOT.glob("[og]*/__main__.py")]
    assert sorted(str(path.parent.relative_to(ROOT)).replace("/", ".") for path in mains) == sorted(PROCESSES)


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
