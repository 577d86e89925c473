"""Removes from a base image what no process uses. Runs in the image itself, with Python alone.

    python trim_root.py ROOT LIST

`removed_from_root.txt` is such a list, and says how it is written. Debian's list of packages is made to say
what is left, so that a scanner neither misses a package nor reports one that is gone. What is left has no
`setuid` bit. The user that processes run as gets a name, because libraries ask for it.

Trimmed again, a base gives the same bytes with the same times. A builder may do it twice, and images whose
roots differ in a time do not share their layer.
"""

from __future__ import annotations

import compileall
import fnmatch
import os
import py_compile
import re
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

AUTHORITIES = "etc/ssl/certs/ca-certificates.crt"
STATUS = "var/lib/dpkg/status"
MOUNTS = Path("/proc/self/mountinfo")
ELF = b"\x7fELF"
LINKED_TIMEOUT_S = 60.0
CLOCK_GRAIN_S = 0.1
"""A file system's clock may be a little behind."""
CHANGED_AT_S = 946_684_800
"""The time of all that is changed here: the first second of the year 2000."""
ACCOUNTS = {
    "etc/passwd": "interview:x:10001:10001::/tmp:/usr/sbin/nologin",
    "etc/group": "interview:x:10001:",
}
"""Files, and the line that names the user or the group of all processes."""

Linked = Callable[[Path], set[Path]]
"""The libraries that the loader takes for a program or library, with those that they take in turn."""


@dataclass(frozen=True)
class Package:
    """A package of Debian as it is installed."""

    name: str
    stanza: str
    """What the list of packages says of it."""
    records: tuple[Path, ...]
    """Files that the package manager keeps about it."""
    paths: frozenset[Path]
    """Its files and folders, links to folders resolved."""


@dataclass(frozen=True)
class Removed:
    """What a list says."""

    packages: tuple[str, ...]
    paths: tuple[str, ...]
    staying: tuple[str, ...]
    """Paths that stay although their folder goes."""


def read_list(text: str) -> Removed:
    """Read a list of packages and paths. Paths are relative to the root."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return Removed(
        packages=tuple(line for line in lines if not line.startswith(("/", "!"))),
        paths=tuple(line[1:] for line in lines if line.startswith("/")),
        staying=tuple(line[2:] for line in lines if line.startswith("!/")),
    )


def without_links(path: Path) -> Path:
    """Resolve the folder of a path, and not the path itself: Debian lists `/lib/x` where `/lib` is a link."""
    return path.parent.resolve() / path.name


def installed_packages(root: Path) -> list[Package]:
    """Read Debian's list of packages. Empty where the base is not Debian's."""
    status = root / STATUS
    records: dict[str, list[Path]] = {}
    for record in sorted((status.parent / "info").glob("*.*")):
        records.setdefault(record.stem, []).append(record)
    found = []
    for stanza in status.read_text(encoding="utf-8").split("\n\n") if status.exists() else []:
        fields = dict(line.split(": ", 1) for line in stanza.splitlines() if re.match(r"[\w-]+: ", line))
        if "Package" not in fields:
            continue
        name = fields["Package"]
        own = [*records.get(name, ()), *records.get(f"{name}:{fields.get('Architecture')}", ())]
        paths = {
            without_links(root / line.lstrip("/"))
            for record in own
            if record.suffix == ".list"
            for line in record.read_text(encoding="utf-8").splitlines()
            if line != "/."
        }
        found.append(Package(name, stanza.strip("\n"), tuple(own), frozenset(paths)))
    return found


def mount_points() -> set[Path]:
    """Return what the engine puts into an image while this runs: `/proc`, `/etc/hosts` and others."""
    lines = MOUNTS.read_text(encoding="utf-8").splitlines() if MOUNTS.exists() else []
    return {Path(line.split()[4]) for line in lines}


def folders_of(root: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Walk through an image, and not through what is mounted into it."""
    mounted = mount_points()
    for parent, folders, files in os.walk(root):
        folders[:] = [name for name in folders if Path(parent, name) not in mounted]
        yield Path(parent), folders, [name for name in files if Path(parent, name) not in mounted]


def files_of(root: Path) -> Iterator[Path]:
    """Give all files and links of an image."""
    for parent, folders, files in folders_of(root):
        yield from (parent / name for name in files)
        yield from (parent / name for name in folders if (parent / name).is_symlink())


def remove_paths(root: Path, removed: Removed) -> None:
    """Remove files and folders by their names."""
    staying = {path for pattern in removed.staying for path in root.glob(pattern)}
    keeping = {folder for path in staying for folder in path.parents}
    for pattern in removed.paths:
        for path in list(root.glob(pattern)):
            _remove(path, staying, keeping)


def _remove(path: Path, staying: set[Path], keeping: set[Path]) -> None:
    if path in staying or not os.path.lexists(path):
        return
    if path.is_symlink() or not path.is_dir():
        path.unlink()
    elif path in keeping:
        for inner in path.iterdir():
            _remove(inner, staying, keeping)
    else:
        shutil.rmtree(path)


