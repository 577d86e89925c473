"""What is brought to a machine in pieces is whole there, or is refused with what to do."""

from __future__ import annotations

import io
import os
import subprocess
from pathlib import Path

import pytest

from benchmarks.gpu.pieces import (
    Piece,
    PieceReader,
    PieceWriter,
    missing,
    pack,
    pieces_in,
    put_in_place,
    unpack,
)

RUN = Path(__file__).parents[3] / "benchmarks" / "gpu" / "run.sh"


def written(folder: Path, content: bytes, max_bytes: int, at_once: int = 7) -> list[Piece]:
    folder.mkdir(exist_ok=True)
    writer = PieceWriter(folder, max_bytes)
    for start in range(0, len(content), at_once):
        assert writer.write(content[start : start + at_once]) == len(content[start : start + at_once])
    return writer.finish()


@pytest.mark.parametrize("max_bytes", [1, 10, 50, 99, 100, 101])
def test_pieces_joined_are_what_was_split(tmp_path: Path, max_bytes: int) -> None:
    content = bytes(range(100))

    pieces = written(tmp_path, content, max_bytes)

    sizes = [piece.path.stat().st_size for piece in pieces]
    assert sizes[:-1] == [max_bytes] * (len(pieces) - 1)
    assert 0 < sizes[-1] <= max_bytes
    assert pieces_in(tmp_path) == pieces
    assert io.BufferedReader(PieceReader(pieces), 13).read() == content


def test_a_folder_comes_back_from_its_pieces(tmp_path: Path) -> None:
    source, brought, held = tmp_path / "source", tmp_path / "brought", tmp_path / "held"
    (source / "site").mkdir(parents=True)
    (source / "site" / "large.bin").write_bytes(os.urandom(5_000))
    (source / "version").write_text("3.11\n")
    brought.mkdir()

    pieces = pack(source, brought, 1_500)
    for piece in pieces:
        gone = put_in_place(piece.number, brought, held)

    assert len(pieces) > 2
    assert gone == []
    unpack(pieces_in(held), tmp_path / "there")
    found = {path.name: path.read_bytes() for path in (tmp_path / "there").rglob("*") if path.is_file()}
    assert found == {path.name: path.read_bytes() for path in source.rglob("*") if path.is_file()}


def test_what_is_missing_is_named_until_the_last_piece_is_there(tmp_path: Path) -> None:
    pieces = written(tmp_path / "brought", b"0123456789", 4)

    assert missing([]) == [1]
    assert put_in_place(3, tmp_path / "brought", tmp_path / "held") == [1, 2]
    assert put_in_place(1, tmp_path / "brought", tmp_path / "held") == [2]
    assert put_in_place(1, tmp_path / "brought", tmp_path / "held") == [2]
    with pytest.raises(ValueError, match="missing: 2"):
        unpack(pieces_in(tmp_path / "held"), tmp_path / "there")
    assert not (tmp_path / "there").exists()
    assert put_in_place(2, tmp_path / "brought", tmp_path / "held") == []
    assert [piece.digest for piece in pieces_in(tmp_path / "held")] == [piece.digest for piece in pieces]


def test_a_damaged_piece_is_refused_and_not_put_in_place(tmp_path: Path) -> None:
    piece = written(tmp_path / "brought", b"0123456789", 4)[1]
    piece.path.write_bytes(b"456")

    with pytest.raises(ValueError, match="damaged"):
        put_in_place(2, tmp_path / "brought", tmp_path / "held")
    assert pieces_in(tmp_path / "held") == []


def test_pieces_of_two_sets_are_not_mixed(tmp_path: Path) -> None:
    written(tmp_path / "first", b"0123456789", 4)
    written(tmp_path / "second", b"0123456789", 3)
    put_in_place(1, tmp_path / "first", tmp_path / "held")

    with pytest.raises(ValueError, match="another set"):
        put_in_place(2, tmp_path / "second", tmp_path / "held")
    with pytest.raises(ValueError, match="0 files"):
        put_in_place(4, tmp_path / "first", tmp_path / "held")


def test_the_script_puts_a_piece_in_place_and_says_what_is_missing(tmp_path: Path) -> None:
    written(tmp_path / "brought", b"0123456789", 4)
    environment = os.environ | {
        "INTERVIEW_GPU_DIR": str(tmp_path / "held"),
        "INTERVIEW_GPU_PIECES": str(tmp_path / "brought"),
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", RUN, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    done, wrong, usage = run("carry", "2"), run("carry", "9"), run()

    assert (done.returncode, done.stdout) == (0, "Piece 2 is whole. Missing: [1, 3]\n")
    assert wrong.returncode == 1
    assert "Bring exactly one" in wrong.stderr
    assert usage.returncode == 2
    assert "run.sh measure" in usage.stdout
