"""Two loaders of one volume: one fetches, the other waits, and neither waits for a dead one."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

from chassis.models import folder_of
from cli.fetching.fetch import fetch_entry
from cli.fetching.lease import LEASE, LeaseTimes
from tests.folders import ROOT
from tests.hub_server import CONTENT, QUICK, Hub, begun, entry_with, left_over, model_file
from tests.waiting import wait_until


def test_a_second_loader_waits_for_the_first_and_fetches_nothing(hub: Hub, tmp_path: Path) -> None:
    hub.hold = threading.Event()
    entry = entry_with(CONTENT)
    loaders = [
        threading.Thread(target=fetch_entry, args=(entry, tmp_path), kwargs={"times": QUICK})
        for _ in range(2)
    ]
    for loader in loaders:
        loader.start()
    wait_until(lambda: len(hub.asked) == 1)

    hub.hold.set()
    for loader in loaders:
        loader.join(60)

    assert len(hub.asked) == 1
    assert model_file(entry, tmp_path).read_bytes() == CONTENT
    assert left_over(entry, tmp_path) == []


LOADER = """
    import sys
    from pathlib import Path
    from cli.fetching.fetch import fetch_entry
    from tests.hub_server import CONTENT, QUICK, entry_with
    fetch_entry(entry_with(CONTENT), Path(sys.argv[1]), times=QUICK)
"""


def start_loader(models_dir: Path) -> subprocess.Popen[bytes]:
    environ = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'protos' / 'gen'}"}
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(LOADER), str(models_dir)], cwd=ROOT, env=environ
    )


def test_of_two_processes_one_is_killed_and_the_other_goes_on(hub: Hub, tmp_path: Path) -> None:
    hub.hold = threading.Event()
    entry = entry_with(CONTENT)
    first = start_loader(tmp_path)
    try:
        wait_until(lambda: len(hub.asked) == 1)
        second = start_loader(tmp_path)
    finally:
        first.kill()
        first.wait()
    hub.hold.set()

    assert second.wait(60) == 0
    assert model_file(entry, tmp_path).read_bytes() == CONTENT
    assert left_over(entry, tmp_path) == []


def test_the_lease_of_a_loader_that_died_on_another_machine_is_broken(hub: Hub, tmp_path: Path) -> None:
    entry = entry_with(CONTENT)
    folder = folder_of(entry, tmp_path)
    folder.mkdir()
    (folder / LEASE).write_text('{"loader": "far", "boot": "another machine"}')

    fetch_entry(entry, tmp_path, times=QUICK)

    assert model_file(entry, tmp_path).read_bytes() == CONTENT
    assert left_over(entry, tmp_path) == []


def test_a_loader_that_hangs_for_too_long_is_not_waited_for_and_keeps_its_files(
    hub: Hub, tmp_path: Path
) -> None:
    entry = entry_with(CONTENT)
    folder = folder_of(entry, tmp_path)
    hanging = begun(entry, tmp_path, CONTENT[:10], '"first"')
    stop = threading.Event()

    def beat() -> None:
        count = 0
        while not stop.wait(0.01):
            count += 1
            (folder / LEASE).write_text('{"loader": "alive", "boot": "another machine"}' + " " * count)

    beating = threading.Thread(target=beat)
    beating.start()
    wait_until(lambda: (folder / LEASE).exists())
    try:
        fetch_entry(entry, tmp_path, times=LeaseTimes(stale_after_s=30.0, longest_wait_s=0.2, poll_s=0.01))
    finally:
        stop.set()
        beating.join()

    assert hanging.read_bytes() == CONTENT[:10], "it is the other one's"
    assert model_file(entry, tmp_path).read_bytes() == CONTENT
