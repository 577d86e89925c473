"""What is removed from the packages of an image."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from images.trim_packages import remove_what_is_not_read, strip, strip_libraries

LIBRARY = b"\x7fELF" + bytes(96)


def written(path: Path, content: bytes = b"") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_tests_stubs_and_sources_go_and_modules_stay(tmp_path: Path) -> None:
    for name in (
        "a/tests/test_one.py",
        "a/one.pyi",
        "a/one.pyx",
        "a/include/one.h",
        "a/one.py",
        "a/one.so",
        "a/data.bin",
    ):
        written(tmp_path / name)

    remove_what_is_not_read(tmp_path)

    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [
        "data.bin",
        "one.py",
        "one.so",
    ]


def test_a_library_becomes_what_was_stripped(tmp_path: Path) -> None:
    library = written(tmp_path / "a.libs" / "libone-1.so.2", LIBRARY)
    library.chmod(0o755)

    def half(given: Path, to: Path) -> bool:
        to.write_bytes(given.read_bytes()[:50])
        return True

    assert strip_libraries(tmp_path, half) == 50
    assert library.read_bytes() == LIBRARY[:50]
    assert library.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(("size", "loads"), [(50, False), (200, True)])
def test_a_library_that_does_not_load_or_gain_stays_as_it_was(tmp_path: Path, size: int, loads: bool) -> None:
    library = written(tmp_path / "one.so", LIBRARY)

    def poorly(_given: Path, to: Path) -> bool:
        to.write_bytes(bytes(size))
        return loads

    assert strip_libraries(tmp_path, poorly) == 0
    assert library.read_bytes() == LIBRARY
    assert list(tmp_path.iterdir()) == [library]


def test_what_is_no_library_is_not_stripped(tmp_path: Path) -> None:
    written(tmp_path / "libone.so.txt", b"text")

    assert strip_libraries(tmp_path, lambda _given, _to: pytest.fail("it was stripped")) == 0


@pytest.mark.skipif(
    shutil.which("strip") is None or shutil.which("gcc") is None, reason="binutils and gcc are not here"
)
def test_binutils_strips_a_library_that_loads_afterwards(tmp_path: Path) -> None:
    source = written(
        tmp_path / "one.c", b"static int two(void) { return 2; } int one(void) { return two(); }\n"
    )
    library = tmp_path / "one.so"
    subprocess.run(["gcc", "-g", "-shared", "-fPIC", "-o", library, source], check=True, timeout=60)
    stripped = tmp_path / "stripped.so"

    assert strip(library, stripped)
    assert stripped.stat().st_size < library.stat().st_size
    assert not strip(source, tmp_path / "none.so")
