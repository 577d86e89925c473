"""`interview models list|fetch`: the only downloader of model files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chassis.errors import InterviewError
from chassis.models import catalogue, entry_of, locate
from chassis.settings import default_models_dir
from cli.environment import Environment
from cli.failures import CommandError, ExitCode
from cli.fetching.fetch import is_own_path
from cli.progress import byte_bars
from cli.tables import print_rows

models_app = typer.Typer(help="Lists and fetches model files.", no_args_is_help=True)

ModelsDir = Annotated[
    Path | None,
    typer.Option(
        "--to", help="Folder of the models. INTERVIEW_MODELS_DIR or the user's cache folder by default."
    ),
]
BYTES_PER_MB = 1_000_000


@models_app.command("list")
def list_models(
    context: typer.Context,
    to: ModelsDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    recheck: Annotated[
        bool, typer.Option("--recheck", help="Read every file again, though it was found right before.")
    ] = False,
) -> None:
    """List the models, and which of them are on this machine."""
    environment: Environment = context.obj
    folder = to or default_models_dir()
    rows = [
        {
            "name": entry.name,
            "version": entry.version,
            "size_bytes": entry.size_bytes,
            "licence": entry.licence,
            "description": entry.description,
            "state": _state(entry.name, folder, recheck=recheck),
        }
        for entry in catalogue().values()
    ]
    if as_json:
        environment.print_json({"models_dir": str(folder), "models": rows})
        return
    shown = [
        (str(row["name"]), str(row["state"]), _size(row), str(row["licence"]), str(row["description"]))
        for row in rows
    ]
    print_rows(environment.out, ("name", "here", "MB", "licence", "what"), shown)


def _size(row: dict[str, object]) -> str:
    # The catalogue knows no size of what is built here or not pinned yet.
    return f"{int(str(row['size_bytes'])) / BYTES_PER_MB:.1f}" if row["size_bytes"] else ""


def _state(name: str, folder: Path, *, recheck: bool) -> str:
    try:
        locate(name, folder, recheck=recheck)
    except InterviewError as error:
        return {"MODEL_MISSING": "no", "MODEL_CORRUPT": "damaged"}.get(error.reason, error.reason)
    return "yes"


@models_app.command("fetch")
def fetch_models(
    context: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME...", help="Names of the catalogue.", show_default=False),
    ] = None,
    fetch_all: Annotated[bool, typer.Option("--all", help="Every model of the catalogue.")] = False,
    to: ModelsDir = None,
) -> None:
    """Fetch models. A broken download goes on where it stopped, and every file is checked."""
    environment: Environment = context.obj
    chosen = list(catalogue()) if fetch_all else list(names or ())
    if not chosen:
        raise CommandError(
            "Name the models to fetch, or give --all. `interview models list` shows their names.",
            code="MODEL_NAMES_MISSING",
            exit_code=ExitCode.USAGE,
        )
    for name in chosen:
        if not is_own_path(name):
            entry_of(name)  # all names are checked before the first byte is fetched
    folder = to or default_models_dir()
    with byte_bars(environment.err) as report:
        environment.fetch_models(chosen, folder, report)
    environment.err.print(f"models: {folder}", highlight=False)
