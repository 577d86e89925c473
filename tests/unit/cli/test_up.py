"""`interview up`: what it starts, what it tells, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chassis.server import EXIT_START_AGAIN
from cli.app import run
from cli.demo_processes import service_names, shared_environment
from cli.failures import CommandError
from cli.processes import MAX_STARTS_AGAIN
from cli.up_command import only_one, read_environment, read_procfile
from tests.fakes.cli import FakeGateway, Screen

ROOT = Path(__file__).resolve().parents[3]
SERVING = '{"level": "INFO", "logger": "chassis.server", "message": "serving"}'


def up(tmp_path: Path, **commands: str) -> tuple[int, Screen]:
    procfile = tmp_path / "Procfile"
    procfile.write_text(
        "".join(f"{name}: {command}\n" for name, command in commands.items()), encoding="utf-8"
    )
    screen = Screen(FakeGateway())
    options = ["--procfile", procfile, "--log-dir", tmp_path / "logs"]
    options += ["--pid-file", tmp_path / "up.pid", "--env-file", tmp_path / ".env"]
    return run(["up", *map(str, options)], screen.environment), screen


def test_a_process_that_dies_is_said_with_its_last_words_and_all_others_are_stopped(tmp_path: Path) -> None:
    dies = f"echo '{SERVING}'; sleep 0.6; echo '{{\"message\": \"the disk is full\"}}'; exit 3"
    code, screen = up(tmp_path, one=dies, two=f"echo '{SERVING}'; exec sleep 60")

    assert code == 1
    assert "one: ready" in screen.out
    assert "all ready" in screen.out
    assert "one ended with 3: serving the disk is full" in screen.err
    assert "(PROCESS_ENDED)" in screen.err
    assert not (tmp_path / "up.pid").exists()


def test_a_stage_whose_engine_was_stuck_is_started_again_and_the_others_go_on(tmp_path: Path) -> None:
    once = f"echo '{SERVING}'; test -e again && exit 3; touch again; exit {EXIT_START_AGAIN}"
    code, screen = up(tmp_path, one=f"cd {tmp_path}; {once}", two=f"echo '{SERVING}'; exec sleep 60")

    assert code == 1
    assert "one: is started again" in screen.out
    assert screen.out.count("two: ready") == 1
    assert "one ended with 3" in screen.err
    assert (tmp_path / "logs" / "one.log").read_text().count("serving") == 2


def test_a_process_that_asks_to_be_started_again_without_end_is_not(tmp_path: Path) -> None:
    code, screen = up(tmp_path, one=f"exit {EXIT_START_AGAIN}")

    assert code == 1
    assert screen.out.count("one: is started again") == MAX_STARTS_AGAIN
    assert f"one ended with {EXIT_START_AGAIN}" in screen.err


def test_the_whole_log_is_kept_and_so_is_the_one_before(tmp_path: Path) -> None:
    up(tmp_path, one="echo first; exit 1")
    up(tmp_path, one="echo second; exit 1")
    logs = {path.name: path.read_text() for path in (tmp_path / "logs").iterdir()}
    assert logs == {"one.log": "second\n", "one.previous.log": "first\n"}


def test_settings_come_from_the_file_and_the_environment_wins(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("A=from file#1\nB='two words'\nEMPTY=\nC=file\n", encoding="utf-8")
    read = read_environment(env_file, {"C": "environment"})
    assert read == {"A": "from file#1", "B": "two words", "C": "environment"}


def test_a_key_goes_to_its_own_process_only(tmp_path: Path) -> None:
    procfile = tmp_path / "Procfile"
    procfile.write_text("assessor: a\nvision: b\n", encoding="utf-8")
    told = {plan.name: plan.environment for plan in read_procfile(procfile, {"HF_TOKEN": "secret"})}
    assert told["assessor"]["HF_TOKEN"] == "secret"
    assert "HF_TOKEN" not in told["vision"]


@pytest.mark.parametrize(
    "name", ["GATEWAY_OIDC_CLIENT_SECRET", "GATEWAY_COOKIE_SECRETS", "GATEWAY_SESSION_ID_SECRET"]
)
def test_a_secret_of_the_gateway_goes_to_no_other_process(tmp_path: Path, name: str) -> None:
    procfile = tmp_path / "Procfile"
    procfile.write_text("gateway: g\norchestrator: o\nvision: v\n", encoding="utf-8")
    told = {plan.name: plan.environment for plan in read_procfile(procfile, {name: "secret"})}

    assert [process for process, values in told.items() if name in values] == ["gateway"]
    assert name not in shared_environment({name: "secret"})


def test_the_key_of_the_language_model_goes_to_both_that_ask_it(tmp_path: Path) -> None:
    procfile = tmp_path / "Procfile"
    procfile.write_text("assessor: a\ntranslator: t\nvision: b\n", encoding="utf-8")
    told = {plan.name: plan.environment for plan in read_procfile(procfile, {"LLM_API_KEY": "secret"})}
    assert [name for name, values in told.items() if "secret" in values.values()] == [
        "assessor",
        "translator",
    ]


@pytest.mark.parametrize(("wanted", "given"), [("WARNING", "INFO"), ("DEBUG", None), ("", None)])
def test_a_log_can_always_be_read(tmp_path: Path, wanted: str, given: str | None) -> None:
    procfile = tmp_path / "Procfile"
    procfile.write_text("vision: b\n", encoding="utf-8")
    (plan,) = read_procfile(procfile, {"VISION_LOG_LEVEL": wanted, "VISION_LOG_FORMAT": "text"})
    assert plan.environment["VISION_LOG_FORMAT"] == "json"
    assert plan.environment.get("VISION_LOG_LEVEL") == given


def test_without_a_procfile_it_says_where_to_run_it(tmp_path: Path) -> None:
    code, screen = up(tmp_path)
    assert code == 2
    assert "(PROCFILE_MISSING)" in screen.err


def test_a_second_one_is_refused_and_a_number_left_by_a_crash_is_not_in_the_way(tmp_path: Path) -> None:
    pid_file = tmp_path / "up.pid"
    pid_file.write_text("1\n", encoding="ascii")
    with only_one(pid_file), pytest.raises(CommandError) as caught, only_one(pid_file):
        pass
    assert caught.value.code == "ALREADY_RUNNING"
    assert not pid_file.exists()


def test_the_shipped_procfile_names_every_process() -> None:
    names = {plan.name for plan in read_procfile(ROOT / "Procfile", {})}
    assert names == {*service_names(), "orchestrator", "gateway"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_stops_all_that_was_started(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "Procfile").write_text(
        f"one: echo $$ > one.pid; echo '{SERVING}'; exec sleep 60\n", encoding="utf-8"
    )
    command = [sys.executable, "-c", "from cli.app import main; main()", "up"]
    running = subprocess.Popen(
        command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    for line in running.stdout:
        if line == "all ready\n":
            break
    running.send_signal(number)

    assert running.communicate(timeout=30)[0] == "stopping\n"
    assert running.returncode == 130
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "one.pid").read_text()), 0)
