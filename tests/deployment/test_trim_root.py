"""What is removed from a base image, and what stays, on roots made for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from images.trim_root import CHANGED_AT_S, main, read_list, trim
from tests.folders import ROOT

LIST = ROOT / "images" / "removed_from_root.txt"


class Base:
    """A root with packages of Debian."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.links: dict[Path, set[Path]] = {}
        (root / "usr" / "lib").mkdir(parents=True)
        (root / "lib").symlink_to("usr/lib")
        (root / "var/lib/dpkg/info").mkdir(parents=True)

    def write(self, path: str, content: bytes = b"text") -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        os.utime(file, (1e9, 1e9))
        return file.resolve()

    def install(self, name: str, *paths: str, linked_to: tuple[str, ...] = ()) -> None:
        """Install a package whose files are programs or libraries."""
        files = [self.write(path, b"\x7fELF") for path in paths]
        for file in files:
            self.links[file] = {(self.root / path) for path in linked_to}
        self.write(
            f"var/lib/dpkg/info/{name}:amd64.list", "\n".join(["/.", *(f"/{p}" for p in paths)]).encode()
        )
        self.write(f"var/lib/dpkg/info/{name}:amd64.postinst")
        with (self.root / "var/lib/dpkg/status").open("a", encoding="utf-8") as status:
            status.write(f"Package: {name}\nArchitecture: amd64\nDescription: one\n two: three\n\n")

    def trim(self, text: str) -> tuple[list[str], list[str]]:
        return trim(self.root, read_list(text), lambda path: self.links.get(path.resolve(), set()))

    def status(self) -> list[str]:
        lines = (self.root / "var/lib/dpkg/status").read_text(encoding="utf-8").splitlines()
        return [line.removeprefix("Package: ") for line in lines if line.startswith("Package: ")]


@pytest.fixture
def base(tmp_path: Path) -> Base:
    return Base(tmp_path)


def test_a_named_package_goes_with_its_files_and_its_entry(base: Base) -> None:
    base.install("apt", "usr/bin/apt")
    base.install("coreutils", "usr/bin/ls")

    assert base.trim("apt\n") == (["apt"], ["coreutils"])
    assert not (base.root / "usr/bin/apt").exists()
    assert (base.root / "usr/bin/ls").exists()
    assert base.status() == ["coreutils"]
    assert [record.name for record in (base.root / "var/lib/dpkg/info").glob("apt*")] == []


def test_a_library_stays_where_something_that_stays_is_linked_to_it(base: Base) -> None:
    base.install("libone", "lib/libone.so", linked_to=("lib/libtwo.so",))
    base.install("libtwo", "lib/libtwo.so")
    base.install("libthree", "lib/libthree.so")
    base.install("python3", "usr/bin/python3", linked_to=("lib/libone.so",))

    assert base.trim("lib*\n") == (["libthree"], ["libone", "libtwo", "python3"])


def test_a_library_goes_with_the_only_program_that_is_linked_to_it(base: Base) -> None:
    base.install("libone", "lib/libone.so")
    base.install("apt", "usr/bin/apt", linked_to=("lib/libone.so",))

    assert base.trim("apt\nlib*\n") == (["libone", "apt"], [])


def test_a_python_module_that_is_removed_keeps_no_library(base: Base) -> None:
    base.install("libdb", "lib/libdb.so")
    base.install("python3", "usr/lib/python3.11/lib-dynload/_dbm.so", linked_to=("lib/libdb.so",))

    assert base.trim("libdb\n/usr/lib/python3*/lib-dynload/_dbm.*\n") == (["libdb"], ["python3"])


def test_a_file_that_two_packages_name_stays_with_the_one_that_stays(base: Base) -> None:
    base.install("bash", "usr/bin/sh")
    base.install("dash", "usr/bin/sh")

    base.trim("bash\n")

    assert (base.root / "usr/bin/sh").exists()


