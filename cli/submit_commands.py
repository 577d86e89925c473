"""`interview submit|watch`: sends recorded answers to a gateway, and follows a session to its end."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Annotated

import typer

from cli.environment import Environment
from cli.failures import CommandError, ExitCode
from cli.following import follow
from cli.gateway_client import GatewayClient, Json, Submission
from cli.options import DEFAULT_GATEWAY_URL, ApiKey, AsJson, GatewayUrl, SessionId
from cli.progress import StageBoard, byte_bars
from cli.recordings import check_recordings
from cli.summary import print_summary


def add_to(app: typer.Typer) -> None:
    """Add these commands to an application."""
    app.command()(submit)
    app.command()(watch)


def submit(
    context: typer.Context,
    videos: Annotated[
        list[Path],
        typer.Argument(metavar="VIDEO...", help="The recorded answers, in order.", show_default=False),
    ],
    question: Annotated[
        list[str] | None,
        typer.Option(
            "--question", "-q", help="The question of an answer. Give one for each answer, or none."
        ),
    ] = None,
    rubric: Annotated[
        list[str] | None,
        typer.Option("--rubric", help="The rubric to judge by. Give one for all answers, or one for each."),
    ] = None,
    name: Annotated[str, typer.Option("--name", help="The candidate's name, for display.")] = "",
    language: Annotated[
        str, typer.Option("--language", help="The language that is spoken: en, id, …, or auto to detect it.")
    ] = "auto",
    gateway: GatewayUrl = DEFAULT_GATEWAY_URL,
    api_key: ApiKey = "",
    watch: Annotated[
        bool, typer.Option("--watch/--no-watch", help="Follow the session to its end, and show its result.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Upload recorded answers and follow their assessment."""
    environment: Environment = context.obj
    questions, rubrics = tuple(question or ()), tuple(rubric or ())
    _check_counts(len(videos), len(questions), len(rubrics))
    check_recordings(videos)
    client = environment.open_gateway(gateway, api_key)
    accepted = upload(environment, client, Submission(tuple(videos), questions, name, language, rubrics))
    if watch:
        session = watch_session(environment, client, str(accepted["session_id"]))
        finish(environment, client, session, as_json)
    elif as_json:
        environment.print_json(accepted)
    else:
        environment.out.print(str(accepted["session_id"]), highlight=False)


def watch(
    context: typer.Context,
    session_id: SessionId,
    gateway: GatewayUrl = DEFAULT_GATEWAY_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Follow a session to its end, and show its result."""
    environment: Environment = context.obj
    client = environment.open_gateway(gateway, api_key)
    finish(environment, client, watch_session(environment, client, session_id), as_json)


def _check_counts(video_count: int, question_count: int, rubric_count: int) -> None:
    if question_count not in (0, video_count):
        raise CommandError(
            f"There are {video_count} videos and {question_count} questions. "
            "Give --question once for each video, or not at all.",
            code="QUESTION_COUNT_MISMATCH",
            exit_code=ExitCode.USAGE,
        )
    if rubric_count not in (0, 1, video_count):
        raise CommandError(
            f"There are {video_count} videos and {rubric_count} rubrics. "
            "Give --rubric once for all videos, or once for each.",
            code="RUBRIC_COUNT_MISMATCH",
            exit_code=ExitCode.USAGE,
        )


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
    environment.err.print(f"session {session_id}", markup=False, highlight=False, soft_wrap=True)
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
    session_id = str(session["session_id"])
    if session.get("state", session.get("status")) != "completed":
        message = str(session.get("error") or session.get("message") or "The session failed.")
        raise CommandError(message, code=str(session.get("code") or "SESSION_FAILED"), session_id=session_id)
    document = client.result(session_id)
    if as_json:
        environment.print_json(document)
    else:
        print_summary(environment.out, document)
