"""The command `python -m orchestrator migrate`."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from typing import NoReturn

from chassis.errors import InterviewError
from chassis.private_files import keep_files_private
from chassis.server import EXIT_SETTINGS_WRONG, EXIT_START_FAILED
from chassis.settings import SettingsError, load_settings
from chassis.telemetry import configure_process_log, refuse_start
from orchestrator.durable.schema import migrate
from orchestrator.stages.catalogue import settings_class

logger = logging.getLogger(__name__)

USAGE = (
    "USAGE_INVALID: `python -m orchestrator` serves. `python -m orchestrator migrate` makes tables and ends."
    " `--help` says more."
)


class _Parser(argparse.ArgumentParser):
    """Refuses what is wrong as a process refuses to start: with one record."""

    def error(self, message: str) -> NoReturn:  # noqa: ARG002  # argparse's own words
        _refuse(EXIT_SETTINGS_WRONG, USAGE)


def migrate_and_exit(arguments: Sequence[str]) -> NoReturn:
    """Bring the database's tables up to date and end the process.

    Exits with 0 when they are, with 2 if the command or a setting is wrong, with 1 if there is no such
    database or it refuses.
    """
    keep_files_private()
    create: bool = _parser().parse_args(arguments).create
    try:
        settings = load_settings(settings_class())
    except SettingsError as error:
        _refuse(EXIT_SETTINGS_WRONG, str(error))
    configure_process_log(settings)
    try:
        changed = migrate(settings.database_url, create=create)
    except InterviewError as error:
        _refuse(EXIT_START_FAILED, f"{error.reason}: {error.message}", settings.log_format)
    logger.info("the tables were brought up to date" if changed else "the tables are up to date already")
    sys.exit(0)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m orchestrator",
        description="Serves until SIGTERM, if no command is given. Settings are variables of the environment"
        " (orchestrator/README.md).",
    )
    commands = parser.add_subparsers(title="commands", required=True)
    migrating = commands.add_parser(
        "migrate",
        help="make the database's tables, bring them up to date, and end",
        description="Makes the tables of the database that ORCHESTRATOR_DATABASE_URL names, brings them up to"
        " date, and ends. It may run twice, and while orchestrators work.",
        allow_abbrev=False,  # A slip is no consent to make a database.
    )
    migrating.add_argument(
        "--create",
        action="store_true",
        help="make the database too if there is none of this name. Without it that is an error, because the"
        " name may be misspelt",
    )
    return parser


def _refuse(code: int, message: str, log_format: str | None = None) -> NoReturn:
    refuse_start(message, log_format)
    sys.exit(code)
