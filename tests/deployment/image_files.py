"""The files that images are built from, as tests read them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.folders import ROOT

FOLDERS = {
    "transcriber": "services/transcriber",
    "translator": "services/translator",
    "assessor": "services/assessor",
    "vision": "services/vision",
    "speaker": "services/speaker",
    "orchestrator": "orchestrator",
    "gateway": "gateway",
    "models": "cli",
}
"""Where each image's code and Dockerfile lie."""
EXTRAS = {
    **{name: name for name in FOLDERS},
    "vision": "vision-headless",
    "transcriber-gpu": "transcriber-gpu",
}
"""The extra of `pyproject.toml` that each image installs."""
LOCKS = ROOT / "images" / "locks"
INSTRUCTION = re.compile(r"^([A-Z]+)\s+(.*)$", re.DOTALL)


@dataclass(frozen=True)
class Instruction:
    """One line of a Dockerfile, its continuation lines joined."""

    word: str
    rest: str


def dockerfile_of(image: str) -> Path:
    """Return the Dockerfile of an image."""
    return ROOT / FOLDERS[image] / "Dockerfile"


def stages_of(image: str) -> dict[str, list[Instruction]]:
    """Return the instructions of each stage of a Dockerfile, `FROM` first. The last one is `final`."""
    text = dockerfile_of(image).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    found = [
        Instruction(*match.groups()) for line in joined.splitlines() if (match := INSTRUCTION.match(line))
    ]
    starts = [number for number, instruction in enumerate(found) if instruction.word == "FROM"]
    stages = [found[start:end] for start, end in zip(starts, [*starts[1:], len(found)], strict=True)]
    return {stage[0].rest.partition(" AS ")[2] or "final": stage for stage in stages}


def copied_code(image: str) -> set[str]:
    """Return the folders and modules of the checkout that an image gets, as dotted names."""
    copies = [line.rest.split() for line in stages_of(image)["build"] if line.word == "COPY"]
    code = [sources[0] for *sources, target in copies if target.startswith("/app/")]
    return {path.removesuffix("/__init__.py").replace("/", ".") for path in code}


def locked(image: str) -> dict[str, tuple[str, int]]:
    """Return the packages of an image by their canonical name: version, and number of hashes."""
    packages: dict[str, tuple[str, int]] = {}
    for entry in (LOCKS / f"{image}.txt").read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        requirement, *hashes = entry.split("--hash=sha256:")
        named = Requirement(requirement.strip())
        (version,) = named.specifier
        assert version.operator == "==", f"{named} is not pinned"
        packages[canonicalize_name(named.name)] = (version.version, len(hashes))
    return packages


def excluded(image: str) -> set[str]:
    """Return the packages that an image is told to do without."""
    path = ROOT / "images" / "excludes" / f"{image}.txt"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {canonicalize_name(line) for line in lines if line and not line.startswith("#")}
