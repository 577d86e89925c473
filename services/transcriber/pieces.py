"""Cuts what is decoded in one language into pieces that the model hears at once, where nobody speaks.

A cut inside a word loses it, and a short piece lacks context. So cuts are few, in long pauses, and far from
other cuts. They are made from the front: a cut does not depend on what is said more than `LOOKAHEAD_S` after
the one before it, so that a recording that still grows is cut as the whole one will be.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from services.transcriber.audio import SAMPLE_RATE_HZ, Sliceable
from services.transcriber.speech import overlap_s
from services.transcriber.transcript import Span

MAX_PIECE_S = 17.0
"""With its margin a window has 20 s at most, from where on the encoder's cost rises steeply (base, int8, one
thread: 0.32 CPU-seconds for 20 s, 0.40 for 21 s, 0.79 for 30 s)."""
MIN_PIECE_S = 1.0
"""No cut leaves less. Of less the model makes up words."""
AHEAD_RATIO = 1.5
"""How much of what is heard has a say in where a piece ends, over the longest piece. With 1.0 the next piece
may be a short one: 49 errors in 884 English words. With 1.5 there are 38, and 37 where all has a say."""
LOOKAHEAD_S = AHEAD_RATIO * MAX_PIECE_S
LONG_PAUSE_S = 1.0
"""Longer pauses are no better to cut in."""
DIP_S = 0.2
"""Where nobody pauses, the cut is in the middle of the quietest stretch of this length: between two words."""
DIP_STEP_S = 0.05


def cut_into_pieces(
    samples: Sliceable, spans: Sequence[Span], speech: Sequence[Span], max_piece_s: float = MAX_PIECE_S
) -> list[list[Span]]:
    """Return the spans in pieces of at most `max_piece_s`, in time order. Together they are all of `spans`.

    Args:
        samples: The recording.
        spans: What is to be heard, in time order. Not empty.
        speech: Tight spans of speech in the recording, in time order.
        max_piece_s: Longest piece, without the silences between its spans.
    """
    cutting = _Cutting(samples, spans, speech, max_piece_s)
    return divided(spans, _cuts_s(cutting, spans[0].start_s, spans[-1].end_s))


def divided(spans: Sequence[Span], cuts_s: Sequence[float]) -> list[list[Span]]:
    """Cut spans at the given times, in time order. Every piece gets what lies between two cuts."""
    edges_s = [spans[0].start_s, *cuts_s, spans[-1].end_s]
    return [
        [
            Span(max(start_s, span.start_s), min(end_s, span.end_s))
            for span in spans
            if min(end_s, span.end_s) > max(start_s, span.start_s)
        ]
        for start_s, end_s in pairwise(edges_s)
    ]


class _Cutting:
    """What cuts are found in."""

    def __init__(
        self, samples: Sliceable, spans: Sequence[Span], speech: Sequence[Span], max_piece_s: float
    ) -> None:
        self.samples = samples
        self.spans = spans
        self.pauses = [Span(a.end_s, b.start_s) for a, b in pairwise(speech)]
        self.max_piece_s = max_piece_s

    def heard_s(self, start_s: float, end_s: float) -> float:
        """Return how much of a stretch the model hears."""
        return overlap_s(Span(start_s, end_s), self.spans)


def _cuts_s(cutting: _Cutting, start_s: float, end_s: float) -> list[float]:
    """Return where a stretch is cut, from its beginning on: in the best pause, or where it is quietest."""
    cuts_s: list[float] = []
    while cutting.heard_s(start_s, end_s) > cutting.max_piece_s:
        start_s = _best_pause_s(cutting, start_s, end_s) or _quietest_s(cutting, start_s, end_s)
        cuts_s.append(start_s)
    return cuts_s


def _best_pause_s(cutting: _Cutting, start_s: float, end_s: float) -> float | None:
    """Return the middle of the pause that is long and leaves much on both sides. None without one."""
    best_s, best_score = None, 0.0
    ahead_s = min(cutting.heard_s(start_s, end_s), AHEAD_RATIO * cutting.max_piece_s)
    for pause in cutting.pauses:
        middle_s = (pause.start_s + pause.end_s) / 2
        heard_s = cutting.heard_s(start_s, middle_s) if start_s < middle_s < end_s else 0.0
        shorter_s = min(heard_s, ahead_s - heard_s)
        score = min(pause.duration_s, LONG_PAUSE_S) * (0.5 + shorter_s / ahead_s)
        if shorter_s >= MIN_PIECE_S and heard_s <= cutting.max_piece_s and score > best_score:
            best_s, best_score = middle_s, score
    return best_s


def _quietest_s(cutting: _Cutting, start_s: float, end_s: float) -> float:
    """Return the quietest moment in the last third of the longest piece that begins at `start_s`."""
    longest_s = min(cutting.max_piece_s, cutting.heard_s(start_s, end_s) - MIN_PIECE_S)
    times_s = [
        float(time_s)
        for span in cutting.spans
        for time_s in np.arange(max(start_s, span.start_s), span.end_s, DIP_STEP_S)
        if longest_s * 2 / 3 <= cutting.heard_s(start_s, time_s) <= longest_s
    ]
    return min(reversed(times_s), key=lambda time_s: _loudness(cutting.samples, time_s))


def _loudness(samples: Sliceable, time_s: float) -> float:
    around = samples[
        max(0, round((time_s - DIP_S / 2) * SAMPLE_RATE_HZ)) : round((time_s + DIP_S / 2) * SAMPLE_RATE_HZ)
    ]
    return float(np.mean(np.square(around, dtype=np.float64)))
