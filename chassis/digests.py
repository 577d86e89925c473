"""Digests that two processes must compute alike: of a result document, of a configuration, and of code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CODE_SUFFIXES = frozenset({".py", ".json", ".toml", ".yaml"})
"""Files that say what a package does. Documentation and type stubs don't."""
CODE_FOLDERS = {"chassis": "chassis", "interview": "protos/gen/interview", "orchestrator": "orchestrator"}
"""The packages that a result document is made by, and where they lie in a checkout."""
LARGEST_EXACT = 2**53
"""Below it every whole number has one form as a float and as an integer."""
DOCUMENT_DIGEST = "document_sha256"
"""The key of a document's own digest, in its `provenance`."""


def json_digest(value: object) -> str:
    """Return the SHA-256 of a JSON value in lower-case hex, however it is indented and its keys are ordered.

    1 and 1.0 are the same number: programs that read a document and write it again need not know.
    """
    text = json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def document_digest(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a result document, but for the digest that stands in it."""
    provenance = {
        name: value for name, value in document.get("provenance", {}).items() if name != DOCUMENT_DIGEST
    }
    return json_digest({**document, "provenance": provenance})


def configuration_digest(config: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a session's configuration in lower-case hex.

    Documents that were written by older versions hold the digest in this form.
    """
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()


def code_digest(packages: Mapping[str, Path]) -> str:
    """Return the SHA-256 of packages' code in lower-case hex. Blocking.

    Args:
        packages: The folder of each package, by its name. Where it lies on the machine does not count.

    Returns:
        The digest. Empty where a package has no files, so that nothing is known of it.
    """
    digest = hashlib.sha256()
    for name, folder in sorted(packages.items()):
        files = {path.relative_to(folder).as_posix(): path for path in _code_files(folder)}
        if not files:
            return ""
        for relative, path in sorted(files.items()):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{name}/{relative}\0{content}\n".encode())
    return digest.hexdigest()


def _code_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.suffix in CODE_SUFFIXES and path.is_file()]


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < LARGEST_EXACT:
        return int(value)
    return value
