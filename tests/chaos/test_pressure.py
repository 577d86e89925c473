"""A replica whose own loop is busy, on a machine that is busy, is not taken for dead."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psycopg
import pytest

from orchestrator.durable.config import EngineConfig
from orchestrator.durable.failover import Failover
from orchestrator.durable.schema import migrate

pytestmark = pytest.mark.chaos

DEAD_AFTER_S = 5.0
BUSY_S = 12.0
BURNER_COUNT = 4
PENDING = """
    INSERT INTO dbos.workflow_status
        (workflow_uuid, status, name, executor_id, application_version, created_at, updated_at, priority)
    VALUES ('session', 'PENDING', 'session', 'busy', '1', 0, 0, 0)
"""


@contextmanager
def burning() -> Iterator[None]:
    """Load the machine with a process that does nothing but count."""
    child = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        child.kill()
        child.wait()


def hold_the_interpreter(until_s: float) -> None:
    """Do what a loop does that decodes one message after another: never wait."""
    while time.monotonic() < until_s:
        sum(range(1000))


def test_a_busy_replica_on_a_busy_machine_is_not_taken_for_dead(postgres_url: str) -> None:
    migrate(postgres_url)
    taken: list[str] = []
    busy = Failover(EngineConfig(postgres_url, "busy", heartbeat_interval_s=0.5), take_over=lambda _: None)
    config = EngineConfig(postgres_url, "looker", heartbeat_interval_s=0.2, dead_after_s=DEAD_AFTER_S)
    looker = Failover(config, take_over=taken.extend)
    with ExitStack() as started:
        for failover in (busy, looker):
            failover.claim()
            started.callback(failover.stop)
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(PENDING.encode())
        for _ in range(BURNER_COUNT):
            started.enter_context(burning())
        for failover in (busy, looker):
            failover.start()
        until_s = time.monotonic() + BUSY_S
        others = [threading.Thread(target=hold_the_interpreter, args=(until_s,)) for _ in range(3)]
        for thread in others:
            thread.start()
        hold_the_interpreter(until_s)
        for thread in others:
            thread.join()
        assert taken == []
