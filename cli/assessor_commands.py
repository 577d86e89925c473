"""`interview assessor calibrate`: fits the checks of a language model to answers whose levels are known."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

assessor_app = typer.Typer(help="Fits the assessor to a language model.", no_args_is_help=True)

Answers = Annotated[
    Path,
    typer.Argument(help="A YAML file with questions, their answers, and a level and sentences for each."),
]
Split = Annotated[str, typer.Option(help="Take the questions of this split alone, such as `tuning`.")]
Target = Annotated[
    Path | None, typer.Option("--to", help="The file to write into. The shipped one by default.")
]


@assessor_app.callback()
def _assessor() -> None:
    """Keeps `calibrate` a command of its own while it is the only one."""


@assessor_app.command()
def calibrate(answers: Answers, split: Split = "", target: Target = None) -> None:
    """Ask the configured model (ASSESSOR_…) about every answer, and write the offsets of its checks."""
    command = [sys.executable, "-m", "services.assessor.calibrate", str(answers), "--split", split]
    if target is not None:
        command += ["--to", str(target)]
    raise typer.Exit(subprocess.call(command))  # the service's own code: the command line imports none of it