def linked_libraries(path: Path) -> set[Path]:
    """Ask the loader of this system which libraries a program or library takes."""
    loaders = sorted(Path("/").glob("lib*/ld-linux*.so.*"))
    if not loaders:
        return set()
    told = subprocess.run(
        [str(loaders[0]), "--list", str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=LINKED_TIMEOUT_S,
    ).stdout
    words = (line.partition("=>")[2].split() for line in told.splitlines())
    return {Path(found[0]) for found in words if found and found[0].startswith("/")}


def choose(packages: Iterable[Package], removed: Removed, root: Path, linked: Linked) -> list[Package]:
    """Choose the packages that go: those of the list to which nothing that stays is linked.

    Args:
        packages: All that are installed.
        removed: The list.
        root: The image.
        linked: Tells what a file is linked to.
    """
    going = [one for one in packages if any(fnmatch.fnmatchcase(one.name, p) for p in removed.packages)]
    staying = {path for one in packages if one not in going for path in one.paths}
    unasked = set(files_of(root)) - {path for one in going for path in one.paths - staying}
    while unasked:
        taken = {
            resolved
            for path in unasked
            if _is_elf(path)
            for library in linked(path)
            for resolved in (without_links(library), library.resolve())
        }
        rescued = [one for one in going if one.paths & taken]
        going = [one for one in going if one not in rescued]
        unasked = {path for one in rescued for path in one.paths}
    return going


def _is_elf(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as content:
        return content.read(4) == ELF


def remove_packages(root: Path, packages: list[Package], going: list[Package]) -> None:
    """Remove packages, and take them off the list."""
    shared = {path for one in packages if one not in going for path in one.paths}
    for path in sorted({path for one in going for path in one.paths} - shared, reverse=True):
        if path.is_symlink() or path.is_file():
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    for record in {record for one in going for record in one.records}:
        record.unlink(missing_ok=True)
    if packages:
        stanzas = [f"{one.stanza}\n" for one in packages if one not in going]
        (root / STATUS).write_text("\n".join(stanzas), encoding="utf-8")


def compile_standard_library(root: Path) -> None:
    """Compile Python's own modules. The registry's image has none compiled: each process would do so."""
    for folder in [*root.glob("usr/lib/python3*"), *root.glob("usr/local/lib/python3*")]:
        for cache in list(folder.rglob("__pycache__")):
            shutil.rmtree(cache)
        compileall.compile_dir(
            folder, quiet=1, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
        )


def dangling(root: Path) -> set[Path]:
    """Return the links that lead nowhere."""
    return {path for path in files_of(root) if path.is_symlink() and not path.exists()}


def take_rights_of_owners(root: Path) -> None:
    """Remove `setuid` and `setgid` bits: no program lends its caller the rights of its owner."""
    for path in files_of(root):
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode) and mode & (stat.S_ISUID | stat.S_ISGID):
            path.chmod(stat.S_IMODE(mode) & ~(stat.S_ISUID | stat.S_ISGID))


def name_the_user(root: Path) -> None:
    """Give the user of the processes a name and a home. Without one, asking for it is an error."""
    for path, line in ACCOUNTS.items():
        file = root / path
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        if line not in before.splitlines():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{before.rstrip()}\n{line}\n".lstrip(), encoding="utf-8")


def settle_times(root: Path, since_s: float) -> None:
    """Give everything that was changed since then one time, whenever that was."""
    folders = [parent for parent, _, _ in folders_of(root)]
    for path in [*files_of(root), *folders]:
        if path.lstat().st_mtime >= since_s:
            os.utime(path, (CHANGED_AT_S, CHANGED_AT_S), follow_symlinks=False)


def trim(root: Path, removed: Removed, linked: Linked = linked_libraries) -> tuple[list[str], list[str]]:
    """Remove from an image what a list names.

    Args:
        root: The image.
        removed: The list.
        linked: Tells what a file is linked to.

    Returns:
        The names of the packages that went, and of those that are left.
    """
    begun_s = time.time() - CLOCK_GRAIN_S
    dangling_before = dangling(root)
    packages = installed_packages(root)
    remove_paths(root, removed)
    going = choose(packages, removed, root, linked)
    remove_packages(root, packages, going)
    for path in dangling(root) - dangling_before:
        path.unlink()
    compile_standard_library(root)
    take_rights_of_owners(root)
    name_the_user(root)
    settle_times(root, begun_s)
    return [one.name for one in going], [one.name for one in packages if one not in going]


def main(root: Path, written: Path) -> None:
    """Trim the image that this runs in.

    Raises:
        SystemExit: It has no certificates.
    """
    if not (root / AUTHORITIES).exists():
        raise SystemExit(f"The base has no /{AUTHORITIES}. Install ca-certificates in it.")
    gone, left = trim(root, read_list(written.read_text(encoding="utf-8")))
    print(f"Removed: {' '.join(gone)}\nLeft: {' '.join(left)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
