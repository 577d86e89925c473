#!/usr/bin/env bash
# DBOS on SQLite: a disk that is full for a moment leaves a workflow PENDING for good. A locked file is waited out.
#
# Versions: dbos 3.4.0, SQLAlchemy 2.1.9, Python 3.11.
# Input: a workflow of two steps. While the first one runs, the database takes no writes for some seconds: another process holds
#   its lock, or there is no room (shown by SQLite's own bound, `max_page_count`, which gives the error of a full disk).
# Expected: both pass by themselves, so both are waited out. DBOS's documentation says that a workflow pauses until the
#   database is back, and that it is durable.
# What happens: the engine tries again for as long as the error has the words "database is locked". "database or disk is full" is
#   an error like any other: the run ends at the step's checkpoint. The workflow's end can't be written down either, so the row
#   stays PENDING under a process that lives, and nobody works on it. It is taken up at the next start of that process alone.
# Who is hit: SQLite on a small volume, or beside files that grow (recordings). Space is made, all looks well, and what was at
#   work at that moment never ends. `outage_told_by_its_words.sh` shows the same way of telling errors apart on Postgres.
# Output seen:
#   locked for 8 s: SUCCESS, second step ran
#   full for 8 s:   PENDING, second step did not run, 15 s after there was room
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" dbos==3.4.0 SQLAlchemy==2.1.9
PYTHONPATH=$packages python3.11 - "$packages" <<'PY'
import asyncio
import logging
import os
import sqlite3
import sys

import sqlalchemy
from dbos import DBOS, SetWorkflowID

AWAY_S, PATIENCE_S = 8, 15
path = f"{sys.argv[1]}/state.sqlite"
engine = sqlalchemy.create_engine(f"sqlite:///{path}")
bound = {"pages": 1 << 30}


@sqlalchemy.event.listens_for(engine, "checkout")
def keep_bound(connection, record, proxy):
    connection.execute(f"PRAGMA max_page_count={bound['pages']}")


DBOS(
    config={
        "name": "example",
        "system_database_url": f"sqlite:///{path}",
        "system_database_engine": engine,
        "run_admin_server": False,
    }
)
logging.getLogger("dbos").setLevel(logging.CRITICAL)
second_ran = set()


@DBOS.step()
async def first(name):
    await asyncio.sleep(2)
    return "x" * 1_000_000


@DBOS.step()
async def second(name):
    second_ran.add(name)


@DBOS.workflow()
async def flow(name):
    await first(name)
    await second(name)


async def lock():
    holder = sqlite3.connect(path)
    holder.execute("BEGIN IMMEDIATE")
    await asyncio.sleep(AWAY_S)
    holder.rollback()
    holder.close()


async def fill():
    bound["pages"] = os.path.getsize(path) // 4096 + 20
    await asyncio.sleep(AWAY_S)
    bound["pages"] = 1 << 30


async def end_of(name, take_away):
    """Run a workflow while the database is taken away, and return its state some time after that."""
    with SetWorkflowID(name):
        await DBOS.start_workflow_async(flow, name)
    await asyncio.sleep(0.5)
    await take_away()
    await asyncio.sleep(PATIENCE_S)
    (row,) = await DBOS.list_workflows_async(workflow_ids=[name], load_output=False)
    return row.status


async def main():
    DBOS.launch()
    locked, full = await end_of("locked", lock), await end_of("full", fill)
    ran = {name: "ran" if name in second_ran else "did not run" for name in ("locked", "full")}
    print(f"locked for {AWAY_S} s: {locked}, second step {ran['locked']}")
    print(f"full for {AWAY_S} s:   {full}, second step {ran['full']}, {PATIENCE_S} s after there was room")
    DBOS.destroy()
    assert (locked, full) == ("SUCCESS", "PENDING"), "changed"
    assert second_ran == {"locked"}, "changed"


asyncio.run(main())
PY
