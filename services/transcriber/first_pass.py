"""Decides whether a greedy attempt at a window is kept, or the window is decoded again with the beam."""

from __future__ import annotations

from dataclasses import dataclass

from services.transcriber.guards import repeats_itself


@dataclass(frozen=True)
class FirstPass:
    """When the model is sure enough of what it wrote without a beam."""

    min_avg_logprob: float = -0.5
    """Mean over the tokens of the window. How it was chosen stands in the README."""
    max_compression_ratio: float = 2.2
    """Below the ladder's own 2.4, so that a window near it gets the beam."""

    def is_sure(self, text: str, avg_logprob: float, compression_ratio: float) -> bool:
        """Tell whether the greedy text can stay."""
        return (
            avg_logprob >= self.min_avg_logprob
            and compression_ratio <= self.max_compression_ratio
            and not repeats_itself(text.split())
        )
