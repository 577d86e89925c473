"""Prints rows: in columns on a terminal, as plain text with tabs everywhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

GAP = 2
"""Blanks between two columns."""


def print_rows(out: Console, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows under the names of their columns.

    On a terminal the last column folds where room is short, and no other one does. Elsewhere a row is one
    line with a tab between cells, whole and without a heading, for `cut` and `awk`.
    """
    if not out.is_terminal:
        # Not `print`, which turns tabs into blanks.
        out.file.writelines("\t".join(map(_plain, row)) + "\n" for row in rows)
        return
    heading = [*(Column(name, no_wrap=True) for name in columns[:-1]), Column(columns[-1], overflow="fold")]
    table = Table(*heading, box=None, padding=(0, GAP, 0, 0), pad_edge=False)
    for row in rows:
        table.add_row(*(escape(_plain(cell)) for cell in row))
    out.print(table, highlight=False)


def _plain(cell: str) -> str:
    """Return a cell on one line, without what would steer a terminal."""
    return "".join(char if char.isprintable() else " " for char in cell)
