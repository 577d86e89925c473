"""The `interview` command. Every failure is one sentence with its code on standard error.

Exit codes: 0 done, 1 the session failed, 2 wrong usage, 3 the gateway can't be reached, 4 not found,
5 refused by the gateway, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer
from rich.markup import escape

from chassis.errors import InterviewError
from cli import (
    demo_command,
    model_commands,
    reassess_command,
    session_commands,
    subtitle_commands,
    up_command,
)
from cli.assessor_commands import assessor_app
from cli.environment import Environment
from cli.failures import CommandError, ExitCode, from_interview_error
from cli.local_llm import llm_app

DEBUG_VARIABLE = "INTERVIEW_DEBUG"
"""Set to show where an unexpected failure came from."""

EPILOG = (
    "Exit codes: 0 done · 1 the session failed · 2 wrong usage · 3 the gateway can't be reached · "
    "4 not found · 5 refused by the gateway · 130 interrupted."
)


def build_app() -> typer.Typer:
    """Put the commands together."""
    app = typer.Typer(
        name="interview",
        help="Turns recorded interview answers into an assessment that a recruiter can check.",
        epilog=EPILOG,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    session_commands.add_to(app)
    reassess_command.add_to(app)
    subtitle_commands.add_to(app)
    demo_command.add_to(app)
    up_command.add_to(app)
    app.add_typer(model_commands.models_app, name="models")
    app.add_typer(llm_app, name="llm")
    app.add_typer(assessor_app, name="assessor")
    return app


def run(arguments: Sequence[str], environment: Environment | None = None) -> int:
    """Run a command line and return its exit code."""
    surroundings = environment or Environment()
    try:
        typer.main.get_command(build_app()).main(
            args=list(arguments), prog_name="interview", obj=surroundings
        )
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except CommandError as error:
        return _fail(surroundings, error)
    except InterviewError as error:
        return _fail(surroundings, from_interview_error(error))
    except Exception as error:  # the outermost edge: people get a sentence, not a traceback
        if os.environ.get(DEBUG_VARIABLE):
            raise
        message = f"Something unexpected went wrong ({type(error).__name__}). {DEBUG_VARIABLE}=1 shows where."
        return _fail(surroundings, CommandError(message, code="INTERNAL"))
    return ExitCode.OK


def _fail(surroundings: Environment, error: CommandError) -> int:
    # One line, however long: scripts read it.
    text = f"[red]error:[/red] {escape(error.message)} ({error.code})"
    surroundings.err.print(text, highlight=False, soft_wrap=True)
    return int(error.exit_code)


def main() -> None:
    """Run the process's command line."""
    sys.exit(run(sys.argv[1:]))
