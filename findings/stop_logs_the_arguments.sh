#!/usr/bin/env bash
# DBOS: the arguments of a step that runs when the process is stopped are logged at WARNING, in full.
#
# Versions: dbos 3.4.0, Python 3.11.
# Input: a workflow in an asynchronous step that gets a person's name. The process is stopped: DBOS is shut down, the loop ends.
# Expected: the log says that a step of a workflow was cancelled, by its name or number. A log is read by more people than the data.
# What happens: the line holds the representation of a functools.partial, and with it each argument in full.
# Who is hit: whoever gives a step personal data and collects logs. It needs no error: each planned restart does it.
#   Give a step a key and let it read the data, give the arguments a `__repr__` that says nothing, or cut the line in a log filter.
# Output seen:
#   WARNING: the name is in the line "Asyncio task cancelled for workflow or step functools.partial(<func"...
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" dbos==3.4.0
PYTHONPATH=$packages python3.11 - "$packages" <<'PY'
import asyncio
import logging
import sys

from dbos import DBOS, SetWorkflowID

NAME = "Ana Example"
lines = []


class Keeping(logging.Handler):
    def emit(self, record):
        lines.append((record.levelname, record.getMessage()))


DBOS(config={"name": "example", "system_database_url": f"sqlite:///{sys.argv[1]}/state.sqlite", "run_admin_server": False})
begun = asyncio.Event()


@DBOS.step()
async def work(name):
    begun.set()
    await asyncio.sleep(60)


@DBOS.workflow()
async def flow(name):
    await work(name)


async def main():
    DBOS.launch()
    logging.getLogger("dbos").handlers = [Keeping()]
    with SetWorkflowID("first"):
        await DBOS.start_workflow_async(flow, NAME)
    await asyncio.wait_for(begun.wait(), 30)
    DBOS.destroy()


asyncio.run(main())
shown = [(level, text) for level, text in lines if NAME in text]
for level, text in shown:
    print(f'{level}: the name is in the line "{text[:67]}"...')
assert any(level == "WARNING" and "functools.partial(" in text for level, text in shown), "changed"
PY
