"""The command `python -m orchestrator migrate`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

from chassis.errors import InterviewError
from chassis.private_files import keep_files_private
from chassis.server import EXIT_SETTINGS_WRONG, EXIT_START_FAILED
from chassis.settings import SettingsError, load_settings
from chassis.telemetry import configure_process_log, refuse_start
from orchestrator.durable.schema import migrate
from orchestrator.settings import OrchestratorSettings

USAGE = (
    "USAGE_INVALID: `python -m orchestrator` serves. `python -m orchestrator migrate` makes tables and ends."
)


def migrate_and_exit(arguments: Sequence[str]) -> NoReturn:
    """Bring the database's tables up to date and end the process.

    Exits with 0 when they are, with 2 if the command or a setting is wrong, with 1 if the database refuses.
    """
    keep_files_private()
    if list(arguments) != ["migrate"]:
        _refuse(EXIT_SETTINGS_WRONG, USAGE)
    try:
        settings = load_settings(OrchestratorSettings)
    except SettingsError as error:
        _refuse(EXIT_SETTINGS_WRONG, str(error))
    configure_process_log(settings)
    try:
        migrate(settings.database_url)
    except InterviewError as error:
        _refuse(EXIT_START_FAILED, f"{error.reason}: {error.message}", settings.log_format)
    sys.exit(0)


def _refuse(code: int, message: str, log_format: str | None = None) -> NoReturn:
    refuse_start(message, log_format)
    sys.exit(code)
