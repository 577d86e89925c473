"""The `interview` command. Every failure is one sentence with its code on standard error.

With `--json` it is one JSON object on standard output as well, so that a program always gets one.

Exit codes: 0 done, 1 the session failed, 2 wrong usage, 3 the gateway can't be reached, 4 not found,
5 refused by the gateway, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import typer
from rich.markup import escape
from typer.exceptions import TyperException

from chassis.errors import InterviewError
from cli import (
    demo_command,
    model_commands,
    reassess_command,
    session_commands,
    submit_commands,
    subtitle_commands,
    up_command,
    verify_command,
)
from cli.assessor_commands import assessor_app
from cli.audit_commands import audit_app
from cli.environment import Environment
from cli.failures import CommandError, ExitCode, from_interview_error
from cli.key_commands import keys_app
from cli.local_llm import llm_app
from cli.refusals import API_KEY_VARIABLE

PROGRAM = "interview"
DISTRIBUTION = "interview-assessment"
DEBUG_VARIABLE = "INTERVIEW_DEBUG"
"""Set to show where an unexpected failure came from."""

EPILOG = (
    "Exit codes: 0 done · 1 the session failed · 2 wrong usage · 3 the gateway can't be reached · "
    "4 not found · 5 refused by the gateway · 130 interrupted. "
    f"The gateway's key is read from {API_KEY_VARIABLE}, its address from INTERVIEW_GATEWAY_URL."
)


def build_app() -> typer.Typer:
    """Put the commands together."""
    app = typer.Typer(
        name=PROGRAM,
        epilog=EPILOG,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_interview)
    submit_commands.add_to(app)
    session_commands.add_to(app)
    reassess_command.add_to(app)
    subtitle_commands.add_to(app)
    verify_command.add_to(app)
    demo_command.add_to(app)
    up_command.add_to(app)
    app.add_typer(model_commands.models_app, name="models")
    app.add_typer(keys_app, name="keys")
    app.add_typer(audit_app, name="audit")
    app.add_typer(llm_app, name="llm")
    app.add_typer(assessor_app, name="assessor")
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"interview {version(DISTRIBUTION)}")
        raise typer.Exit


def _interview(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end."),
    ] = False,
) -> None:
    """Turns recorded interview answers into an assessment that a recruiter can check."""


def run(arguments: Sequence[str], environment: Environment | None = None) -> int:
    """Run a command line and return its exit code."""
    surroundings = environment or Environment()
    try:
        return _run(arguments, surroundings)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except CommandError as error:
        failure = error
    except InterviewError as error:
        failure = from_interview_error(error)
    except TyperException as error:
        if not error.format_message():  # it has shown its help, for want of a command
            return int(ExitCode.USAGE)
        failure = _from_usage(error)
    except typer.Abort:
        failure = CommandError("Interrupted.", code="INTERRUPTED", exit_code=ExitCode.INTERRUPTED)
    except Exception as error:  # the outermost edge: people get a sentence, not a traceback
        if os.environ.get(DEBUG_VARIABLE):
            raise
        message = f"Something unexpected went wrong ({type(error).__name__}). {DEBUG_VARIABLE}=1 shows where."
        failure = CommandError(message, code="INTERNAL")
    if _wants_json(arguments):
        surroundings.print_json(failure.to_json())
    # One line, however long: scripts read it.
    text = f"[red]error:[/red] {escape(failure.message)} ({failure.code})"
    surroundings.err.print(text, highlight=False, soft_wrap=True)
    return int(failure.exit_code)


def _run(arguments: Sequence[str], surroundings: Environment) -> int:
    command = typer.main.get_command(build_app())
    ended = command.main(args=list(arguments), prog_name=PROGRAM, obj=surroundings, standalone_mode=False)
    return ended if isinstance(ended, int) else int(ExitCode.OK)


def _from_usage(error: TyperException) -> CommandError:
    """Return a wrong command line as one of our failures."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else PROGRAM
    message = " ".join(error.format_message().split()).removesuffix(".")
    return CommandError(
        f"{message}. `{path} --help` shows how.", code="USAGE_INVALID", exit_code=ExitCode.USAGE
    )


def _wants_json(arguments: Sequence[str]) -> bool:
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in options


def main() -> None:
    """Run the process's command line."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
