"""Wherever a replica freezes, the server ends its transaction after a while, and its locks with it."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import sqlalchemy
from psycopg.adapt import Dumper

from orchestrator.durable.connections import connect

INSERT = "INSERT INTO example (id) VALUES (:id)"
STATE = "SELECT state FROM pg_stat_activity WHERE application_name = 'interview-orchestrator example'"


class Watched(str):
    """A value that tells when it is about to be sent."""

    sent: Callable[[], None]

    @classmethod
    def telling(cls, text: str, sent: Callable[[], None]) -> Watched:
        value = cls(text)
        value.sent = sent
        return value


class WatchedDumper(Dumper):
    def dump(self, obj: Watched) -> bytes:
        obj.sent()
        return obj.encode()


def test_each_of_many_rows_is_answered_before_the_next_is_sent(postgres_url: str) -> None:
    """Between two of them a transaction is idle, which has its limit. A pipeline has none."""
    engine = connect(postgres_url, "example", connection_count=1)
    seen = []
    with psycopg.connect(postgres_url, autocommit=True) as other, engine.begin() as connection:

        def look() -> None:
            (row,) = other.execute(STATE).fetchall()
            locks = other.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'transactionid'").fetchone()
            seen.append((row[0], locks))

        connection.execute(sqlalchemy.text("CREATE TABLE example (id text PRIMARY KEY)"))
        connection.exec_driver_sql("SAVEPOINT before")
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        driver.adapters.register_dumper(Watched, WatchedDumper)
        rows = [{"id": Watched.telling(name, look)} for name in ("one", "two", "three")]
        connection.execute(sqlalchemy.text(INSERT), rows)
        found = connection.execute(sqlalchemy.text("SELECT count(*) FROM example")).scalar()
    engine.dispose()

    assert found == 3
    before, between, after = seen
    assert {state for state, _ in seen} == {"idle in transaction"}
    assert before[1] != between[1] == after[1], (
        "the first row was not sent alone: the subtransaction has no lock"
    )
