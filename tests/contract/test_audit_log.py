"""The audit log in its database: one chain, append-only, pruned from its beginning, on both databases."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy

from chassis.audit_chain import Head, Verification, as_line, hash_of_session
from chassis.errors import NotFoundError, UnavailableError
from orchestrator.audit.records import Action
from orchestrator.audit.table import MAX_READ_CHARACTERS, AuditTable
from orchestrator.durable.connections import postgres_url as with_driver
from orchestrator.durable.schema import make_tables
from tests.audit_bench import NOW_S, AuditBench

pytestmark = pytest.mark.anyio

SESSION_ID = "c" * 32
APPEND_COUNT = 200
READ_COUNT = 300
DAY_S = 86_400.0


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path / 'state.sqlite'}"


@pytest.fixture
def bench(url: str) -> Iterator[AuditBench]:
    made = AuditBench(url)
    yield made
    made.log.close()


def tell(url: str, statement: str) -> None:
    """Change the database as its administrator might."""
    engine = sqlalchemy.create_engine(url if url.startswith("sqlite") else with_driver(url))
    try:
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text(statement))
    finally:
        engine.dispose()


def records(bench: AuditBench) -> list[dict[str, Any]]:
    return [json.loads(line) for line in bench.lines()]


def told(bench: AuditBench) -> list[tuple[str, str, int]]:
    return [(record["action"], record["outcome"], record["count"]) for record in records(bench)]


async def test_a_record_holds_who_did_what_and_nothing_that_names_the_session(bench: AuditBench) -> None:
    await bench.log.append(Action.ACCEPT, SESSION_ID, answer_count=2)

    (record,) = records(bench)
    assert {**record, "hash": "", "previous": ""} == {
        "seq": 1, "previous": "", "hash": "", "time_ms": int(NOW_S * 1000), "action": "session.accept",
        "outcome": "ok", "who": "system:orchestrator", "group": "", "via": "", "count": 1,
        "session": hash_of_session(SESSION_ID), "details": {"answer_count": 2},
    }  # fmt: skip
    assert SESSION_ID not in "".join(bench.lines())


async def test_two_replicas_with_many_threads_write_one_chain(url: str) -> None:
    make_tables(url)
    tables = [AuditTable(url), AuditTable(url)]

    def append(number: int) -> Head:
        return tables[number % 2].append([{"action": "session.accept", "number": number, "time_ms": 0}])

    # SQLite has one replica, whose appends wait in line. Its own waiting is not fair: one of two may starve.
    with ThreadPoolExecutor(1 if url.startswith("sqlite") else 8) as threads:
        heads = list(threads.map(append, range(APPEND_COUNT)))

    bench = AuditBench(url)
    assert sorted(head.seq for head in heads) == list(range(1, APPEND_COUNT + 1))
    assert bench.problems(max(heads, key=lambda head: head.seq)) == []
    assert {record["number"] for record in records(bench)} == set(range(APPEND_COUNT))
    for table in (*tables, bench.table):
        table.close()


async def test_large_records_come_in_pages_that_fit_into_a_message(bench: AuditBench) -> None:
    large, small = (
        {"action": "keys.changed", "details": {"added": "x" * length}} for length in (5_000_000, 9)
    )
    half = {"action": "keys.changed", "details": {"added": "x" * (MAX_READ_CHARACTERS // 2)}}
    bench.table.append([small, large, small, half, half])

    pages, after_seq = [], 0
    while rows := bench.table.read(after_seq, 1_000)[0]:
        pages.append([seq for seq, _, _ in rows])
        after_seq = pages[-1][-1]

    assert pages == [[1], [2], [3, 4], [5]]


async def test_a_page_and_its_head_are_of_one_moment_while_records_come_and_go(url: str) -> None:
    make_tables(url)
    writer, reader = AuditTable(url), AuditTable(url)
    record = {"action": "session.accept", "time_ms": 0}
    writer.append([record])
    read = threading.Event()

    def write() -> None:
        while not read.is_set():
            writer.append([record])
            writer.prune(1, {"action": "audit.pruned", "time_ms": 0})

    with ThreadPoolExecutor(1) as threads:
        writing = threads.submit(write)
        try:
            pages = [reader.read(-1, 1000) for _ in range(READ_COUNT)]
        finally:
            read.set()
        writing.result()
    for table in (writer, reader):
        table.close()

    assert len({head.seq for _, head in pages}) > 1, "nothing was written meanwhile"
    for rows, head in pages:
        verification = Verification(head)
        for _, line, hash_ in rows:
            verification.add_line(as_line(line, hash_))
        assert verification.finish() == []


async def test_a_log_that_was_not_pruned_refuses_every_change_of_its_rows(bench: AuditBench) -> None:
    await bench.log.append(Action.ACCEPT, SESSION_ID)
    await bench.log.append(Action.CANCEL, SESSION_ID)
    before = bench.lines()

    statements = [
        "UPDATE orch_audit SET record = '{}' WHERE seq = 1",
        "DELETE FROM orch_audit WHERE seq = 1",
        "DELETE FROM orch_audit",
        "INSERT INTO orch_audit (seq, record, hash) VALUES (1, '{}', '')",
    ]
    if bench.url.startswith("sqlite"):
        statements.append("INSERT OR REPLACE INTO orch_audit (seq, record, hash) VALUES (1, '{}', '')")
    else:
        statements.append("TRUNCATE orch_audit")
        statements.append(
            "INSERT INTO orch_audit (seq, record, hash) VALUES (1, '{}', '')"
            " ON CONFLICT (seq) DO UPDATE SET record = '{}'"
        )
    for statement in statements:
        with pytest.raises(sqlalchemy.exc.SQLAlchemyError):
            tell(bench.url, statement)
        assert bench.lines() == before, statement


async def test_a_change_behind_the_triggers_is_found(bench: AuditBench) -> None:
    for _ in range(4):
        await bench.log.append(Action.ACCEPT, SESSION_ID)
    head = bench.table.head()
    if bench.url.startswith("sqlite"):
        tell(bench.url, "DROP TRIGGER orch_audit_update")
        tell(bench.url, "DROP TRIGGER orch_audit_delete")
    else:
        tell(bench.url, "ALTER TABLE orch_audit DISABLE TRIGGER USER")

    tell(bench.url, "UPDATE orch_audit SET record = replace(record, 'accept', 'cancel') WHERE seq = 2")
    assert [(problem.seq, problem.kind) for problem in bench.problems()] == [(2, "changed")]
    tell(bench.url, "DELETE FROM orch_audit WHERE seq IN (2, 4)")
    assert [(problem.seq, problem.kind) for problem in bench.problems(head)] == [
        (2, "missing"),
        (4, "cut off"),
    ]


async def test_a_change_is_written_down_before_and_after(bench: AuditBench) -> None:
    async with bench.log.change(Action.RETRY, SESSION_ID):
        assert told(bench) == [("session.retry", "begun", 1)]
    with pytest.raises(NotFoundError):
        async with bench.log.change(Action.RETRY, SESSION_ID) as change:
            change.details["version"] = 2
            raise NotFoundError("It is gone.", reason="SESSION_NOT_FOUND")

    assert [outcome for _, outcome, _ in told(bench)] == ["begun", "ok", "begun", "SESSION_NOT_FOUND"]
    assert records(bench)[-1]["details"] == {"version": 2}


async def test_a_process_that_dies_in_a_change_leaves_its_beginning(bench: AuditBench) -> None:
    with pytest.raises(KeyboardInterrupt):
        async with bench.log.change(Action.RETRY, SESSION_ID):
            raise KeyboardInterrupt

    # A new process on the same database goes on with the same chain.
    after = AuditBench(bench.url)
    await after.log.append(Action.CANCEL, SESSION_ID)
    assert [outcome for _, outcome, _ in told(after)] == ["begun", "ok"]
    assert after.problems() == []
    after.log.close()


async def test_what_is_read_again_and_again_is_counted(bench: AuditBench) -> None:
    for _ in range(100):
        bench.log.note(Action.READ_RESULT, SESSION_ID, version=1)
    bench.log.note(Action.READ_RESULT, "d" * 32, version=1)
    await bench.log.flush()
    for _ in range(30):
        bench.log.note(Action.READ_RESULT, SESSION_ID, version=1)
    await bench.log.flush()

    assert told(bench) == [("result.read", "ok", 100), ("result.read", "ok", 1)]
    bench.log.close()
    assert told(bench)[2:] == [("result.read", "ok", 30)], "the rest is written at the end"
    assert bench.problems() == []


async def test_pruning_removes_the_beginning_and_the_rest_still_holds(url: str) -> None:
    now = [NOW_S]
    bench = AuditBench(url, now=lambda: now[0])
    for day in range(6):
        now[0] = NOW_S + day * DAY_S
        await bench.log.append(Action.ACCEPT, SESSION_ID)
    early = Head(2, records(bench)[1]["hash"])

    assert await bench.log.prune(2.5 * DAY_S) == 3
    assert await bench.log.prune(2.5 * DAY_S) == 0

    assert [record["seq"] for record in records(bench)] == [4, 5, 6, 7]
    assert told(bench)[-1] == ("audit.pruned", "ok", 1)
    assert bench.problems(bench.table.head()) == []
    assert [problem.kind for problem in bench.problems(early)] == ["not kept"]
    with pytest.raises(sqlalchemy.exc.SQLAlchemyError):
        tell(url, "DELETE FROM orch_audit WHERE seq = 4")

    now[0] += 100 * DAY_S
    assert await bench.log.prune(DAY_S) == 3
    assert [record["seq"] for record in records(bench)] == [7, 8], "the newest one stays"
    assert bench.problems() == []
    bench.log.close()


async def test_no_change_is_made_while_the_database_takes_no_record(tmp_path: Path) -> None:
    bench = AuditBench(f"sqlite:///{tmp_path / 'state.sqlite'}", busy_timeout_s=0.5)
    await bench.log.append(Action.ACCEPT, SESSION_ID)
    made = []
    with closing(sqlite3.connect(tmp_path / "state.sqlite", isolation_level=None)) as writer:
        # Another one's write that does not end. A full disk: `tests/e2e/test_disk_full.py`.
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnavailableError) as refused:
            async with bench.log.change(Action.CANCEL, SESSION_ID):
                made.append("cancelled")
        bench.log.note(Action.READ_RESULT, SESSION_ID)
        with pytest.raises(UnavailableError):
            await bench.log.flush()

    assert (refused.value.reason, made) == ("DATABASE_UNAVAILABLE", [])
    await bench.log.flush()
    assert told(bench) == [("session.accept", "ok", 1), ("result.read", "ok", 1)], "what was noted is kept"


async def test_a_replica_that_is_frozen_in_an_append_stops_the_others_for_a_while_only(
    postgres_url: str,
) -> None:
    bench = AuditBench(postgres_url)
    with psycopg.connect(postgres_url) as frozen:
        frozen.execute("SELECT pg_advisory_xact_lock(hashtextextended('interview-orchestrator audit', 0))")
        waiting = asyncio.create_task(bench.log.append(Action.ACCEPT, SESSION_ID))
        with pytest.raises(UnavailableError):
            await waiting
    await bench.log.append(Action.ACCEPT, SESSION_ID)

    assert len(bench.lines()) == 1
    bench.log.close()
