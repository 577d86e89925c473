"""The list of packages of an image holds what is installed, each package once."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

from images.report import ImageSize, keep_metadata, table

INSTALLED = "lib/python3.11/site-packages"


def archive_of(names: list[str]) -> tarfile.TarFile:
    """An image's environment, as the engine sends it."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(name)
            archive.addfile(member, io.BytesIO(name.encode()))
    written.seek(0)
    return tarfile.open(fileobj=written, mode="r|")


def test_what_a_package_carries_inside_itself_is_not_listed(tmp_path: Path) -> None:
    names = [
        f"{INSTALLED}/packaging-26.3.dist-info/METADATA",
        f"{INSTALLED}/setuptools-81.0.dist-info/METADATA",
        f"{INSTALLED}/setuptools/_vendor/packaging-24.2.dist-info/METADATA",
        f"{INSTALLED}/setuptools/_vendor/jaraco.text-4.0.dist-info/METADATA",
    ]

    with archive_of(names) as archive:
        keep_metadata(archive, tmp_path)

    assert sorted(path.parent.name for path in tmp_path.rglob("METADATA")) == [
        "packaging-26.3.dist-info",
        "setuptools-81.0.dist-info",
    ]


def test_code_is_not_unpacked(tmp_path: Path) -> None:
    with archive_of([f"{INSTALLED}/yaml/__init__.py", f"{INSTALLED}/yaml-1.dist-info/RECORD"]) as archive:
        keep_metadata(archive, tmp_path)

    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["RECORD"]


def test_the_table_says_when_images_do_not_share_their_root() -> None:
    sizes = [ImageSize("gateway", 152, 91, 200, 50)]

    assert "in one layer" in table(sizes, "base", 190, [61])
    assert "in 2 layers" in table(sizes, "base", 190, [61, 62])
