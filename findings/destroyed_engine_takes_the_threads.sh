#!/usr/bin/env bash
# DBOS: after `DBOS.destroy()` nothing of the program can use a thread by asyncio any more, and the next engine loses what it takes up.
#
# Versions: dbos 3.4.0, Python 3.11.
# Input: one event loop. An engine runs an asynchronous workflow and is destroyed in good order. Then the program uses the loop for
#   its own ends, and starts a second engine on the same database, as a test, a reload or a change of settings does.
# Expected: what the engine brought goes with it. The loop is the program's.
# What happens: at its first asynchronous call the engine makes its own pool of threads the loop's default, and says so nowhere.
#   `destroy` shuts that pool down and leaves it there. From then on `asyncio.to_thread`, `loop.run_in_executor(None, …)` and
#   `loop.getaddrinfo` (so each connection to a name) raise "cannot schedule new futures after shutdown".
#   The second engine sets its own pool at its first call of that kind only. The work that it takes up at its launch comes before
#   and meets the closed pool. The row stays PENDING, and nobody works on it. No error reaches the program.
# Who is hit: programs that end the engine before themselves, or start a second one; test suites with one loop.
#   What helps: `loop.set_default_executor(ThreadPoolExecutor())` after `destroy` and before `launch`.
# Output seen:
#   before destroy: a thread works
#   after destroy:  to_thread: cannot schedule new futures after shutdown; getaddrinfo: cannot schedule new futures after shutdown
#   second engine:  PENDING 10 s after its launch
#   with new threads for the loop, a third one: SUCCESS
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" dbos==3.4.0
PYTHONPATH=$packages python3.11 - "$packages" <<'PY'
import asyncio
import logging
import sys
from concurrent.futures import ThreadPoolExecutor

from dbos import DBOS, SetWorkflowID

CONFIG = {
    "name": "example",
    "system_database_url": f"sqlite:///{sys.argv[1]}/state.sqlite",
    "run_admin_server": False,
    "application_version": "1",
}
PATIENCE_S = 10
go_on = asyncio.Event()


@DBOS.step()
async def wait_for_others():
    await go_on.wait()
    return "done"


@DBOS.workflow()
async def flow():
    return await wait_for_others()


def launched():
    DBOS(config=CONFIG)
    logging.getLogger("dbos").setLevel(logging.CRITICAL + 1)
    DBOS.launch()


async def tried(work):
    try:
        await work
    except RuntimeError as error:
        return str(error)
    return "works"


async def status():
    """Ask without the loop's own threads."""
    with ThreadPoolExecutor() as own:
        looking = own.submit(DBOS.list_workflows, workflow_ids=["waits"], load_output=False)
        (row,) = await asyncio.wrap_future(looking)
    return row.status


async def main():
    launched()
    with SetWorkflowID("waits"):
        await DBOS.start_workflow_async(flow)
    print("before destroy: a thread", await tried(asyncio.to_thread(int)))
    await asyncio.sleep(1)
    DBOS.destroy(workflow_completion_timeout_sec=0)
    loop = asyncio.get_running_loop()
    thread, name = await tried(asyncio.to_thread(int)), await tried(loop.getaddrinfo("localhost", 80))
    print(f"after destroy:  to_thread: {thread}; getaddrinfo: {name}")
    go_on.set()

    launched()
    await asyncio.sleep(PATIENCE_S)
    second = await status()
    print(f"second engine:  {second} {PATIENCE_S} s after its launch")
    DBOS.destroy(workflow_completion_timeout_sec=0)

    loop.set_default_executor(ThreadPoolExecutor())
    launched()
    await asyncio.sleep(PATIENCE_S)
    third = await status()
    print(f"with new threads for the loop, a third one: {third}")
    DBOS.destroy(workflow_completion_timeout_sec=0)
    assert "after shutdown" in thread, "changed"
    assert "after shutdown" in name, "changed"
    assert (second, third) == ("PENDING", "SUCCESS"), "changed"


asyncio.run(main())
PY
