"""`interview submit|status|results|cancel|retry|list|delete`: sessions on a gateway."""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Column, Table

from cli.environment import Environment
from cli.failures import CommandError, ExitCode
from cli.following import follow
from cli.gateway_client import GatewayClient, Json, Submission, check_recordings
from cli.progress import StageBoard, byte_bars
from cli.summary import print_summary

DEFAULT_GATEWAY_URL = "http://127.0.0.1:7860"

GatewayUrl = Annotated[
    str, typer.Option("--gateway", envvar="INTERVIEW_GATEWAY_URL", help="Where the gateway listens.")
]
ApiKey = Annotated[
    str,
    # From the environment alone: a command line is seen by everybody on the machine.
    typer.Option("--api-key", envvar="INTERVIEW_API_KEY", hidden=True, show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
SessionId = Annotated[str, typer.Argument(help="The session's identifier.", show_default=False)]


def add_to(app: typer.Typer) -> None:
    """Add these commands to an application."""
    for command in (submit, status, results, cancel, retry, delete):
        app.command()(command)
    app.command("list")(list_sessions)


def submit(
    context: typer.Context,
    videos: Annotated[
        list[Path], typer.Argument(metavar="VIDEO...", help="Recorded answers, in order.", show_default=False)
    ],
    question: Annotated[
        list[str] | None,
        typer.Option("--question", "-q", help="The question of each answer, in order; none or one each."),
    ] = None,
    rubric: Annotated[
        list[str] | None,
        typer.Option("--rubric", help="What answers are judged by: one for all, or one each."),
    ] = None,
    name: Annotated[str, typer.Option("--name", help="The candidate's name, for display.")] = "",
    language: Annotated[str, typer.Option("--language", help="en, id, …, or auto to detect it.")] = "auto",
    gateway: GatewayUrl = DEFAULT_GATEWAY_URL,
    api_key: ApiKey = "",
    watch: Annotated[
        bool, typer.Option("--watch/--no-watch", help="Follow the session to its end, and show its result.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Upload recorded answers and follow their assessment."""
    environment: Environment = context.obj
    questions = tuple(question or ())
    if questions and len(questions) != len(videos):
        raise CommandError(
            f"There are {len(videos)} videos and {len(questions)} questions: "
            "give one --question each, or none.",
            code="QUESTION_COUNT_MISMATCH",
            exit_code=ExitCode.USAGE,
        )
    rubrics = tuple(rubric or ())
    if len(rubrics) > 1 and len(rubrics) != len(videos):
        raise CommandError(
            f"There are {len(videos)} videos and {len(rubrics)} rubrics: "
            "give one --rubric for all, or one each.",
            code="RUBRIC_COUNT_MISMATCH",
            exit_code=ExitCode.USAGE,
        )
    check_recordings(videos)
    client = environment.open_gateway(gateway, api_key)
    accepted = upload(environment, client, Submission(tuple(videos), questions, name, language, rubrics))
    if not watch:
        _show_accepted(environment, accepted, as_json)
        return
    session = watch_session(environment, client, str(accepted["session_id"]))
    finish(environment, client, session, as_json)


def upload(environment: Environment, client: GatewayClient, submission: Submission) -> Json:
    """Upload with a progress bar, and return the gateway's answer."""
    with byte_bars(environment.err) as report:
        return client.submit(
            submission,
            idempotency_key=uuid.uuid4().hex,
            report=lambda done_bytes, total_bytes: report("upload", done_bytes, total_bytes),
        )


def watch_session(environment: Environment, client: GatewayClient, session_id: str) -> Json:
    """Follow a session with progress bars, and return its final state."""
    environment.err.print(f"session {session_id}", highlight=False)
    state: Json = {}
    with StageBoard(environment.err) as board:
        for state in follow(client, session_id):
            board.show(state)
    return state


def finish(environment: Environment, client: GatewayClient, session: Json, as_json: bool) -> None:
    """Show what became of a session.

    Raises:
        CommandError: It failed or was cancelled.
    """
    if session.get("state", session.get("status")) != "completed":
        message = str(session.get("error") or session.get("message") or "The session failed.")
        raise CommandError(message, code=str(session.get("code") or "SESSION_FAILED"))
    document = client.result(str(session["session_id"]))
    if as_json:
        environment.print_json(document)
    else:
        print_summary(environment.out, document)


def _show_accepted(environment: Environment, accepted: Json, as_json: bool) -> None:
    if as_json:
        environment.print_json(accepted)
    else:
        environment.out.print(str(accepted["session_id"]), highlight=False)


def status(
    context: typer.Context,
    session_id: SessionId,
    gateway: GatewayUrl = DEFAULT_GATEWAY_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Show where a session is."""
    environment: Environment = context.obj
    session = environment.open_gateway(gateway, api_key).status(session_id)
    if as_json:
        environment.print_json(session)
        return
    environment.out.print(
        f"{session['status']}  {session.get('percent', 0):g} %  {escape(str(session.get('message', '')))}"
    )
    table = Table("answer", "stage", "state", "done", "attempts", "reason")
    for answer in session.get("answers", []):
        for stage in answer["stages"]:
            percent = stage.get("percent")
            done = "" if percent is None else f"{percent:g} %"
            table.add_row(
                str(answer["position"]),
                stage["stage"],
                stage["state"],
                done,
                str(stage.get("attempts", "")),
                escape(str(stage.get("reason", ""))),
            )
    environment.out.print(table)


def results(
    context: typer.Context,
    session_id: SessionId,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the result document to this file.")
    ] = None,
    version: Annotated[
        int | None, typer.Option("--version", min=1, help="Which version; the one finished last by default.")
    ] = None,
    gateway: GatewayUrl = DEFAULT_GATEWAY_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Show a session's result, or write its document to a file."""
    environment: Environment = context.obj
    document = environment.open_gateway(gateway, api_key).result(session_id, version)
    if output is not None:
        write_document(output, document)
        environment.err.print(f"written: {output}", highlight=False)
    if as_json:
        environment.print_json(document)
    elif output is None:
        print_summary(environment.out, document)


def write_document(target: Path, document: Json) -> None:
    """Write a result document, whole or not at all.

    Raises:
        CommandError: It can't be written there.
    """
    partial = target.with_name(f".{target.name}.partial")
    try:
        partial.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        partial.replace(target)
    except OSError as error:
        raise CommandError(f"Can't write {target}: {error.strerror}.", code="OUTPUT_NOT_WRITABLE") from None


def _show_state(environment: Environment, session_id: str, session: Json, as_json: bool) -> None:
    if as_json:
        environment.print_json(session)
    else:
        environment.out.print(f"{session_id}: {session.get('state', session['status'])}", highlight=False)


def cancel(
    context: typer.Context,
    session_id: SessionId,
    gateway: GatewayUrl = DEFAULT_GATEWAY_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Stop a session."""
    environment: Environment = context.obj
    session = environment.open_gateway(gateway, api_key).cancel(session_id)
    _show_state(environment, session_id, session, as_json)


def retry(
    context: typer.Context,
    session_id: SessionId,
    gateway: GatewayUrl = DEFAULT_GATEWAY_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Run again what failed or was cancelled; finished stages are kept."""
    environment: Environment = context.obj
    session = environment.open_gateway(gateway, api_key).retry(session_id)
    _show_state(environment, session_id, session, as_json)


def delete(
    context: typer.Context,
    session_id: SessionId,
    gateway: GatewayUrl = DEFAULT_GATEWAY_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Delete a session with its recordings and its result."""
    environment: Environment = context.obj
    deleted = environment.open_gateway(gateway, api_key).delete(session_id)
    if as_json:
        environment.print_json(deleted)
    else:
        environment.out.print(f"{session_id}: deleted", highlight=False)


def list_sessions(
    context: typer.Context,
    count: Annotated[int, typer.Option("--count", min=1, max=200, help="How many, the newest first.")] = 20,
    state: Annotated[
        str | None, typer.Option("--state", help="queued, processing, completed, failed or cancelled.")
    ] = None,
    page_token: Annotated[str, typer.Option("--page-token", help="Where an earlier page ended.")] = "",
    gateway: GatewayUrl = DEFAULT_GATEWAY_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """List sessions, the newest first."""
    environment: Environment = context.obj
    page = environment.open_gateway(gateway, api_key).sessions(count, page_token, state)
    if as_json:
        environment.print_json(page)
        return
    table = Table(Column("session", no_wrap=True), "state", "done", "answers", "accepted", "candidate")
    for session in page.get("sessions", []):
        accepted = datetime.fromtimestamp(float(session.get("create_time_s", 0.0))).astimezone()
        table.add_row(
            session["session_id"],
            session.get("state", session["status"]),
            f"{session.get('percent', 0):g} %",
            str(session.get("total_videos", "")),
            f"{accepted:%Y-%m-%d %H:%M}",
            escape(str(session.get("candidate_name", ""))),
        )
    environment.out.print(table)
    if token := page.get("next_page_token"):
        environment.out.print(f"more: --page-token {token}", highlight=False)
