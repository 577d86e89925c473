#!/usr/bin/env bash
# DBOS: a workflow that is cancelled and deleted works on to the end of its step. One that is only cancelled stops.
#
# Versions: dbos 3.4.0, Python 3.11.
# Input: a workflow in an asynchronous step of six seconds that is `preemptible`, so that it is cancelled with its workflow.
#   After half a second it is cancelled, or deleted, or cancelled and then deleted.
# Expected: the step is cancelled in all three. To cancel and then delete is the careful way to remove somebody's data.
# What happens: the step looks once a second whether the workflow's row says CANCELLED. A row that is gone does not. So the
#   step runs to its end, with all that it does outside: calls that cost money, files that it writes. Its workflow then ends with
#   "Non-existent target workflow". Nothing says that something still runs.
# Who is hit: whoever erases a person's data by deleting workflows. What the step writes after the deletion stays, with no row
#   that leads to it. Wait for more than a second between the two, and for the step's end before removing what it wrote.
# Output seen:
#   cancelled:             step was stopped
#   deleted:               step ran to its end
#   cancelled and deleted: step ran to its end
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" dbos==3.4.0
PYTHONPATH=$packages python3.11 - "$packages" <<'PY'
import asyncio
import logging
import sys

from dbos import DBOS, SetWorkflowID

STEP_S = 6
DBOS(config={"name": "example", "system_database_url": f"sqlite:///{sys.argv[1]}/state.sqlite", "run_admin_server": False})
logging.getLogger("dbos").setLevel(logging.CRITICAL)
ends = {}


@DBOS.step(preemptible=True)
async def work(name):
    try:
        await asyncio.sleep(STEP_S)
        ends[name] = "ran to its end"
    except asyncio.CancelledError:
        ends[name] = "was stopped"
        raise


@DBOS.workflow()
async def flow(name):
    await work(name)


async def end_of(name, *actions):
    """Start a workflow, do something to it, and return how its step ended."""
    with SetWorkflowID(name):
        await DBOS.start_workflow_async(flow, name)
    await asyncio.sleep(0.5)
    for action in actions:
        await action(name)
    await asyncio.sleep(STEP_S + 1)
    return ends[name]


async def main():
    DBOS.launch()
    cancel, delete = DBOS.cancel_workflow_async, DBOS.delete_workflow_async
    seen = {
        "cancelled:": await end_of("first", cancel),
        "deleted:": await end_of("second", delete),
        "cancelled and deleted:": await end_of("third", cancel, delete),
    }
    for name, end in seen.items():
        print(f"{name:<22} step {end}")
    DBOS.destroy()
    assert list(seen.values()) == ["was stopped", "ran to its end", "ran to its end"], "changed"


asyncio.run(main())
PY
