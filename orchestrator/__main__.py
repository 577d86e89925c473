"""Runs the orchestrator: `python -m orchestrator`.

`python -m orchestrator migrate` makes the database's tables and ends.
"""

from __future__ import annotations

import sys

from chassis.early_stop import LEFT_UNDONE, LOADED_NOTHING, end_at_once_if_stopped

if __name__ == "__main__":
    end_at_once_if_stopped(
        LEFT_UNDONE if sys.argv[1:] else LOADED_NOTHING
    )  # Before the imports that take seconds.

import grpc

from chassis.server import Register, run
from orchestrator.composition import compose
from orchestrator.durable.engine import Engine
from orchestrator.migrating import migrate_and_exit
from orchestrator.servicer import SERVICE_NAME
from orchestrator.settings import OrchestratorSettings
from orchestrator.stages.catalogue import settings_class


def main() -> None:
    """Serve until SIGTERM, then leave what is at work to the next start."""
    if sys.argv[1:]:
        migrate_and_exit(sys.argv[1:])
    engines: list[Engine] = []

    def prepare(settings: OrchestratorSettings) -> Register:
        def register(server: grpc.aio.Server) -> None:
            # Inside the loop: channels and workflows belong to the loop that they are made in.
            servicer, engine = compose(settings)
            engine.start()
            engines.append(engine)
            servicer.add_to(server)

        return register

    run(settings_class(), SERVICE_NAME, prepare)
    for engine in engines:
        engine.close()


if __name__ == "__main__":
    main()
