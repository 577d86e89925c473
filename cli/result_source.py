"""A result document from where somebody names it: a file, or a session of a gateway."""

from __future__ import annotations

import json
from pathlib import Path

from cli.environment import Environment
from cli.failures import CommandError, ExitCode
from cli.gateway_client import Json


def read_result(environment: Environment, source: str, gateway: str, api_key: str) -> Json:
    """Return the document in a file, or that of a session.

    Raises:
        CommandError: There is none, or the gateway does not give it.
    """
    if _names_a_file(source):
        return _read(Path(source))
    return environment.open_gateway(gateway, api_key).result(source)


def not_a_result() -> CommandError:
    """Say that a document is none of ours."""
    return CommandError(
        "This is not a result document. `interview results SESSION --output FILE` writes one.",
        code="RESULT_INVALID",
        exit_code=ExitCode.USAGE,
    )


def _names_a_file(source: str) -> bool:
    """Tell a path from a session's identifier, which has no dot and no slash."""
    return Path(source).exists() or "." in source or "/" in source


def _read(path: Path) -> Json:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CommandError(
            f"There is no file {path}. Name a result document, or a session.",
            code="FILE_NOT_FOUND",
            exit_code=ExitCode.USAGE,
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise not_a_result() from error
    if not isinstance(document, dict):
        raise not_a_result()
    return document
