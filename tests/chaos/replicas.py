"""What the database says of replicas: whose sessions are whose."""

from __future__ import annotations

import time

import psycopg

from tests.chaos.processes import until

OWNED = """
    SELECT workflow_uuid FROM dbos.workflow_status
    WHERE name = 'session' AND status = 'PENDING' AND executor_id = %s
"""
STILL = """
    SELECT count(*) FROM dbos.workflow_status
    WHERE workflow_uuid = ANY(%s) AND executor_id = %s AND status = 'PENDING'
"""
LEASES = "SELECT count(*) FROM orch_place"


def owned_by(url: str, replica: str) -> list[str]:
    """Return the sessions that a replica works on."""
    with psycopg.connect(url, autocommit=True) as connection:
        return [str(session_id) for (session_id,) in connection.execute(OWNED, (replica,))]


def takeover_s(url: str, replica: str, since_s: float, sessions: list[str]) -> float:
    """Wait until a replica's sessions are another one's, and return the time since `since_s` (monotonic)."""

    def all_taken() -> bool:
        with psycopg.connect(url, autocommit=True) as connection:
            row = connection.execute(STILL, (sessions, replica)).fetchone()
            return row is not None and row[0] == 0

    until(all_taken, f"{replica}'s sessions stay its own")
    return round(time.monotonic() - since_s, 1)


def no_places_held(url: str) -> None:
    """Wait until nobody holds or wants a place at a stage."""

    def none_left() -> bool:
        with psycopg.connect(url, autocommit=True) as connection:
            row = connection.execute(LEASES).fetchone()
            return row is not None and row[0] == 0

    until(none_left, "a place at a stage was never given back")