def test_what_is_excepted_stays_in_a_folder_that_goes(base: Base) -> None:
    base.write("usr/share/doc/zlib/copyright")
    base.write("usr/share/doc/zlib/changelog.gz")

    base.trim("/usr/share/doc\n!/usr/share/doc/*/copyright\n")

    assert [path.name for path in (base.root / "usr/share/doc/zlib").iterdir()] == ["copyright"]


def test_a_link_that_loses_its_target_goes(base: Base) -> None:
    base.install("mawk", "usr/bin/mawk")
    (base.root / "usr/bin/awk").symlink_to("mawk")
    (base.root / "usr/bin/never").symlink_to("was-never-there")

    base.trim("mawk\n")

    assert sorted(path.name for path in (base.root / "usr/bin").iterdir()) == ["never"]


def test_no_file_gives_its_caller_the_rights_of_its_owner(base: Base) -> None:
    base.write("usr/bin/su").chmod(0o4755)

    base.trim("")

    assert (base.root / "usr/bin/su").stat().st_mode & 0o7777 == 0o755


def test_the_standard_library_is_compiled(base: Base) -> None:
    """The registry's image has none of it compiled: each process and health check would do it again."""
    module = base.write("usr/local/lib/python3.11/one.py", b"1\n")
    base.write("usr/local/lib/python3.11/__pycache__/gone.cpython-311.pyc")

    base.trim("")

    (compiled,) = (module.parent / "__pycache__").iterdir()
    assert compiled.name.startswith("one.")


def test_a_base_that_is_trimmed_twice_gives_the_same_times(base: Base) -> None:
    """A builder may trim it again for another image, which must not bring a layer of its own for that."""
    base.install("apt", "usr/bin/apt")
    base.install("coreutils", "usr/bin/ls")
    base.write("usr/local/lib/python3.11/one.py", b"1\n")
    for path in [base.root, *base.root.rglob("*")]:
        os.utime(path, (1e9, 1e9), follow_symlinks=False)

    base.trim("apt\n")

    times = {path.relative_to(base.root): path.lstat().st_mtime for path in base.root.rglob("*")}
    assert set(times.values()) == {1e9, float(CHANGED_AT_S)}
    assert times[Path("usr/bin/ls")] == 1e9
    assert times[Path("usr/bin")] == times[Path("etc/passwd")] == CHANGED_AT_S


def test_the_user_of_the_processes_has_a_name_and_a_home_that_is_writable(base: Base) -> None:
    base.write("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n")

    base.trim("")
    base.trim("")

    accounts = (base.root / "etc/passwd").read_text(encoding="utf-8").splitlines()
    assert accounts == [
        "root:x:0:0:root:/root:/bin/sh",
        "interview:x:10001:10001::/tmp:/usr/sbin/nologin",
    ]
    assert (base.root / "etc/group").read_text(encoding="utf-8") == "interview:x:10001:\n"


def test_a_base_without_debian_only_loses_files(base: Base) -> None:
    base.write("usr/share/man/one.1")

    assert base.trim("apt\n/usr/share/man\n") == ([], [])
    assert not (base.root / "usr/share/man").exists()


def test_a_base_without_certificates_is_refused(base: Base) -> None:
    with pytest.raises(SystemExit, match="Install ca-certificates"):
        main(base.root, LIST)


@pytest.mark.parametrize(
    "needed",
    ["base-files", "ca-certificates", "coreutils", "dash", "libc6", "libstdc++6", "tzdata", "python3.11"],
)
def test_what_a_process_or_a_probe_needs_is_not_on_the_list(base: Base, needed: str) -> None:
    base.install(needed, "usr/bin/program")

    assert base.trim(LIST.read_text(encoding="utf-8")) == ([], [needed])


def test_pythons_packages_lie_at_no_fixed_place(base: Base) -> None:
    """The registry's image has Python in /usr/local, Debian has it in /usr."""
    for folder in ("usr/lib/python3.11", "usr/local/lib/python3.12"):
        base.write(f"{folder}/ensurepip/__init__.py", b"")
        base.write(f"{folder}/json/__init__.py", b"")

    base.trim(LIST.read_text(encoding="utf-8"))

    assert [path.parent.name for path in base.root.rglob("__init__.py")] == ["json", "json"]
