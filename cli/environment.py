"""What the commands work with; tests hand in their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from cli.gateway_client import GatewayClient
from cli.model_fetching import Report, fetch

OpenGateway = Callable[[str, str], GatewayClient]
"""Called with (address, API key)."""
FetchModels = Callable[[Sequence[str], Path, Report], None]


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

    def print_json(self, document: object) -> None:
        """Print a document for programs."""
        self.out.print_json(data=document, ensure_ascii=False, highlight=self.out.is_terminal)
