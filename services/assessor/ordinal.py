"""From a sum of weighed figures to a level with its spread: a proportional-odds scale, fitted elsewhere.

A threshold is the half between two neighbouring levels, and what lies between two thresholds is interpolated.
So the scale reaches from 1 to 5 and is not squeezed towards its middle.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from services.assessor.rubric import HIGHEST_LEVEL, LOWEST_LEVEL


def level_at(total: float, thresholds: Sequence[float]) -> float:
    """Give the level of a sum, clipped to 1-5.

    Args:
        total: The sum of the weighed figures.
        thresholds: Four rising sums at which a level turns into the next one.
    """
    halves = [LOWEST_LEVEL + 0.5 + place for place in range(len(thresholds))]
    # Beyond the outer thresholds it goes on as steeply as beside them.
    place = min(max(sum(total >= threshold for threshold in thresholds), 1), len(thresholds) - 1)
    low, high = thresholds[place - 1], thresholds[place]
    level = halves[place - 1] + (total - low) / (high - low)
    return min(max(level, LOWEST_LEVEL), HIGHEST_LEVEL)


def spread_at(total: float, thresholds: Sequence[float]) -> float:
    """Give the standard deviation, in levels, of what the level of such a sum may truly be."""
    above = [1.0, *(_sigmoid(total - threshold) for threshold in thresholds), 0.0]
    shares = [above[place] - above[place + 1] for place in range(len(above) - 1)]
    mean = sum(place * share for place, share in enumerate(shares))
    return math.sqrt(sum(share * (place - mean) ** 2 for place, share in enumerate(shares)))


def _sigmoid(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, value))))
