"""Sound as every stage takes it: mono samples, 16,000 a second."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chassis.errors import InvalidInputError

Samples = NDArray[np.float32]
"""Mono sound in [-1, 1], shape (n,)."""
SAMPLE_RATE_HZ = 16_000
"""What the models for speech were trained on."""
GATHERED_SAMPLES = 65_536
"""Samples resampled at once: packets hold a few milliseconds, and each call has its price."""


def too_long(max_duration_s: float) -> InvalidInputError:
    """Return the error for a recording that is too long."""
    return InvalidInputError(
        f"The recording is longer than {max_duration_s / 60:g} minutes. Send it in shorter parts.",
        reason="MEDIA_TOO_LONG",
    )
