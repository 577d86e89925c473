"""`interview up`: keeps the processes of a Procfile running, and tells a person what matters.

Each process's whole log goes to a file of its own. The terminal gets a line when a process is ready, a line
when a session begins and one when it ends, and errors.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from dotenv import dotenv_values
from honcho.environ import parse_procfile
from rich.console import Console

from cli.demo_processes import keys_of, shared_environment
from cli.environment import Environment
from cli.failures import CommandError, ExitCode
from cli.process_logs import LogTail, is_ready, told
from cli.processes import ProcessPlan, Supervisor

LOOK_PAUSE_S = 0.25
"""Between two looks at the logs."""


def add_to(app: typer.Typer) -> None:
    """Add this command to an application."""
    app.command()(up)


def up(
    context: typer.Context,
    procfile: Annotated[Path, typer.Option("--procfile", help="Names the processes, one a line.")] = Path(
        "Procfile"
    ),
    log_dir: Annotated[Path, typer.Option("--log-dir", help="Receives a log for each process.")] = Path(
        "build/logs"
    ),
    pid_file: Annotated[
        Path, typer.Option("--pid-file", help="Holds this command's process number while it runs.")
    ] = Path("build/up.pid"),
    env_file: Annotated[
        Path, typer.Option("--env-file", help="Settings, one NAME=value a line. The environment wins.")
    ] = Path(".env"),
) -> None:
    """Run the processes on this machine until Ctrl-C or `make down`."""
    environment: Environment = context.obj
    surroundings = read_environment(env_file, os.environ)
    plans = read_procfile(procfile, surroundings)
    with only_one(pid_file), Supervisor(log_dir) as supervisor:
        for plan in plans:
            _keep_previous(supervisor.log_path(plan.name))
        supervisor.start(plans, shared_environment(surroundings))
        _say(environment.out, f"starting {len(plans)} processes, their logs are in {log_dir}")
        try:
            watch(environment.out, supervisor, [plan.name for plan in plans])
        finally:
            _say(environment.out, "stopping")


def read_environment(env_file: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with the file's settings added. An empty value is not a setting."""
    kept = dotenv_values(env_file, interpolate=False) if env_file.is_file() else {}
    return {name: value for name, value in kept.items() if value} | dict(environment)


def read_procfile(path: Path, environment: Mapping[str, str]) -> list[ProcessPlan]:
    """Return what a Procfile says is to be started. A key goes to its own process only.

    Raises:
        CommandError: There is no such file, or no process in it.
    """
    try:
        commands = parse_procfile(path.read_text(encoding="utf-8")).processes
    except (OSError, UnicodeDecodeError):
        commands = {}
    if not commands:
        raise CommandError(
            f"There is no process in {path}. Run this in a checkout, or name the file with --procfile.",
            code="PROCFILE_MISSING",
            exit_code=ExitCode.USAGE,
        )
    plans = []
    for name, command in commands.items():
        own = keys_of(name, environment) | _readable_log(name.upper(), environment)
        plans.append(ProcessPlan(name, ("/bin/sh", "-c", command), own))
    return plans


def _readable_log(prefix: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return settings by which a process's log can be read here, and says when it is ready."""
    told = {f"{prefix}_LOG_FORMAT": "json"}
    if environment.get(f"{prefix}_LOG_LEVEL") in ("WARNING", "ERROR"):
        told[f"{prefix}_LOG_LEVEL"] = "INFO"
    return told


def watch(out: Console, supervisor: Supervisor, names: list[str]) -> None:
    """Tell what the logs say, until a process ends by itself. One that asks for it is started again.

    Raises:
        CommandError: One has. The message has its last words.
    """
    tails = {name: LogTail(supervisor.log_path(name)) for name in names}
    waiting = set(names)
    while True:
        for name, tail in tails.items():
            for record in tail.records():
                if line := told(name, record):
                    _say(out, line)
                if is_ready(record) and name in waiting:
                    waiting.remove(name)
                    if not waiting:
                        _say(out, "all ready")
        for name in supervisor.keep_alive():
            _say(out, f"{name}: is started again")
        time.sleep(LOOK_PAUSE_S)


@contextmanager
def only_one(pid_file: Path) -> Iterator[None]:
    """Hold the file with our process number, unless another process holds it.

    Raises:
        CommandError: Another one does.
    """
    pid_file.parent.mkdir(parents=True, exist_ok=True)
    with pid_file.open("a", encoding="ascii") as held:
        try:
            # A lock and not the number alone: after a crash, the number may be somebody else's.
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(
                "The processes are running already. Stop them first with `make down`.",
                code="ALREADY_RUNNING",
                exit_code=ExitCode.USAGE,
            ) from None
        held.truncate(0)
        held.write(f"{os.getpid()}\n")
        held.flush()
        try:
            yield
        finally:
            pid_file.unlink(missing_ok=True)


def _keep_previous(log: Path) -> None:
    if log.exists():
        log.replace(log.with_suffix(".previous.log"))


def _say(out: Console, text: str) -> None:
    # Not `print`: an interrupt in the middle of it would make rich print the line again.
    out.file.write(text + "\n")
    out.file.flush()
