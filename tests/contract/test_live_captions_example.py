"""The example client, as its README says it is used: a process of its own, on a real socket."""

from __future__ import annotations

import ast
import asyncio
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.fakes.transcriber import FakeSpeechModel, decoded, silence, tone, write_wav
from tests.folders import ROOT
from tests.transcriber_server import transcriber_at

pytestmark = pytest.mark.anyio

EXAMPLE = ROOT / "examples" / "live_captions.py"
SAID = (decoded("I rebuilt the index.", 0.4, 1.9),)
SPEECH = np.concatenate([part for _ in range(6) for part in (tone(8), silence(1))])


async def printed(folder: Path, *arguments: str, stdin: bytes = b"") -> list[str]:
    (folder / "spool").mkdir()
    async with transcriber_at(FakeSpeechModel(SAID), folder / "spool", growing_count=1) as address:
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, str(EXAMPLE), *arguments, "--address", address, "--language", "en"],
            input=stdin,
            capture_output=True,
            timeout=60,
            check=False,
            env=os.environ,
        )
    assert done.stderr == b""
    return done.stdout.decode().splitlines()


async def test_a_file_is_sent_as_it_was_spoken_and_its_words_come_before_its_end(tmp_path: Path) -> None:
    recording = write_wav(tmp_path / "a.wav", SPEECH)
    lines = await printed(tmp_path, str(recording), "--speed", "8")

    assert lines[0].startswith("~ 0.4-1.9 s, ")
    assert lines[0].endswith("s later: I rebuilt the index.")
    assert lines[-1].startswith("= ")


async def test_another_wav_is_sent_too(tmp_path: Path) -> None:
    recording = write_wav(tmp_path / "a.wav", SPEECH, rate_hz=22_050)
    lines = await printed(tmp_path, str(recording), "--speed", "0")

    assert any(line.startswith("= ") for line in lines)


async def test_a_microphone_is_read_from_standard_input(tmp_path: Path) -> None:
    samples = (SPEECH * 32_000).astype("<i2").tobytes()
    lines = await printed(tmp_path, "-", stdin=samples)

    assert lines[-1].startswith("= ")


def test_it_needs_the_installed_package_and_grpc_only() -> None:
    tree = ast.parse(EXAMPLE.read_text(encoding="utf-8"))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    assert imported - set(sys.stdlib_module_names) == {"grpc", "interview"}
