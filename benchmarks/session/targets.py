"""What the figures have to reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MB_PER_MIB = 1024 * 1024 / 1e6


@dataclass(frozen=True)
class Target:
    """A bound of a figure."""

    figure: str
    bound: float
    at_least: bool
    """Else the figure is at most the bound."""

    def holds(self, figures: Mapping[str, float | None]) -> bool | None:
        """Tell whether it is reached. None where it was not measured."""
        value = figures.get(self.figure)
        if value is None:
            return None
        return value >= self.bound if self.at_least else value <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.bound:g}"


TARGETS = (
    Target("over_monolith", 3.0, True),
    Target("over_monolith_equal_coverage", 6.0, True),
    Target("cpu_ratio_to_before", 0.75, False),
    Target("over_before_llm", 3.5, True),
    Target("assess_over_one_shot", 2.0, False),
    Target("peak_rss_mib", round(1250 / MB_PER_MIB), False),
)
