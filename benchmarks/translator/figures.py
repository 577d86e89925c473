"""What became of the sentences, by direction and kind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.translator.chrf import chrf
from benchmarks.translator.corpus import DIRECTIONS, Sentence
from services.translator.job import Outcome, Translation

ALL = "all"


@dataclass(frozen=True)
class Result:
    """A sentence and what the translator made of it."""

    sentence: Sentence
    translation: Translation
    said: tuple[str, ...] = ()
    """What the model replied, also where the checks left it out."""

    @property
    def failed(self) -> bool:
        """Whether nothing was translated at all. It says nothing about quality."""
        return self.translation.outcome not in (Outcome.OK, Outcome.INSUFFICIENT_EVIDENCE)

    @property
    def left_out(self) -> bool:
        """Whether the checks dropped it."""
        return self.translation.outcome is Outcome.INSUFFICIENT_EVIDENCE

    @property
    def doubted(self) -> bool:
        """Whether it is shown with a doubt."""
        return bool(self.translation.doubts)

    @property
    def faults(self) -> list[str]:
        """The patterns that it breaks. Empty for one that is not there."""
        return [] if self.translation.text is None else self.sentence.faults(self.translation.text)

    @property
    def kept(self) -> bool:
        """Whether all that has to survive is there."""
        return self.translation.text is not None and not self.faults

    @property
    def silently_wrong(self) -> bool:
        """Whether a reader is shown something wrong without a word."""
        return bool(self.faults) and not self.doubted


@dataclass(frozen=True)
class Row:
    """The figures of some sentences."""

    direction: str
    kind: str
    sentence_count: int
    kept_count: int
    left_out_count: int
    doubted_count: int
    wrong_unflagged_count: int
    doubted_though_kept_count: int

    def share(self, count: int) -> float:
        """Return a count's share of all."""
        return count / self.sentence_count


def rows_of(results: Sequence[Result]) -> list[Row]:
    """Count by direction and kind. A sentence of several kinds counts in each."""
    done = [result for result in results if not result.failed]
    rows = []
    for direction in (*DIRECTIONS, ALL):
        of_direction = [result for result in done if direction in (ALL, result.sentence.direction)]
        kinds = sorted({kind for result in of_direction for kind in result.sentence.kinds})
        for kind in (*kinds, ALL):
            of_kind = [result for result in of_direction if kind == ALL or kind in result.sentence.kinds]
            if of_kind:
                rows.append(_row(direction, kind, of_kind))
    return rows


def to_json(results: Sequence[Result]) -> dict[str, float]:
    """Name the figures for the line of JSON."""
    figures: dict[str, float] = {"failed": sum(result.failed for result in results)}
    for row in rows_of(results):
        name = "_".join(part for part in (row.direction.replace("-", "_"), row.kind) if part != ALL)
        suffix = f"_{name}" if name else ""
        figures |= {
            f"sentences{suffix}": row.sentence_count,
            f"kept_share{suffix}": round(row.share(row.kept_count), 3),
            f"left_out_share{suffix}": round(row.share(row.left_out_count), 3),
            f"doubted_share{suffix}": round(row.share(row.doubted_count), 3),
            f"wrong_unflagged_share{suffix}": round(row.share(row.wrong_unflagged_count), 3),
        }
    figures["chrf"] = round(chrf_of(results), 1)
    return figures


def chrf_of(results: Iterable[Result], direction: str = ALL) -> float:
    """Compare what is shown with the references."""
    return chrf(
        (result.translation.text, result.sentence.reference)
        for result in results
        if result.translation.text is not None and direction in (ALL, result.sentence.direction)
    )


def _row(direction: str, kind: str, results: Sequence[Result]) -> Row:
    return Row(
        direction,
        kind,
        sentence_count=len(results),
        kept_count=sum(result.kept for result in results),
        left_out_count=sum(result.left_out for result in results),
        doubted_count=sum(result.doubted for result in results),
        wrong_unflagged_count=sum(result.silently_wrong for result in results),
        doubted_though_kept_count=sum(result.doubted and result.kept for result in results),
    )
