"""Collects what a machine without a network needs to run `measure`, and cuts it into pieces.

Packages are unpacked here for that machine's Python, so nothing is installed there. The checkout stays out.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from benchmarks.gpu.pieces import Piece, pack
from benchmarks.gpu.recordings import write_recordings
from benchmarks.gpu.transcribers import MODEL
from benchmarks.transcriber.clips import ROOT, speech
from chassis.models import locate
from chassis.settings import default_models_dir

FOLDER = ROOT / "build" / "gpu"
MEASURING = ("jiwer",)
"""Packages that `measure` wants besides the transcriber's."""
CUBLAS = "nvidia-cublas-cu12==12.4.5.8"
"""All that CTranslate2 takes from CUDA. The driver is the machine's own. This version knows Hopper, and has
363 MB where the one that the image has takes 581. It wants no other package."""
NOT_WANTED = ("nvidia/*/include", "nvidia/cublas/lib/libnvblas*", "bin")
PLATFORMS = (*(f"manylinux_2_{minor}_x86_64" for minor in range(5, 29)), "manylinux2014_x86_64")
"""pip takes no older tag for a newer one by itself. glibc 2.28 is Debian 10's."""
MAX_PIECE_MB = 56
"""With the checkout's 8 MB it stays under 64 MiB."""


def transcribers_packages() -> list[str]:
    """Return what a transcriber's process is installed with."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [*project["dependencies"], *project["optional-dependencies"]["transcriber"]]


def install_command(python_version: str, site: Path, packages: Sequence[str]) -> list[str]:
    """Return the command that unpacks packages for another Python than this one."""
    return [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--target", str(site), "--no-compile", "--only-binary=:all:", "--implementation", "cp"),
        *("--python-version", python_version),
        *(f"--platform={platform}" for platform in PLATFORMS),
        *packages,
    ]


def collect(target: Path, python_version: str, *, with_cuda: bool) -> None:
    """Write packages, the model and the recordings into a folder."""
    site = target / "site"
    packages = [*transcribers_packages(), *MEASURING, "--constraint", str(ROOT / "constraints.txt")]
    for wanted in (packages, *([[CUBLAS]] if with_cuda else [])):
        subprocess.run(install_command(python_version, site, wanted), check=True)
    for pattern in NOT_WANTED:
        for path in site.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    model = locate(MODEL, default_models_dir())
    shutil.copytree(model.folder, target / "models" / MODEL)
    write_recordings([(clip.path, clip.language_code) for clip in speech()], target / "recordings")


def how_to_carry(pieces: Sequence[Piece]) -> str:
    """Return what to bring and what to run, call by call."""
    lines = ["On the other machine, in the root of this checkout, piece by piece:"]
    for piece in pieces:
        size_mb = piece.path.stat().st_size / 1e6
        lines.append(f"  bring {piece.path.relative_to(ROOT)} ({size_mb:.1f} MB), then run:")
        last = " && bash benchmarks/gpu/run.sh measure" if piece.number == piece.count else ""
        lines.append(f"    bash benchmarks/gpu/run.sh carry {piece.number}{last}")
    return "\n".join(lines)


def main() -> None:
    """Collect, cut, and say what to do with the pieces."""
    parser = argparse.ArgumentParser(prog="run.sh prepare", description=__doc__)
    parser.add_argument("--python-version", default="3.11", help="of the other machine's python3")
    parser.add_argument("--without-cuda", action="store_true", help="its libraries are there already")
    parser.add_argument("--piece-mb", type=float, default=MAX_PIECE_MB, help="size of a piece")
    chosen = parser.parse_args()
    shutil.rmtree(FOLDER, ignore_errors=True)
    there, pieces_folder = FOLDER / "there", FOLDER / "pieces"
    pieces_folder.mkdir(parents=True)
    print("collecting (minutes: CUDA's libraries are large)")
    collect(there, chosen.python_version, with_cuda=not chosen.without_cuda)
    (there / "python-version").write_text(chosen.python_version + "\n", encoding="ascii")
    print("compressing (minutes)")
    pieces = pack(there, pieces_folder, round(chosen.piece_mb * 1e6))
    print(how_to_carry(pieces))


if __name__ == "__main__":
    main()
