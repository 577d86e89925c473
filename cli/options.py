"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.refusals import API_KEY_VARIABLE

DEFAULT_GATEWAY_URL = "http://127.0.0.1:7860"

GatewayUrl = Annotated[
    str,
    typer.Option(
        "--gateway",
        envvar="INTERVIEW_GATEWAY_URL",
        help=f"Where the gateway listens. Its key is read from {API_KEY_VARIABLE}.",
    ),
]
ApiKey = Annotated[
    str,
    # From the environment alone: a command line is seen by everybody on the machine.
    typer.Option("--api-key", envvar=API_KEY_VARIABLE, hidden=True, show_default=False),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on standard output, also for a failure.")
]
SessionId = Annotated[
    str, typer.Argument(metavar="SESSION", help="The session's identifier.", show_default=False)
]
