"""Runs the gateway: settings, dependencies, uvicorn."""

from __future__ import annotations

from chassis.early_stop import end_at_once_if_stopped

if __name__ == "__main__":
    end_at_once_if_stopped()  # Before the imports that take seconds.

import sys
from typing import NoReturn

from chassis.errors import InterviewError
from chassis.private_files import keep_files_private
from chassis.server import EXIT_SETTINGS_WRONG, EXIT_START_FAILED
from chassis.settings import SettingsError, load_settings
from chassis.start_folders import needed_folder
from chassis.store import MediaStore
from chassis.telemetry import (
    configure_process_log,
    configure_tracing,
    refuse_start,
    serve_metrics,
    tracing_configured,
)
from gateway.app import create_app
from gateway.listening import AnnouncedServer, listen
from gateway.orchestrator_client import OrchestratorClient
from gateway.server import server_config
from gateway.settings import GatewaySettings


def main() -> int:
    """Serve until SIGTERM. Return the exit status."""
    keep_files_private()
    try:
        settings = load_settings(GatewaySettings)
    except SettingsError as error:
        _refuse(EXIT_SETTINGS_WRONG, str(error))
    configure_process_log(settings)
    configure_tracing("gateway")
    try:
        return _serve(settings)
    except InterviewError as error:
        _refuse(EXIT_START_FAILED, f"{error.reason}: {error.message}", settings.log_format)


def _serve(settings: GatewaySettings) -> int:
    sockets = listen(settings)  # Before anything is composed, which would remove what another gateway spools.
    serve_metrics(settings)
    with needed_folder("GATEWAY_STORE_URL"):
        store = MediaStore(settings.store_url)
    orchestrator = OrchestratorClient(settings.orchestrator_address, settings.orchestrator_timeout_s)
    app = create_app(settings, orchestrator, store)
    if tracing_configured():
        from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

        FastAPIInstrumentor.instrument_app(app)
    server = AnnouncedServer(server_config(app, settings))
    server.run(sockets)
    return 0 if server.started else EXIT_START_FAILED


def _refuse(status: int, message: str, log_format: str | None = None) -> NoReturn:
    refuse_start(message, log_format)
    sys.exit(status)


if __name__ == "__main__":
    sys.exit(main())
