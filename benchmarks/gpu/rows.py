"""What was measured as a table to paste into the docs, and as one line of JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

NOT_MEASURED = "not measured"
GPU_BATCH_SIZE = 16
"""The service's default on a GPU: what the figures of the JSON line are of."""
SERVICE_NUMBERS = "float16"
"""Likewise."""
HEADS = (
    *("numbers", "batch", "callers", "seconds of sound a second", "over one caller"),
    *("GPU memory MiB", "words unchanged"),
)


@dataclass(frozen=True)
class Setting:
    """How the transcriber is run in one row."""

    compute_type: str
    batch_size: int
    caller_count: int

    @property
    def name(self) -> str:
        """How it is spoken of."""
        callers = "caller" if self.caller_count == 1 else "callers"
        return f"{self.compute_type}, batches of {self.batch_size}, {self.caller_count} {callers}"


@dataclass(frozen=True)
class Row:
    """What one setting reached."""

    real_time_ratio: float
    """Seconds of sound a second."""
    memory_mib: float | None
    """Of the GPU, the most seen. None where nothing told it."""
    words_unchanged: float | None
    """Share of the reference's words, 0 to 1. None without a reference."""
    recording_count: int
    """Recordings that were transcribed at least once."""


@dataclass(frozen=True)
class Figure:
    """A figure of the JSON line and what it has to reach on a GPU."""

    name: str
    value: float | None
    at_least: float

    @property
    def holds(self) -> bool | None:
        """Whether it is reached. None where it was not measured."""
        return None if self.value is None else self.value >= self.at_least


def table(rows: Mapping[Setting, Row]) -> str:
    """Return a table in Markdown, a row a setting, in the order of numbers, batch and callers."""
    lines = [f"| {' | '.join(HEADS)} |", "|---" * len(HEADS) + "|"]
    for setting in sorted(rows, key=lambda s: (s.compute_type, s.batch_size, s.caller_count)):
        row = rows[setting]
        alone = rows.get(Setting(setting.compute_type, setting.batch_size, 1))
        cells = [
            setting.compute_type,
            str(setting.batch_size),
            str(setting.caller_count),
            f"{row.real_time_ratio:.1f}",
            f"{row.real_time_ratio / alone.real_time_ratio:.2f}" if alone else "–",
            "–" if row.memory_mib is None else f"{row.memory_mib:.0f}",
            "–" if row.words_unchanged is None else f"{row.words_unchanged:.1%}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def figures(rows: Mapping[Setting, Row], compute_type: str, batch_size: int, callers: int) -> list[Figure]:
    """Return the figures that have targets, of the service's own setting with one caller and with many."""
    many = rows.get(Setting(compute_type, batch_size, callers))
    alone = rows.get(Setting(compute_type, batch_size, 1))
    over_one = many.real_time_ratio / alone.real_time_ratio if many and alone else None
    return [
        Figure(f"callers_{callers}_over_1", _rounded(over_one), 4.0),
        Figure("real_time_over_base", _rounded(many.real_time_ratio if many else None), 40.0),
        Figure("words_unchanged", _rounded(many.words_unchanged if many else None), 0.98),
    ]


def verdicts(found: Sequence[Figure]) -> str:
    """Return a line for each figure: what it is, what it has to be, whether it is."""
    words = {True: "holds", False: "does not hold"}
    return "\n".join(
        f"{figure.name} (≥ {figure.at_least:g}): "
        + (NOT_MEASURED if figure.holds is None else f"{figure.value:g}, {words[figure.holds]}")
        for figure in found
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
