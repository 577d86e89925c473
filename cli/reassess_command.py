"""`interview reassess|versions`: another judgement of a session, as a new version of its result."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, Protocol

import typer

from cli.environment import Environment
from cli.failures import CommandError
from cli.following import FINAL_STATES
from cli.gateway_client import Json
from cli.options import DEFAULT_GATEWAY_URL, ApiKey, AsJson, GatewayUrl, SessionId
from cli.summary import print_summary
from cli.tables import print_rows

POLL_S = 1.0
"""A judgement takes from a second to minutes, by the assessor's backend."""


class VersionSource(Protocol):
    """What is asked of the gateway."""

    def versions(self, session_id: str) -> list[Json]:
        """Return the versions of a session's result."""
        ...


def add_to(app: typer.Typer) -> None:
    """Add these commands to an application."""
    app.command()(reassess)
    app.command()(versions)


def reassess(
    context: typer.Context,
    session_id: SessionId,
    rubric: Annotated[
        str, typer.Option("--rubric", help="The rubric to judge by, such as technical.", show_default=False)
    ],
    gateway: GatewayUrl = DEFAULT_GATEWAY_URL,
    api_key: ApiKey = "",
    watch: Annotated[
        bool, typer.Option("--watch/--no-watch", help="Wait for the judgement, and show its result.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Judge a completed session by another rubric. The older versions of its result are kept."""
    environment: Environment = context.obj
    client = environment.open_gateway(gateway, api_key)
    version = client.reassess(session_id, rubric)
    if watch:
        version = await_version(client, session_id, version)
        document = client.result(session_id, int(version["version"]))
    environment.err.print(
        f"version {version['version']}: {version['rubric_id']}, {version['state']}", highlight=False
    )
    if as_json:
        environment.print_json(document if watch else version)
    elif watch:
        print_summary(environment.out, document)


def await_version(
    source: VersionSource, session_id: str, version: Json, sleep: Callable[[float], None] = time.sleep
) -> Json:
    """Wait until a version has ended, and return it.

    Raises:
        CommandError: It failed, or is gone with its session.
    """
    number = version["version"]
    while version["state"] not in FINAL_STATES:
        sleep(POLL_S)
        found = [kept for kept in source.versions(session_id) if kept["version"] == number]
        if not found:
            raise CommandError(
                "The version is gone. Its session was deleted.", code="RESULT_VERSION_NOT_FOUND"
            )
        version = found[0]
    if version["state"] != "completed":
        message = str(version.get("message") or "The answers could not be judged.")
        raise CommandError(message, code=str(version.get("reason") or "SESSION_FAILED"))
    return version


def versions(
    context: typer.Context,
    session_id: SessionId,
    gateway: GatewayUrl = DEFAULT_GATEWAY_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """List the versions of a session's result."""
    environment: Environment = context.obj
    found = environment.open_gateway(gateway, api_key).versions(session_id)
    if as_json:
        environment.print_json({"session_id": session_id, "versions": found})
        return
    rows = [
        (str(one["version"]), str(one["rubric_id"] or "(default)"), str(one["state"]), str(one["reason"]))
        for one in found
    ]
    print_rows(environment.out, ("version", "rubric", "state", "reason"), rows)
