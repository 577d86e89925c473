"""Writes the metadata of this project where its code lies in an image without being installed.

    python own_metadata.py FOLDER

The orchestrator writes the version into every result, and `interview --version` shows it.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).with_name("pyproject.toml")


def write(pyproject: Path, folder: Path) -> Path:
    """Write a `dist-info` folder of name and version.

    Args:
        pyproject: The project's `pyproject.toml`.
        folder: A folder of `PYTHONPATH`.

    Returns:
        The new folder.
    """
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    name, version = project["name"], project["version"]
    written = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    written.mkdir(parents=True)
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nLicense: {project['license']}\n"
    (written / "METADATA").write_text(metadata, encoding="utf-8")
    return written


if __name__ == "__main__":
    write(PYPROJECT, Path(sys.argv[1]))
