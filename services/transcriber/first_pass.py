"""Decides whether what the model wrote of a window of its own length is kept, or it hears 30 s."""

from __future__ import annotations

from dataclasses import dataclass

from services.transcriber.guards import repeats_itself

MAX_OVERRUN_S = 3.0
"""A time stamp may lie so far behind the sound: in the margin. In a loop they go on behind it."""


@dataclass(frozen=True)
class FirstPass:
    """When the model is sure enough of what it wrote at a window's own length."""

    min_avg_logprob: float = -1.0
    """Mean over the tokens of the window: the library's own bound. A higher one made no word better."""
    max_compression_ratio: float = 2.2
    """Below the ladder's own 2.4, so that a window near it is heard again."""

    def is_sure(self, text: str, avg_logprob: float, compression_ratio: float, overrun_s: float) -> bool:
        """Tell whether the text can stay.

        Args:
            text: What was written, without time stamps. Nothing is never sure: somebody speaks.
            avg_logprob: Mean over its tokens.
            compression_ratio: Of the text.
            overrun_s: How far the last time stamp lies behind the sound.
        """
        return (
            bool(text.strip())
            and avg_logprob >= self.min_avg_logprob
            and compression_ratio <= self.max_compression_ratio
            and overrun_s <= MAX_OVERRUN_S
            and not repeats_itself(text.split())
        )
