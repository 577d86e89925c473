"""Runs the gateway: settings, dependencies, uvicorn."""

from __future__ import annotations

import sys

import uvicorn

from chassis.errors import InterviewError
from chassis.private_files import keep_files_private
from chassis.settings import SettingsError, load_settings
from chassis.store import MediaStore
from chassis.telemetry import (
    configure_process_log,
    configure_tracing,
    refuse_start,
    serve_metrics,
    tracing_configured,
)
from gateway.app import create_app
from gateway.orchestrator_client import OrchestratorClient
from gateway.server import server_config
from gateway.settings import GatewaySettings


def main() -> int:
    """Serve until SIGTERM. Return the exit code."""
    keep_files_private()
    try:
        settings = load_settings(GatewaySettings)
        store = MediaStore(settings.store_url)
    except (SettingsError, InterviewError) as error:
        refuse_start(str(error))
        return 2
    configure_process_log(settings)
    configure_tracing("gateway")
    serve_metrics(settings.metrics_host, settings.metrics_port)
    orchestrator = OrchestratorClient(settings.orchestrator_address, settings.orchestrator_timeout_s)
    app = create_app(settings, orchestrator, store)
    if tracing_configured():
        from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

        FastAPIInstrumentor.instrument_app(app)
    server = uvicorn.Server(server_config(app, settings))
    server.run()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
