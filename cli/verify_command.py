"""`interview verify`: computes again what a result document says, and tells what differs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from cli.environment import Environment
from cli.failures import ExitCode
from cli.gateway_client import Json
from cli.options import DEFAULT_GATEWAY_URL, ApiKey, AsJson, GatewayUrl
from cli.result_source import not_a_result, read_result
from cli.tables import print_rows
from cli.verifying.checkout import OWN_ROOT, Checkout
from cli.verifying.checks import Check, Verdict
from cli.verifying.everything import verified
from cli.verifying.found_recordings import FoundRecordings, InFolder, Nowhere, OnGateway

SHOWN_CHARACTERS = 40
"""Of a value in the table. `--json` has all of it."""


def add_to(app: typer.Typer) -> None:
    """Add the command to an application."""
    app.command()(verify)


def verify(
    context: typer.Context,
    source: Annotated[
        str,
        typer.Argument(
            metavar="SESSION|RESULT.json",
            help="A session's identifier, or a file with a result document.",
            show_default=False,
        ),
    ],
    recordings: Annotated[
        Path | None,
        typer.Option(
            "--recordings", help="A folder with the recordings.", exists=True, file_okay=False, readable=True
        ),
    ] = None,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Read the recordings from the gateway, all of their bytes.")
    ] = False,
    checkout: Annotated[
        Path | None,
        typer.Option(
            "--checkout",
            help="A checkout of the code that made the result. Else this one, if it is the same.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    gateway: GatewayUrl = DEFAULT_GATEWAY_URL,
    api_key: ApiKey = "",
    as_json: AsJson = False,
) -> None:
    """Compute again what a result says, and tell what differs. Ends with 1 where something does."""
    environment: Environment = context.obj
    if recordings is not None and fetch:
        raise typer.BadParameter("Give --recordings or --fetch, not both.")
    document = read_result(environment, source, gateway, api_key)
    found = _recordings(environment, document, recordings, (gateway, api_key) if fetch else None)
    code = Checkout(checkout or OWN_ROOT, named=checkout is not None)
    checks = list(verified(document, found, code))
    counts = Counter(check.verdict for check in checks)
    if as_json:
        environment.print_json(_report(document, checks, counts), indent=None)
    else:
        print_rows(environment.out, ("check", "recorded", "computed", "verdict"), map(_row, checks))
        told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
        environment.err.print(told, highlight=False, soft_wrap=True)
    if counts[Verdict.DIFFERS]:
        raise typer.Exit(ExitCode.FAILED)


def _recordings(
    environment: Environment, document: Json, folder: Path | None, gateway: tuple[str, str] | None
) -> FoundRecordings:
    try:
        if folder is not None:
            return InFolder(folder, document)
        if gateway is not None:
            return OnGateway(environment.open_gateway(*gateway), str(document["session_id"]))
    except (KeyError, TypeError) as error:
        raise not_a_result() from error
    return Nowhere()


def _report(document: Json, checks: list[Check], counts: Counter[Verdict]) -> Json:
    return {
        "success": not counts[Verdict.DIFFERS],
        "session_id": document.get("session_id"),
        "counts": {str(verdict): counts[verdict] for verdict in Verdict},
        "checks": [check.to_json() for check in checks],
    }


def _row(check: Check) -> tuple[str, ...]:
    told = f"{check.verdict}. {check.note}" if check.note else str(check.verdict)
    return check.name, _shown(check.recorded), _shown(check.computed), told


def _shown(value: object) -> str:
    if value is None:
        return "-"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"
