"""Removes from installed packages what a running process never reads. Runs in the stage that builds.

    python trim_packages.py FOLDER

Tests, stubs for type checkers, sources of compiled modules, and symbols of libraries. A library that the
loader would not take any more stays as it was.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

SOURCES = {".pyi", ".pyx", ".pxd", ".c", ".cc", ".cpp", ".h", ".hpp", ".a"}
TESTS = "tests"
ELF = b"\x7fELF"
TIMEOUT_S = 120.0

Strip = Callable[[Path, Path], bool]
"""Writes a library without symbols to a new file. Tells whether it can be loaded."""


def strip(library: Path, written: Path) -> bool:
    """Write a library without the symbols that only a debugger reads, by binutils."""
    command = ["strip", "--strip-unneeded", "-o", str(written), str(library)]
    if subprocess.run(command, capture_output=True, check=False, timeout=TIMEOUT_S).returncode != 0:
        return False
    return _as_loaded(written) == _as_loaded(library)


def _as_loaded(library: Path) -> tuple[int, list[str]]:
    """Return what the loader says of a library: whether it takes it, and which ones it takes with it."""
    (loader, *_) = sorted(Path("/").glob("lib*/ld-linux*.so.*"))
    command = [str(loader), "--list", str(library.resolve())]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
    return told.returncode, [line.split()[0] for line in told.stdout.splitlines() if line.split()]


def remove_what_is_not_read(folder: Path) -> None:
    """Remove tests, stubs and sources."""
    for tests in [path for path in folder.rglob(TESTS) if path.is_dir()]:
        shutil.rmtree(tests, ignore_errors=True)
    for path in folder.rglob("*"):
        if path.suffix in SOURCES and path.is_file() and not path.is_symlink():
            path.unlink()


def strip_libraries(folder: Path, strip: Strip = strip) -> int:
    """Strip all libraries of a folder.

    Args:
        folder: Where packages are installed.
        strip: Strips one.

    Returns:
        How many bytes smaller they are.
    """
    saved_bytes = 0
    for library in sorted(path for path in folder.rglob("*.so*") if path.is_file() and not path.is_symlink()):
        with library.open("rb") as content:
            if content.read(4) != ELF:
                continue
        # Beside it, because libraries name their neighbours relative to themselves.
        stripped = library.with_name(f"{library.name}.stripped")
        before_bytes = library.stat().st_size
        if strip(library, stripped) and stripped.stat().st_size < before_bytes:
            shutil.copystat(library, stripped)
            saved_bytes += before_bytes - stripped.stat().st_size
            stripped.replace(library)
        stripped.unlink(missing_ok=True)
    return saved_bytes


if __name__ == "__main__":
    packages = Path(sys.argv[1])
    remove_what_is_not_read(packages)
    print(f"Libraries are {strip_libraries(packages) / 1e6:.1f} MB smaller.")
