#!/usr/bin/env bash
# DBOS: each restart of a process, also a planned one, uses up a recovery attempt of each workflow that waits in it.
#
# Versions: dbos 3.4.0, Python 3.11.
# Input: a workflow that sleeps for an hour, with `max_recovery_attempts=3` so that the script is short (the default is 100).
#   Its process is stopped in good order (`DBOS.destroy()`) and started again, some times. Nothing ever fails.
# Expected: the bound is for workflows that bring their process down. A sleeping one is not to blame for a deployment, so it sleeps on.
# What happens: every start counts, whatever ended the process before. After the fourth restart the workflow is
#   MAX_RECOVERY_ATTEMPTS_EXCEEDED, for good, and is not run again. All workflows that wait in the process lose an attempt together.
#   `DBOS.resume_workflow` takes it up again, with the count at 0.
# Who is hit: workflows that wait for long (a person, a service that is away, the end of a month) in a service that is deployed often,
#   and all innocent ones beside a workflow that really kills its process. With a bound of 5 or 10, as is advised against crash
#   loops, it takes a busy week.
# Output seen:
#   start 1: PENDING, attempts 1
#   start 2: PENDING, attempts 2
#   start 3: PENDING, attempts 3
#   start 4: PENDING, attempts 4
#   start 5: MAX_RECOVERY_ATTEMPTS_EXCEEDED, attempts 5
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" dbos==3.4.0
cat > "$packages/process.py" <<'PY'
import asyncio
import logging
import sys

from dbos import DBOS, SetWorkflowID

path, start = sys.argv[1], int(sys.argv[2])
# The version is given, so that each start takes up the work of the one before.
url = f"sqlite:///{path}/state.sqlite"
DBOS(config={"name": "example", "system_database_url": url, "run_admin_server": False, "application_version": "1"})
logging.getLogger("dbos").setLevel(logging.CRITICAL + 1)


@DBOS.workflow(max_recovery_attempts=3)
async def wait():
    await DBOS.sleep_async(3600)


async def main():
    DBOS.launch()
    if start == 1:
        with SetWorkflowID("waiting"):
            await DBOS.start_workflow_async(wait)
    await asyncio.sleep(2)
    (row,) = await DBOS.list_workflows_async(workflow_ids=["waiting"])
    print(f"start {start}: {row.status}, attempts {row.recovery_attempts}")
    DBOS.destroy(workflow_completion_timeout_sec=0)


asyncio.run(main())
PY
for start in 1 2 3 4 5; do
    seen=$(PYTHONPATH=$packages timeout 60 python3.11 "$packages/process.py" "$packages" "$start" 2>/dev/null)
    echo "$seen"
    expected=PENDING
    if [ "$start" = 5 ]; then expected=MAX_RECOVERY_ATTEMPTS_EXCEEDED; fi
    if [ "$seen" != "start $start: $expected, attempts $start" ]; then echo changed >&2; exit 1; fi
done
