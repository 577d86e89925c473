"""Sizes of built images, and a list of packages (CycloneDX) beside each.

    python -m images.report [NAME…]

Writes `build/images/NAME.cdx.json`, prints a table and one line of JSON. It reads images through the command
`docker`, and starts none. The list holds Python's packages as they are installed, each once. Debian's are not
in it, nor what a package carries inside itself (setuptools does).
Exits with 1 where an image is larger than its target.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import tempfile
import venv
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
REPORTS = ROOT / "build" / "images"
TARGETS_MB = {
    "gateway": 200,
    "orchestrator": 400,
    "translator": None,
    "assessor": None,
    "transcriber": 600,
    "vision": 900,
    "speaker": 900,
    "models": None,
    "transcriber-gpu": 1700,
}
"""Largest size of each image, its base included. None where there is no target."""
TIMEOUT_S = 600.0


@dataclass(frozen=True)
class ImageSize:
    """Size of one image."""

    name: str
    size_mb: int
    """Uncompressed, in 10⁶ bytes, as the engine counts it."""
    above_root_mb: int
    """What it adds to the trimmed root, the layer that all images share."""
    target_mb: int | None
    package_count: int
    """Python packages in its list."""

    @property
    def is_within_target(self) -> bool:
        """Tell whether it is as small as it has to be."""
        return self.target_mb is None or self.size_mb <= self.target_mb


def docker(*arguments: str) -> str:
    """Run the command `docker` and return what it prints.

    Raises:
        subprocess.CalledProcessError: It failed. Its own message went to standard error.
    """
    command = ["docker", *arguments]
    return subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=True, timeout=TIMEOUT_S
    ).stdout.strip()


def size_bytes(reference: str) -> int:
    """Return the size of an image."""
    return int(docker("image", "inspect", "--format", "{{.Size}}", reference))


def root_bytes(reference: str) -> int:
    """Return the size of an image's first layer: the trimmed root."""
    return int(docker("history", "--human=false", "--format", "{{.Size}}", reference).splitlines()[-1])


def root_digest(reference: str) -> str:
    """Return the digest of an image's first layer."""
    return docker("image", "inspect", "--format", "{{index .RootFS.Layers 0}}", reference)


def keep_metadata(archive: tarfile.TarFile, site_packages: Path) -> None:
    """Unpack the metadata of packages, and nothing else of an image's environment.

    Args:
        archive: The environment, as `docker cp` sends it.
        site_packages: Where `NAME.dist-info/METADATA` and its neighbours go.
    """
    for member in archive:
        folder = Path(member.name).parent
        if not member.isfile() or folder.suffix != ".dist-info":
            continue
        if folder.parent.name != "site-packages":
            continue  # What a package carries inside itself is not installed. It may be there twice.
        content = archive.extractfile(member)
        if content is not None:
            target = site_packages / folder.name / Path(member.name).name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.read())


def write_package_list(reference: str, path: Path) -> int:
    """Write the CycloneDX list of an image's Python packages.

    Args:
        reference: The image.
        path: The file to write.

    Returns:
        How many packages it names.
    """
    container = docker("create", reference)
    try:
        with tempfile.TemporaryDirectory() as folder:
            environment = Path(folder) / "environment"
            venv.create(environment, with_pip=False)
            site_packages = next(environment.glob("lib/python*/site-packages"))
            with (
                subprocess.Popen(
                    ["docker", "cp", f"{container}:/opt/venv/lib", "-"], stdout=subprocess.PIPE
                ) as copying,
                tarfile.open(fileobj=copying.stdout, mode="r|") as archive,
            ):
                keep_metadata(archive, site_packages)
            command = [sys.executable, "-m", "cyclonedx_py", "environment", str(environment)]
            command += ["--pyproject", "pyproject.toml", "--output-reproducible", "--output-file", str(path)]
            # Else packages of this one would be taken for the image's.
            told = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
            subprocess.run(command, check=True, cwd=ROOT, env=told, timeout=TIMEOUT_S)
    finally:
        docker("rm", "--volumes", container)
    return len(json.loads(path.read_text(encoding="utf-8"))["components"])


def table(sizes: Sequence[ImageSize], base: str, base_mb: int, root_mbs: Sequence[int]) -> str:
    """Return the sizes as a table of Markdown.

    Args:
        sizes: Of the images.
        base: The base.
        base_mb: Its size.
        root_mbs: The sizes of the different roots. One, if all images share it.
    """
    trimmed = " or ".join(str(root_mb) for root_mb in root_mbs)
    layers = "one layer" if len(root_mbs) == 1 else f"{len(root_mbs)} layers: build all in one go to share it"
    lines = [
        f"`{base}` has {base_mb} MB, trimmed {trimmed} MB (in {layers}):",
        "",
        "| image | MB | above the root | target | Python packages |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {size.name} | {size.size_mb} | {size.above_root_mb} |"
        f" {'–' if size.target_mb is None else size.target_mb}"
        f"{'' if size.is_within_target else ' (missed)'} | {size.package_count} |"
        for size in sizes
    ]
    return "\n".join(lines)


def main(names: Sequence[str]) -> int:
    """Report on built images. Without names on all of the default targets."""
    names = names or [name for name in TARGETS_MB if name != "transcriber-gpu"]
    if unknown := sorted(set(names) - set(TARGETS_MB)):
        print(f"No image is named {', '.join(unknown)}. There are {', '.join(TARGETS_MB)}.", file=sys.stderr)
        return 2
    prefix = os.environ.get("INTERVIEW_IMAGE_PREFIX", "interview")
    tag = os.environ.get("INTERVIEW_IMAGE_TAG", "0.1.0")
    base = os.environ.get("BASE_IMAGE", "python:3.11-slim")
    REPORTS.mkdir(parents=True, exist_ok=True)
    sizes = []
    roots: dict[str, int] = {}
    for name in names:
        reference = f"{prefix}/{name}:{tag}"
        image_bytes = size_bytes(reference)
        trimmed_bytes = root_bytes(reference)
        roots[root_digest(reference)] = round(trimmed_bytes / 1e6)
        count = write_package_list(reference, REPORTS / f"{name}.cdx.json")
        above_mb = round((image_bytes - trimmed_bytes) / 1e6)
        sizes.append(ImageSize(name, round(image_bytes / 1e6), above_mb, TARGETS_MB[name], count))
    base_mb = round(size_bytes(base) / 1e6)
    root_mbs = list(roots.values())
    print(table(sizes, base, base_mb, root_mbs))
    told = {
        "base": base,
        "base_mb": base_mb,
        "root_mbs": root_mbs,
        "images": [asdict(size) for size in sizes],
    }
    print(json.dumps(told))
    return 0 if all(size.is_within_target for size in sizes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
