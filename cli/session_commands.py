"""`interview status|results|cancel|retry|list|delete`: sessions on a gateway."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from cli.environment import Environment
from cli.failures import CommandError
from cli.following import FINAL_STATES
from cli.gateway_client import Json
from cli.options import DEFAULT_GATEWAY_URL, ApiKey, AsJson, GatewayUrl, SessionId
from cli.progress import state_text
from cli.summary import print_summary
from cli.tables import print_rows

NOTHING_TO_WORK_ON = frozenset({"NO_AUDIO", "NO_VIDEO", "NO_SPEECH", "NO_FACE"})
"""Reasons of stages that were left out because of the recording itself."""


def add_to(app: typer.Typer) -> None:
    """Add these commands to an application."""
    for command in (status, results, cancel, retry, hold, release, delete):
        app.command()(command)
    app.command("list")(list_sessions)


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
        f"{session['status']}  {session.get('percent', 0):g} %  {escape(str(session.get('message', '')))}",
        highlight=False,
        soft_wrap=True,
    )
    if session.get("held"):
        environment.out.print("on legal hold: it is neither deleted nor does it expire", highlight=False)
    rows = [
        _stage_row(answer["position"], stage)
        for answer in session.get("answers", [])
        for stage in answer["stages"]
    ]
    print_rows(environment.out, ("answer", "stage", "state", "done", "attempts", "reason"), rows)


def _stage_row(position: int, stage: Json) -> tuple[str, ...]:
    percent = stage.get("percent")
    return (
        str(position),
        str(stage["stage"]),
        state_text(stage),
        "" if percent is None else f"{percent:g} %",
        str(stage.get("attempts", "")),
        str(stage.get("reason", "")),
    )


def results(
    context: typer.Context,
    session_id: SessionId,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the result document to this file.")
    ] = None,
    version: Annotated[
        int | None, typer.Option("--version", min=1, help="Which version. The one finished last by default.")
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
    """Run again what failed, was cancelled or was not configured. Finished stages are kept."""
    environment: Environment = context.obj
    client = environment.open_gateway(gateway, api_key)
    session = client.status(session_id)
    if has_nothing_to_retry(session):
        if as_json:
            environment.print_json(session)
        else:
            environment.out.print(f"{session_id}: nothing to retry, every stage is done", highlight=False)
        return
    _show_state(environment, session_id, client.retry(session_id), as_json)


def has_nothing_to_retry(session: Json) -> bool:
    """Tell whether another run of a completed session would change nothing.

    A stage that had nothing to work on (no sound, no picture, no speech) would find nothing again. One that
    was not configured may be by now.
    """
    stages = [stage for answer in session.get("answers") or [] for stage in answer["stages"]]
    settled = all(
        stage["state"] == "done"
        or (stage["state"] == "skipped" and stage.get("reason") in NOTHING_TO_WORK_ON)
        for stage in stages
    )
    return bool(stages) and settled and session.get("state") == "completed"


def hold(
    context: typer.Context,
    session_id: SessionId,
    gateway: GatewayUrl = DEFAULT_GATEWAY_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Put a session on legal hold: it is neither deleted nor does it expire."""
    environment: Environment = context.obj
    _show_hold(environment, environment.open_gateway(gateway, api_key).hold(session_id), as_json)


def release(
    context: typer.Context,
    session_id: SessionId,
    gateway: GatewayUrl = DEFAULT_GATEWAY_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Lift the legal hold of a session. It may be deleted then, and expires in its time."""
    environment: Environment = context.obj
    _show_hold(environment, environment.open_gateway(gateway, api_key).release(session_id), as_json)


def _show_hold(environment: Environment, answer: Json, as_json: bool) -> None:
    if as_json:
        environment.print_json(answer)
    else:
        words = "on legal hold" if answer["held"] else "not on legal hold"
        environment.out.print(f"{answer['session_id']}: {words}", highlight=False)


def delete(
    context: typer.Context,
    session_id: SessionId,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete without a question.")] = False,
    gateway: GatewayUrl = DEFAULT_GATEWAY_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Delete a session with its recordings and its result."""
    environment: Environment = context.obj
    client = environment.open_gateway(gateway, api_key)
    question = f"Delete session {session_id} with its recordings and its result? This can't be undone."
    if not (yes or environment.confirm(question)):
        raise CommandError("Nothing was deleted.", code="NOT_CONFIRMED")
    deleted = client.delete(session_id)
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
    page_token: Annotated[
        str, typer.Option("--page-token", help="Shows the next page. An earlier page ended with it.")
    ] = "",
    gateway: GatewayUrl = DEFAULT_GATEWAY_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """List sessions, the newest first. In a pipe each is a line with tabs between the values."""
    environment: Environment = context.obj
    page = environment.open_gateway(gateway, api_key).sessions(count, page_token, state)
    if as_json:
        environment.print_json(page)
        return
    sessions = page.get("sessions", [])
    if environment.out.is_terminal:
        print_rows(environment.out, ("session", "state", "accepted", "candidate"), map(_short_row, sessions))
    else:
        print_rows(environment.out, (), map(_whole_row, sessions))
    if token := page.get("next_page_token"):
        environment.err.print(f"more: --page-token {token}", highlight=False, soft_wrap=True)


def _short_row(session: Json) -> tuple[str, ...]:
    """Return what fits on a terminal of 80 columns."""
    state = str(session.get("state", session["status"]))
    done = "" if state in FINAL_STATES else f" {session.get('percent', 0):.0f} %"
    accepted = f"{_accepted(session):%Y-%m-%d %H:%M}"
    mark = " · held" if session.get("held") else ""
    return str(session["session_id"]), state + done + mark, accepted, str(session.get("candidate_name", ""))


def _whole_row(session: Json) -> tuple[str, ...]:
    return (
        str(session["session_id"]),
        str(session.get("state", session["status"])),
        f"{session.get('percent', 0):g}",
        str(session.get("total_videos", "")),
        _accepted(session).isoformat(timespec="seconds"),
        str(session.get("candidate_name", "")),
        "held" if session.get("held") else "",
    )


def _accepted(session: Json) -> datetime:
    return datetime.fromtimestamp(float(session.get("create_time_s", 0.0))).astimezone()
