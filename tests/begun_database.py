"""A database as an orchestrator's first start leaves it, made once in this process and copied.

The engine looks for queues that it does not know yet once a second, so the first session of a new database
waits for up to a second. Tests that are about a new database make their own.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from dbos import DBOSClient

from orchestrator.durable.kept import QUEUE
from orchestrator.durable.schema import migrate


def put_begun_database(path: Path) -> None:
    """Write the database to a path where there is none yet."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(_begun())


@cache
def _begun() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder, "state.sqlite")
        url = f"sqlite:///{path}"
        migrate(url, create=True)
        client = DBOSClient(system_database_url=url, application_name="interview-orchestrator")
        client.register_queue(QUEUE, polling_interval_sec=0.05)
        client.destroy()
        return path.read_bytes()
