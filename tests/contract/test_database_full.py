"""Errors of a database without room: which ones pass, and what callers are told. A full disk: `tests/e2e`."""

from __future__ import annotations

import asyncio
import sqlite3

import pytest

from chassis.errors import UnavailableError
from chassis.readiness import Readiness
from orchestrator.durable.trouble import REASON, DatabaseTrouble

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("name", ["SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_READONLY", "SQLITE_CANTOPEN"])
def test_an_error_that_may_pass_is_one_that_the_engine_waits_for(name: str) -> None:
    readiness = Readiness()
    trouble = DatabaseTrouble(readiness)

    with pytest.raises(sqlite3.OperationalError, match="database is locked"), trouble.noted():
        raise error_of(name)

    assert trouble.there and readiness.lacking == {REASON}


def test_an_error_that_does_not_pass_is_raised_as_it_is() -> None:
    readiness = Readiness()

    with pytest.raises(sqlite3.OperationalError, match="no such table"), DatabaseTrouble(readiness).noted():
        raise error_of("SQLITE_ERROR", "no such table")

    assert readiness.lacking == frozenset()


async def test_a_database_that_does_not_answer_holds_no_caller() -> None:
    trouble = DatabaseTrouble(Readiness(), call_timeout_s=0.05)

    with pytest.raises(UnavailableError) as late:
        await trouble.bounded(asyncio.sleep(60))

    assert late.value.reason == REASON


def error_of(name: str, message: str = "it is full") -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(message)
    error.sqlite_errorcode, error.sqlite_errorname = getattr(sqlite3, name), name
    return error
