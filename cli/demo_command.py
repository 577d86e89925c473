"""`interview demo`: takes the shipped clip through all seven processes of this machine.

No key, no network, no container. Everything that it starts is stopped again, also on Ctrl-C.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli.demo_processes import DemoPlan, base_environment, plan_demo
from cli.environment import Environment
from cli.failures import CommandError, ExitCode
from cli.gateway_client import GatewayClient, Json, Submission
from cli.processes import Supervisor
from cli.session_commands import write_document
from cli.submit_commands import upload, watch_session
from cli.summary import print_summary

ROOT = Path(__file__).resolve().parent.parent
READY_TIMEOUT_S = 180.0
"""Models load within seconds. A cold disk and two busy cores take their time."""
BYTES_PER_MB = 1_000_000


class LanguageModelChoice(StrEnum):
    """Which language model takes part."""

    NONE = "none"
    LOCAL = "local"


@dataclass(frozen=True)
class Run:
    """What a demo came to. Times in seconds."""

    document: Json
    start_s: float
    session_s: float
    peak_memory_bytes: dict[str, int]


def add_to(app: typer.Typer) -> None:
    """Add this command to an application."""
    app.command()(demo)


def demo(
    context: typer.Context,
    llm: Annotated[
        LanguageModelChoice, typer.Option("--llm", help="`local` runs a language model on this machine.")
    ] = LanguageModelChoice.NONE,
    clip_dir: Annotated[
        Path, typer.Option("--clip", help="The folder of questions.json and its recordings.")
    ] = (ROOT / "demo"),
    build_dir: Annotated[Path, typer.Option("--build-dir", help="Receives the result and the logs.")] = (
        ROOT / "build" / "demo"
    ),
) -> None:
    """Take the demo clip through the whole system, here and now."""
    environment: Environment = context.obj
    submission = read_submission(clip_dir)
    build = _emptied(build_dir.resolve())
    plan = plan_demo(build, os.environ, local_llm=llm is LanguageModelChoice.LOCAL)
    run = _run(environment, plan, submission, build)
    target = build / "result.json"
    write_document(target, run.document)
    print_summary(environment.out, run.document)
    _print_costs(environment.out, run, target)


def read_submission(clip_dir: Path) -> Submission:
    """Read what the clip's `questions.json` says is to be submitted.

    Raises:
        CommandError: There is none, or it is not what we know.
    """
    try:
        listed = json.loads((clip_dir / "questions.json").read_text(encoding="utf-8"))
        return Submission(
            recordings=tuple(clip_dir / answer["file"] for answer in listed["answers"]),
            questions=tuple(answer["question"] for answer in listed["answers"]),
            candidate_name=listed["candidate_name"],
            language=listed["language"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        raise CommandError(
            f"There is no demo clip in {clip_dir}. Run this in a checkout, or name its folder with --clip.",
            code="DEMO_CLIP_MISSING",
            exit_code=ExitCode.USAGE,
        ) from None


def _emptied(build_dir: Path) -> Path:
    """Return the folder without what an earlier demo left: a demo shows work, not a stored result."""
    for name in ("store", "spool", "logs"):
        shutil.rmtree(build_dir / name, ignore_errors=True)
    for database in build_dir.glob("orchestrator.sqlite*"):
        database.unlink()
    (build_dir / "result.json").unlink(missing_ok=True)
    for name in ("store", "spool", "logs"):
        (build_dir / name).mkdir(parents=True, exist_ok=True)
    return build_dir


def _run(environment: Environment, plan: DemoPlan, submission: Submission, build_dir: Path) -> Run:
    begin_s = time.monotonic()
    with Supervisor(build_dir / "logs") as supervisor:
        environment.err.print(f"starting {len(plan.processes)} processes", highlight=False)
        supervisor.start(plan.processes, base_environment(os.environ))
        supervisor.wait_ready(READY_TIMEOUT_S, lambda name: environment.err.print(f"{name}: ready"))
        ready_s = time.monotonic()
        client = environment.open_gateway(plan.gateway_url, "")
        document = _submit_and_wait(environment, client, submission, build_dir)
        end_s = time.monotonic()
        return Run(document, ready_s - begin_s, end_s - ready_s, supervisor.peak_memory_bytes())


def _submit_and_wait(
    environment: Environment, client: GatewayClient, submission: Submission, build_dir: Path
) -> Json:
    accepted = upload(environment, client, submission)
    session = watch_session(environment, client, str(accepted["session_id"]))
    if session.get("state") != "completed":
        message = str(session.get("error") or session.get("message") or "The session failed.")
        raise CommandError(
            f"{message} The logs are in {build_dir / 'logs'}.",
            code=str(session.get("code") or "SESSION_FAILED"),
        )
    return client.result(str(session["session_id"]))


def _print_costs(out: Console, run: Run, target: Path) -> None:
    out.print()
    line = f"started in {run.start_s:.0f} s, assessed in {run.session_s:.0f} s"
    if run.peak_memory_bytes:
        total_mb = sum(run.peak_memory_bytes.values()) / BYTES_PER_MB
        line += f", {total_mb:,.0f} MB of memory at most (the processes' peaks added up)"
    out.print(line, highlight=False)
    out.print(f"result: {target}", highlight=False, soft_wrap=True)
