"""What the commands work with. Tests hand in their own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import typer
from rich.console import Console

from cli.failures import CommandError, ExitCode
from cli.fetching.fetch import Report, fetch
from cli.gateway_client import GatewayClient

OpenGateway = Callable[[str, str], GatewayClient]
"""Called with (address, API key)."""
FetchModels = Callable[[Sequence[str], Path, Report], None]


Confirm = Callable[[str], bool]
"""Called with a question that yes or no answers."""


def ask_on_terminal(question: str) -> bool:
    """Ask the person at the terminal. No is what Return alone means.

    Raises:
        CommandError: There is nobody to ask.
    """
    if not sys.stdin.isatty():
        raise CommandError(
            "There is no terminal to ask at. Give --yes to go on without a question.",
            code="CONFIRMATION_MISSING",
            exit_code=ExitCode.USAGE,
        )
    return typer.confirm(question, err=True)


def _standard_output() -> Console:
    return Console()


def _standard_error() -> Console:
    return Console(stderr=True)


@dataclass(frozen=True)
class Environment:
    """The command's surroundings."""

    out: Console = field(default_factory=_standard_output)
    """For what was asked for."""
    err: Console = field(default_factory=_standard_error)
    """For progress and failures, so that a script can read `out` alone."""
    open_gateway: OpenGateway = GatewayClient
    fetch_models: FetchModels = fetch
    confirm: Confirm = ask_on_terminal

    def print_json(self, document: object, indent: int | None = 2) -> None:
        """Print a document for programs. On one line without `indent`."""
        self.out.print_json(data=document, indent=indent, ensure_ascii=False, highlight=self.out.is_terminal)
