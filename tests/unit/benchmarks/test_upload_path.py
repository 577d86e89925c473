"""The way of an upload to the first stage stays short enough to be read in one go."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.folders import ROOT

MAX_MODULE_COUNT = 72
"""27 of them read a form, store it, create and plan the session and reach the stage. The others are keys,
browsers, quotas, places, usage, owners, tombstones, the audit log, early work, S3 and the database's
troubles."""


def test_an_upload_passes_few_modules_before_the_first_stage_works() -> None:
    command = [sys.executable, "-m", "benchmarks.upload_path"]
    shown = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)

    passed = json.loads(shown.stdout.splitlines()[-1])["modules"]

    assert {"gateway.middleware", "chassis.store.media_store", "orchestrator.stages.extract"} <= set(passed)
    assert len(passed) <= MAX_MODULE_COUNT, passed
